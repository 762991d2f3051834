//! Binding a pod to a node (`pods/binding`).

use serde_json::{Value, json};

use super::{Options, Touch, Written};
use crate::{
    Cluster, Status,
    api::schema::value::seconds_text,
    kind::POD,
    object::{is_deleting, number, set, text},
};

impl Cluster {
    /// Sets a pod's node and its condition PodScheduled.
    pub(in crate::api) fn bind_with(
        &mut self,
        namespace: &str,
        pod: &str,
        node: &str,
        uid: Option<&str>,
        options: &Options<'_>,
    ) -> Result<Written, Status> {
        let now = seconds_text(self.clock.today());
        self.update_with(&POD, namespace, pod, Touch::Binding, options, |object| {
            let refuse = |why: String| Err(Status::conflict(&POD, pod, &why));
            let own = text(object, "/metadata/uid");
            if let Some(uid) = uid.filter(|uid| !uid.is_empty() && *uid != own) {
                return refuse(format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {own}"));
            }
            if is_deleting(object) {
                return refuse(format!("pod {pod} is being deleted, cannot be assigned to a host"));
            }
            let present = text(object, "/spec/nodeName");
            if !present.is_empty() {
                return refuse(format!("pod {pod} is already assigned to node {present:?}"));
            }
            set(object, "/spec/nodeName", Value::from(node));
            // A node that was only named before is of no interest any more.
            crate::object::unset(object, "/status/nominatedNodeName");
            scheduled(object, &now);
            Ok(())
        })
    }
}

/// The condition PodScheduled becomes true, now.
fn scheduled(pod: &mut Value, now: &str) {
    let generation = number(pod, "/metadata/generation");
    let mut condition =
        json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    if let Some(generation) = generation {
        set(&mut condition, "/observedGeneration", Value::from(generation));
    }
    if pod.pointer("/status/conditions").is_none_or(|conditions| !conditions.is_array()) {
        set(pod, "/status/conditions", json!([]));
    }
    let Some(conditions) = pod.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return };
    match conditions.iter_mut().find(|present| present["type"] == "PodScheduled") {
        Some(present) => *present = condition,
        None => conditions.push(condition),
    }
}
