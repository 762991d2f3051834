//! A task's way from PROVISIONING to STOPPED.
//!
//! States as the developer guide's "task lifecycle" has them. How long each takes is chosen within what was measured on real accounts:
//! a stopped task's successor runs after 18 to 66 s, deprovisioning takes about 10 s.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use super::{
    Binding, Connect, Container, ContainerState, Health, Host, LastStatus, Link, Membership, Network, NetworkMode,
    Plan, Step, StopCode, Task, after, between, launch, logs, pull, resources, run,
};
use crate::{
    Cloud,
    event::Event,
    services::{ec2, ecs, elbv2},
};

/// Stopped tasks are shown for at least an hour (the API's model).
const SHOWN: Duration = Duration::from_secs(3600);
/// `stopTimeout` where the definition says nothing, and the longest that Fargate allows.
const STOP_TIMEOUT: u64 = 30;
const STOP_TIMEOUT_MAX: u64 = 120;

/// What a new task is to be.
#[derive(Clone, Debug)]
pub struct Order {
    pub cluster: String,
    pub cluster_arn: String,
    pub definition: String,
    pub plan: Arc<Plan>,
    pub overrides: Value,
    pub group: String,
    pub started_by: Option<String>,
    pub launch_type: String,
    pub capacity_provider: Option<String>,
    pub platform_version: Option<String>,
    pub host: Host,
    pub network: Network,
    pub zone: String,
    pub membership: Option<Membership>,
    pub tags: BTreeMap<String, String>,
    pub can_exec: bool,
    pub connect: Connect,
    /// Container → digest that its image's tag is pinned to.
    pub digests: BTreeMap<String, String>,
    /// Network of the instance it runs on, for the modes `bridge` and `host`.
    pub host_link: Option<Link>,
    /// Ports of each container on the instance.
    pub bindings: Vec<Vec<Binding>>,
}

/// Creates a task; its agent starts to work on it. Returns its id.
pub fn create(cloud: &mut Cloud, order: Order) -> String {
    let id = cloud.chance.text(b"0123456789abcdef", 32);
    let front = format!("arn:aws:ecs:{}:{}", cloud.config.region, cloud.config.account);
    let arn = format!("{front}:task/{}/{id}", order.cluster);
    let mut bindings = order.bindings.into_iter();
    let containers = order.plan.containers.iter().map(|plan| Container {
        bindings: bindings.next().unwrap_or_default(),
        name: plan.name.clone(),
        arn: format!("{front}:container/{}/{id}/{}", order.cluster, cloud.chance.uuid()),
        image: plan.image.clone(),
        digest: order.digests.get(&plan.name).cloned(),
        ..Container::default()
    });
    let containers = containers.collect();
    let own_network = order.plan.network == NetworkMode::AwsVpc;
    let task = Task {
        id: id.clone(),
        arn,
        cluster: order.cluster,
        cluster_arn: order.cluster_arn,
        definition: order.definition,
        overrides: order.overrides,
        group: order.group,
        started_by: order.started_by,
        launch_type: order.launch_type,
        capacity_provider: order.capacity_provider,
        platform_version: order.platform_version,
        host: order.host,
        network: order.network,
        zone: order.zone,
        membership: order.membership,
        tags: order.tags,
        can_exec: order.can_exec,
        is_protected_until: None,
        last: if own_network { LastStatus::Provisioning } else { LastStatus::Pending },
        is_to_run: true,
        created: cloud.now(),
        pull_started: None,
        pull_stopped: None,
        connected: None,
        started: None,
        stopping: None,
        execution_stopped: None,
        stopped: None,
        stop_code: None,
        stopped_reason: None,
        version: 1,
        link: if own_network { None } else { order.host_link },
        past_link: None,
        containers,
        volumes: BTreeMap::new(),
        shared: BTreeMap::new(),
        targets: Vec::new(),
        connect: order.connect,
        registries: Vec::new(),
        streams: BTreeSet::new(),
        step: 0,
        plan: order.plan,
    };
    cloud.tasks.tasks.insert(id.clone(), task);
    let (time, step) = match own_network {
        true => (between(cloud, 2_000, 5_000), Step::Attach),
        false => (between(cloud, 800, 1_500), Step::Prepare),
    };
    after(cloud, &id, time, step);
    id
}

