//! The start of a task's containers, in the order that `dependsOn` asks for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Condition, ContainerPlan, ContainerState, Health, LastStatus, NetworkMode, Step, StopCode, Task, after,
    files::{Disk, Mount},
    health, life,
    run::{self, Run},
};
use crate::Cloud;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a container's dependencies allow.
enum May {
    Start,
    Wait,
    Never,
}

/// Starts every container whose turn it is; the task is up when all have been started.
pub(super) fn proceed(cloud: &mut Cloud, id: &str) {
    loop {
        let Some(task) = cloud.tasks.get_mut(id) else { return };
        if !task.is_to_run || task.last > LastStatus::Running || task.pull_stopped.is_none() {
            return;
        }
        let plan = Arc::clone(&task.plan);
        let waiting = plan.containers.iter().filter(|it| is_fresh(task, &it.name));
        let mut next = None;
        for container in waiting {
            match may_start(task, container) {
                May::Start => next = next.or(Some(container.clone())),
                May::Wait => {}
                May::Never => {
                    life::stop(cloud, id, StopCode::TaskFailedToStart, "Task failed to start");
                    return;
                }
            }
        }
        match next {
            Some(container) => start(cloud, id, &container),
            None => break,
        }
    }
    let Some(task) = cloud.tasks.get(id) else { return };
    if task.last == LastStatus::Pending && task.containers.iter().all(|it| it.run_started.is_some()) {
        life::activating(cloud, id);
    }
}

fn is_fresh(task: &Task, name: &str) -> bool {
    task.container(name).is_some_and(|it| it.state == ContainerState::Pending && it.run_started.is_none())
}

fn may_start(task: &Task, plan: &ContainerPlan) -> May {
    let mut result = May::Start;
    for (name, condition) in &plan.depends_on {
        let Some(other) = task.container(name) else { return May::Never };
        let (started, ended) = (other.run_started.is_some(), other.state == ContainerState::Stopped);
        let met = match condition {
            Condition::Start => started,
            Condition::Complete => ended,
            Condition::Success => ended && other.exit_code == Some(0),
            Condition::Healthy => other.health == Health::Healthy,
        };
        let lost = match condition {
            Condition::Success => ended && other.exit_code != Some(0),
            Condition::Healthy => ended || other.health == Health::Unhealthy,
            _ => false,
        };
        if lost {
            return May::Never;
        }
        if !met {
            result = May::Wait;
        }
    }
    result
}

fn start(cloud: &mut Cloud, id: &str, plan: &ContainerPlan) {
    let runtime = cloud.chance.text(b"0123456789", 10);
    let docker_id = cloud.chance.text(b"0123456789abcdef", 64);
    let now = cloud.now();
    let seconds = u64::try_from(cloud.clock.today().as_second()).unwrap_or(0);
    let account = cloud.config.account.clone();
    let region = cloud.config.region.clone();
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    let is_fargate = task.host == super::Host::Fargate;
    let address = task.link.as_ref().filter(|link| link.is_own).map(|link| link.address.to_string());
    let hostname = match (&address, task.plan.network) {
        (Some(address), NetworkMode::AwsVpc) => format!("ip-{}.{region}.compute.internal", address.replace('.', "-")),
        _ => docker_id.chars().take(12).collect(),
    };
    let Some(container) = task.container_mut(&plan.name) else { return };
    container.runtime_id = Some(if is_fargate { format!("{id}-{runtime}") } else { docker_id });
    container.run_started = Some(now);
    let (name, version) = container.program.clone().unwrap_or_default();
    let mut env = BTreeMap::from([
        ("PATH".to_owned(), PATH.to_owned()),
        ("APP".to_owned(), name),
        ("VERSION".to_owned(), version),
        ("HOSTNAME".to_owned(), hostname.clone()),
        ("HOME".to_owned(), "/".to_owned()),
        ("AWS_REGION".to_owned(), region.clone()),
        ("AWS_DEFAULT_REGION".to_owned(), region),
        ("AWS_EXECUTION_ENV".to_owned(), if is_fargate { "AWS_ECS_FARGATE" } else { "AWS_ECS_EC2" }.to_owned()),
        ("ECS_CONTAINER_METADATA_URI_V4".to_owned(), format!("http://169.254.170.2/v4/{id}-{runtime}")),
    ]);
    if let Some(role) = &task.plan.task_role {
        // Where an SDK finds the role's credentials; what they may do is the role's affair.
        let path = format!("/v2/credentials/{account}-{}", role.rsplit('/').next().unwrap_or_default());
        env.insert("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI".to_owned(), path);
    }
    env.extend(plan.environment.iter().cloned());
    if let Some(container) = task.container(&plan.name) {
        env.extend(container.secrets.clone());
    }
    let entry = if plan.entry_point.is_empty() { vec!["/workload".to_owned()] } else { plan.entry_point.clone() };
    // The workload's image names no command: without one its `ROLE` decides.
    let argv = entry.into_iter().chain(plan.command.iter().cloned()).collect();
    let mut root = Disk::image();
    let own = address.unwrap_or_else(|| "127.0.0.1".to_owned());
    let names = task.connect.hosts();
    root.put("/etc/hosts", &format!("127.0.0.1 localhost\n{own} {hostname}\n{names}"), seconds);
    root.put("/etc/hostname", &format!("{hostname}\n"), seconds);
    root.put("/etc/resolv.conf", "nameserver 169.254.169.253\n", seconds);
    let mounts: Vec<Mount> = plan
        .mounts
        .iter()
        .map(|it| Mount { path: it.path.clone(), volume: it.volume.clone(), is_read_only: it.is_read_only })
        .collect();
    for mount in &mounts {
        if !task.shared.contains_key(&mount.volume) {
            let on_host = task.plan.volume(&mount.volume).and_then(|volume| volume.host_path.clone());
            match (&task.host, on_host) {
                (super::Host::Instance(instance), Some(path)) => {
                    task.shared.insert(mount.volume.clone(), format!("{instance} {path}"));
                }
                _ => {
                    task.volumes.entry(mount.volume.clone()).or_default();
                }
            }
        }
    }
    let run = Run {
        argv,
        env,
        cwd: plan.working_directory.clone(),
        started: now,
        program: None,
        root,
        is_root_read_only: plan.is_root_read_only,
        mounts,
        ending: None,
        wake: None,
        is_term_sent: false,
    };
    run::boot(cloud, id, &plan.name, run);
    health::begin(cloud, id, &plan.name);
}

/// A container that has ended is started again in its task.
pub(super) fn restart(cloud: &mut Cloud, id: &str, name: &str) {
    let Some(task) = cloud.tasks.get_mut(id).filter(|task| task.is_to_run) else { return };
    let Some(plan) = task.plan.container(name).cloned() else { return };
    if let Some(container) = task.container_mut(name) {
        container.restarts += 1;
        container.exit_code = None;
        container.reason = None;
    }
    start(cloud, id, &plan);
}

/// The images are there.
pub(super) fn pulled(cloud: &mut Cloud, id: &str) {
    let now = cloud.now();
    if let Some(task) = cloud.tasks.get_mut(id) {
        task.pull_stopped = Some(now);
    }
    after(cloud, id, Duration::from_millis(700), Step::Launch);
}
