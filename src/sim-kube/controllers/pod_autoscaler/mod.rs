//! The horizontal pod autoscaler: every 15 s it asks how busy a workload's pods are, and scales it (`pkg/controller/podautoscaler`).
//!
//! `target` reads and writes the workload's scale, `measure` turns one metric into a proposal with the arithmetic of `ratio`, `limits` and
//! `behavior` keep proposals within bounds, `history` remembers them, `conditions` says what happened.

mod behavior;
mod conditions;
mod history;
mod limits;
mod measure;
mod ratio;
mod target;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

pub use history::Histories;

use super::{
    Controller,
    events::{self, Note},
    pod_control::actor,
    queue::enqueue,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    kind,
    object::{entries, name, namespace, number, set, text},
};
use conditions::{ABLE, ACTIVE, LIMITED};
use measure::{Failure, Proposal};
use target::Scale;

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "pod-autoscaler";
const COMPONENT: &str = "horizontal-pod-autoscaler";
const ACCOUNT: &str = "horizontal-pod-autoscaler";
/// `--horizontal-pod-autoscaler-sync-period`.
const PERIOD: Duration = Duration::from_secs(15);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection == kind::HORIZONTAL_POD_AUTOSCALER.collection && event.kind == StoreEventKind::Added {
        enqueue(cluster, NAME, &event.key, PERIOD);
    }
}

/// An autoscaler under one look: its status as it is to be written.
struct Look {
    key: Key,
    scaler: Arc<Value>,
    status: Value,
}

impl Look {
    fn warn(&self, cluster: &mut Cluster, reason: &str, message: &str) {
        events::record(cluster, COMPONENT, &self.scaler, Note::warning(reason, message));
    }

    fn condition(&mut self, cluster: &Cluster, name: &str, holds: bool, reason: &str, message: &str) {
        conditions::put(&mut self.status, name, holds, reason, message, &cluster.today());
    }

    /// A number of the spec.
    fn spec(&self, field: &str) -> Option<i64> {
        number(&self.scaler, &format!("/spec/{field}"))
    }
}

/// What a look came to.
struct Decision {
    desired: i64,
    reason: String,
}

/// `reconcileAutoscaler`. It comes again whatever happens, so that no failure is tried again earlier.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(scaler) = cluster.store.get(key).cloned() else {
        cluster.controllers.autoscalers.forget(key);
        return Ok(());
    };
    enqueue(cluster, NAME, key, PERIOD);
    let status = scaler.get("status").filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
    let mut look = Look { key: key.clone(), scaler, status };
    if look.status.get("desiredReplicas").is_none() {
        set(&mut look.status, "/desiredReplicas", json!(0));
    }
    look_at(cluster, &mut look);
    if look.scaler.get("status") != Some(&look.status) {
        let status = look.status;
        let _ = cluster.update(
            &kind::HORIZONTAL_POD_AUTOSCALER,
            &key.namespace,
            &key.name,
            Part::Status,
            &actor(ACCOUNT),
            |scaler| set(scaler, "/status", status),
        );
    }
    Ok(())
}

fn look_at(cluster: &mut Cluster, look: &mut Look) {
    let scale = match target::read(cluster, &look.scaler) {
        Ok(scale) => scale,
        Err(why) => {
            look.warn(cluster, "FailedGetScale", &why);
            let words = format!("the HPA controller was unable to get the target's current scale: {why}");
            look.condition(cluster, ABLE, false, "FailedGetScale", &words);
            return;
        }
    };
    let words = "the HPA controller was able to get the target's current scale";
    look.condition(cluster, ABLE, true, "SucceededGetScale", words);
    let now = cluster.now();
    cluster.controllers.autoscalers.begin(&look.key, scale.replicas, now);
    let Some(decision) = decide(cluster, look, &scale) else { return };
    let rescales = decision.desired != scale.replicas;
    if rescales && !rescale(cluster, look, &scale, &decision) {
        return;
    }
    set(&mut look.status, "/currentReplicas", json!(scale.replicas));
    set(&mut look.status, "/desiredReplicas", json!(decision.desired));
    if rescales {
        set(&mut look.status, "/lastScaleTime", json!(cluster.today()));
    }
}

/// How many replicas there should be; `None` where nobody can say.
fn decide(cluster: &mut Cluster, look: &mut Look, scale: &Scale) -> Option<Decision> {
    let (least, most) = (look.spec("minReplicas").unwrap_or(1), look.spec("maxReplicas").unwrap_or(1));
    let current = scale.replicas;
    let decision = |desired, reason: &str| Some(Decision { desired, reason: reason.to_owned() });
    if current == 0 && least != 0 {
        let words = "scaling is disabled since the replica count of the target is zero";
        look.condition(cluster, ACTIVE, false, "ScalingDisabled", words);
        return decision(0, "");
    }
    if current > most {
        return decision(most, "Current number of replicas above Spec.MaxReplicas");
    }
    if current < least {
        return decision(least, "Current number of replicas below Spec.MinReplicas");
    }
    let (proposed, metric) = proposals(cluster, look, scale)?;
    let reason = match proposed.cmp(&current) {
        std::cmp::Ordering::Greater => format!("{metric} above target"),
        std::cmp::Ordering::Less => "All metrics below target".to_owned(),
        std::cmp::Ordering::Equal => String::new(),
    };
    let range = limits::Range { current, least, most };
    let desired = if look.scaler["spec"]["behavior"].is_object() {
        behavior::limit(cluster, look, range, proposed)
    } else {
        limits::limit(cluster, look, range, proposed)
    };
    decision(desired, &reason)
}