/// The agent's next step, unless it is stale.
pub(super) fn step(cloud: &mut Cloud, id: &str, number: u64, step: Step) {
    if cloud.tasks.get(id).is_none_or(|task| task.step != number) {
        return;
    }
    match step {
        Step::Attach => attach(cloud, id),
        Step::Prepare => match resources::prepare(cloud, id) {
            Ok(()) => {
                let now = cloud.now();
                if let Some(task) = cloud.tasks.get_mut(id) {
                    task.pull_started = Some(now);
                    task.connected.get_or_insert(now);
                }
                after(cloud, id, Duration::from_millis(400), Step::Pull { container: 0, attempt: 1 });
            }
            Err(trouble) => after(cloud, id, trouble.after, Step::Fail { reason: trouble.reason }),
        },
        Step::Fail { reason } => stop(cloud, id, StopCode::TaskFailedToStart, &reason),
        Step::Pull { container, attempt } => pull::pull(cloud, id, container, attempt),
        Step::Launch => launch::proceed(cloud, id),
        Step::Run => running(cloud, id),
        Step::Deactivated => deactivated(cloud, id),
        Step::Deprovision => deprovision(cloud, id),
        Step::End => end(cloud, id),
    }
}

/// The task's own interface.
fn attach(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get(id) else { return };
    let (network, group) = (task.network.clone(), task.group.clone());
    let subnet = quietest_subnet(cloud, id, &network.subnets, &group);
    let description = format!("arn:aws:ecs:{}:{}:attachment", cloud.config.region, cloud.config.account);
    let attachment = cloud.chance.uuid();
    let made = ec2::create_interface(
        cloud,
        &subnet,
        &network.groups,
        network.is_public,
        &format!("{description}/{attachment}"),
    );
    let now = cloud.now();
    match made {
        Ok(interface) => {
            if let Some(task) = cloud.tasks.get_mut(id) {
                task.zone = interface.zone;
                task.link = Some(Link {
                    interface: interface.id,
                    address: interface.address,
                    subnet: interface.subnet_id,
                    mac: interface.mac,
                    attachment,
                    is_own: true,
                });
                task.last = LastStatus::Pending;
                task.connected = Some(now);
                task.version += 1;
            }
            let time = between(cloud, 4_000, 8_000);
            after(cloud, id, time, Step::Prepare);
            ecs::task_changed(cloud, id);
        }
        Err(error) => {
            let word = if network.is_public { "enabled" } else { "disabled" };
            let reason = format!(
                "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment {word} in subnet \
                 '{subnet}': {}",
                error.code
            );
            stop(cloud, id, StopCode::TaskFailedToStart, &reason);
        }
    }
}

/// Tasks of a group are spread over the subnets that they may use.
fn quietest_subnet(cloud: &Cloud, id: &str, subnets: &[String], group: &str) -> String {
    let load = |subnet: &String| {
        let others = cloud.tasks.tasks.values().filter(|task| task.id != id && task.is_to_run && task.group == *group);
        others.filter(|task| task.link.as_ref().is_some_and(|link| link.subnet == *subnet)).count()
    };
    // A zone that is down takes no tasks, as long as there is another.
    let is_down =
        |subnet: &String| cloud.ec2.subnets.get(subnet).is_some_and(|it| cloud.ec2.lost_zones.contains(&it.zone));
    subnets.iter().min_by_key(|subnet| (is_down(subnet), load(subnet))).cloned().unwrap_or_default()
}

/// All of its containers have been started.
pub(super) fn activating(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    if task.last != LastStatus::Pending || !task.is_to_run {
        return;
    }
    task.last = LastStatus::Activating;
    task.version += 1;
    let time = between(cloud, 500, 2_000);
    after(cloud, id, time, Step::Run);
    ecs::task_changed(cloud, id);
}

fn running(cloud: &mut Cloud, id: &str) {
    let now = cloud.now();
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    if !task.is_to_run {
        return;
    }
    task.last = LastStatus::Running;
    task.started = Some(now);
    task.version += 1;
    ecs::task_changed(cloud, id);
}

