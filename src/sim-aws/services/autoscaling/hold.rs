//! A group holds its number: it starts what is missing, ends what is too much, replaces what is not healthy.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{Activity, Group, Life, Member, ScalingEvent};
use crate::{
    Cloud,
    event::Event,
    input, moment,
    services::{
        ec2::{self, InstanceState, Launch},
        elbv2::{self, TargetState},
    },
};

/// How long it takes until a group notices that an instance has stopped or ended.
const NOTICES: Duration = Duration::from_secs(30);
/// How long it waits before it tries again what failed.
const TRIES_AGAIN: Duration = Duration::from_secs(60);
/// How many activities are remembered.
const REMEMBERED: usize = 100;

/// An instance is in another state: its group will look.
pub(crate) fn instance_changed(cloud: &mut Cloud, id: &str) {
    let found = cloud.autoscaling.groups.iter().find(|(_, it)| it.members.contains_key(id));
    let Some(name) = found.map(|(name, _)| name.clone()) else { return };
    match cloud.ec2.instances.get(id).map(|it| it.state) {
        Some(InstanceState::Running | InstanceState::Pending) => look(cloud, &name),
        _ => cloud.after(NOTICES, Event::Scaling(ScalingEvent::Look(name))),
    }
}

/// Looks after a group's instances.
pub(super) fn look(cloud: &mut Cloud, name: &str) {
    let Some(group) = cloud.autoscaling.groups.get(name).cloned() else { return };
    for (id, member) in &group.members {
        note(cloud, name, &group, id, member);
    }
    let ill = |group: &Group| -> Vec<String> {
        let members = group.members.iter().filter(|(_, it)| !it.is_healthy && it.life != Life::Terminating);
        members.map(|(id, _)| id.clone()).collect()
    };
    for id in cloud.autoscaling.groups.get(name).map(ill).unwrap_or_default() {
        end(
            cloud,
            name,
            &id,
            "an instance was taken out of service in response to a health check that says it is unhealthy",
        );
    }
    let Some(group) = cloud.autoscaling.groups.get(name).cloned() else { return };
    let living = group.members.values().filter(|it| it.life != Life::Terminating).count();
    let wanted = usize::try_from(group.desired).unwrap_or(usize::MAX);
    for _ in living..wanted {
        if !start(cloud, name) {
            cloud.after(TRIES_AGAIN, Event::Scaling(ScalingEvent::Look(name.to_owned())));
            break;
        }
    }
    for _ in wanted..living {
        let Some(id) = cloud.autoscaling.groups.get(name).and_then(|group| too_many(cloud, group)) else { break };
        end(cloud, name, &id, "a user request changed the desired capacity, shrinking the capacity");
    }
}

/// Takes note of what has become of an instance.
fn note(cloud: &mut Cloud, name: &str, group: &Group, id: &str, member: &Member) {
    let state = cloud.ec2.instances.get(id).map(|it| it.state);
    let age = cloud.now() - member.since;
    let mut new = member.clone();
    match (member.life, state) {
        (Life::Terminating, None | Some(InstanceState::Terminated)) => {
            if let Some(group) = cloud.autoscaling.groups.get_mut(name) {
                group.members.remove(id);
            }
            return;
        }
        (Life::Terminating, _) => return,
        (Life::Pending, Some(InstanceState::Running)) => {
            new.life = Life::InService;
            for arn in &group.target_groups {
                let port = cloud.elbv2.groups.get(arn).map(|it| it.port);
                if let Some(port) = port {
                    // A target group that has been deleted since is no reason to stay out of service.
                    let _ = elbv2::register(cloud, arn, id, port, None);
                }
            }
        }
        (_, Some(InstanceState::Running | InstanceState::Pending)) => {}
        _ => new.is_healthy = false,
    }
    if group.check.split(',').any(|it| it == "ELB") && age >= Duration::from_secs(group.grace.into()) {
        let is_ill = group.target_groups.iter().any(|arn| {
            let port = cloud.elbv2.groups.get(arn).map(|it| it.port).unwrap_or_default();
            elbv2::target_health(cloud, arn, id, port).is_some_and(|it| it.state == TargetState::Unhealthy)
        });
        new.is_healthy &= !is_ill;
    }
    if let Some(group) = cloud.autoscaling.groups.get_mut(name) {
        group.members.insert(id.to_owned(), new);
    }
}

