//! Elastic Load Balancing v2: load balancers, listeners, rules, target groups and the health of their targets.

mod action;
mod attribute;
mod balancer;
mod check;
mod condition;
mod health;
mod hosts;
mod listener;
mod metric;
mod rule;
mod serve;
mod state;
mod tags;
mod target;
mod target_group;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use action::Action;
pub use check::Outcome;
pub use condition::Condition;
pub use health::{Known, TargetHealth, TargetState, target_health};
pub use hosts::{Hosts, in_minute as hosts_in_minute};
pub use metric::Minute;
pub use serve::answer;
pub(crate) use serve::{by_name, nodes, serve};
pub use state::{Balancer, HealthCheck, Kind, Listener, Rule, State, TargetGroup, TargetType};
pub use target::{Target, deregister, register};

use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What a request needs before it is looked at.
pub fn needs(_cloud: &Cloud, operation: &str, _input: &Value) -> Vec<Need> {
    vec![Need::anywhere("elasticloadbalancing", operation)]
}

/// A target in one of its lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRef {
    pub group: String,
    pub id: String,
    pub port: u16,
    pub serial: u64,
}

/// Something of ELBv2 that is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ElbEvent {
    /// A balancer has been provisioned.
    Active(String),
    /// A target is to be checked.
    Check(TargetRef),
    /// What a check came to is known.
    Verdict(TargetRef, Outcome),
    /// A target's deregistration delay is over.
    Drained(TargetRef),
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: ElbEvent) {
    match event {
        ElbEvent::Active(arn) => watch(cloud, |cloud| {
            if let Some(balancer) = cloud.elbv2.balancers.get_mut(&arn) {
                balancer.is_active = true;
            }
        }),
        ElbEvent::Check(target) => health::check(cloud, &target),
        ElbEvent::Verdict(target, outcome) => health::verdict(cloud, &target, outcome),
        ElbEvent::Drained(target) => target::drained(cloud, &target),
    }
}

/// Does something that may change the health of targets, and tells ECS of every target whose state is another afterwards.
fn watch<T>(cloud: &mut Cloud, change: impl FnOnce(&mut Cloud) -> T) -> T {
    let before = states(cloud);
    let result = change(cloud);
    health::settle(cloud);
    let after = states(cloud);
    let mut changed: Vec<_> =
        after.iter().filter(|(it, state)| before.get(*it) != Some(state)).map(|(it, _)| it).collect();
    changed.extend(before.keys().filter(|it| !after.contains_key(*it)));
    if !changed.is_empty() {
        hosts::count(cloud);
    }
    for (group, id, port) in changed {
        super::ecs::target_changed(cloud, group, id, *port);
    }
    result
}

/// Every target with its state.
fn states(cloud: &Cloud) -> BTreeMap<(String, String, u16), TargetState> {
    let groups = cloud.elbv2.groups.iter();
    groups
        .flat_map(|(arn, group)| {
            let targets = group.targets.values();
            targets.map(move |it| ((arn.clone(), it.id.clone(), it.port), health::seen(cloud, arn, it).state))
        })
        .collect()
}

/// An instance has come up, stopped or gone: its targets come into use, or out of it.
pub(crate) fn instance_changed(cloud: &mut Cloud) {
    watch(cloud, |_| ());
}

/// One page of an answer: all of it, unless `PageSize` says how much.
fn page(request: &Value, set: &str, views: Vec<Value>) -> Result<Value, AwsError> {
    let start = match input::text(request, "Marker") {
        None | Some("") => 0,
        Some(marker) => marker
            .parse::<usize>()
            .map_err(|_| AwsError::new("ValidationError", format!("Marker '{marker}' is not valid")))?,
    };
    let size = input::integer(request, "PageSize").and_then(|it| usize::try_from(it).ok()).filter(|it| *it > 0);
    let end = size.map_or(views.len(), |size| start.saturating_add(size).min(views.len()));
    let mut answer = Map::new();
    if end < views.len() {
        answer.insert("NextMarker".to_owned(), json!(end.to_string()));
    }
    answer.insert(set.to_owned(), views.into_iter().skip(start).take(end.saturating_sub(start)).collect());
    Ok(Value::Object(answer))
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let request = &call.input;
    match call.operation.as_str() {
        "CreateLoadBalancer" => balancer::create(cloud, request),
        "DeleteLoadBalancer" => balancer::delete(cloud, request),
        "DescribeLoadBalancers" => balancer::describe(cloud, request),
        "SetSecurityGroups" => balancer::set_groups(cloud, request),
        "SetSubnets" => balancer::set_subnets(cloud, request),
        "DescribeLoadBalancerAttributes" => attribute::describe(cloud, request, false),
        "ModifyLoadBalancerAttributes" => attribute::modify(cloud, request, false),
        "CreateListener" => listener::create(cloud, request),
        "ModifyListener" => listener::modify(cloud, request),
        "DeleteListener" => listener::delete(cloud, request),
        "DescribeListeners" => listener::describe(cloud, request),
        "DescribeListenerAttributes" => attribute::of_listener(cloud, request),
        "CreateRule" => rule::create(cloud, request),
        "ModifyRule" => rule::modify(cloud, request),
        "DeleteRule" => rule::delete(cloud, request),
        "SetRulePriorities" => rule::set_priorities(cloud, request),
        "DescribeRules" => rule::describe(cloud, request),
        "CreateTargetGroup" => target_group::create(cloud, request),
        "ModifyTargetGroup" => target_group::modify(cloud, request),
        "DeleteTargetGroup" => target_group::delete(cloud, request),
        "DescribeTargetGroups" => target_group::describe(cloud, request),
        "DescribeTargetGroupAttributes" => attribute::describe(cloud, request, true),
        "ModifyTargetGroupAttributes" => attribute::modify(cloud, request, true),
        "RegisterTargets" => target::register_many(cloud, request),
        "DeregisterTargets" => target::deregister_many(cloud, request),
        "DescribeTargetHealth" => target::describe(cloud, request),
        "AddTags" => tags::add_tags(cloud, request),
        "RemoveTags" => tags::remove(cloud, request),
        "DescribeTags" => tags::describe(cloud, request),
        operation => Err(AwsError::not_simulated("elasticloadbalancing", operation)),
    }
}
