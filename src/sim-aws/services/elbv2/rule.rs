//! Rules of listeners.

use serde_json::{Value, json};

use super::{
    action,
    balancer::bad,
    condition,
    state::{Rule, not_found},
    tags, watch,
};
use crate::{AwsError, Cloud, input};

pub(super) fn new_arn(cloud: &mut Cloud, listener: &str) -> String {
    let digits = cloud.chance.text(b"0123456789abcdef", 16);
    format!("{}/{digits}", listener.replacen(":listener/", ":listener-rule/", 1))
}

pub(super) fn view(arn: &str, it: &Rule) -> Value {
    json!({
        "RuleArn": arn,
        "Priority": it.priority.map_or("default".to_owned(), |it| it.to_string()),
        "Conditions": it.conditions.iter().map(condition::Condition::view).collect::<Vec<_>>(),
        "Actions": it.actions.iter().map(action::Action::view).collect::<Vec<_>>(),
        "IsDefault": it.priority.is_none(),
    })
}

fn priority(cloud: &Cloud, request: &Value, listener: &str, own: Option<&str>) -> Result<u32, AwsError> {
    let number = input::integer(request, "Priority").ok_or_else(|| bad("A rule priority must be specified"))?;
    let priority = u32::try_from(number).ok().filter(|it| (1..=50_000).contains(it));
    let Some(priority) = priority else {
        return Err(bad(format!("Priority '{number}' must be between 1 and 50000")));
    };
    let rival = |(arn, it): (&String, &Rule)| {
        it.listener == listener && it.priority == Some(priority) && own != Some(arn.as_str())
    };
    if cloud.elbv2.rules.iter().any(rival) {
        return Err(AwsError::new("PriorityInUse", format!("Priority '{priority}' is currently in use")));
    }
    Ok(priority)
}

/// `CreateRule`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let listener = input::text(request, "ListenerArn").unwrap_or_default().to_owned();
    let Some(balancer) = cloud.elbv2.listeners.get(&listener).map(|it| it.balancer.clone()) else {
        return Err(not_found("Listener"));
    };
    let priority = priority(cloud, request, &listener, None)?;
    let conditions = condition::read(input::list(request, "Conditions"))?;
    if conditions.is_empty() {
        return Err(bad("A condition must be specified"));
    }
    let actions = action::read(cloud, input::list(request, "Actions"), &balancer)?;
    let arn = new_arn(cloud, &listener);
    watch(cloud, |cloud| {
        let rule = Rule { listener, priority: Some(priority), conditions, actions };
        cloud.elbv2.rules.insert(arn.clone(), rule);
    });
    tags::add(cloud, &arn, input::list(request, "Tags"));
    Ok(json!({"Rules": [cloud.elbv2.rules.get(&arn).map(|it| view(&arn, it))]}))
}

fn named<'a>(cloud: &'a Cloud, request: &Value) -> Result<(String, &'a Rule), AwsError> {
    let arn = input::text(request, "RuleArn").unwrap_or_default();
    let found = cloud.elbv2.rules.get_key_value(arn).map(|(arn, it)| (arn.clone(), it));
    found.ok_or_else(|| not_found("Rule"))
}

/// `ModifyRule`.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (arn, old) = named(cloud, request)?;
    if old.priority.is_none() {
        return Err(AwsError::new("OperationNotPermitted", format!("Default rule '{arn}' cannot be modified")));
    }
    let mut rule = old.clone();
    let balancer = cloud.elbv2.listeners.get(&rule.listener).map(|it| it.balancer.clone()).unwrap_or_default();
    if input::has(request, "Conditions") {
        rule.conditions = condition::read(input::list(request, "Conditions"))?;
    }
    if input::has(request, "Actions") {
        rule.actions = action::read(cloud, input::list(request, "Actions"), &balancer)?;
    }
    watch(cloud, |cloud| {
        cloud.elbv2.rules.insert(arn.clone(), rule);
    });
    Ok(json!({"Rules": [cloud.elbv2.rules.get(&arn).map(|it| view(&arn, it))]}))
}

/// `DeleteRule`; the default rule stays.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (arn, rule) = named(cloud, request)?;
    if rule.priority.is_none() {
        return Err(AwsError::new("OperationNotPermitted", format!("Default rule '{arn}' cannot be deleted")));
    }
    watch(cloud, |cloud| {
        cloud.elbv2.rules.remove(&arn);
    });
    cloud.elbv2.tags.remove(&arn);
    Ok(json!({}))
}

/// `SetRulePriorities`: all of them or none.
pub(super) fn set_priorities(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let mut rules = cloud.elbv2.rules.clone();
    let mut changed = Vec::new();
    for pair in input::list(request, "RulePriorities") {
        let (arn, _) = named(cloud, pair)?;
        let number = input::integer(pair, "Priority").and_then(|it| u32::try_from(it).ok());
        let number =
            number.filter(|it| (1..=50_000).contains(it)).ok_or_else(|| bad("A rule priority must be specified"))?;
        match rules.get_mut(&arn) {
            Some(rule) if rule.priority.is_some() => rule.priority = Some(number),
            _ => {
                return Err(AwsError::new("OperationNotPermitted", format!("Default rule '{arn}' cannot be modified")));
            }
        }
        changed.push(arn);
    }
    for arn in &changed {
        let Some(rule) = rules.get(arn) else { continue };
        let is_twice = |(other, it): (&String, &Rule)| {
            other != arn && it.listener == rule.listener && it.priority == rule.priority
        };
        if rules.iter().any(is_twice) {
            let number = rule.priority.unwrap_or_default();
            return Err(AwsError::new("PriorityInUse", format!("Priority '{number}' is currently in use")));
        }
    }
    cloud.elbv2.rules = rules;
    let views: Vec<Value> = changed.iter().filter_map(|arn| Some(view(arn, cloud.elbv2.rules.get(arn)?))).collect();
    Ok(json!({"Rules": views}))
}

/// `DescribeRules` of a listener, or by ARN.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let arns = input::texts(request, "RuleArns");
    if let Some(listener) = input::text(request, "ListenerArn") {
        if !cloud.elbv2.listeners.contains_key(listener) {
            return Err(not_found("Listener"));
        }
        let rules = cloud.elbv2.rules_of(listener);
        return super::page(request, "Rules", rules.into_iter().map(|(arn, it)| view(arn, it)).collect());
    }
    if arns.is_empty() {
        return Err(bad("You must specify either listener rule ARNs or a listener ARN"));
    }
    let mut views = Vec::new();
    for arn in arns {
        views.push(view(arn, cloud.elbv2.rules.get(arn).ok_or_else(|| not_found("Rule"))?));
    }
    super::page(request, "Rules", views)
}
