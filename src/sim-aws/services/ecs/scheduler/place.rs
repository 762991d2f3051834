//! Starting and stopping tasks of a service, and their places with balancers.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{events, living, look_at};
use crate::{
    Cloud,
    input::{integer, list, text},
    services::{
        ecs::{
            capacity::{self, Nowhere, Place, Wish},
            find,
            state::{Deployment, Service},
            task_calls::{self, Batch},
        },
        elbv2,
    },
    tasks::{self, Host, LastStatus, Membership, NetworkMode, StopCode, Target},
};

/// Starts up to so many tasks of a deployment; the ids of those that were placed. `on`: only on this instance.
pub(super) fn start(cloud: &mut Cloud, service: &str, deployment: &str, count: u64, on: Option<&str>) -> Vec<String> {
    let mut started = Vec::new();
    for _ in 0..count {
        match start_one(cloud, service, deployment, on) {
            Some(id) => started.push(id),
            None => break,
        }
    }
    started
}

fn start_one(cloud: &mut Cloud, service_arn: &str, deployment_id: &str, on: Option<&str>) -> Option<String> {
    let service: Service = cloud.ecs.services.get(service_arn)?.clone();
    let deployment: &Deployment = service.deployments.iter().find(|it| it.id == deployment_id)?;
    let name = &service.name;
    let wanted = deployment.revision.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
    let definition = find::definition(&cloud.ecs, wanted)?.clone();
    let plan = Arc::new(task_calls::plan(cloud, &definition, &Value::Null));
    if let Err(sentence) = task_calls::check_roles(cloud, &plan) {
        let message = format!("(service {name}) failed to launch a task with (error {sentence}).");
        let message = message.replace(".).", ".)");
        events::say_once(cloud, service_arn, "role", &format!("{}.", message.trim_end_matches('.')));
        retry_later(cloud, service_arn);
        return None;
    }
    let launch_type = deployment.revision.get("launchType").and_then(Value::as_str).unwrap_or_default();
    // The strategy of the service holds for new tasks of its present deployment too.
    let strategy = &service.strategy;
    let placed = placed(cloud, service_arn, deployment_id);
    let provider = capacity::next(strategy, &placed);
    let group = format!("service:{name}");
    let place = match on {
        Some(instance) => Ok(Place {
            launch_type: "EC2".to_owned(),
            provider: None,
            host: Host::Instance(instance.to_owned()),
            zone: cloud.ecs.instances.get(instance).map(|it| it.zone.clone()).unwrap_or_default(),
        }),
        None => capacity::place(
            cloud,
            &Wish {
                cluster: &service.cluster,
                plan: &plan,
                launch_type,
                provider,
                group: &group,
                constraints: &service.settings.constraints,
                strategy: &service.settings.placement,
            },
        ),
    };
    let place = match place {
        Ok(place) => place,
        Err(nowhere) => {
            say_nowhere(cloud, service_arn, name, &nowhere);
            return None;
        }
    };
    let mut tags = BTreeMap::new();
    match service.settings.propagate_tags.as_str() {
        "SERVICE" => tags.clone_from(&service.tags),
        "TASK_DEFINITION" => tags.clone_from(&definition.tags),
        _ => {}
    }
    if service.settings.managed_tags {
        tags.insert("aws:ecs:clusterName".to_owned(), service.cluster.clone());
        tags.insert("aws:ecs:serviceName".to_owned(), name.clone());
    }
    let membership = Membership {
        service: service_arn.to_owned(),
        deployment: deployment_id.to_owned(),
        is_draining: false,
        condemned: None,
        is_moving: false,
        was_healthy: false,
        is_settled: false,
    };
    let no_overrides = serde_json::json!({});
    let batch = Batch {
        cluster: &service.cluster,
        definition: &definition.arn,
        plan,
        overrides: &no_overrides,
        group: &group,
        started_by: Some(deployment_id.to_owned()),
        network: &deployment.network,
        connect: deployment.connect.clone(),
        platform_version: deployment.revision.get("platformVersion").and_then(Value::as_str).map(str::to_owned),
        membership: Some(membership),
        tags,
        can_exec: service.settings.can_exec,
        digests: deployment.digests.clone(),
    };
    Some(task_calls::start_at(cloud, &batch, place))
}

/// The living tasks of a deployment by capacity provider.
fn placed(cloud: &Cloud, service: &str, deployment: &str) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for task in living(cloud, service).filter(|task| task.is_of(deployment)) {
        if let Some(provider) = &task.capacity_provider {
            *out.entry(provider.clone()).or_default() += 1;
        }
    }
    out
}

/// Roles change without a word to the scheduler: it tries again after a while.
fn retry_later(cloud: &mut Cloud, service: &str) {
    let at = cloud.now() + std::time::Duration::from_secs(60);
    look_at(cloud, service, at);
}

