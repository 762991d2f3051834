//! Load balancers.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    ElbEvent, attribute,
    state::{Balancer, Kind, State, not_found},
    tags, watch,
};
use crate::{
    AwsError, Cloud,
    event::Event,
    input, moment,
    network::InterfaceId,
    services::ec2::{PartOf, delete_interface, make_interface},
};

/// How long one takes to come up.
const COMES: Duration = Duration::from_secs(120);

pub(super) fn bad(text: impl Into<String>) -> AwsError {
    AwsError::new("ValidationError", text)
}

/// The zone that aliases of balancers stand in, for the simulated region.
const HOSTED_ZONE: &str = "Z215JYRZR1TBD5";

pub(super) fn view(arn: &str, it: &Balancer, cloud: &Cloud) -> Value {
    let zones: Vec<Value> = it
        .subnets
        .keys()
        .filter_map(|id| {
            let zone = &cloud.ec2.subnets.get(id)?.zone;
            Some(json!({"ZoneName": zone, "SubnetId": id, "LoadBalancerAddresses": []}))
        })
        .collect();
    let mut view = json!({
        "LoadBalancerArn": arn,
        "LoadBalancerName": it.name,
        "DNSName": it.dns_name,
        "CanonicalHostedZoneId": HOSTED_ZONE,
        "CreatedTime": moment::of(cloud, it.created),
        "Scheme": if it.is_internal { "internal" } else { "internet-facing" },
        "VpcId": it.vpc_id,
        "State": {"Code": if it.is_active { "active" } else { "provisioning" }},
        "Type": it.kind,
        "AvailabilityZones": zones,
        "IpAddressType": "ipv4",
    });
    if let (Some(members), false) = (view.as_object_mut(), it.groups.is_empty()) {
        members.insert("SecurityGroups".to_owned(), json!(it.groups));
    }
    view
}

/// The subnets of a request, by `Subnets` or `SubnetMappings`, checked.
fn subnets(cloud: &Cloud, request: &Value, kind: Kind, is_internal: bool) -> Result<(Vec<String>, String), AwsError> {
    let mut ids = input::texts(request, "Subnets");
    ids.extend(input::list(request, "SubnetMappings").iter().filter_map(|it| input::text(it, "SubnetId")));
    let mut zones: BTreeMap<&str, &str> = BTreeMap::new();
    let mut vpc = None;
    for id in &ids {
        let Some(subnet) = cloud.ec2.subnets.get(*id) else {
            return Err(AwsError::new("SubnetNotFound", format!("The subnet ID '{id}' does not exist")));
        };
        if zones.insert(&subnet.zone, id).is_some() {
            let text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(AwsError::new("InvalidConfigurationRequest", text));
        }
        if *vpc.get_or_insert(&subnet.vpc_id) != &subnet.vpc_id {
            return Err(AwsError::new("InvalidSubnet", "All subnets must belong to the same VPC"));
        }
    }
    let Some(vpc) = vpc.filter(|_| kind == Kind::Network || zones.len() > 1) else {
        return Err(bad("At least two subnets in two different Availability Zones must be specified"));
    };
    if !is_internal && !cloud.ec2.internet_gateways.values().any(|it| it.vpc_id.as_ref() == Some(vpc)) {
        return Err(AwsError::new("InvalidSubnet", format!("VPC {vpc} has no internet gateway")));
    }
    Ok((ids.into_iter().map(str::to_owned).collect(), vpc.clone()))
}