/// Begins to stop a task. One that is being stopped already keeps its first reason.
pub fn stop(cloud: &mut Cloud, id: &str, code: StopCode, reason: &str) {
    let now = cloud.now();
    let Some(task) = cloud.tasks.get_mut(id).filter(|task| task.is_to_run) else { return };
    task.is_to_run = false;
    task.stopping = Some(now);
    task.stop_code = Some(code);
    task.stopped_reason = Some(reason.to_owned());
    task.version += 1;
    let has_run = task.containers.iter().any(|container| container.state == ContainerState::Running);
    if task.last >= LastStatus::Activating {
        task.last = LastStatus::Deactivating;
        let targets = task.targets.clone();
        for target in targets {
            // A target that somebody took out by hand is out.
            let _ = elbv2::deregister(cloud, &target.group, &target.id, target.port);
        }
        ecs::leave_registries(cloud, id);
        after(cloud, id, Duration::from_millis(1_200), Step::Deactivated);
    } else if has_run {
        task.last = LastStatus::Stopping;
        after(cloud, id, Duration::from_millis(500), Step::Deactivated);
    } else {
        task.last = LastStatus::Stopping;
        after(cloud, id, Duration::from_millis(900), Step::Deprovision);
    }
    ecs::task_changed(cloud, id);
}

/// Ends every container of a task that is being stopped, now.
pub fn kill(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get_mut(id).filter(|task| !task.is_to_run) else { return };
    if task.last == LastStatus::Deactivating {
        task.last = LastStatus::Stopping;
    }
    let names: Vec<String> = task.containers.iter().map(|it| it.name.clone()).collect();
    for name in names {
        run::interrupt(cloud, id, &name, breakfix_workload::SIGKILL, Duration::ZERO);
    }
}

/// The balancer is done with a target of the task.
pub fn drained(cloud: &mut Cloud, id: &str) {
    let waits = cloud.tasks.get(id).is_some_and(|task| task.last == LastStatus::Deactivating);
    if waits {
        after(cloud, id, Duration::from_millis(300), Step::Deactivated);
    }
}

/// The agent of the task's machine hears again: what it was told meanwhile it does now.
pub fn agent_is_back(cloud: &mut Cloud, id: &str) {
    let waits = |task: &Task| {
        let is_late = matches!(task.last, LastStatus::Deactivating | LastStatus::Stopping);
        !task.is_to_run && is_late && task.containers.iter().any(|it| it.state == ContainerState::Running)
    };
    if cloud.tasks.get(id).is_some_and(waits) {
        after(cloud, id, Duration::from_millis(500), Step::Deactivated);
    }
}

fn deactivated(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get(id) else { return };
    // Nobody tells the containers. Those whose machine has ended are told by nobody either.
    let is_cut_off = matches!(&task.host, Host::Instance(arn) if !ecs::hears(cloud, arn));
    if is_cut_off && task.containers.iter().any(|it| it.state == ContainerState::Running) {
        return;
    }
    let is_draining = |target: &super::Target| {
        elbv2::target_health(cloud, &target.group, &target.id, target.port)
            .is_some_and(|health| health.state == elbv2::TargetState::Draining)
    };
    // A program that has ended has nothing to finish.
    let may_wait = task.stop_code != Some(StopCode::EssentialContainerExited);
    if may_wait && task.targets.iter().any(is_draining) {
        return;
    }
    if let Some(task) = cloud.tasks.get_mut(id) {
        task.last = LastStatus::Stopping;
        task.version += 1;
    }
    terminate(cloud, id);
}