fn say_nowhere(cloud: &mut Cloud, service: &str, name: &str, nowhere: &Nowhere) {
    let front = format!("(service {name}) was unable to place a task");
    let message = match nowhere {
        Nowhere::NoCapacity => format!(
            "{front}. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone. For more \
             information, see the Troubleshooting section of the Amazon ECS Developer Guide."
        ),
        Nowhere::NoInstances => format!(
            "{front} because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster. \
             For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
        ),
        Nowhere::Unfit(lacks) => match lacks.first() {
            Some((arn, lack)) => format!(
                "{front} because no container instance met all of its requirements. The closest matching (container-instance {}) {}. For \
                 more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
                find::last(arn),
                lack.words().trim_end_matches('.')
            ),
            None => return,
        },
    };
    events::say_once(cloud, service, &message.clone(), &message);
}

/// Takes tasks out: the balancer drains what it knows, the rest is stopped at once.
pub(super) fn stop(cloud: &mut Cloud, service: &str, ids: &[String], primary: &str) {
    let name = cloud.ecs.services.get(service).map(|it| it.name.clone()).unwrap_or_default();
    let (mut running, mut pending, mut draining) = (Vec::new(), 0, 0);
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids {
        let Some(task) = cloud.tasks.get_mut(id) else { continue };
        let is_running = task.last == LastStatus::Running;
        let targets = task.targets.clone();
        let Some(membership) = task.membership.as_mut() else { continue };
        let reason = membership
            .condemned
            .clone()
            .unwrap_or_else(|| format!("Scaling activity initiated by (deployment {primary})"));
        if is_running && !targets.is_empty() {
            membership.is_draining = true;
            draining += 1;
            for target in targets {
                if elbv2::deregister(cloud, &target.group, &target.id, target.port).is_ok() {
                    *groups.entry(target.group).or_default() += 1;
                }
            }
            continue;
        }
        if is_running {
            running.push(id.clone());
        } else {
            pending += 1;
        }
        tasks::stop(cloud, id, StopCode::ServiceSchedulerInitiated, &reason);
    }
    if draining > 0 {
        events::say(cloud, service, &format!("(service {name}) has begun draining connections on {draining} tasks."));
        for (group, count) in groups {
            events::say(
                cloud,
                service,
                &format!("(service {name}) deregistered {count} targets in (target-group {group})"),
            );
        }
        super::look(cloud, service);
    }
    events::stopped_running(cloud, service, &running);
    events::stopped_pending(cloud, service, pending);
    if let Some(found) = cloud.ecs.services.get_mut(service) {
        found.is_steady = found.is_steady && ids.is_empty();
    }
}

/// Running tasks become targets of their deployment's target groups.
pub(super) fn register_targets(cloud: &mut Cloud, service: &str) {
    let Some(found) = cloud.ecs.services.get(service) else { return };
    let name = found.name.clone();
    let mut wanted: Vec<(String, Target, String)> = Vec::new();
    for task in living(cloud, service).filter(|task| task.last == LastStatus::Running && task.targets.is_empty()) {
        let deployment = found.deployments.iter().find(|it| task.is_of(&it.id));
        let Some(deployment) = deployment else { continue };
        let body = Value::Object(deployment.revision.clone());
        for balancer in list(&body, "loadBalancers") {
            let Some(group) = text(balancer, "targetGroupArn") else { continue };
            let container = text(balancer, "containerName").unwrap_or_default();
            let port = integer(balancer, "containerPort").and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
            let (id, port) = match (&task.host, task.plan.network) {
                (Host::Instance(arn), mode) if mode != NetworkMode::AwsVpc => {
                    let bound =
                        task.container(container).and_then(|it| it.bindings.iter().find(|it| it.container == port));
                    let instance = cloud.ecs.instances.get(arn).map(|it| it.ec2_id.clone());
                    (instance.unwrap_or_default(), bound.map_or(port, |it| it.host))
                }
                _ => (task.link.as_ref().map(|link| link.address.to_string()).unwrap_or_default(), port),
            };
            wanted.push((task.id.clone(), Target { group: group.to_owned(), id, port }, task.zone.clone()));
        }
    }
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (task, target, zone) in wanted {
        match elbv2::register(
            cloud,
            &target.group,
            &target.id,
            target.port,
            Some(zone.as_str()).filter(|it| !it.is_empty()),
        ) {
            Ok(()) => *groups.entry(target.group.clone()).or_default() += 1,
            Err(error) => {
                let message = format!(
                    "(service {name}) failed to register targets in (target-group {}) with (error {}).",
                    target.group, error.message
                );
                events::say_once(cloud, service, "register", &message);
            }
        }
        if let Some(task) = cloud.tasks.get_mut(&task) {
            task.targets.push(target);
        }
    }
    for (group, count) in groups {
        events::say(cloud, service, &format!("(service {name}) registered {count} targets in (target-group {group})"));
    }
}
