//! What may be written as a policy, and IAM's words for what may not.
//!
//! Sources: IAM user guide, "Grammar of the IAM JSON policy language"; the sentences are those that IAM returns with
//! `MalformedPolicyDocument`, as users report them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{condition, document::texts};

/// What a policy is for decides which elements it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a user or role: no principal, must have resources.
    Identity,
    /// Of a role, about who takes it on: principals, no resources.
    Trust,
    /// Of a resource: principals, and resources where it likes.
    Resource,
}

const SYNTAX: &str = "Syntax errors in policy.";
const ELEMENTS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Checks a policy.
///
/// # Errors
/// The sentence that tells what is wrong.
pub fn check(text: &str, kind: Kind) -> Result<(), String> {
    let invalid = if kind == Kind::Trust { "This policy contains invalid Json" } else { SYNTAX };
    let value = serde_json::from_str::<Value>(text).map_err(|_| invalid.to_owned())?;
    let fields = value.as_object().ok_or(SYNTAX)?;
    if fields.keys().any(|name| !matches!(name.as_str(), "Version" | "Id" | "Statement")) {
        return Err(SYNTAX.to_owned());
    }
    match fields.get("Version") {
        None => {}
        Some(Value::String(version)) if version == "2012-10-17" || version == "2008-10-17" => {}
        Some(_) => return Err("The policy must contain a valid version string".to_owned()),
    }
    let statements = match fields.get("Statement") {
        Some(Value::Array(list)) if !list.is_empty() => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(SYNTAX.to_owned()),
    };
    let mut sids = BTreeSet::new();
    for statement in statements {
        let fields = statement.as_object().ok_or(SYNTAX)?;
        check_statement(fields, kind)?;
        if let Some(sid) = fields.get("Sid") {
            let sid = sid.as_str().ok_or(SYNTAX)?;
            if kind == Kind::Identity && !sid.chars().all(|letter| letter.is_ascii_alphanumeric()) {
                return Err("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                            expression [0-9A-Za-z]*"
                    .to_owned());
            }
            if !sid.is_empty() && !sids.insert(sid) {
                return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
            }
        }
    }
    Ok(())
}

fn check_statement(fields: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    if fields.keys().any(|name| !ELEMENTS.contains(&name.as_str())) {
        return Err(SYNTAX.to_owned());
    }
    if !matches!(fields.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(SYNTAX.to_owned());
    }
    for pair in [["Action", "NotAction"], ["Resource", "NotResource"], ["Principal", "NotPrincipal"]] {
        if pair.iter().all(|name| fields.contains_key(*name)) {
            return Err(SYNTAX.to_owned());
        }
    }
    let principal = fields.contains_key("Principal") || fields.contains_key("NotPrincipal");
    let resource = fields.contains_key("Resource") || fields.contains_key("NotResource");
    match kind {
        Kind::Identity if principal => return Err("Policy document should not specify a principal.".to_owned()),
        Kind::Trust if resource => return Err("Has prohibited field Resource".to_owned()),
        Kind::Trust | Kind::Resource if !principal => return Err("Missing required field Principal".to_owned()),
        _ => {}
    }
    let actions = one_of(fields, "Action", "NotAction")?.ok_or("Policy statement must contain actions.")?;
    for action in &actions {
        check_action(action, kind)?;
    }
    match one_of(fields, "Resource", "NotResource")? {
        Some(resources) => {
            for resource in &resources {
                check_resource(resource)?;
            }
        }
        None if kind == Kind::Identity => return Err("Policy statement must contain resources.".to_owned()),
        None => {}
    }
    check_principal(fields.get("Principal").or_else(|| fields.get("NotPrincipal")))?;
    check_conditions(fields.get("Condition"))
}

/// The texts of an element; an empty list is a fault of its own.
fn one_of(fields: &Map<String, Value>, name: &str, except: &str) -> Result<Option<Vec<String>>, String> {
    let Some(value) = fields.get(name).or_else(|| fields.get(except)) else { return Ok(None) };
    let only_texts = match value {
        Value::String(_) => true,
        Value::Array(list) => list.iter().all(Value::is_string),
        _ => false,
    };
    if !only_texts {
        return Err(SYNTAX.to_owned());
    }
    let found = texts(value);
    Ok((!found.is_empty()).then_some(found))
}

fn check_action(action: &str, kind: Kind) -> Result<(), String> {
    if kind == Kind::Trust {
        let lower = action.to_ascii_lowercase();
        let fits = lower == "*" || lower.starts_with("sts:");
        return if fits {
            Ok(())
        } else {
            Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned())
        };
    }
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return Err("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned());
    };
    if name.contains(':') {
        return Err("Actions/Condition can contain only one colon.".to_owned());
    }
    if vendor.is_empty() || !vendor.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        return Err(format!("Vendor {vendor} is not valid"));
    }
    Ok(())
}

fn check_resource(resource: &str) -> Result<(), String> {
    if resource == "*" {
        return Ok(());
    }
    let parts = resource.splitn(6, ':').collect::<Vec<_>>();
    if parts.first() != Some(&"arn") {
        return Err(format!("Resource {resource} must be in ARN format or \"*\"."));
    }
    let partition = parts.get(1).copied().unwrap_or("");
    if !["aws", "aws-cn", "aws-us-gov", "*"].contains(&partition) {
        return Err(format!("Partition \"{partition}\" is not valid for resource \"{resource}\"."));
    }
    match parts.as_slice() {
        [_, _, "iam", region, ..] if !region.is_empty() && *region != "*" => {
            Err(format!("IAM resource {resource} cannot contain region information."))
        }
        [_, _, _, _, _, _] => Ok(()),
        _ => Err("The policy failed legacy parsing".to_owned()),
    }
}

