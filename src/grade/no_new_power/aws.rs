//! Rights in an account: what policies allow, who may take a role, who gets in from outside, keys that never expire.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use breakfix_lab::lab::Exception;
use serde_json::Value;

use super::Power;
use crate::{aws, object, unchanged::without};

pub(super) const KINDS: [&str; 5] = ["Key", "Policy", "Role", "SecurityGroup", "Service"];

/// Managed policies of AWS that give far more than any task needs; so does every `…FullAccess`.
const MANAGED: [&str; 3] = ["AdministratorAccess", "PowerUserAccess", "SystemAdministrator"];
/// Actions that open other people's things when they are allowed on every resource.
const DELICATE: [&str; 8] = [
    "iam:PassRole",
    "kms:Decrypt",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "sts:AssumeRole",
    "s3:GetObject",
];
/// Services that take a role in order to run the tasks whose role it is.
const TASKS: [&str; 2] = ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"];
/// Conditions that keep strangers out.
const OF_AN_ACCOUNT: [&str; 5] =
    ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:SourceAccount", "kms:CallerAccount"];
/// Variables that hold keys that never expire.
const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

pub(super) fn scan(objects: &[(&'static str, &Value)], except: &[Exception]) -> BTreeSet<Power> {
    let mut powers = BTreeSet::new();
    for (kind, object) in objects {
        let name = object::name(object);
        if object::is_excepted(except, kind, name) {
            continue;
        }
        let object = without(object, kind, except);
        let found = match *kind {
            "Key" => of_key(&object),
            "Role" => of_role(&object),
            "Policy" => statements(object.get("PolicyDocument")),
            "SecurityGroup" => of_group(&object),
            _ => of_service(&object),
        };
        powers.extend(found.into_iter().map(|what| Power { kind: (*kind).to_owned(), name: name.to_owned(), what }));
    }
    powers
}

fn of_role(role: &Value) -> Vec<String> {
    let mut powers = Vec::new();
    for attached in object::list(role, &["AttachedManagedPolicies"]) {
        let arn = object::text(attached, &["PolicyArn"]).unwrap_or("");
        let name = aws::id(arn);
        // A policy of the account's own is scanned as such.
        let of_aws = arn.starts_with("arn:aws:iam::aws:");
        if of_aws && (MANAGED.contains(&name) || name.ends_with("FullAccess")) {
            powers.push(format!("has the managed policy {name}"));
        }
    }
    for inline in object::list(role, &["RolePolicyList"]) {
        powers.extend(statements(inline.get("PolicyDocument")));
    }
    for statement in list_of(role.pointer("/AssumeRolePolicyDocument/Statement")) {
        if object::text(statement, &["Effect"]) != Some("Allow") {
            continue;
        }
        if statement.get("NotPrincipal").is_some() {
            powers.push("can be assumed by everybody but a few".to_owned());
        }
        for who in principals(statement) {
            match who {
                "*" => powers.push("can be assumed by anybody".to_owned()),
                who if TASKS.contains(&who) => {}
                who => powers.push(format!("can be assumed by {who}")),
            }
        }
    }
    powers
}

/// Whom a statement is about, whatever they are.
fn principals(statement: &Value) -> Vec<&str> {
    match statement.get("Principal") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Object(map)) => map.values().flat_map(|it| list_of(Some(it))).filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a policy allows beyond named actions on named resources.
fn statements(document: Option<&Value>) -> Vec<String> {
    let mut powers = Vec::new();
    for statement in list_of(document.and_then(|it| it.get("Statement"))) {
        if object::text(statement, &["Effect"]) != Some("Allow") {
            continue;
        }
        let everywhere = list_of(statement.get("Resource")).iter().filter_map(|it| it.as_str()).any(is_everything)
            || statement.get("NotResource").is_some();
        if statement.get("NotAction").is_some() {
            powers.push("may do everything but a few actions".to_owned());
        }
        for action in list_of(statement.get("Action")).into_iter().filter_map(Value::as_str) {
            let (service, verb) = action.split_once(':').unwrap_or((action, "*"));
            let delicate = DELICATE.iter().any(|it| matches(action, it));
            if service == "*" || verb == "*" {
                powers.push(format!("may do {action}"));
            } else if everywhere && (delicate || service == "iam") {
                powers.push(format!("may do {action} on every resource"));
            }
        }
    }
    powers
}

/// Whether a pattern of ARNs leaves none of a kind out: `*`, `arn:aws:ssm:*:*:parameter/*`, `arn:aws:secretsmanager:eu-west-1:1234:secret:*`.
fn is_everything(pattern: &str) -> bool {
    // arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
    let Some(resource) = pattern.splitn(6, ':').nth(5) else { return pattern.contains('*') };
    let of_kind = resource.trim_start_matches(|letter: char| letter.is_ascii_lowercase() || letter == '-');
    of_kind.contains('*') && of_kind.trim_matches([':', '/', '*', '?']).is_empty()
}

/// A key's own policy: open to everybody, or everything to somebody who is not the account as a whole. Its `*` as a resource means this key.
fn of_key(key: &Value) -> Vec<String> {
    let mut powers = Vec::new();
    for statement in list_of(key.pointer("/Policy/Statement")) {
        if object::text(statement, &["Effect"]) != Some("Allow") {
            continue;
        }
        let who = principals(statement);
        if who.contains(&"*") && !is_narrowed(statement) {
            powers.push("can be used by everybody".to_owned());
        }
        let all = list_of(statement.get("Action")).iter().any(|it| matches!(it.as_str(), Some("*" | "kms:*")));
        let others = who.into_iter().filter(|it| all && !it.ends_with(":root"));
        powers.extend(others.map(|it| format!("lets {it} do kms:*")));
    }
    powers
}

/// Whether a statement for everybody has a condition that only somebody of an account or an organisation can meet.
fn is_narrowed(statement: &Value) -> bool {
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flat_map(|it| it.iter());
    conditions.filter(|(operator, _)| operator.contains("Equals") && !operator.contains("Not")).any(|(_, of)| {
        let keys = of.as_object().into_iter().flat_map(|it| it.keys());
        keys.into_iter().any(|key| OF_AN_ACCOUNT.iter().any(|known| known.eq_ignore_ascii_case(key)))
    })
}

/// Whether a pattern of IAM (`*`, `?`, no regard to case) covers an action.
fn matches(pattern: &str, action: &str) -> bool {
    fn go(pattern: &[u8], action: &[u8]) -> bool {
        match (pattern.split_first(), action.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                go(rest, action) || action.split_first().is_some_and(|(_, action)| go(pattern, action))
            }
            (Some((one, pattern)), Some((other, action))) => {
                (*one == b'?' || one.eq_ignore_ascii_case(other)) && go(pattern, action)
            }
            _ => false,
        }
    }
    go(pattern.as_bytes(), action.as_bytes())
}

fn of_group(group: &Value) -> Vec<String> {
    let mut powers = Vec::new();
    for rule in object::list(group, &["IpPermissions"]) {
        let ranges = object::list(rule, &["IpRanges"]).iter().filter_map(|it| object::text(it, &["CidrIp"]));
        let wide = object::list(rule, &["Ipv6Ranges"]).iter().filter_map(|it| object::text(it, &["CidrIpv6"]));
        for range in ranges.chain(wide).filter(|range| is_wide(range)) {
            powers.push(format!("lets {range} in at {}", ports(rule)));
        }
    }
    powers
}

/// More than one address of the internet. Of the private ranges (RFC 1918, 6598, 4193) none is too wide: who is there is inside already.
fn is_wide(range: &str) -> bool {
    let Some((address, bits)) = range.rsplit_once('/') else { return false };
    let Ok(bits) = bits.parse::<u8>() else { return false };
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let within = |network: [u8; 4], length: u8| {
                let mask = u32::MAX << (32 - u32::from(length));
                bits >= length && u32::from(address) & mask == u32::from_be_bytes(network)
            };
            let is_private = within([10, 0, 0, 0], 8)
                || within([172, 16, 0, 0], 12)
                || within([192, 168, 0, 0], 16)
                || within([100, 64, 0, 0], 10);
            bits < 32 && !is_private
        }
        Ok(IpAddr::V6(address)) => bits < 128 && !(bits >= 7 && address.is_unique_local()),
        Err(_) => false,
    }
}

