//! Evicting a pod: a deletion that disruption budgets may refuse (`pkg/registry/core/pod/storage/eviction.go`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Options, Touch};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions},
    controllers::{pod_state, selector},
    kind::{POD, POD_DISRUPTION_BUDGET},
    object::{entries, is_deleting, name, namespace, number, set, text},
};

const REFUSED: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
/// `MaxDisruptedPodSize`.
const EVICTED_MAX: usize = 2000;
/// A refusal for a budget that nobody has counted yet asks to come back so soon, in seconds.
const RETRY_AFTER: u64 = 10;

impl Cluster {
    /// Evicts a pod, as `kubectl drain` does.
    ///
    /// # Errors
    /// 429 in the API's words where a budget forbids it now; otherwise as a deletion.
    pub fn evict(&mut self, namespace: &str, pod: &str, how: &DeleteOptions, by: &Actor) -> Result<(), Status> {
        self.evict_with(namespace, pod, how, &Options::strict(by))
    }

    pub(in crate::api) fn evict_with(
        &mut self,
        namespace: &str,
        pod: &str,
        how: &DeleteOptions,
        options: &Options<'_>,
    ) -> Result<(), Status> {
        let object = self.get(&POD, namespace, pod)?;
        let dry_run = how.dry_run || options.dry_run;
        if !is_beyond_budgets(&object)
            && let Some(budget) = self.budget_of(&object)?
            && !is_excused(&budget, &object)
        {
            self.charge(&budget, pod, dry_run, options)?;
        }
        self.mark_evicted(&object, options, dry_run)?;
        self.delete_with(&POD, namespace, pod, how, options).map(drop)
    }

    fn budget_of(&self, pod: &Value) -> Result<Option<Arc<Value>>, Status> {
        let mut fitting = self
            .list(&POD_DISRUPTION_BUDGET, Some(namespace(pod)))
            .filter(|budget| selector::selects(budget.pointer("/spec/selector"), pod));
        let first = fitting.next().cloned();
        if fitting.next().is_some() {
            let words =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Status::new(500, "", words));
        }
        Ok(first)
    }

    /// Takes one disruption from a budget (`checkAndDecrement`).
    fn charge(&mut self, budget: &Value, pod: &str, dry_run: bool, options: &Options<'_>) -> Result<(), Status> {
        let own = name(budget).to_owned();
        let at = |field: &str| number(budget, &format!("/status/{field}")).unwrap_or(0);
        if at("observedGeneration") < number(budget, "/metadata/generation").unwrap_or(0) {
            let cause = format!("The disruption budget {own} is still being processed by the server.");
            return Err(too_many(&cause, RETRY_AFTER));
        }
        if at("disruptionsAllowed") < 0 {
            return Err(Status::forbidden(&POD_DISRUPTION_BUDGET, &own, "pdb disruptions allowed is negative"));
        }
        let listed = budget.pointer("/status/disruptedPods").and_then(Value::as_object);
        if listed.is_some_and(|listed| listed.len() > EVICTED_MAX) {
            let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
            return Err(Status::forbidden(&POD_DISRUPTION_BUDGET, &own, why));
        }
        if at("disruptionsAllowed") == 0 {
            return Err(too_many(&why_not(budget), 0));
        }
        if dry_run {
            return Ok(());
        }
        let today = self.today();
        let (left, mut listed) = (at("disruptionsAllowed") - 1, listed.cloned().unwrap_or_default());
        listed.insert(pod.to_owned(), json!(today));
        let space = namespace(budget).to_owned();
        self.update_with(&POD_DISRUPTION_BUDGET, &space, &own, Touch::Status, options, |budget| {
            set(budget, "/status/disruptionsAllowed", json!(left));
            set(budget, "/status/disruptedPods", Value::Object(listed));
            Ok(())
        })?;
        Ok(())
    }

    /// The condition DisruptionTarget says why the pod goes.
    fn mark_evicted(&mut self, pod: &Value, options: &Options<'_>, dry_run: bool) -> Result<(), Status> {
        if dry_run || is_deleting(pod) {
            return Ok(());
        }
        let today = self.today();
        self.update_with(&POD, namespace(pod), name(pod), Touch::Status, options, |pod| {
            let mut conditions = entries(pod, "/status/conditions").to_vec();
            conditions.retain(|condition| text(condition, "/type") != "DisruptionTarget");
            conditions.push(json!({
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting",
                "lastTransitionTime": today,
            }));
            set(pod, "/status/conditions", Value::Array(conditions));
            Ok(())
        })?;
        Ok(())
    }
}

/// Pods that serve nobody, or no longer, are no loss (`canIgnorePDB`).
fn is_beyond_budgets(pod: &Value) -> bool {
    is_deleting(pod) || matches!(text(pod, "/status/phase"), "Succeeded" | "Failed" | "Pending")
}

/// A pod that is not Ready may go where the policy says so: always, or while the others are enough.
fn is_excused(budget: &Value, pod: &Value) -> bool {
    if pod_state::is_ready(pod) {
        return false;
    }
    if text(budget, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow" {
        return true;
    }
    let at = |field: &str| number(budget, &format!("/status/{field}")).unwrap_or(0);
    at("currentHealthy") >= at("desiredHealthy") && at("desiredHealthy") > 0
}

fn why_not(budget: &Value) -> String {
    let failed = pod_state::condition(budget, "DisruptionAllowed")
        .filter(|condition| text(condition, "/reason") == "SyncFailed")
        .map(|condition| text(condition, "/message"));
    let own = name(budget);
    match failed {
        Some(why) => {
            format!("The disruption budget {own} does not allow evicting pods currently because it failed sync: {why}")
        }
        None => {
            let at = |field: &str| number(budget, &format!("/status/{field}")).unwrap_or(0);
            let (needs, has) = (at("desiredHealthy"), at("currentHealthy"));
            format!("The disruption budget {own} needs {needs} healthy pods and has {has} currently")
        }
    }
}

fn too_many(cause: &str, retry_after: u64) -> Status {
    let mut details = json!({"causes": [{"reason": "DisruptionBudget", "message": cause}]});
    if retry_after > 0 {
        details["retryAfterSeconds"] = json!(retry_after);
    }
    Status { details, ..Status::new(429, "TooManyRequests", REFUSED) }
}
