//! Rules of listeners: which requests go where. The default rule is the listener's own.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    Kind, changed,
    elbv2::{self, Listener},
    gone, named, only, text, with,
};
use crate::aws::{
    api::{Api, NAME_TAG, tag},
    trouble::Trouble,
    wire::Service::Elbv2,
};

pub(in crate::aws) struct Rule;

#[async_trait]
impl Kind for Rule {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for listener in Listener.list(api).await? {
            let arn = only(&listener, &["ListenerArn"]);
            let rules = api.all(Elbv2, "DescribeRules", arn.clone(), "Rules", elbv2::MARKERS).await?;
            let is_own = |it: &Value| it.get("IsDefault").and_then(Value::as_bool) != Some(true);
            found.extend(rules.into_iter().filter(is_own).map(|it| with(&it, arn.clone())));
        }
        let tagged = elbv2::with_tags(api, found, "RuleArn").await?;
        let name = |it: &Value| tag(it, NAME_TAG).unwrap_or("").to_owned();
        Ok(tagged.into_iter().map(|it| (name(&it), it)).map(|(name, it)| named(it, &name)).collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let mut tags = api.tag_list("Key", "Value");
        if let Some(list) = tags.as_array_mut() {
            list.push(json!({"Key": NAME_TAG, "Value": name}));
        }
        api.call(Elbv2, "CreateRule", with(document, json!({"Tags": tags}))).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let arn = || object.get("RuleArn").cloned().unwrap_or_default();
        let mut input = changed(&self.document(object), document, &["Conditions", "Actions"]);
        if !input.is_empty() {
            input.insert("RuleArn".to_owned(), arn());
            api.call(Elbv2, "ModifyRule", Value::Object(input)).await?;
        }
        let wanted = priority(document);
        if wanted.is_some() && wanted != priority(object) {
            let input = json!({"RulePriorities": [{"RuleArn": arn(), "Priority": wanted}]});
            api.call(Elbv2, "SetRulePriorities", input).await?;
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Elbv2, "DeleteRule", only(object, &["RuleArn"])).await)
    }

    /// A description says a condition's values twice, and a request only once.
    fn document(&self, object: &Value) -> Value {
        let once = |condition: &Value| {
            let mut once = condition.as_object().cloned().unwrap_or_default();
            if once.keys().any(|key| key.ends_with("Config")) {
                once.remove("Values");
            }
            Value::Object(once)
        };
        let mut document: Map<String, Value> = Map::new();
        for (key, value) in only(object, &["ListenerArn", "Actions"]).as_object().into_iter().flatten() {
            document.insert(key.clone(), value.clone());
        }
        let conditions: Vec<Value> = super::list(object, "Conditions").iter().map(once).collect();
        document.insert("Conditions".to_owned(), Value::from(conditions));
        if let Some(priority) = priority(object) {
            document.insert("Priority".to_owned(), Value::from(priority));
        }
        Value::Object(document)
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "RuleArn").to_owned())
    }
}

/// A number in a request and a text in a description.
fn priority(rule: &Value) -> Option<i64> {
    let found = rule.get("Priority")?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_rule_is_the_document_that_made_it() {
        let described = json!({
            "RuleArn": "r", "Priority": "10", "IsDefault": false, "ListenerArn": "l",
            "Conditions": [{"Field": "path-pattern", "Values": ["/admin*"], "PathPatternConfig": {"Values": ["/admin*"]}}],
            "Actions": [{"Type": "forward", "TargetGroupArn": "t"}],
        });
        assert_eq!(
            Rule.document(&described),
            json!({
                "ListenerArn": "l", "Priority": 10,
                "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/admin*"]}}],
                "Actions": [{"Type": "forward", "TargetGroupArn": "t"}],
            })
        );
    }
}
