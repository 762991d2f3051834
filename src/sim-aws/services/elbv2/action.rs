//! What a rule does with a request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::{State, not_found};
use crate::{AwsError, Cloud, input};

/// The last action of a rule; the ones that may stand before it (authentication) are not simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Target groups with their weights.
    Forward {
        groups: Vec<(String, u32)>,
        stickiness: Value,
    },
    FixedResponse {
        status: u16,
        body: String,
        content_type: String,
    },
    /// Each part may use `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`.
    Redirect {
        protocol: String,
        host: String,
        port: String,
        path: String,
        query: String,
        status: u16,
    },
}

impl Action {
    /// Whether it sends anything to this group.
    pub fn names(&self, group_arn: &str) -> bool {
        matches!(self, Self::Forward { groups, .. } if groups.iter().any(|(arn, _)| arn == group_arn))
    }

    pub(super) fn view(&self) -> Value {
        match self {
            Self::Forward { groups, stickiness } => {
                let tuples: Vec<Value> =
                    groups.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
                let mut view = json!({
                    "Type": "forward",
                    "Order": 1,
                    "ForwardConfig": {"TargetGroups": tuples, "TargetGroupStickinessConfig": stickiness},
                });
                if let (Some(members), [(only, _)]) = (view.as_object_mut(), groups.as_slice()) {
                    members.insert("TargetGroupArn".to_owned(), json!(only));
                }
                view
            }
            Self::FixedResponse { status, body, content_type } => json!({
                "Type": "fixed-response",
                "Order": 1,
                "FixedResponseConfig": {"StatusCode": status.to_string(), "MessageBody": body, "ContentType": content_type},
            }),
            Self::Redirect { protocol, host, port, path, query, status } => json!({
                "Type": "redirect",
                "Order": 1,
                "RedirectConfig": {
                    "Protocol": protocol, "Host": host, "Port": port, "Path": path, "Query": query,
                    "StatusCode": format!("HTTP_{status}"),
                },
            }),
        }
    }
}

fn bad(text: impl Into<String>) -> AwsError {
    AwsError::new("ValidationError", text)
}

/// Reads `Actions` or `DefaultActions` for a listener of this balancer.
pub(super) fn read(cloud: &Cloud, list: &[Value], balancer: &str) -> Result<Vec<Action>, AwsError> {
    let mut actions = Vec::new();
    for given in list {
        actions.push(match input::text(given, "Type").unwrap_or_default() {
            "forward" => forward(&cloud.elbv2, given, balancer)?,
            "fixed-response" => fixed(given)?,
            "redirect" => redirect(given)?,
            other => return Err(AwsError::not_simulated("elasticloadbalancing", &format!("action {other}"))),
        });
    }
    match actions.len() {
        1 => Ok(actions),
        0 => Err(bad("You must specify an action")),
        _ => Err(AwsError::new(
            "InvalidLoadBalancerAction",
            "You can only specify one action of type forward, redirect or fixed-response",
        )),
    }
}

fn forward(state: &State, given: &Value, balancer: &str) -> Result<Action, AwsError> {
    let config = given.get("ForwardConfig").unwrap_or(&Value::Null);
    let mut groups = Vec::new();
    for tuple in input::list(config, "TargetGroups") {
        let arn = input::text(tuple, "TargetGroupArn").unwrap_or_default();
        let weight = input::integer(tuple, "Weight").unwrap_or(1);
        let weight = u32::try_from(weight).ok().filter(|it| *it <= 999);
        groups.push((arn.to_owned(), weight.ok_or_else(|| bad("Weight must be between 0 and 999"))?));
    }
    if groups.is_empty() {
        let arn = input::text(given, "TargetGroupArn").ok_or_else(|| bad("A target group ARN must be specified"))?;
        groups.push((arn.to_owned(), 1));
    }
    for (arn, _) in &groups {
        if !state.groups.contains_key(arn) {
            return Err(not_found("TargetGroup"));
        }
        if state.balancer_of(arn).is_some_and(|(other, _)| other != balancer) {
            let text =
                format!("The following target groups cannot be associated with more than one load balancer: {arn}");
            return Err(AwsError::new("TargetGroupAssociationLimit", text));
        }
    }
    let stickiness = config.get("TargetGroupStickinessConfig").filter(|it| !it.is_null());
    let is_sticky = stickiness.and_then(|it| input::flag(it, "Enabled")).unwrap_or(false);
    let mut shown = json!({"Enabled": is_sticky});
    if let (Some(members), Some(time)) =
        (shown.as_object_mut(), stickiness.and_then(|it| input::integer(it, "DurationSeconds")))
    {
        members.insert("DurationSeconds".to_owned(), json!(time));
    }
    Ok(Action::Forward { groups, stickiness: shown })
}

fn fixed(given: &Value) -> Result<Action, AwsError> {
    let config = given.get("FixedResponseConfig").unwrap_or(&Value::Null);
    let status = input::integer(config, "StatusCode").and_then(|it| u16::try_from(it).ok());
    let status =
        status.filter(|it| (200..600).contains(it)).ok_or_else(|| bad("A fixed response needs a status code"))?;
    let text = |member: &str, default: &str| input::text(config, member).unwrap_or(default).to_owned();
    Ok(Action::FixedResponse { status, body: text("MessageBody", ""), content_type: text("ContentType", "text/plain") })
}

fn redirect(given: &Value) -> Result<Action, AwsError> {
    let config = given.get("RedirectConfig").unwrap_or(&Value::Null);
    let status = match input::text(config, "StatusCode") {
        Some("HTTP_301") => 301,
        Some("HTTP_302") => 302,
        _ => return Err(bad("A redirect needs the status code HTTP_301 or HTTP_302")),
    };
    let text = |member: &str, default: &str| input::text(config, member).unwrap_or(default).to_owned();
    Ok(Action::Redirect {
        protocol: text("Protocol", "#{protocol}"),
        host: text("Host", "#{host}"),
        port: text("Port", "#{port}"),
        path: text("Path", "/#{path}"),
        query: text("Query", "#{query}"),
        status,
    })
}