/// Starts one instance in the zone that has the fewest. False: it failed, and the activity says why.
fn start(cloud: &mut Cloud, name: &str) -> bool {
    let Some(group) = cloud.autoscaling.groups.get(name).cloned() else { return false };
    let count = |subnet: &str| {
        let zone = cloud.ec2.subnets.get(subnet).map(|it| &it.zone);
        let living = group.members.iter().filter(|(_, it)| it.life != Life::Terminating);
        living.filter(|(id, _)| cloud.ec2.instances.get(*id).map(|it| &it.zone) == zone).count()
    };
    let is_up = |id: &&String| cloud.ec2.subnets.get(*id).is_some_and(|it| !cloud.ec2.lost_zones.contains(&it.zone));
    let subnet = group.subnets.iter().filter(is_up).min_by_key(|id| count(id)).cloned();
    let data = ec2::launch_template_data(cloud, &group.template).unwrap_or_default();
    let mut launch = Launch::read(&data);
    launch.subnet_id = subnet.unwrap_or_default();
    launch.tags.push(json!({"Key": "aws:autoscaling:groupName", "Value": name}));
    let propagated = group.tags.iter().filter(|it| input::flag(it, "PropagateAtLaunch") == Some(true));
    launch.tags.extend(propagated.map(|it| json!({"Key": it.get("Key"), "Value": it.get("Value")})));
    let cause = "an instance was started in response to a difference between desired and actual capacity";
    let reservation = ec2::new_id(cloud, "r");
    match ec2::launch(cloud, &launch, &reservation) {
        Ok(id) => {
            let since = cloud.now();
            let member = Member { life: Life::Pending, is_healthy: true, is_protected: group.protects_new, since };
            if let Some(group) = cloud.autoscaling.groups.get_mut(name) {
                group.members.insert(id.clone(), member);
            }
            record(cloud, name, format!("Launching a new EC2 instance: {id}"), cause, None);
            true
        }
        Err(error) => {
            let failure = format!("{} Launching EC2 instance failed.", error.message);
            record(cloud, name, "Launching a new EC2 instance".to_owned(), cause, Some(failure));
            false
        }
    }
}

/// Which instance goes first: an unprotected one of the zone that has the most, the oldest of those.
fn too_many(cloud: &Cloud, group: &Group) -> Option<String> {
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    let living: Vec<(&String, &Member, &str)> = group
        .members
        .iter()
        .filter(|(_, it)| it.life != Life::Terminating)
        .filter_map(|(id, it)| Some((id, it, cloud.ec2.instances.get(id)?.zone.as_str())))
        .collect();
    for (_, _, zone) in &living {
        *zones.entry(zone).or_default() += 1;
    }
    let free = living.into_iter().filter(|(_, it, _)| !it.is_protected);
    let first = free.min_by_key(|(id, it, zone)| {
        (usize::MAX - zones.get(zone).copied().unwrap_or_default(), it.since, (*id).clone())
    });
    first.map(|(id, ..)| id.clone())
}

/// Ends an instance of a group. What was done.
pub(super) fn end(cloud: &mut Cloud, name: &str, id: &str, cause: &str) -> Value {
    let mut groups = Vec::new();
    if let Some(group) = cloud.autoscaling.groups.get_mut(name) {
        groups.clone_from(&group.target_groups);
        if let Some(member) = group.members.get_mut(id) {
            member.life = Life::Terminating;
        }
    }
    for arn in groups {
        let port = cloud.elbv2.groups.get(&arn).map(|it| it.port).unwrap_or_default();
        // It may never have been registered.
        let _ = elbv2::deregister(cloud, &arn, id, port);
    }
    ec2::terminate_instances(cloud, &[id.to_owned()]);
    record(cloud, name, format!("Terminating EC2 instance: {id}"), cause, None)
}

fn record(cloud: &mut Cloud, group: &str, description: String, cause: &str, failure: Option<String>) -> Value {
    let at = cloud.now();
    let activity = Activity {
        id: cloud.chance.uuid(),
        group: group.to_owned(),
        description,
        cause: format!("At {} {cause}.", cloud.clock.today().strftime("%Y-%m-%dT%H:%M:%SZ")),
        at,
        failure,
    };
    let view = json!({
        "ActivityId": activity.id,
        "AutoScalingGroupName": activity.group,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": moment::of(cloud, at),
        "StatusCode": "InProgress",
        "Progress": 0,
    });
    let activities = &mut cloud.autoscaling.activities;
    activities.push(activity);
    let surplus = activities.len().saturating_sub(REMEMBERED);
    activities.drain(..surplus);
    view
}