fn ports(rule: &Value) -> String {
    let protocol = object::text(rule, &["IpProtocol"]).unwrap_or("-1");
    match (aws::whole(rule, &["FromPort"]), aws::whole(rule, &["ToPort"])) {
        (Some(from), Some(to)) if from == to => format!("{protocol} {from}"),
        (Some(from), Some(to)) => format!("{protocol} {from}-{to}"),
        _ => "every port".to_owned(),
    }
}

fn of_service(service: &Value) -> Vec<String> {
    let mut powers = Vec::new();
    let network = ["networkConfiguration", "awsvpcConfiguration", "assignPublicIp"];
    if object::text(service, &network) == Some("ENABLED") {
        powers.push("gives its tasks public addresses".to_owned());
    }
    let Some(definition) = service.get("TaskDefinition") else { return powers };
    let role = |key| object::text(definition, &[key]).map(aws::id);
    if let (Some(task), Some(execution)) = (role("taskRoleArn"), role("executionRoleArn"))
        && task == execution
    {
        powers.push(format!("gives its programs the rights of {execution}, which starts them"));
    }
    for mode in ["pidMode", "ipcMode"] {
        if object::text(definition, &[mode]) == Some("host") {
            powers.push(format!("shares a namespace with its host: {mode}"));
        }
    }
    let volumes = object::list(definition, &["volumes"]).iter();
    powers.extend(
        volumes
            .filter_map(|it| object::text(it, &["host", "sourcePath"]))
            .map(|it| format!("has the host's path {it}")),
    );
    for container in object::list(definition, &["containerDefinitions"]) {
        let name = object::text(container, &["name"]).unwrap_or("");
        if object::flag(container, &["privileged"]) {
            powers.push(format!("runs {name} privileged"));
        }
        let added =
            object::list(container, &["linuxParameters", "capabilities", "add"]).iter().filter_map(Value::as_str);
        powers.extend(added.map(|it| format!("gives {name} the capability {it}")));
        let variables: BTreeMap<&str, &str> = object::list(container, &["environment"])
            .iter()
            .filter_map(|it| Some((object::text(it, &["name"])?, object::text(it, &["value"]).unwrap_or(""))))
            .collect();
        let keys = KEYS.iter().filter(|key| variables.get(**key).is_some_and(|value| !value.is_empty()));
        powers.extend(keys.map(|key| format!("holds a static key in {name}: {key}")));
    }
    powers
}

/// A list, or the one value that stands in its place.
fn list_of(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => entries.iter().collect(),
        Some(one) => vec![one],
    }
}
