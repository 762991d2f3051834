//! `restarts`: containers that were started again, or were not.
//!
//! Rules: a restart is seen by the end of the run before (`lastState.terminated.finishedAt`) or, where that is not kept, by a start with
//! `restartCount` above 0; a container that has ended and waits for its next run has ended now. Times are the API's own.

use std::time::Duration;

use breakfix_lab::{
    Platform,
    check::{Expected, Owner, Restarts},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Evidence, Judge, Query, Verdict, View, answers::owner_queries, object, query::Scope, rolled_out::unknown_kind,
};

/// How far back to look where the check does not say.
const WITHIN_DEFAULT: Duration = Duration::from_secs(60);

impl Judge for Restarts {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        owner_queries(platform, scope, &owner(self))
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        unknown_kind("restarts", &self.kind)
    }
}

fn owner(check: &Restarts) -> Owner {
    Owner { kind: check.kind.clone(), name: check.name.clone(), namespace: check.namespace.clone() }
}

fn judge(check: &Restarts, view: &View<'_>) -> Result<Verdict, Verdict> {
    let what = format!("{} {}", check.kind, check.name);
    let since = view.triggered.unwrap_or_else(|| {
        let within = check.within.map_or(WITHIN_DEFAULT, |span| span.0);
        let within = jiff::SignedDuration::try_from(within).unwrap_or(jiff::SignedDuration::MAX);
        view.observation.at.checked_sub(within).unwrap_or(Timestamp::MIN)
    });
    let wanted = wanted(check, view.triggered.is_some());
    let look = || view.look("pods", check.namespace.as_deref());
    let pods: Vec<&Value> =
        view.owned_pods(&owner(check))?.unwrap_or_default().into_iter().filter(|pod| !object::is_going(pod)).collect();
    if pods.is_empty() {
        let reason = format!("{what} has no pod");
        return Ok(Verdict::not_met(reason, Evidence::new(wanted, "no pod").look(look())));
    }
    let seen: Vec<String> = pods.iter().flat_map(|pod| ends(pod, since, check.reason.as_deref())).collect();
    let verdict = match (check.expect, seen.first()) {
        (Expected::None, None) => return Ok(none_ended(&what, &pods, wanted, look())),
        (Expected::None, Some(first)) => {
            Verdict::not_met(first.clone(), Evidence::new(wanted, seen.join("; ")).look(look()))
        }
        (Expected::Some, Some(_)) => Verdict::met(Evidence::new(wanted, seen.join("; "))),
        (Expected::Some, None) => {
            let reason = format!("no container of {what} was restarted");
            Verdict::not_met(reason, Evidence::new(wanted, "none").look(look()))
        }
    };
    Ok(verdict)
}

/// Nothing ended; but does everything run? A container that has never begun has nothing to end.
fn none_ended(what: &str, pods: &[&Value], wanted: String, look: Option<String>) -> Verdict {
    let idle = pods.iter().find(|pod| {
        let containers = object::list(pod, &["status", "containerStatuses"]);
        containers.is_empty() || containers.iter().any(|it| object::at(it, &["state", "running"]).is_none())
    });
    match idle {
        Some(pod) => {
            let reason = format!("pod {} of {what} does not run", object::name(pod));
            Verdict::not_met(reason, Evidence::new(wanted, "a container that does not run").look(look))
        }
        None => Verdict::met(Evidence::new(wanted, format!("none in {} pods", pods.len()))),
    }
}

/// The ends of a pod's containers since then, each in words.
fn ends(pod: &Value, since: Timestamp, reason: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for list in ["containerStatuses", "initContainerStatuses"] {
        for container in object::list(pod, &["status", list]) {
            let runs = object::number(container, &["restartCount"]).unwrap_or(0);
            // An init container ends once, as it should.
            let first_end = list == "initContainerStatuses" && runs == 0;
            let times = [
                (&["lastState", "terminated", "finishedAt"], &["lastState", "terminated", "reason"]),
                (&["state", "terminated", "finishedAt"], &["state", "terminated", "reason"]),
            ];
            let ended = times.into_iter().find_map(|(at, why)| {
                let why = object::text(container, why).unwrap_or("no reason given");
                let fits = object::time(container, at).is_some_and(|at| at >= since);
                (fits && reason.is_none_or(|wanted| wanted == why)).then_some(why)
            });
            let begun_again = || {
                let at = object::time(container, &["state", "running", "startedAt"]);
                let unknown = object::at(container, &["lastState", "terminated"]).is_none();
                (runs > 0 && unknown && reason.is_none() && at.is_some_and(|at| at >= since)).then_some("started again")
            };
            if let Some(why) = ended.or_else(begun_again).filter(|_| !first_end) {
                let name = object::text(container, &["name"]).unwrap_or("");
                found.push(format!("container {name} of pod {} ended: {why}", object::name(pod)));
            }
        }
    }
    found
}

fn wanted(check: &Restarts, triggered: bool) -> String {
    let what = format!("{} {}", check.kind, check.name);
    let why = check.reason.as_ref().map(|reason| format!(" by {reason}")).unwrap_or_default();
    let since = if triggered {
        "since it was put to the test".to_owned()
    } else {
        format!("in the last {}s", check.within.map_or(WITHIN_DEFAULT, |span| span.0).as_secs())
    };
    match check.expect {
        Expected::None => format!("no container of {what} ended{why} {since}"),
        Expected::Some => format!("a container of {what} was restarted{why} {since}"),
    }
}

#[cfg(test)]
mod tests;
