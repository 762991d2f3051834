//! `rolled_out`: the workload runs as declared, all of it, in its current generation.
//!
//! Rules are those of `kubectl rollout status` (generation before status, old replicas gone) made stricter: wanting none is not
//! running, paused is not rolled out, and the pods themselves are counted too, for a status lags behind a deletion.

use std::time::Duration;

use breakfix_lab::{
    Platform,
    check::{Owner, RolledOut},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Evidence, Judge, Query, Verdict, View, answers::owner_queries, object, pods, query::Scope};

/// How long no container may have restarted, where the check does not say.
pub const QUIET_DEFAULT: Duration = Duration::from_secs(30);
/// The kinds that this word knows.
pub const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
/// With this deadline the controller keeps no Progressing condition (`apps/v1` Deployment, progressDeadlineSeconds).
const NO_DEADLINE: i64 = i32::MAX as i64;

impl Judge for RolledOut {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        owner_queries(platform, scope, &owner(self))
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        unknown_kind("rolled_out", &self.kind)
    }
}

/// What is wrong with a kind that a word about workloads is given.
pub(crate) fn unknown_kind(word: &str, kind: &str) -> Vec<String> {
    let known = KINDS.contains(&kind);
    (!known)
        .then(|| format!("{word} does not know the kind {kind}; it knows {}", KINDS.join(", ")))
        .into_iter()
        .collect()
}

fn owner(check: &RolledOut) -> Owner {
    Owner { kind: check.kind.clone(), name: check.name.clone(), namespace: check.namespace.clone() }
}

fn judge(check: &RolledOut, view: &View<'_>) -> Result<Verdict, Verdict> {
    if !KINDS.contains(&check.kind.as_str()) {
        return Err(Verdict::unknown(format!("{} {} is of a kind that cannot be rolled out", check.kind, check.name)));
    }
    let namespace = check.namespace.as_deref();
    let what = format!("{} {}", check.kind, check.name);
    let not_met = |reason: String, found: String, wanted: String| {
        Verdict::not_met(reason, Evidence::new(wanted, found).look(view.look("pods", namespace)))
    };
    let Some(workload) = view.object(&check.kind, &check.name, namespace)? else {
        return Ok(not_met(format!("{what} does not exist"), "none".to_owned(), format!("{what}, rolled out")));
    };
    let pods = view.owned_pods(&owner(check))?.unwrap_or_default();
    let counts = Counts::of(&check.kind, workload);
    let wanted = format!("{} ready of generation {}, all up to date", counts.desired, generation(workload));
    if let Some((reason, found)) = counts.fault(workload).or_else(|| progress_fault(&check.kind, workload)) {
        return Ok(not_met(format!("{what} {reason}"), found, wanted));
    }
    let pods: Vec<&Value> = pods.into_iter().filter(|pod| !object::is_going(pod)).collect();
    let ready = pods.iter().filter(|pod| pods::is_ready(pod)).count();
    if ready as i64 != counts.desired {
        let found = format!("{ready} Ready pods");
        return Ok(not_met(format!("{what} has {found}, {} are wanted", counts.desired), found, wanted));
    }
    let quiet = check.quiet.map_or(QUIET_DEFAULT, |span| span.0);
    if let Some((reason, found)) = pods.iter().find_map(|pod| unrest(pod, quiet, view.observation.at)) {
        return Ok(not_met(reason, found, format!("{wanted}, no restart for {}s", quiet.as_secs())));
    }
    Ok(Verdict::met(Evidence::new(wanted, format!("{ready} ready of generation {}", generation(workload)))))
}

fn generation(workload: &Value) -> i64 {
    object::number(workload, &["metadata", "generation"]).unwrap_or(0)
}

/// The numbers of a status, under the names that the kind uses.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    desired: i64,
    current: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

