//! A pod's phase from its containers' states (`getPhase`).

use super::containers::Lists;
use crate::{
    node::{
        pod_run::{PodRun, Stage},
        spec::{self, Role},
    },
    object::text,
};

/// How many containers are in which state.
#[derive(Default)]
struct Count {
    waiting: usize,
    running: usize,
    stopped: usize,
    succeeded: usize,
}

pub(super) fn of(pod: &PodRun, lists: &Lists) -> &'static str {
    if pod.verdict.is_some() {
        return "Failed";
    }
    let policy = match text(&pod.pod, "/spec/restartPolicy") {
        "" => "Always",
        policy => policy,
    };
    let mut pending_init = 0;
    let mut failed_init = 0;
    let mut main = Count::default();
    for (role, definition) in spec::containers(&pod.pod) {
        let name = text(definition, "/name");
        let status = lists.get(name);
        let code = status.and_then(|status| status.pointer("/state/terminated/exitCode")?.as_i64());
        match role {
            Role::Init => match code {
                Some(0) => {}
                Some(_) if policy == "Never" => failed_init += 1,
                _ => pending_init += usize::from(!pod.is_initialized),
            },
            Role::Sidecar => {
                let started = status.is_some_and(|status| status["started"] == true);
                pending_init += usize::from(!started && !pod.is_initialized);
            }
            Role::Main => {
                let Some(status) = status else { continue };
                let stopped_before = status.pointer("/lastState/terminated").is_some();
                if status.pointer("/state/running").is_some() {
                    main.running += 1;
                } else if let Some(code) = code {
                    main.stopped += 1;
                    main.succeeded += usize::from(code == 0);
                } else if stopped_before {
                    main.stopped += 1;
                } else {
                    main.waiting += 1;
                }
            }
            Role::Ephemeral => {}
        }
    }
    if failed_init > 0 {
        return "Failed";
    }
    if pending_init > 0 || main.waiting > 0 {
        return if pod.stage == Stage::Over { "Failed" } else { "Pending" };
    }
    if main.running > 0 {
        return "Running";
    }
    // Everything has stopped: whether something will be started again depends on the policy, and on whether the pod is at its end.
    let all_well = main.stopped == main.succeeded;
    let restarts = pod.stage == Stage::Living && (policy == "Always" || (policy == "OnFailure" && !all_well));
    match (main.stopped, restarts, all_well) {
        (0, ..) => "Pending",
        (_, true, _) => "Running",
        (_, false, true) => "Succeeded",
        (_, false, false) => "Failed",
    }
}

/// Whether one of its containers proper has run and ended.
pub(super) fn has_ended(pod: &PodRun, lists: &Lists) -> bool {
    let mut main = spec::containers(&pod.pod).filter(|(role, _)| *role == Role::Main);
    main.any(|(_, it)| lists.get(text(it, "/name")).is_some_and(|it| it.pointer("/state/terminated").is_some()))
}
