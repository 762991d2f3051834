//! Placement on container instances: what each has left, constraints, strategies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    capacity::{Nowhere, Wish},
    expression,
    state::Instance,
};
use crate::{
    Cloud,
    input::text,
    tasks::{Binding, Host, LastStatus, NetworkMode, Plan, Task},
};

/// What an instance lacks, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    Agent,
    Attribute,
    Constraint,
    Cpu,
    Memory,
    Port,
    Interface,
}

impl Lack {
    /// `failures[].reason` of RunTask (the guide's "API failure reasons").
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Agent => "AGENT",
            Self::Attribute => "ATTRIBUTE",
            Self::Constraint => "MemberOf placement constraint unsatisfied.",
            Self::Cpu => "RESOURCE:CPU",
            Self::Memory => "RESOURCE:MEMORY",
            Self::Port => "RESOURCE:PORTS",
            Self::Interface => "RESOURCE:ENI",
        }
    }

    /// The same in a service's event (the guide's "service event messages").
    pub(super) fn words(self) -> String {
        match self {
            Self::Cpu => "has insufficient CPU units available".to_owned(),
            Self::Memory => "has insufficient memory available".to_owned(),
            Self::Port => "is already using a port required by your task".to_owned(),
            Self::Attribute => "is missing an attribute required by your task".to_owned(),
            other => format!("encountered error \"{}\"", other.reason()),
        }
    }
}

/// The first port that the kernel gives out by itself.
const DYNAMIC_FIRST: u16 = 32_768;

fn tasks_on<'a>(cloud: &'a Cloud, instance: &'a str) -> impl Iterator<Item = &'a Task> {
    let here = move |task: &&Task| matches!(&task.host, Host::Instance(arn) if arn == instance);
    cloud.tasks.tasks.values().filter(here).filter(|task| task.last < LastStatus::Deprovisioning)
}

/// CPU units and MiB that an instance has left.
pub(super) fn remaining(cloud: &Cloud, instance: &Instance) -> (u64, u64) {
    let used = tasks_on(cloud, &instance.arn)
        .fold((0, 0), |(cpu, memory), task| (cpu + task.plan.reserved_cpu(), memory + task.plan.reserved_memory()));
    (instance.cpu.saturating_sub(used.0), instance.memory.saturating_sub(used.1))
}

/// Ports of an instance that are taken.
pub(super) fn ports(cloud: &Cloud, instance: &str) -> BTreeSet<u16> {
    let bindings = tasks_on(cloud, instance).flat_map(|task| &task.containers).flat_map(|it| &it.bindings);
    bindings.map(|binding| binding.host).collect()
}

/// Host ports that a plan insists on.
fn wanted_ports(plan: &Plan) -> Vec<u16> {
    let all = plan.containers.iter().flat_map(|it| &it.ports);
    match plan.network {
        NetworkMode::Bridge => all.map(|port| port.host).filter(|port| *port != 0).collect(),
        NetworkMode::Host => all.map(|port| port.container).collect(),
        NetworkMode::AwsVpc | NetworkMode::None => Vec::new(),
    }
}

/// The bindings of each container of a task that is placed on an instance.
pub(super) fn bindings(cloud: &Cloud, instance: &str, plan: &Plan) -> Vec<Vec<Binding>> {
    let mut taken = ports(cloud, instance);
    let mut bind = |port: &crate::tasks::PortPlan| {
        let host = match (plan.network, port.host) {
            (NetworkMode::Host, _) => port.container,
            (_, 0) => (DYNAMIC_FIRST..u16::MAX).find(|port| !taken.contains(port)).unwrap_or(u16::MAX),
            (_, fixed) => fixed,
        };
        taken.insert(host);
        Binding { host, container: port.container, is_udp: port.is_udp }
    };
    let has_bindings = matches!(plan.network, NetworkMode::Bridge | NetworkMode::Host);
    let each = plan.containers.iter();
    each.map(|it| if has_bindings { it.ports.iter().map(&mut bind).collect() } else { Vec::new() }).collect()
}

