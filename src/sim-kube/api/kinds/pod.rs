//! Pods.

use serde_json::{Value, json};

use super::{
    PLAIN, Rules, container,
    defaults::{default, each},
    pod_admission, pod_spec, pod_update, resources,
};
use crate::{
    Status,
    api::check::{At, Problems},
    kind::POD,
    object::{entries, set, text},
};

pub static RULES: Rules = Rules {
    defaults,
    create,
    admit: |cluster, pod, old| match old {
        None => {
            no_ephemeral(pod)?;
            pod_admission::admit(cluster, pod)
        }
        Some(_) => Ok(()),
    },
    update: |new, old| {
        let ephemeral = old.pointer("/spec/ephemeralContainers").cloned();
        match ephemeral {
            Some(list) => set(new, "/spec/ephemeralContainers", list),
            None => drop(crate::object::unset(new, "/spec/ephemeralContainers")),
        }
    },
    validate,
    validate_update: pod_update::validate,
    ..PLAIN
};

fn defaults(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    default(spec, "/enableServiceLinks", true);
    for list in pod_spec::CONTAINERS {
        for container in each(spec, &format!("/{list}")) {
            container::requests_from_limits(container);
        }
    }
    pod_spec::defaults(spec);
    resources::default_of_the_pod(pod);
}

fn create(pod: &mut Value) {
    let quality = pod.get("spec").map_or("BestEffort", resources::quality);
    let mut status = json!({"phase": "Pending", "qosClass": quality});
    if !entries(pod, "/spec/schedulingGates").is_empty() {
        status["conditions"] = json!([{
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    set(pod, "/status", status);
}

/// Ephemeral containers come later or never.
fn no_ephemeral(pod: &Value) -> Result<(), Status> {
    let mut problems = Problems::default();
    if !entries(pod, "/spec/ephemeralContainers").is_empty() {
        problems.forbidden(&At::new("spec").child("ephemeralContainers"), "cannot be set on create");
    }
    problems.into_result(&POD, text(pod, "/metadata/name")).map(|_| ())
}

fn validate(pod: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let empty = Value::Object(serde_json::Map::new());
    let spec = pod.get("spec").unwrap_or(&empty);
    pod_spec::validate(spec, &at, problems);
    if !entries(spec, "/schedulingGates").is_empty() && !text(spec, "/nodeName").is_empty() {
        problems.forbidden(&at.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
}
