//! `steady`: a service has done what it was asked to, and stays so.
//!
//! Rule: the deployment is judged, then the numbers, then the tasks themselves and the targets, for numbers lag behind and targets can be
//! registered by anybody. A finished rollback is one COMPLETED deployment too; which revision must run is another check's business.

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::{Platform, check::Steady};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{Evidence, Judge, Query, Verdict, View, answers::objects_query, aws, object, query::Scope};

/// How long no task may have stopped, where the check does not say.
pub const QUIET_DEFAULT: Duration = Duration::from_secs(20);

impl Judge for Steady {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        ["Service", "Task", "TargetGroup"].iter().map(|kind| objects_query(platform, scope, kind, None)).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

/// Why it is not so, and what was found.
type Fault = (String, String);

fn judge(check: &Steady, view: &View<'_>) -> Result<Verdict, Verdict> {
    let name = check.service.as_str();
    let what = format!("service {name}");
    let Some(service) = view.object("Service", name, None)? else {
        let wanted = format!("{what}, at rest");
        return Ok(Verdict::not_met(format!("there is no {what}"), Evidence::new(wanted, "none")));
    };
    let at_least = match check.desired {
        Some(desired) => i64::from(desired),
        None => desired(view.baseline("Service", None)?.into_iter().find(|it| object::is_named(it, name))).max(1),
    };
    let quiet = check.quiet.map_or(QUIET_DEFAULT, |span| span.0);
    let wanted = format!(
        "{at_least} tasks or more, one completed deployment, every target healthy, quiet for {}s",
        quiet.as_secs()
    );
    let tasks: Vec<&Value> = view.objects("Task", None)?.iter().filter(|task| aws::is_of(task, service)).collect();
    let groups = view.objects("TargetGroup", None)?;
    let fault = too_few(service, at_least)
        .or_else(|| deployment_fault(service))
        .or_else(|| numbers_fault(service, &tasks))
        .or_else(|| unrest(&tasks, quiet, view))
        .or_else(|| targets_fault(service, &tasks, groups));
    Ok(match fault {
        None => Verdict::met(Evidence::new(wanted, format!("{} running", desired(Some(service))))),
        Some((reason, found)) => {
            let look = view.look_at("Service", name, None, true);
            Verdict::not_met(format!("{what} {reason}"), Evidence::new(wanted, found).look(look))
        }
    })
}

fn desired(service: Option<&Value>) -> i64 {
    service.and_then(|it| object::number(it, &["desiredCount"])).unwrap_or(0)
}

fn too_few(service: &Value, at_least: i64) -> Option<Fault> {
    let status = object::text(service, &["status"]).unwrap_or("ACTIVE");
    if status != "ACTIVE" {
        return Some((format!("is {status}"), status.to_owned()));
    }
    let desired = desired(Some(service));
    (desired < at_least).then(|| (format!("wants {desired} tasks"), format!("desired {desired}")))
}

fn deployment_fault(service: &Value) -> Option<Fault> {
    let all = object::list(service, &["deployments"]);
    let said = |it: &Value| {
        let part = |key| object::text(it, &[key]).unwrap_or("-").to_owned();
        format!("{} {}", part("status"), part("rolloutState"))
    };
    let found = all.iter().map(said).collect::<Vec<_>>().join(", ");
    match all {
        [] => Some(("has no deployment".to_owned(), "none".to_owned())),
        [one] if object::text(one, &["status"]) != Some("PRIMARY") => {
            Some(("has no primary deployment".to_owned(), found))
        }
        // Only the rolling controller has a rollout state.
        [one] => match object::text(one, &["rolloutState"]) {
            Some("COMPLETED") | None => None,
            Some("FAILED") => Some(("has a deployment that failed".to_owned(), found)),
            Some(_) => Some(("has a deployment that is not completed".to_owned(), found)),
        },
        many => Some((format!("has {} deployments under way", many.len()), found)),
    }
}

fn numbers_fault(service: &Value, tasks: &[&Value]) -> Option<Fault> {
    let count = |key| object::number(service, &[key]).unwrap_or(0);
    let (desired, running, pending) = (count("desiredCount"), count("runningCount"), count("pendingCount"));
    if running != desired || pending != 0 {
        let found = format!("desired {desired}, running {running}, pending {pending}");
        let reason = if running == desired {
            format!("still starts {pending} more")
        } else {
            format!("runs {running} of {desired} tasks")
        };
        return Some((reason, found));
    }
    let live: Vec<&&Value> = tasks.iter().filter(|task| aws::runs(task)).collect();
    if live.len() as i64 != desired {
        return Some((format!("runs {} of {desired} tasks", live.len()), format!("{} tasks that run", live.len())));
    }
    let revision = object::text(service, &["taskDefinition"])?;
    let stale = live.iter().find(|task| object::text(task, &["taskDefinitionArn"]) != Some(revision))?;
    let old = object::text(stale, &["taskDefinitionArn"]).map_or("none", aws::id);
    Some((format!("still runs a task of {old}"), format!("task {} of {old}", aws::task_id(stale))))
}

fn unrest(tasks: &[&Value], quiet: Duration, view: &View<'_>) -> Option<Fault> {
    let window = SignedDuration::try_from(quiet).unwrap_or(SignedDuration::MAX);
    let stopped = tasks.iter().filter_map(|task| Some((task, aws::time(task, &["stoppedAt"])?)));
    let (task, when) = stopped.max_by_key(|(_, when)| *when)?;
    let ago = view.observation.at.duration_since(when);
    if ago >= window {
        return None;
    }
    let why = object::text(task, &["stoppedReason"]).unwrap_or("no reason given");
    let found = format!("task {} stopped {} s ago: {why}", aws::task_id(task), ago.as_secs().max(0));
    Some(("lost a task a moment ago".to_owned(), found))
}

fn targets_fault(service: &Value, tasks: &[&Value], groups: &[Value]) -> Option<Fault> {
    let live: Vec<&Value> = tasks.iter().filter(|task| aws::runs(task)).copied().collect();
    object::list(service, &["loadBalancers"]).iter().find_map(|entry| {
        let arn = object::text(entry, &["targetGroupArn"])?;
        let group = groups.iter().find(|group| object::text(group, &["TargetGroupArn"]) == Some(arn));
        let Some(group) = group else {
            return Some(("names a target group that is gone".to_owned(), arn.to_owned()));
        };
        group_fault(group, &live)
    })
}

/// What is wrong with the targets of a group that should be these tasks, as (reason, found).
pub(crate) fn group_fault(group: &Value, tasks: &[&Value]) -> Option<Fault> {
    let name = object::name(group);
    let targets: Vec<_> = aws::targets(group).into_iter().filter(|it| !it.is_leaving()).collect();
    let found = targets.iter().map(|it| format!("{} {} {}", it.id, it.state, it.reason).trim_end().to_owned());
    let found = if targets.is_empty() { "no targets".to_owned() } else { found.collect::<Vec<_>>().join(", ") };
    if let Some(sick) = targets.iter().find(|it| it.state != "healthy") {
        let healthy = targets.iter().filter(|it| it.state == "healthy").count();
        let reason =
            format!("has {healthy} of {} healthy targets in {name} ({} is {})", targets.len(), sick.id, sick.state);
        return Some((reason, found));
    }
    // Tasks in another network mode are targets by their machine and a port that changes; their number must do.
    if object::text(group, &["TargetType"]) == Some("ip") {
        let wanted: BTreeSet<&str> = tasks.iter().flat_map(|task| aws::addresses(task)).collect();
        let there: BTreeSet<&str> = targets.iter().map(|it| it.id).collect();
        if let Some(stranger) = there.difference(&wanted).next() {
            return Some((format!("is not alone in {name}: {stranger} is no task of it"), found));
        }
        if let Some(missing) = wanted.difference(&there).next() {
            return Some((format!("has a task that is no target of {name}: {missing}"), found));
        }
    }
    (targets.len() != tasks.len())
        .then(|| (format!("has {} tasks and {} targets in {name}", tasks.len(), targets.len()), found))
}

#[cfg(test)]
pub(crate) mod tests;