/// Sends SIGTERM to the containers whose turn it is: those that no running container depends on.
fn terminate(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    let plan = Arc::clone(&task.plan);
    let runs: BTreeSet<String> = task
        .containers
        .iter()
        .filter(|it| it.state == ContainerState::Running)
        .map(|container| container.name.clone())
        .collect();
    if runs.is_empty() {
        executed(cloud, id);
        return;
    }
    let mut now_due: Vec<(String, u64)> = Vec::new();
    for container in &mut task.containers {
        let needed = plan.containers.iter().any(|other| {
            runs.contains(&other.name) && other.depends_on.iter().any(|(name, _)| *name == container.name)
        });
        if let Some(run) = container.run.as_mut().filter(|run| !run.is_term_sent && !needed) {
            run.is_term_sent = true;
            let own = plan.container(&container.name).and_then(|it| it.stop_timeout).unwrap_or(STOP_TIMEOUT);
            let most = if task.host == Host::Fargate { STOP_TIMEOUT_MAX } else { u64::MAX };
            now_due.push((container.name.clone(), own.min(most)));
        }
    }
    for (container, seconds) in now_due {
        let kill = super::TaskEvent::Kill { task: id.to_owned(), container: container.clone() };
        cloud.after(Duration::from_secs(seconds), Event::Task(kill));
        run::interrupt(cloud, id, &container, breakfix_workload::SIGTERM, Duration::ZERO);
    }
}

/// A container's main process has ended.
pub(super) fn container_ended(cloud: &mut Cloud, id: &str, name: &str, code: i32, is_oom: bool) {
    let now = cloud.now();
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    let plan = task.plan.container(name).cloned();
    let started = task.started;
    let Some(container) = task.container_mut(name) else { return };
    container.state = ContainerState::Stopped;
    container.exit_code = Some(code);
    container.health = if container.health == Health::Unknown { Health::Unknown } else { Health::Unhealthy };
    // As the agent words it (amazon-ecs-agent, OutOfMemoryError).
    container.reason = is_oom.then(|| "OutOfMemoryError: Container killed due to memory usage".to_owned());
    task.version += 1;
    logs::flush(cloud, id, name);
    let Some(task) = cloud.tasks.get(id) else { return };
    if !task.is_to_run {
        if matches!(task.last, LastStatus::Stopping) {
            terminate(cloud, id);
        }
        return;
    }
    let Some(plan) = plan else { return };
    if let Some(policy) = &plan.restart {
        // A container that ends before the attempt period is over is not restarted (the API's model).
        let since = task.container(name).and_then(|it| it.run_started).or(started).unwrap_or(now);
        let is_ignored = policy.ignored.contains(&i64::from(code));
        if !is_ignored && now - since >= Duration::from_secs(policy.attempt_period) {
            let event = super::TaskEvent::Restart { task: id.to_owned(), container: name.to_owned() };
            cloud.after(Duration::from_secs(1), Event::Task(event));
            return;
        }
    }
    if plan.is_essential {
        stop(cloud, id, StopCode::EssentialContainerExited, "Essential container in task exited");
    } else {
        launch::proceed(cloud, id);
    }
}

fn executed(cloud: &mut Cloud, id: &str) {
    let now = cloud.now();
    if let Some(task) = cloud.tasks.get_mut(id) {
        task.execution_stopped = Some(now);
    }
    after(cloud, id, Duration::from_millis(400), Step::Deprovision);
}

fn deprovision(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    task.last = LastStatus::Deprovisioning;
    task.version += 1;
    for container in &mut task.containers {
        container.state = ContainerState::Stopped;
    }
    let time = match task.link.as_ref().is_some_and(|link| link.is_own) {
        true => between(cloud, 8_000, 12_000),
        false => Duration::from_millis(200),
    };
    after(cloud, id, time, Step::End);
    ecs::task_changed(cloud, id);
}

fn end(cloud: &mut Cloud, id: &str) {
    let now = cloud.now();
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    task.last = LastStatus::Stopped;
    task.stopped = Some(now);
    task.version += 1;
    task.volumes.clear();
    for container in &mut task.containers {
        container.secrets.clear();
    }
    let own = task.link.take_if(|link| link.is_own);
    // The API goes on showing the attachment, as DELETED.
    task.past_link.clone_from(&own);
    if let Some(link) = own {
        ec2::delete_interface(cloud, &link.interface);
    }
    cloud.after(SHOWN, Event::Task(super::TaskEvent::Forget { task: id.to_owned() }));
    ecs::task_changed(cloud, id);
}

/// A container's health has changed.
pub(super) fn health_changed(cloud: &mut Cloud, id: &str) {
    if let Some(task) = cloud.tasks.get_mut(id) {
        task.version += 1;
    }
    launch::proceed(cloud, id);
    ecs::task_changed(cloud, id);
}