impl Counts {
    fn of(kind: &str, workload: &Value) -> Self {
        let status = |name: &str| object::number(workload, &["status", name]).unwrap_or(0);
        let replicas = object::number(workload, &["spec", "replicas"]).unwrap_or(1);
        match kind {
            "DaemonSet" => Self {
                desired: status("desiredNumberScheduled"),
                current: status("currentNumberScheduled"),
                updated: status("updatedNumberScheduled"),
                ready: status("numberReady"),
                available: status("numberAvailable"),
            },
            // Nothing to update: a ReplicaSet has no revisions, and a StatefulSet with one alone may leave the number out.
            "ReplicaSet" | "StatefulSet" if kind == "ReplicaSet" || has_one_revision(workload) => Self {
                desired: replicas,
                current: status("replicas"),
                updated: status("replicas"),
                ready: status("readyReplicas"),
                available: status("availableReplicas"),
            },
            _ => Self {
                desired: replicas,
                current: status("replicas"),
                updated: status("updatedReplicas"),
                ready: status("readyReplicas"),
                available: status("availableReplicas"),
            },
        }
    }

    /// What is wrong, as (reason, found).
    fn fault(&self, workload: &Value) -> Option<(String, String)> {
        let generation = generation(workload);
        let seen = object::number(workload, &["status", "observedGeneration"]).unwrap_or(0);
        let Self { desired, current, updated, ready, available } = *self;
        let found =
            format!("{ready} ready, {updated} up to date, {available} available, {current} in all, generation {seen}");
        // Generation before status: the numbers below mean nothing until the controller has seen the declaration.
        if seen != generation {
            return Some(("has changed, and its controller has not caught up yet".to_owned(), found));
        }
        if object::flag(workload, &["spec", "paused"]) {
            return Some(("is paused".to_owned(), found));
        }
        if desired == 0 {
            return Some(("wants no pod at all".to_owned(), found));
        }
        if [current, updated, ready, available].iter().any(|number| *number != desired) {
            let reason = if ready == desired && updated < desired {
                format!("has {updated} of {desired} up to date")
            } else if ready == desired && current > desired {
                format!("still runs {} that it does not want", current - desired)
            } else {
                format!("has {ready} of {desired} ready")
            };
            return Some((reason, found));
        }
        None
    }
}

fn has_one_revision(set: &Value) -> bool {
    let revision = |name: &str| object::text(set, &["status", name]);
    revision("currentRevision").is_some() && revision("currentRevision") == revision("updateRevision")
}

/// A Deployment's own word about its last roll-out.
fn progress_fault(kind: &str, workload: &Value) -> Option<(String, String)> {
    if kind != "Deployment" {
        return None;
    }
    let Some(condition) = object::condition(workload, "Progressing") else {
        let deadline = object::number(workload, &["spec", "progressDeadlineSeconds"]);
        return (deadline != Some(NO_DEADLINE))
            .then(|| ("does not say how its roll-out went".to_owned(), "no condition Progressing".to_owned()));
    };
    let reason = object::text(condition, &["reason"]).unwrap_or("");
    let status = object::text(condition, &["status"]).unwrap_or("");
    if reason == "NewReplicaSetAvailable" && status == "True" {
        return None;
    }
    Some(("has not finished its roll-out".to_owned(), format!("condition Progressing: {status}, {reason}")))
}

/// A container of the pod that waits, or that restarted a short while ago, as (reason, found).
fn unrest(pod: &Value, quiet: Duration, now: Timestamp) -> Option<(String, String)> {
    let name = object::name(pod);
    let statuses = |list: &str| object::list(pod, &["status", list]).iter();
    for container in statuses("containerStatuses").chain(statuses("initContainerStatuses")) {
        let label = object::text(container, &["name"]).unwrap_or("");
        if let Some(waiting) = object::at(container, &["state", "waiting"]) {
            let why = object::text(waiting, &["reason"]).unwrap_or("no reason given");
            return Some((format!("container {label} of pod {name} waits"), format!("waiting: {why}")));
        }
        let restarts = object::number(container, &["restartCount"]).unwrap_or(0);
        let times = [&["lastState", "terminated", "finishedAt"], &["state", "running", "startedAt"]];
        let last = times.into_iter().filter_map(|path| object::time(container, path)).max();
        let Some(last) = last.filter(|_| restarts > 0) else { continue };
        // A time ahead of the observation's is a clock a little off: it is recent all the same.
        let ago = Duration::try_from(now.duration_since(last)).unwrap_or(Duration::ZERO);
        if ago < quiet {
            let reason = format!("container {label} of pod {name} restarted {}s ago", ago.as_secs());
            return Some((reason, format!("{restarts} restarts, the last {}s ago", ago.as_secs())));
        }
    }
    None
}

#[cfg(test)]
mod tests;