fn check_principal(principal: Option<&Value>) -> Result<(), String> {
    match principal {
        None => Ok(()),
        Some(Value::String(everyone)) if everyone == "*" => Ok(()),
        Some(Value::Object(kinds)) if !kinds.is_empty() => {
            for (kind, value) in kinds {
                let names = texts(value);
                if !matches!(kind.as_str(), "AWS" | "Service" | "Federated" | "CanonicalUser") || names.is_empty() {
                    return Err(SYNTAX.to_owned());
                }
                for name in names {
                    check_name(kind, &name)?;
                }
            }
            Ok(())
        }
        Some(_) => Err(SYNTAX.to_owned()),
    }
}

/// Whether a principal can exist at all; whether it does is up to whoever keeps users and roles.
fn check_name(kind: &str, name: &str) -> Result<(), String> {
    let account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match kind {
        "AWS" => {
            let parts = name.splitn(6, ':').collect::<Vec<_>>();
            name == "*"
                || account(name)
                || matches!(parts.as_slice(), ["arn", _, "iam" | "sts", "", of, what] if account(of) && !what.is_empty())
        }
        "Service" => name.ends_with(".amazonaws.com") && !name.contains('*'),
        _ => !name.is_empty(),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("Invalid principal in policy: \"{}\":\"{name}\"", kind.to_ascii_uppercase()))
    }
}

fn check_conditions(conditions: Option<&Value>) -> Result<(), String> {
    let Some(conditions) = conditions else { return Ok(()) };
    for (operator, keys) in conditions.as_object().ok_or(SYNTAX)? {
        if !condition::is_operator(operator) {
            return Err(format!("Invalid Condition type : {operator}."));
        }
        for (key, values) in keys.as_object().ok_or(SYNTAX)? {
            if !key.contains(':') {
                return Err("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned());
            }
            if values.is_object() || values.is_null() {
                return Err(SYNTAX.to_owned());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(statement: &Value, kind: Kind) -> Option<String> {
        check(&json!({"Version": "2012-10-17", "Statement": statement}).to_string(), kind).err()
    }

    #[test]
    fn what_aws_itself_publishes_is_well_written() {
        for policy in crate::services::iam::managed::all() {
            assert_eq!(check(&policy.text, Kind::Identity), Ok(()), "{}", policy.name);
        }
    }

    #[test]
    fn each_fault_has_its_sentence() {
        let with = |name: &str, value: Value| {
            let mut statement = json!({"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"});
            statement[name] = value;
            refusal(&statement, Kind::Identity)
        };
        for (name, value, part) in [
            ("Effect", json!("allow"), SYNTAX),
            ("Actions", json!("a"), SYNTAX),
            ("Action", json!({}), SYNTAX),
            ("Action", json!([]), "must contain actions"),
            ("Action", json!("GetParameter"), "must be prefaced by a vendor"),
            ("Action", json!("ssm:Get:Parameter"), "only one colon"),
            ("Action", json!("s*:Get"), "Vendor s* is not valid"),
            ("Resource", json!([]), "must contain resources"),
            ("Resource", json!("shop/db"), "Resource shop/db must be in ARN format or \"*\"."),
            ("Resource", json!("arn:asw:ssm:::x"), "Partition \"asw\" is not valid"),
            ("Resource", json!("arn:aws:ssm"), "legacy parsing"),
            ("Resource", json!("arn:aws:iam:eu-west-1:123456789012:role/x"), "cannot contain region information"),
            ("Principal", json!("*"), "should not specify a principal"),
            ("Condition", json!({"StringEqual": {"aws:a": "b"}}), "Invalid Condition type : StringEqual."),
            ("Condition", json!({"StringEquals": {"a": "b"}}), "must be prefaced by a vendor"),
            ("NotAction", json!("*"), SYNTAX),
            ("Sid", json!("has blanks"), "must be alpha-numeric"),
        ] {
            let sentence = with(name, value.clone()).unwrap_or_default();
            assert!(sentence.contains(part), "{name} {value}: {sentence}");
        }
        assert_eq!(with("Sid", json!("Read1")), None);
    }

    #[test]
    fn a_trust_policy_has_principals_and_no_resources() {
        let trust =
            json!({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"});
        let with = |name: &str, value: Value| {
            let mut statement = trust.clone();
            statement[name] = value;
            refusal(&statement, Kind::Trust).unwrap_or_default()
        };
        assert_eq!(refusal(&trust, Kind::Trust), None);
        assert_eq!(with("Resource", json!("*")), "Has prohibited field Resource");
        assert_eq!(with("Action", json!("ecs:RunTask")), "AssumeRole policy may only specify STS AssumeRole actions.");
        let principal = json!({"Service": "ecs-tasks"});
        assert_eq!(with("Principal", principal), "Invalid principal in policy: \"SERVICE\":\"ecs-tasks\"");
        assert_eq!(check("{", Kind::Trust), Err("This policy contains invalid Json".to_owned()));
        assert_eq!(check("{\"Version\":\"2012-10-18\",\"Statement\":[]}", Kind::Trust).unwrap_err().len(), 46);
    }
}
