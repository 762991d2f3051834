//! Task definitions: families and their revisions.

mod attributes;
mod fargate;
mod validate;

use serde_json::{Map, Value, json};

use super::{
    find::{arn, client, definition, invalid},
    page,
    state::{Definition, DefinitionStatus},
    tags,
};
use crate::{
    AwsError, Call, Cloud,
    input::{has, list, required, text, texts},
    moment,
};

pub(super) use fargate::is_size as is_fargate_size;

/// Members of a registration that a revision keeps as they came.
const KEPT: [&str; 14] = [
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
];

pub(super) fn register(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let family = required(call, "family")?.to_owned();
    let body = validate::checked(cloud, &family, input)?;
    let mut whole = Map::new();
    for member in KEPT {
        if let Some(value) = body.get(member).filter(|value| !value.is_null()) {
            whole.insert(member.to_owned(), value.clone());
        }
    }
    for member in ["volumes", "placementConstraints"] {
        whole.entry(member).or_insert_with(|| json!([]));
    }
    let containers = list(&body, "containerDefinitions").iter().map(|it| completed(it, &body)).collect();
    whole.insert("containerDefinitions".to_owned(), containers);
    whole.insert("compatibilities".to_owned(), json!(fargate::compatibilities(&body)));
    let attributes = attributes::required(&Value::Object(whole.clone()));
    if !attributes.is_empty() {
        whole.insert(
            "requiresAttributes".to_owned(),
            attributes.into_iter().map(|name| json!({"name": name})).collect(),
        );
    }
    let now = cloud.now();
    let revisions = cloud.ecs.families.entry(family.clone()).or_default();
    let revision = u32::try_from(revisions.len() + 1).unwrap_or(u32::MAX);
    let made = Definition {
        arn: arn(&cloud.config, &format!("task-definition/{family}:{revision}")),
        family,
        revision,
        status: DefinitionStatus::Active,
        registered: now,
        registered_by: call.caller.arn.clone(),
        deregistered: None,
        delete_requested: None,
        body: whole,
        tags: tags::read(input),
    };
    revisions.push(made.clone());
    let mut answer = json!({"taskDefinition": shown(cloud, &made)});
    if !made.tags.is_empty() {
        answer["tags"] = tags::write(&made.tags);
    }
    Ok(answer)
}

/// A container definition with the members that the API adds.
fn completed(container: &Value, body: &Value) -> Value {
    let mut out = container.as_object().cloned().unwrap_or_default();
    out.retain(|_, value| !value.is_null());
    for member in ["environment", "mountPoints", "volumesFrom", "portMappings", "systemControls"] {
        out.entry(member).or_insert_with(|| json!([]));
    }
    out.entry("cpu").or_insert_with(|| json!(0));
    out.entry("essential").or_insert_with(|| json!(true));
    let same = matches!(text(body, "networkMode"), Some("awsvpc" | "host"));
    for port in out.get_mut("portMappings").and_then(Value::as_array_mut).into_iter().flatten() {
        if !has(port, "hostPort") {
            port["hostPort"] = if same { port["containerPort"].clone() } else { json!(0) };
        }
        if !has(port, "protocol") {
            port["protocol"] = json!("tcp");
        }
    }
    if let Some(check) = out.get_mut("healthCheck") {
        for (member, default) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            if !has(check, member) {
                check[member] = json!(default);
            }
        }
    }
    Value::Object(out)
}

/// A revision as answers show it.
pub(super) fn shown(cloud: &Cloud, definition: &Definition) -> Value {
    let mut out = definition.body.clone();
    out.insert("taskDefinitionArn".to_owned(), json!(definition.arn));
    out.insert("family".to_owned(), json!(definition.family));
    out.insert("revision".to_owned(), json!(definition.revision));
    out.insert("status".to_owned(), json!(definition.status.word()));
    out.insert("registeredAt".to_owned(), moment::of(cloud, definition.registered));
    out.insert("registeredBy".to_owned(), json!(definition.registered_by));
    let dates = [("deregisteredAt", definition.deregistered), ("deleteRequestedAt", definition.delete_requested)];
    for (member, at) in dates {
        if let Some(at) = at {
            out.insert(member.to_owned(), moment::of(cloud, at));
        }
    }
    Value::Object(out)
}