/// Asks every metric; the highest proposal counts (`computeReplicasForMetrics`).
fn proposals(cluster: &mut Cluster, look: &mut Look, scale: &Scale) -> Option<(i64, String)> {
    if scale.has_no_selector() {
        look.warn(cluster, "SelectorRequired", "selector is required");
        let words = "the HPA target's scale is missing a selector";
        look.condition(cluster, ACTIVE, false, "InvalidSelector", words);
        fail(cluster, look, scale, "selector is required", Vec::new());
        return None;
    }
    let metrics = entries(&look.scaler, "/spec/metrics").to_vec();
    let mut best: Option<Proposal> = None;
    let mut first: Option<Failure> = None;
    let mut failures = 0;
    let mut statuses = Vec::new();
    for metric in &metrics {
        match measure::measure(cluster, look, scale, metric) {
            Ok(proposal) => {
                statuses.push(proposal.status.clone());
                if best.as_ref().is_none_or(|best| proposal.replicas > best.replicas) {
                    best = Some(proposal);
                }
            }
            Err(failure) => {
                look.warn(cluster, failure.reason, &failure.words);
                statuses.push(json!({"type": ""}));
                failures += 1;
                first.get_or_insert(failure);
            }
        }
    }
    if let Some(failure) = &first
        && best.as_ref().is_none_or(|best| best.replicas < scale.replicas)
    {
        let words = format!("the HPA was unable to compute the replica count: {}", failure.words);
        look.condition(cluster, ACTIVE, false, failure.reason, &words);
        let why = format!(
            "invalid metrics ({failures} invalid out of {}), first error is: {}",
            metrics.len(),
            failure.in_full
        );
        fail(cluster, look, scale, &why, statuses);
        return None;
    }
    let best = best?;
    set(&mut look.status, "/currentMetrics", Value::Array(statuses));
    let words = format!("the HPA was able to successfully calculate a replica count from {}", best.metric);
    look.condition(cluster, ACTIVE, true, "ValidMetricFound", &words);
    Some((best.replicas, best.metric))
}

fn fail(cluster: &mut Cluster, look: &mut Look, scale: &Scale, why: &str, statuses: Vec<Value>) {
    set(&mut look.status, "/currentReplicas", json!(scale.replicas));
    set(&mut look.status, "/currentMetrics", if statuses.is_empty() { Value::Null } else { Value::Array(statuses) });
    look.warn(cluster, "FailedComputeMetricsReplicas", why);
}

/// Writes the new scale; whether it could.
fn rescale(cluster: &mut Cluster, look: &mut Look, scale: &Scale, decision: &Decision) -> bool {
    let (desired, reason) = (decision.desired, &decision.reason);
    if let Err(status) = target::write(cluster, scale, desired) {
        look.warn(cluster, "FailedRescale", &format!("New size: {desired}; reason: {reason}; error: {status}"));
        let words = format!("the HPA controller was unable to update the target scale: {status}");
        look.condition(cluster, ABLE, false, "FailedUpdateScale", &words);
        set(&mut look.status, "/currentReplicas", json!(scale.replicas));
        return false;
    }
    let words = format!("the HPA controller was able to update the target scale to {desired}");
    look.condition(cluster, ABLE, true, "SucceededRescale", &words);
    let message = format!("New size: {desired}; reason: {reason}");
    events::record(cluster, COMPONENT, &look.scaler, Note::normal("SuccessfulRescale", &message));
    let now = cluster.now();
    if look.scaler["spec"]["behavior"].is_object() {
        cluster.controllers.autoscalers.scaled(&look.key, desired - scale.replicas, now);
    }
    true
}

/// Limits say whether they changed a proposal.
fn say_limited(cluster: &Cluster, look: &mut Look, holds: bool, reason: &str, message: &str) {
    look.condition(cluster, LIMITED, holds, reason, message);
}

/// The workload as the autoscaler names it.
fn reference(scaler: &Value) -> (&str, &str, &str) {
    (
        text(scaler, "/spec/scaleTargetRef/apiVersion"),
        text(scaler, "/spec/scaleTargetRef/kind"),
        text(scaler, "/spec/scaleTargetRef/name"),
    )
}

/// Names of an object, for errors.
fn place(object: &Value) -> (&str, &str) {
    (namespace(object), name(object))
}