/// The instance that suits a task best.
///
/// # Errors
/// None does, or there is none.
pub(super) fn choose(cloud: &mut Cloud, wish: &Wish<'_>) -> Result<String, Nowhere> {
    let here: Vec<Instance> = cloud
        .ecs
        .instances
        .values()
        .filter(|it| it.cluster == wish.cluster && it.status == "ACTIVE")
        .filter(|it| wish.provider.is_none() || it.provider == wish.provider)
        .cloned()
        .collect();
    if here.is_empty() {
        return Err(Nowhere::NoInstances);
    }
    let mut lacks: Vec<(String, Lack)> = Vec::new();
    let mut fit = Vec::new();
    for instance in here {
        match lack(cloud, &instance, wish) {
            Some(lack) => lacks.push((instance.arn, lack)),
            None => fit.push(instance),
        }
    }
    if fit.is_empty() {
        // The closest match is the one that failed last.
        lacks.sort_by_key(|(_, lack)| std::cmp::Reverse(*lack));
        return Err(Nowhere::Unfit(lacks));
    }
    let mut best: Option<(Vec<u64>, String)> = None;
    for instance in fit {
        let key = rank(cloud, &instance, wish);
        if best.as_ref().is_none_or(|(known, _)| key < *known) {
            best = Some((key, instance.arn));
        }
    }
    best.map(|(_, arn)| arn).ok_or(Nowhere::NoInstances)
}

/// What an instance lacks for a task; `None`: nothing.
pub(super) fn lack(cloud: &Cloud, instance: &Instance, wish: &Wish<'_>) -> Option<Lack> {
    if !instance.is_connected {
        return Some(Lack::Agent);
    }
    let architecture = instance.attributes.get("ecs.cpu-architecture").map_or("x86_64", String::as_str);
    if (architecture == "arm64") != (wish.plan.architecture == "arm64") {
        return Some(Lack::Attribute);
    }
    for constraint in wish.constraints.iter().chain(&wish.plan.constraints) {
        let is_met = match text(constraint, "type") {
            Some("distinctInstance") => !tasks_on(cloud, &instance.arn).any(|task| task.group == wish.group),
            Some("memberOf") => expression::holds(text(constraint, "expression").unwrap_or_default(), instance),
            _ => true,
        };
        if !is_met {
            return Some(Lack::Constraint);
        }
    }
    let (cpu, memory) = remaining(cloud, instance);
    if wish.plan.reserved_cpu() > cpu {
        return Some(Lack::Cpu);
    }
    if wish.plan.reserved_memory() > memory {
        return Some(Lack::Memory);
    }
    let taken = ports(cloud, &instance.arn);
    if wanted_ports(wish.plan).iter().any(|port| taken.contains(port)) {
        return Some(Lack::Port);
    }
    let own = |task: &&Task| task.plan.network == NetworkMode::AwsVpc;
    let interfaces = u64::try_from(tasks_on(cloud, &instance.arn).filter(own).count()).unwrap_or(u64::MAX);
    (wish.plan.network == NetworkMode::AwsVpc && interfaces >= instance.interfaces).then_some(Lack::Interface)
}

/// The smaller, the better: a number for each strategy, in their order.
fn rank(cloud: &mut Cloud, instance: &Instance, wish: &Wish<'_>) -> Vec<u64> {
    let default = [serde_json::json!({"type": "spread", "field": "attribute:ecs.availability-zone"})];
    let strategy: &[Value] = if wish.strategy.is_empty() { &default } else { wish.strategy };
    let mut out = Vec::new();
    for item in strategy {
        let field = text(item, "field").unwrap_or_default();
        out.push(match text(item, "type") {
            Some("binpack") => {
                let (cpu, memory) = remaining(cloud, instance);
                if field.eq_ignore_ascii_case("cpu") { cpu } else { memory }
            }
            Some("random") => cloud.chance.bits(),
            _ => {
                let own = value_of(instance, field);
                let same = |other: &&Instance| value_of(other, field) == own;
                let alike: Vec<String> = cloud.ecs.instances.values().filter(same).map(|it| it.arn.clone()).collect();
                let count = alike.iter().flat_map(|arn| tasks_on(cloud, arn)).filter(|task| task.group == wish.group);
                u64::try_from(count.filter(|task| task.is_to_run).count()).unwrap_or(u64::MAX)
            }
        });
    }
    out
}

/// What a spread's field is on an instance.
fn value_of(instance: &Instance, field: &str) -> String {
    match field.strip_prefix("attribute:") {
        Some("ecs.availability-zone") => instance.zone.clone(),
        Some(name) => instance.attributes.get(name).cloned().unwrap_or_default(),
        None => instance.arn.clone(),
    }
}
