//! What a step does with the containers (`computePodActions` of `kuberuntime_manager.go`).

use std::time::Duration;

use breakfix_sim::SimTime;
use serde_json::Value;

use super::Op;
use crate::{
    node::{
        pod_run::{Container, PodRun},
        probe,
        spec::{self, Role},
    },
    object::text,
};

/// What there is to do: first the init containers in their order, then all others together.
pub(super) fn plan(pod: &mut PodRun) -> Vec<Op> {
    let mut ops = Vec::new();
    let is_through = plan_init(pod, &mut ops);
    pod.is_initialized |= is_through;
    let names: Vec<(Role, String)> =
        spec::containers(&pod.pod).map(|(role, container)| (role, text(container, "/name").to_owned())).collect();
    for (role, name) in names {
        match role {
            Role::Main if is_through => consider(pod, &name, &mut ops),
            Role::Ephemeral if pod.containers.get(&name).is_none_or(|container| container.run.is_none()) => {
                ops.push(Op::Image { container: name, exited: None });
            }
            _ => {}
        }
    }
    ops
}

/// Init containers: one after the other. A sidecar lets the next one start once it has started itself. Whether all are through.
fn plan_init(pod: &PodRun, ops: &mut Vec<Op>) -> bool {
    let inits = spec::containers(&pod.pod).filter(|(role, _)| matches!(role, Role::Init | Role::Sidecar));
    for (role, definition) in inits {
        let name = text(definition, "/name");
        let run = pod.containers.get(name).and_then(|container| container.run.as_ref());
        match (role, run) {
            (Role::Init, _) if pod.is_initialized => {}
            (_, None) => {
                ops.push(Op::Image { container: name.to_owned(), exited: None });
                return false;
            }
            (Role::Init, Some(run)) => match &run.ended {
                None => return false,
                Some(ended) if ended.code == 0 => {}
                Some(ended) => {
                    if spec::is_restarted(&pod.pod, name, ended.code) {
                        ops.push(Op::Image { container: name.to_owned(), exited: Some(ended.at) });
                    }
                    return false;
                }
            },
            (_, Some(run)) => {
                consider(pod, name, ops);
                let has_started = run.is_running() && probe::has_started(pod, name);
                if !pod.is_initialized && !has_started {
                    return false;
                }
            }
        }
    }
    true
}

/// A container that should run: starts it, or stops and starts it again where it must not go on as it is.
fn consider(pod: &PodRun, name: &str, ops: &mut Vec<Op>) {
    let start = |exited| Op::Image { container: name.to_owned(), exited };
    let Some(run) = pod.containers.get(name).and_then(|container| container.run.as_ref()) else {
        ops.push(start(None));
        return;
    };
    if let Some(ended) = &run.ended {
        if spec::is_restarted(&pod.pod, name, ended.code) {
            ops.push(start(Some(ended.at)));
        }
        return;
    }
    if !run.is_running() {
        return;
    }
    let definition = spec::container(&pod.pod, name);
    let policy = spec::restart_policy(&pod.pod, name);
    let (why, grace, restarts) = if definition.is_some_and(|definition| text(definition, "/image") != run.definition) {
        ("definition changed".to_owned(), spec::grace(&pod.pod), true)
    } else if let Some(probe) = probe::failed(pod, name) {
        (format!("failed {probe} probe"), probe_grace(&pod.pod, definition, &probe), policy != "Never")
    } else {
        return;
    };
    let tail = if restarts { ", will be restarted" } else { "" };
    let message = format!("Container {name} {why}{tail}");
    ops.push(Op::Stop { container: name.to_owned(), message, grace });
    ops.push(Op::Gone { container: name.to_owned() });
    if restarts {
        // The step knows the runs as they were when it began: the one that it stops is not among the dead.
        ops.push(start(exited_before(pod.containers.get(name))));
    }
}

fn exited_before(container: Option<&Container>) -> Option<SimTime> {
    container?.previous.as_ref()?.ended.as_ref().map(|ended| ended.at)
}

/// A probe may give less time to stop than the pod does.
fn probe_grace(pod: &Value, definition: Option<&Value>, probe: &str) -> Duration {
    definition
        .and_then(|definition| definition[format!("{probe}Probe").as_str()]["terminationGracePeriodSeconds"].as_u64())
        .map_or_else(|| spec::grace(pod), Duration::from_secs)
}

/// Whether nothing will run any more: all main containers have ended for good, or an init container failed for good.
pub(super) fn is_done(pod: &PodRun) -> bool {
    let ended = |name: &str| {
        let run = pod.containers.get(name).and_then(|container| container.run.as_ref())?;
        let ended = run.ended.as_ref()?;
        (!spec::is_restarted(&pod.pod, name, ended.code)).then_some(ended.code)
    };
    let of = |wanted: Role| {
        spec::containers(&pod.pod)
            .filter(move |(role, _)| *role == wanted)
            .map(|(_, container)| text(container, "/name"))
    };
    let init_failed = of(Role::Init).any(|name| ended(name).is_some_and(|code| code != 0));
    init_failed || of(Role::Main).all(|name| ended(name).is_some())
}
