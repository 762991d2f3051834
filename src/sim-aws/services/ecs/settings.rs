//! Account settings.

use serde_json::{Value, json};

use super::{find::invalid, page};
use crate::{
    AwsError, Call, Cloud,
    input::{flag, required, text},
};

/// Names and what holds where nothing was set.
const SETTINGS: [(&str, &str); 11] = [
    ("serviceLongArnFormat", "enabled"),
    ("taskLongArnFormat", "enabled"),
    ("containerInstanceLongArnFormat", "enabled"),
    ("awsvpcTrunking", "disabled"),
    ("containerInsights", "disabled"),
    ("fargateFIPSMode", "disabled"),
    ("tagResourceAuthorization", "on"),
    ("fargateTaskRetirementWaitPeriod", "7"),
    ("guardDutyActivate", "off"),
    ("defaultLogDriverMode", "non-blocking"),
    ("fargateEventWindows", "disabled"),
];

fn entry(cloud: &Cloud, name: &str, value: &str) -> Value {
    let principal = format!("arn:aws:iam::{}:root", cloud.config.account);
    json!({"name": name, "value": value, "principalArn": principal, "type": "user"})
}

pub(super) fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let (name, value) = (required(call, "name")?, required(call, "value")?);
    if !SETTINGS.iter().any(|(known, _)| *known == name) {
        return Err(invalid(format!("{name} is not a valid account setting.")));
    }
    cloud.ecs.settings.insert(name.to_owned(), value.to_owned());
    Ok(json!({"setting": entry(cloud, name, value)}))
}

pub(super) fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = required(call, "name")?;
    let value = cloud.ecs.settings.remove(name).unwrap_or_default();
    Ok(json!({"setting": entry(cloud, name, &value)}))
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let effective = flag(input, "effectiveSettings") == Some(true);
    let wanted = |name: &str| text(input, "name").is_none_or(|wanted| wanted == name);
    let mut out = Vec::new();
    for (name, default) in SETTINGS.iter().filter(|(name, _)| wanted(name)) {
        match cloud.ecs.settings.get(*name) {
            Some(value) => out.push(entry(cloud, name, value)),
            None if effective => out.push(entry(cloud, name, default)),
            None => {}
        }
    }
    page::of(input, "settings", out, 10)
}