/// The revision with its family, as the plan of a task is read from it.
pub(super) fn whole(definition: &Definition) -> Value {
    let mut out = definition.body.clone();
    out.insert("family".to_owned(), json!(definition.family));
    Value::Object(out)
}

pub(super) fn describe(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = required(call, "taskDefinition")?;
    let found = definition(&cloud.ecs, name).ok_or_else(|| client("Unable to describe task definition."))?;
    let mut answer = json!({"taskDefinition": shown(cloud, found)});
    if texts(&call.input, "include").contains(&"TAGS") {
        answer["tags"] = tags::write(&found.tags);
    }
    Ok(answer)
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let status = text(input, "status").unwrap_or("ACTIVE");
    let families = cloud.ecs.families.iter();
    let wanted = families.filter(|(name, _)| text(input, "familyPrefix").is_none_or(|prefix| *name == prefix));
    let mut arns: Vec<Value> = wanted
        .flat_map(|(_, revisions)| revisions)
        .filter(|it| it.status.word() == status)
        .map(|it| json!(it.arn))
        .collect();
    if text(input, "sort") == Some("DESC") {
        arns.reverse();
    }
    page::of(input, "taskDefinitionArns", arns, 100)
}

pub(super) fn list_families(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let is_wanted = |revisions: &[Definition]| {
        let is_active = revisions.iter().any(|it| it.status == DefinitionStatus::Active);
        match text(input, "status") {
            Some("ACTIVE") => is_active,
            Some("INACTIVE") => !is_active,
            _ => true,
        }
    };
    let prefix = text(input, "familyPrefix").unwrap_or_default();
    let families = cloud.ecs.families.iter().filter(|(name, all)| name.starts_with(prefix) && is_wanted(all));
    page::of(input, "families", families.map(|(name, _)| json!(name)).collect(), 100)
}

/// The place of a revision that a request names in full.
fn place(cloud: &Cloud, name: &str) -> Result<(String, usize), AwsError> {
    let short = name.rsplit_once("task-definition/").map_or(name, |(_, rest)| rest);
    if !short.contains(':') {
        return Err(client("Revision is missing."));
    }
    let found = definition(&cloud.ecs, name);
    let found = found.ok_or_else(|| {
        client("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
    })?;
    let at = usize::try_from(found.revision).unwrap_or(1).saturating_sub(1);
    Ok((found.family.clone(), at))
}

pub(super) fn deregister(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let (family, at) = place(cloud, required(call, "taskDefinition")?)?;
    let now = cloud.now();
    let found = cloud.ecs.families.get_mut(&family).and_then(|revisions| revisions.get_mut(at));
    let Some(found) = found else { return Err(client("Unable to describe task definition.")) };
    if found.status != DefinitionStatus::Active {
        return Err(client(
            "The specified task definition is inactive. Specify an active task definition and try again.",
        ));
    }
    found.status = DefinitionStatus::Inactive;
    found.deregistered = Some(now);
    let found = found.clone();
    Ok(json!({"taskDefinition": shown(cloud, &found)}))
}

pub(super) fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let names = texts(&call.input, "taskDefinitions");
    if names.is_empty() || names.len() > 10 {
        return Err(invalid("Task definitions must be a list of 1 to 10 task definitions."));
    }
    let now = cloud.now();
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let failure = |reason: &str| json!({"arn": name, "reason": reason});
        let Ok((family, at)) = place(cloud, name) else {
            failures.push(failure(
                "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.",
            ));
            continue;
        };
        let found = cloud.ecs.families.get_mut(&family).and_then(|revisions| revisions.get_mut(at));
        let Some(found) = found else { continue };
        if found.status == DefinitionStatus::Active {
            failures.push(failure(
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
            ));
            continue;
        }
        found.status = DefinitionStatus::DeleteInProgress;
        found.delete_requested.get_or_insert(now);
        let found = found.clone();
        deleted.push(shown(cloud, &found));
    }
    Ok(json!({"taskDefinitions": deleted, "failures": failures}))
}
