//! SimulatePrincipalPolicy and SimulateCustomPolicy: the engine's own judgement, of policies as they are or as they might be.
//!
//! As in the real simulator the policy of a resource counts only where the request brings it (`ResourcePolicy`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Decision, PolicyKind,
    access::{Held, Own, Who},
    locate,
    policy::{Document, Judgement, Keys, Policies, Principal, Question, ResourceRule, document::Effect, judge},
    roles, words,
};
use crate::{AwsError, Call, Caller, Cloud, input, services::page};

/// Everything of one simulation but the question.
struct Stage {
    identity: Vec<Held>,
    boundary: Option<Held>,
    resource: Option<Held>,
    principal: Option<Principal>,
    keys: Keys,
}

/// `PolicySourceArn` is a user or a role of the account.
pub fn principal_policy(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let source = input::required(call, "PolicySourceArn")?;
    let session = || roles::session(cloud, source);
    let user = || cloud.iam.users.values().any(|user| user.arn == source).then(|| source.to_owned());
    let Some(arn) = session().or_else(user) else { return Err(no_source(source)) };
    let who = Who::of(cloud, &Caller { arn }).ok_or_else(|| no_source(source))?;
    let own = who.grants.map(|grants| Own::of(cloud, grants)).unwrap_or_default();
    let boundary = inline(call, "PermissionsBoundaryPolicyInputList")?.into_iter().next().or(own.boundary);
    let mut identity = own.identity;
    identity.extend(inline(call, "PolicyInputList")?);
    let keys = who.keys(cloud);
    let stage = Stage { identity, boundary, resource: resource(call)?, principal: Some(who.principal), keys };
    answer(stage, call)
}

pub fn custom_policy(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let boundary = inline(call, "PermissionsBoundaryPolicyInputList")?.into_iter().next();
    let caller = input::text(&call.input, "CallerArn").map(|arn| Caller { arn: arn.to_owned() });
    let who = caller.and_then(|caller| Who::of(cloud, &caller));
    let keys = who.as_ref().map(|who| who.keys(cloud)).unwrap_or_default();
    let identity = inline(call, "PolicyInputList")?;
    let stage = Stage { identity, boundary, resource: resource(call)?, principal: who.map(|who| who.principal), keys };
    answer(stage, call)
}

fn no_source(arn: &str) -> AwsError {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    if arn.contains(":user/") {
        words::not_found("user", name)
    } else if arn.contains(":role/") {
        words::not_found("role", name)
    } else {
        AwsError::new(
            "InvalidInput",
            format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."),
        )
    }
}

fn answer(mut stage: Stage, call: &Call) -> Result<Value, AwsError> {
    let actions = input::texts(&call.input, "ActionNames");
    input::required_list(call, "ActionNames")?;
    for entry in input::list(&call.input, "ContextEntries") {
        if let Some(key) = input::text(entry, "ContextKeyName") {
            let values = input::texts(entry, "ContextKeyValues").into_iter().map(str::to_owned).collect();
            stage.keys.set_all(key, values);
        }
    }
    let resources = input::texts(&call.input, "ResourceArns");
    let resources = if resources.is_empty() { vec!["*"] } else { resources };
    let mut results = Vec::new();
    for action in actions {
        if !action.contains(':') {
            let sentence =
                format!("Invalid Action: {action}. Actions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
            return Err(AwsError::new("InvalidInput", sentence));
        }
        for resource in &resources {
            results.push(stage.result(action, resource));
        }
    }
    Ok(page::IAM.answer(&call.input, "EvaluationResults", results))
}

impl Stage {
    fn result(&self, action: &str, resource: &str) -> Value {
        let question = Question { principal: self.principal.as_ref(), action, resource, keys: &self.keys };
        let judgement = judge(
            &question,
            &Policies {
                identity: self.identity.iter().map(|policy| &policy.document).collect(),
                boundary: self.boundary.as_ref().map(|policy| &policy.document),
                resource: self.resource.as_ref().map(|policy| (ResourceRule::MayAllow, &policy.document)),
                granted: false,
            },
        );
        let mut view = json!({
            "EvalActionName": action, "EvalResourceName": resource, "EvalDecision": word(judgement.decision),
            "MatchedStatements": self.matched(&judgement), "MissingContextValues": self.missing(),
        });
        if let Some(allows) = judgement.boundary_allows {
            view["PermissionsBoundaryDecisionDetail"] = json!({"AllowedByPermissionsBoundary": allows});
        }
        view
    }

    /// The statements that decided: where something denies, those that deny.
    fn matched(&self, judgement: &Judgement) -> Vec<Value> {
        let wanted = match judgement.decision {
            Decision::ExplicitDeny(_) => Effect::Deny,
            Decision::Allowed | Decision::ImplicitDeny(_) => Effect::Allow,
        };
        let statements = judgement.spoke.iter().filter(|spoke| spoke.effect == wanted);
        let view = |spoke: &super::policy::judge::Spoke| {
            let held = match spoke.kind {
                PolicyKind::Identity => self.identity.get(spoke.policy),
                PolicyKind::Boundary => self.boundary.as_ref(),
                PolicyKind::Resource | PolicyKind::Trust => self.resource.as_ref(),
            }?;
            let (start, end) = locate::statements(&held.text).get(spoke.statement).copied()?;
            Some(json!({
                "SourcePolicyId": held.name, "SourcePolicyType": "IAM Policy",
                "StartPosition": {"Line": start.line, "Column": start.column},
                "EndPosition": {"Line": end.line, "Column": end.column},
            }))
        };
        statements.filter_map(view).collect()
    }

    /// Condition keys that policies ask for and nobody gave.
    fn missing(&self) -> BTreeSet<String> {
        let held = self.identity.iter().chain(&self.boundary).chain(&self.resource);
        let conditions = held.flat_map(|held| &held.document.statements).flat_map(|statement| &statement.conditions);
        let asked = conditions.filter(|condition| condition.operator != "Null").map(|condition| condition.key.clone());
        asked.filter(|key| self.keys.get(key).is_none()).collect()
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny(_) => "explicitDeny",
        Decision::ImplicitDeny(_) => "implicitDeny",
    }
}

/// The documents of a list, named after it: `PolicyInputList.1`.
fn inline(call: &Call, member: &str) -> Result<Vec<Held>, AwsError> {
    let texts = input::texts(&call.input, member).into_iter().enumerate();
    texts.map(|(index, text)| held(format!("{member}.{}", index + 1), text)).collect()
}

fn resource(call: &Call) -> Result<Option<Held>, AwsError> {
    input::text(&call.input, "ResourcePolicy").map(|text| held("ResourcePolicy".to_owned(), text)).transpose()
}

fn held(name: String, text: &str) -> Result<Held, AwsError> {
    let value = serde_json::from_str(text)
        .map_err(|_| AwsError::new("InvalidInput", "This policy contains invalid Json".to_owned()))?;
    Ok(Held { name, text: text.to_owned(), document: Document::from_value(&value) })
}
