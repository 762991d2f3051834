//! Attributes of balancers, listeners and target groups: their names, defaults and changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::state::{Kind, not_found};
use crate::{AwsError, Cloud, input};

const OF_APPLICATION: &[(&str, &str)] = &[
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.prefix", ""),
    ("client_keep_alive.seconds", "3600"),
    ("connection_logs.s3.bucket", ""),
    ("connection_logs.s3.enabled", "false"),
    ("connection_logs.s3.prefix", ""),
    ("deletion_protection.enabled", "false"),
    ("idle_timeout.timeout_seconds", "60"),
    ("load_balancing.cross_zone.enabled", "true"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("routing.http2.enabled", "true"),
    ("waf.fail_open.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

const OF_NETWORK: &[(&str, &str)] = &[
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.prefix", ""),
    ("deletion_protection.enabled", "false"),
    ("load_balancing.cross_zone.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
];

const OF_GROUP: &[(&str, &str)] = &[
    ("deregistration_delay.timeout_seconds", "300"),
    ("load_balancing.algorithm.anomaly_mitigation", "off"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.app_cookie.cookie_name", ""),
    ("stickiness.app_cookie.duration_seconds", "86400"),
    ("stickiness.enabled", "false"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("stickiness.type", "lb_cookie"),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
];

fn owned(table: &[(&str, &str)]) -> BTreeMap<String, String> {
    table.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn of_new_balancer(kind: Kind) -> BTreeMap<String, String> {
    owned(match kind {
        Kind::Application => OF_APPLICATION,
        Kind::Network => OF_NETWORK,
    })
}

pub(super) fn of_new_group() -> BTreeMap<String, String> {
    owned(OF_GROUP)
}

/// Numbers that have bounds.
const BOUNDS: &[(&str, std::ops::RangeInclusive<u64>)] = &[
    ("deregistration_delay.timeout_seconds", 0..=3600),
    ("idle_timeout.timeout_seconds", 1..=4000),
    ("client_keep_alive.seconds", 60..=604_800),
    ("stickiness.lb_cookie.duration_seconds", 1..=604_800),
    ("stickiness.app_cookie.duration_seconds", 1..=604_800),
];

fn view(attributes: &BTreeMap<String, String>) -> Value {
    let list: Vec<Value> = attributes.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    json!({"Attributes": list})
}

fn of<'a>(cloud: &'a mut Cloud, request: &Value, is_group: bool) -> Result<&'a mut BTreeMap<String, String>, AwsError> {
    if is_group {
        let arn = input::text(request, "TargetGroupArn").unwrap_or_default();
        return cloud.elbv2.groups.get_mut(arn).map(|it| &mut it.attributes).ok_or_else(|| not_found("TargetGroup"));
    }
    let arn = input::text(request, "LoadBalancerArn").unwrap_or_default();
    cloud.elbv2.balancers.get_mut(arn).map(|it| &mut it.attributes).ok_or_else(|| not_found("LoadBalancer"))
}

/// `DescribeTargetGroupAttributes`, `DescribeLoadBalancerAttributes`.
pub(super) fn describe(cloud: &mut Cloud, request: &Value, is_group: bool) -> Result<Value, AwsError> {
    of(cloud, request, is_group).map(|attributes| view(attributes))
}

/// `ModifyTargetGroupAttributes`, `ModifyLoadBalancerAttributes`: all of them or none.
pub(super) fn modify(cloud: &mut Cloud, request: &Value, is_group: bool) -> Result<Value, AwsError> {
    let attributes = of(cloud, request, is_group)?;
    let mut new = attributes.clone();
    for given in input::list(request, "Attributes") {
        let key = input::text(given, "Key").unwrap_or_default();
        let value = input::text(given, "Value").unwrap_or_default();
        if !new.contains_key(key) {
            let what = if is_group { "target group" } else { "load balancer" };
            let text = format!("The provided {what} attribute key '{key}' is not recognized");
            return Err(AwsError::new(if is_group { "ValidationError" } else { "InvalidConfigurationRequest" }, text));
        }
        check(key, value)?;
        new.insert(key.to_owned(), value.to_owned());
    }
    *attributes = new;
    Ok(view(attributes))
}

fn check(key: &str, value: &str) -> Result<(), AwsError> {
    let bad = |what: &str| Err(AwsError::new("ValidationError", format!("'{value}' for '{key}' must be {what}")));
    if let Some((_, bounds)) = BOUNDS.iter().find(|(it, _)| *it == key)
        && !value.parse().is_ok_and(|number: u64| bounds.contains(&number))
    {
        return bad(&format!("between '{}' and '{}' inclusive", bounds.start(), bounds.end()));
    }
    // 0 turns a slow start off.
    if key == "slow_start.duration_seconds" && !value.parse().is_ok_and(|it: u64| it == 0 || (30..=900).contains(&it)) {
        return bad("0, or between '30' and '900' inclusive");
    }
    if key.ends_with(".enabled") && !matches!(value, "true" | "false" | "use_load_balancer_configuration") {
        return bad("one of [true, false]");
    }
    Ok(())
}

/// `DescribeListenerAttributes`: defaults; they cannot be changed here.
pub(super) fn of_listener(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = input::text(request, "ListenerArn").unwrap_or_default();
    if !cloud.elbv2.listeners.contains_key(arn) {
        return Err(not_found("Listener"));
    }
    Ok(json!({"Attributes": [{"Key": "routing.http.response.server.enabled", "Value": "true"}]}))
}
