//! When a Job is over, and how (`syncJob`).

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    conditions::{Condition, holding},
    failure_policy::{Meaning, meaning},
    has_failed,
    indexes::{self, Indexes},
    is_suspended,
};
use crate::object::{entries, number, text};

const FAILURE_TARGET: &str = "FailureTarget";
const SUCCESS: &str = "SuccessCriteriaMet";

/// What is known before anything is done.
pub(super) struct Facts<'a> {
    pub(super) job: &'a Value,
    pub(super) status: &'a Value,
    pub(super) pods: &'a [Arc<Value>],
    pub(super) failed: i64,
    /// Of an Indexed Job.
    pub(super) done: &'a Indexes,
    pub(super) failed_indexes: &'a Indexes,
    pub(super) today: Timestamp,
}

/// The condition that ends the Job, if there is one: first the interim one, then, once that is written, the last.
pub(super) fn over(facts: &Facts<'_>) -> Option<Condition> {
    if let Some(known) = holding(facts.status, SUCCESS) {
        return Some(Condition::new(SUCCESS, text(known, "/reason"), text(known, "/message")));
    }
    if let Some(known) = holding(facts.status, FAILURE_TARGET) {
        return Some(Condition::new("Failed", text(known, "/reason"), text(known, "/message")));
    }
    let fatal =
        facts.pods.iter().filter(|pod| has_failed(facts.job, pod)).find_map(|pod| match meaning(facts.job, pod) {
            Meaning::Fatal(why) => Some(why),
            _ => None,
        });
    if let Some(why) = fatal {
        return Some(Condition::new(FAILURE_TARGET, "PodFailurePolicy", &why));
    }
    let limit = number(facts.job, "/spec/backoffLimit").unwrap_or(6);
    if facts.failed > limit || too_many_restarts(facts, limit) {
        let words = "Job has reached the specified backoff limit";
        return Some(Condition::new(FAILURE_TARGET, "BackoffLimitExceeded", words));
    }
    if deadline(facts).is_some_and(|left| left.is_zero()) {
        let words = "Job was active longer than specified deadline";
        return Some(Condition::new(FAILURE_TARGET, "DeadlineExceeded", words));
    }
    by_index(facts)
}

/// Too many numbers have failed, or none is left that could succeed.
fn by_index(facts: &Facts<'_>) -> Option<Condition> {
    let failed = facts.failed_indexes.len();
    let most = number(facts.job, "/spec/maxFailedIndexes").and_then(|most| usize::try_from(most).ok());
    if most.is_some_and(|most| failed > most) {
        let words = "Job has exceeded the specified maximal number of failed indexes";
        return Some(Condition::new(FAILURE_TARGET, "MaxFailedIndexesExceeded", words));
    }
    let over = i64::try_from(failed + facts.done.len()).unwrap_or(i64::MAX);
    if failed > 0 && over >= indexes::completions(facts.job) {
        return Some(Condition::new(FAILURE_TARGET, "FailedIndexes", "Job has failed indexes"));
    }
    None
}

/// Enough pods have succeeded.
pub(super) fn complete() -> Condition {
    Condition::new(SUCCESS, "CompletionsReached", "Reached expected number of succeeded pods")
}

/// How long the Job may still be active.
pub(super) fn deadline(facts: &Facts<'_>) -> Option<Duration> {
    let seconds = number(facts.job, "/spec/activeDeadlineSeconds").filter(|_| !is_suspended(facts.job))?;
    let started: Timestamp = text(facts.status, "/startTime").parse().ok()?;
    let allowed = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let since = u64::try_from(facts.today.as_millisecond() - started.as_millisecond()).unwrap_or(0);
    Some(allowed.saturating_sub(Duration::from_millis(since)))
}

/// Pods that restart their containers count by restarts (`pastBackoffLimitOnFailure`).
fn too_many_restarts(facts: &Facts<'_>, limit: i64) -> bool {
    if text(facts.job, "/spec/template/spec/restartPolicy") != "OnFailure" {
        return false;
    }
    let live = facts.pods.iter().filter(|pod| matches!(text(pod, "/status/phase"), "Running" | "Pending"));
    let restarts: i64 = live
        .flat_map(|pod| {
            entries(pod, "/status/initContainerStatuses").iter().chain(entries(pod, "/status/containerStatuses"))
        })
        .filter_map(|status| status["restartCount"].as_i64())
        .sum();
    if limit == 0 { restarts > 0 } else { restarts >= limit }
}