fn groups(cloud: &Cloud, request: &Value, vpc_id: &str) -> Result<Vec<String>, AwsError> {
    let ids = input::texts(request, "SecurityGroups");
    for id in &ids {
        if cloud.ec2.groups.get(*id).is_none_or(|it| it.vpc_id != vpc_id) {
            let text = format!("One or more security groups are invalid: {id}");
            return Err(AwsError::new("InvalidSecurityGroup", text));
        }
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

/// `CreateLoadBalancer`: provisioning for a while. The same once more is the one that exists.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = input::text(request, "Name").unwrap_or_default();
    check_name("Load balancer", name)?;
    let kind = match input::text(request, "Type").unwrap_or("application") {
        "application" => Kind::Application,
        "network" => Kind::Network,
        other => {
            return Err(AwsError::not_simulated(
                "elasticloadbalancing",
                &format!("CreateLoadBalancer of type {other}"),
            ));
        }
    };
    let is_internal = input::text(request, "Scheme") == Some("internal");
    let (subnets, vpc_id) = subnets(cloud, request, kind, is_internal)?;
    let mut groups = groups(cloud, request, &vpc_id)?;
    if groups.is_empty() && kind == Kind::Application {
        let default = cloud.ec2.groups.iter().find(|(_, it)| it.vpc_id == vpc_id && it.name == "default");
        groups.extend(default.map(|(id, _)| id.clone()));
    }
    if let Some((arn, old)) = cloud.elbv2.balancers.iter().find(|(_, it)| it.name == name) {
        let is_same = old.kind == kind
            && old.is_internal == is_internal
            && old.groups == groups
            && old.subnets.keys().eq(subnets.iter().collect::<std::collections::BTreeSet<_>>());
        if is_same {
            return Ok(json!({"LoadBalancers": [view(arn, old, cloud)]}));
        }
        let text = format!("A load balancer with the same name '{name}' exists, but with different settings");
        return Err(AwsError::new("DuplicateLoadBalancerName", text));
    }
    let digits = cloud.chance.text(b"0123456789abcdef", 16);
    let (region, account) = (cloud.config.region.clone(), cloud.config.account.clone());
    let arn = format!("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{}/{name}/{digits}", kind.word());
    let label = if is_internal { "internal-" } else { "" };
    let dns_name = match kind {
        Kind::Application => {
            format!("{label}{name}-{}.{region}.elb.amazonaws.com", cloud.chance.text(b"123456789", 10))
        }
        Kind::Network => format!("{name}-{digits}.elb.{region}.amazonaws.com"),
    };
    let balancer = Balancer {
        name: name.to_owned(),
        kind,
        is_internal,
        vpc_id,
        groups,
        subnets: BTreeMap::new(),
        dns_name,
        is_active: false,
        created: cloud.now(),
        attributes: attribute::of_new_balancer(kind),
        turn: 0,
    };
    cloud.elbv2.balancers.insert(arn.clone(), balancer);
    if let Err(refusal) = stand_in(cloud, &arn, &subnets) {
        remove(cloud, &arn);
        return Err(refusal);
    }
    tags::add(cloud, &arn, input::list(request, "Tags"));
    cloud.after(COMES, Event::Elb(ElbEvent::Active(arn.clone())));
    let found = cloud.elbv2.balancers.get(&arn).map(|it| view(&arn, it, cloud));
    Ok(json!({"LoadBalancers": [found]}))
}

/// Names of balancers and target groups: up to 32 letters, digits and hyphens.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), AwsError> {
    if name.is_empty() {
        return Err(bad(format!("{what} name must be specified")));
    }
    if name.len() > 32 {
        return Err(bad(format!("{what} name '{name}' cannot be longer than '32' characters")));
    }
    let is_plain = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    if !is_plain || name.starts_with('-') || name.ends_with('-') {
        let text =
            format!("{what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)");
        return Err(bad(text));
    }
    Ok(())
}

/// Gives the balancer an interface in each of these subnets, and takes those in others away.
fn stand_in(cloud: &mut Cloud, arn: &str, subnets: &[String]) -> Result<(), AwsError> {
    let Some(balancer) = cloud.elbv2.balancers.get(arn) else { return Err(not_found("LoadBalancer")) };
    let (held, groups, is_public) = (balancer.subnets.clone(), balancer.groups.clone(), !balancer.is_internal);
    let label = arn.split_once("loadbalancer/").map_or(arn, |(_, label)| label);
    let description = format!("ELB {label}");
    let mut now = BTreeMap::new();
    for subnet in subnets {
        let interface = match held.get(subnet) {
            Some(interface) => interface.clone(),
            None => {
                let part_of = PartOf::Balancer(arn.to_owned());
                make_interface(cloud, subnet, groups.clone(), is_public, &description, part_of)
                    .map_err(|error| AwsError::new("InvalidSubnet", error.message))?
                    .id
                    .0
            }
        };
        now.insert(subnet.clone(), interface.clone());
        if let Some(balancer) = cloud.elbv2.balancers.get_mut(arn) {
            balancer.subnets.insert(subnet.clone(), interface);
        }
    }
    for (subnet, interface) in held {
        if !now.contains_key(&subnet) {
            delete_interface(cloud, &InterfaceId(interface));
        }
    }
    if let Some(balancer) = cloud.elbv2.balancers.get_mut(arn) {
        balancer.subnets = now;
    }
    Ok(())
}

