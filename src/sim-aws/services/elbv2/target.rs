//! Targets: how they come, drain and go.

use std::{net::Ipv4Addr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ElbEvent, TargetRef,
    health::{Known, TargetHealth, seen, view},
    state::{TargetGroup, TargetType, not_found},
    watch,
};
use crate::{
    AwsError, Cloud,
    event::Event,
    input,
    services::ec2::{Cidr, InstanceState},
};

/// A registered target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// An address, or an instance's id.
    pub id: String,
    pub port: u16,
    /// As it was given or found: `eu-central-1a`; `all` for an address outside the VPC.
    pub zone: Option<String>,
    /// Grows with each new beginning: events of an older one no longer count.
    pub serial: u64,
    /// Deregistered, and on its way out.
    pub is_draining: bool,
    /// Whether it is being checked.
    pub is_checked: bool,
    /// Whether it has been asked since checks began.
    pub is_asked: bool,
    pub known: Known,
    /// Passes and failures in a row.
    pub passes: u32,
    pub fails: u32,
}

/// The place of a target in its group.
pub(super) fn key(id: &str, port: u16) -> String {
    format!("{id}:{port}")
}

/// Where a target is reached.
pub(super) fn address(cloud: &Cloud, target: &Target) -> Option<Ipv4Addr> {
    if let Ok(address) = target.id.parse() {
        return Some(address);
    }
    let instance = cloud.ec2.instances.get(&target.id)?;
    cloud.ec2.interfaces.get(&instance.interface).map(|it| it.address)
}

/// Registers a target; `id` is an address or an instance's id. One that is registered already stays as it is, and one that drains comes back.
///
/// # Errors
/// `TargetGroupNotFound`, `InvalidTarget`.
pub fn register(cloud: &mut Cloud, group_arn: &str, id: &str, port: u16, zone: Option<&str>) -> Result<(), AwsError> {
    let Some(group) = cloud.elbv2.groups.get(group_arn) else { return Err(missing(group_arn)) };
    let zone = zone_of(cloud, group, id, zone)?;
    let old = group.targets.get(&key(id, port));
    if old.is_some_and(|it| !it.is_draining) {
        return Ok(());
    }
    let target = Target {
        id: id.to_owned(),
        port,
        zone: Some(zone),
        serial: old.map_or(0, |it| it.serial + 1),
        is_draining: false,
        is_checked: false,
        is_asked: false,
        known: Known::Initial,
        passes: 0,
        fails: 0,
    };
    watch(cloud, |cloud| {
        if let Some(group) = cloud.elbv2.groups.get_mut(group_arn) {
            group.targets.insert(key(id, port), target);
        }
    });
    Ok(())
}

fn invalid(text: String) -> AwsError {
    AwsError::new("InvalidTarget", text)
}