fn named(cloud: &Cloud, request: &Value) -> Result<String, AwsError> {
    let arn = input::text(request, "LoadBalancerArn").unwrap_or_default();
    if cloud.elbv2.balancers.contains_key(arn) { Ok(arn.to_owned()) } else { Err(not_found("LoadBalancer")) }
}

/// `DeleteLoadBalancer`, with its listeners. One that does not exist is deleted already.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let Ok(arn) = named(cloud, request) else { return Ok(json!({})) };
    let is_kept = cloud.elbv2.balancers.get(&arn).and_then(|it| it.attributes.get("deletion_protection.enabled"));
    if is_kept.is_some_and(|it| it == "true") {
        let text = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return Err(AwsError::new("OperationNotPermitted", text));
    }
    watch(cloud, |cloud| remove(cloud, &arn));
    Ok(json!({}))
}

fn remove(cloud: &mut Cloud, arn: &str) {
    let Some(balancer) = cloud.elbv2.balancers.remove(arn) else { return };
    for interface in balancer.subnets.into_values() {
        delete_interface(cloud, &InterfaceId(interface));
    }
    let state: &mut State = &mut cloud.elbv2;
    state.listeners.retain(|_, it| it.balancer != arn);
    let listeners = &state.listeners;
    state.rules.retain(|_, it| listeners.contains_key(&it.listener));
    state.tags.remove(arn);
}

/// `DescribeLoadBalancers` by ARN or name.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let (arns, names) = (input::texts(request, "LoadBalancerArns"), input::texts(request, "Names"));
    let all = &cloud.elbv2.balancers;
    let is_there = |name: &&str| all.values().any(|it| it.name == **name);
    if let Some(wrong) = names.iter().find(|name| !is_there(name)) {
        return Err(AwsError::new("LoadBalancerNotFound", format!("Load balancers '[{wrong}]' not found")));
    }
    if arns.iter().any(|arn| !all.contains_key(*arn)) {
        return Err(not_found("LoadBalancer"));
    }
    let is_wanted = |arn: &str, it: &Balancer| {
        (arns.is_empty() && names.is_empty()) || arns.contains(&arn) || names.contains(&it.name.as_str())
    };
    let views = all.iter().filter(|(arn, it)| is_wanted(arn, it)).map(|(arn, it)| view(arn, it, cloud)).collect();
    super::page(request, "LoadBalancers", views)
}

/// `SetSecurityGroups`.
pub(super) fn set_groups(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = named(cloud, request)?;
    let vpc_id = cloud.elbv2.balancers.get(&arn).map(|it| it.vpc_id.clone()).unwrap_or_default();
    let groups = groups(cloud, request, &vpc_id)?;
    if groups.is_empty() {
        return Err(bad("At least one security group must be specified"));
    }
    let held: Vec<String> =
        cloud.elbv2.balancers.get(&arn).map(|it| it.subnets.values().cloned().collect()).unwrap_or_default();
    for interface in held {
        if let Some(interface) = cloud.ec2.interfaces.get_mut(&interface) {
            interface.groups.clone_from(&groups);
        }
    }
    if let Some(balancer) = cloud.elbv2.balancers.get_mut(&arn) {
        balancer.groups.clone_from(&groups);
    }
    Ok(json!({"SecurityGroupIds": groups}))
}

/// `SetSubnets`.
pub(super) fn set_subnets(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let arn = named(cloud, request)?;
    let Some(balancer) = cloud.elbv2.balancers.get(&arn) else { return Err(not_found("LoadBalancer")) };
    let (subnets, vpc_id) = subnets(cloud, request, balancer.kind, balancer.is_internal)?;
    if vpc_id != balancer.vpc_id {
        return Err(AwsError::new("InvalidSubnet", "The subnets belong to another VPC"));
    }
    watch(cloud, |cloud| stand_in(cloud, &arn, &subnets))?;
    let view = cloud.elbv2.balancers.get(&arn).map(|it| view(&arn, it, cloud));
    let zones = view.and_then(|view| view.get("AvailabilityZones").cloned());
    Ok(json!({"AvailabilityZones": zones, "IpAddressType": "ipv4"}))
}