/// The zone that a target counts to; refused where it cannot be a target of this group.
fn zone_of(cloud: &Cloud, group: &TargetGroup, id: &str, given: Option<&str>) -> Result<String, AwsError> {
    match group.target_type {
        TargetType::Instance => {
            let Some(instance) = cloud.ec2.instances.get(id) else {
                return Err(invalid(format!("The following targets are not valid instances: '{id}'")));
            };
            if !matches!(instance.state, InstanceState::Running | InstanceState::Pending) {
                let text = format!("The following targets are not in a running state and cannot be registered: '{id}'");
                return Err(invalid(text));
            }
            if instance.vpc_id != group.vpc_id {
                let text = format!("The following targets are not in the target group VPC '{}': '{id}'", group.vpc_id);
                return Err(invalid(text));
            }
            Ok(instance.zone.clone())
        }
        TargetType::Ip => {
            let Ok(address) = id.parse::<Ipv4Addr>() else {
                return Err(AwsError::new(
                    "ValidationError",
                    format!("The IP address '{id}' is not a valid IPv4 address"),
                ));
            };
            let is_inside = cloud.ec2.vpcs.get(&group.vpc_id).is_some_and(|vpc| vpc.cidr.contains(address));
            if is_inside {
                let mut subnets = cloud.ec2.subnets.values().filter(|it| it.vpc_id == group.vpc_id);
                let zone = subnets.find(|it| it.cidr.contains(address)).map(|it| it.zone.clone());
                return zone.or(given.map(str::to_owned)).ok_or_else(|| {
                    invalid(format!("The IP address '{id}' is not within a subnet of the VPC '{}'", group.vpc_id))
                });
            }
            let is_private = [([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)]
                .iter()
                .any(|(base, bits)| Cidr::around((*base).into(), *bits).contains(address));
            match given {
                Some("all") if is_private => Ok("all".to_owned()),
                _ if is_private => {
                    let text = format!(
                        "You must specify an Availability Zone of 'all' for the IP address '{id}' outside the VPC"
                    );
                    Err(invalid(text))
                }
                _ => Err(invalid(format!("The IP address '{id}' is not from a supported range of addresses"))),
            }
        }
    }
}

/// Begins to deregister a target: it drains, and is gone after the group's deregistration delay. One that is in no use is gone at once.
///
/// # Errors
/// `TargetGroupNotFound`; `InvalidTarget` where it is not registered.
pub fn deregister(cloud: &mut Cloud, group_arn: &str, id: &str, port: u16) -> Result<(), AwsError> {
    let is_used = cloud.elbv2.balancer_of(group_arn).is_some();
    let Some(group) = cloud.elbv2.groups.get(group_arn) else { return Err(missing(group_arn)) };
    let delay = group.attributes.get("deregistration_delay.timeout_seconds").and_then(|it| it.parse().ok());
    let delay = Duration::from_secs(delay.unwrap_or(300));
    match group.targets.get(&key(id, port)) {
        None => return Err(invalid(format!("The following targets are not registered: '{}'", key(id, port)))),
        Some(target) if target.is_draining => return Ok(()),
        Some(_) => {}
    }
    let mut due = None;
    watch(cloud, |cloud| {
        let Some(group) = cloud.elbv2.groups.get_mut(group_arn) else { return };
        if !is_used || delay.is_zero() {
            group.targets.remove(&key(id, port));
        } else if let Some(target) = group.targets.get_mut(&key(id, port)) {
            target.is_draining = true;
            target.is_checked = false;
            target.serial += 1;
            due = Some(target.serial);
        }
    });
    if let Some(serial) = due {
        let target = TargetRef { group: group_arn.to_owned(), id: id.to_owned(), port, serial };
        cloud.after(delay, Event::Elb(ElbEvent::Drained(target)));
    }
    Ok(())
}

/// A target's delay is over.
pub(super) fn drained(cloud: &mut Cloud, at: &TargetRef) {
    watch(cloud, |cloud| {
        if let Some(group) = cloud.elbv2.groups.get_mut(&at.group)
            && group.targets.get(&key(&at.id, at.port)).is_some_and(|it| it.is_draining && it.serial == at.serial)
        {
            group.targets.remove(&key(&at.id, at.port));
        }
    });
}

fn missing(group_arn: &str) -> AwsError {
    AwsError::new("TargetGroupNotFound", format!("Target groups '{group_arn}' not found"))
}

/// The targets of a request: id, port and zone. Without a port it is the group's own, or every one that is registered.
fn named(cloud: &Cloud, request: &Value, is_new: bool) -> Result<Vec<(String, u16, Option<String>)>, AwsError> {
    let arn = input::text(request, "TargetGroupArn").unwrap_or_default();
    let Some(group) = cloud.elbv2.groups.get(arn) else { return Err(missing(arn)) };
    let mut found = Vec::new();
    for given in input::list(request, "Targets") {
        let id = input::text(given, "Id").unwrap_or_default().to_owned();
        let zone = input::text(given, "AvailabilityZone").map(str::to_owned);
        match input::integer(given, "Port").map(u16::try_from) {
            Some(Ok(port)) if port > 0 => found.push((id, port, zone)),
            Some(_) => return Err(AwsError::new("ValidationError", "Target port must be between 1 and 65535")),
            None => {
                let ports: Vec<u16> = group.targets.values().filter(|it| it.id == id).map(|it| it.port).collect();
                if is_new || ports.is_empty() {
                    found.push((id, group.port, zone));
                } else {
                    found.extend(ports.into_iter().map(|port| (id.clone(), port, zone.clone())));
                }
            }
        }
    }
    Ok(found)
}

/// `RegisterTargets`.
pub(super) fn register_many(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = input::text(request, "TargetGroupArn").unwrap_or_default();
    let targets = named(cloud, request, true)?;
    let Some(group) = cloud.elbv2.groups.get(arn) else { return Err(missing(arn)) };
    for (id, _, zone) in &targets {
        zone_of(cloud, group, id, zone.as_deref())?;
    }
    for (id, port, zone) in targets {
        register(cloud, arn, &id, port, zone.as_deref())?;
    }
    Ok(json!({}))
}

/// `DeregisterTargets`.
pub(super) fn deregister_many(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = input::text(request, "TargetGroupArn").unwrap_or_default();
    for (id, port, _) in named(cloud, request, false)? {
        deregister(cloud, arn, &id, port)?;
    }
    Ok(json!({}))
}

/// `DescribeTargetHealth`: all targets, or those that are asked about, registered or not.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = input::text(request, "TargetGroupArn").unwrap_or_default();
    let Some(group) = cloud.elbv2.groups.get(arn) else { return Err(not_found("TargetGroup")) };
    let port_of_check = |port: u16| match group.check.port.as_str() {
        "traffic-port" => port.to_string(),
        other => other.to_owned(),
    };
    let one = |id: &str, port: u16, zone: Option<&str>, health: &TargetHealth| {
        let mut target = json!({"Id": id, "Port": port});
        if let (Some(members), Some(zone), TargetType::Ip) = (target.as_object_mut(), zone, group.target_type) {
            members.insert("AvailabilityZone".to_owned(), json!(zone));
        }
        json!({"Target": target, "HealthCheckPort": port_of_check(port), "TargetHealth": view(health)})
    };
    let mut views = Vec::new();
    if input::list(request, "Targets").is_empty() {
        for target in group.targets.values() {
            views.push(one(&target.id, target.port, target.zone.as_deref(), &seen(cloud, arn, target)));
        }
    }
    for (id, port, _) in named(cloud, request, false)? {
        views.push(match group.targets.get(&key(&id, port)) {
            Some(target) => one(&id, port, target.zone.as_deref(), &seen(cloud, arn, target)),
            None => one(&id, port, None, &TargetHealth::not_registered()),
        });
    }
    Ok(json!({"TargetHealthDescriptions": views}))
}
