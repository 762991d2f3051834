//! `scale_kept`: nothing was made smaller, paused, stopped or deleted to make a symptom disappear.
//!
//! Rules: what a workload wants counts, not what it has at the moment; what was paused already may stay so. A container that is
//! between two restarts of its policy is not stopped.

use breakfix_lab::{Platform, check::ScaleKept};
use serde_json::Value;

use crate::{
    Evidence, Judge, Query, Verdict, View, answers::objects_query, object, query::Scope, unchanged::handed_over,
};

impl Judge for ScaleKept {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        self.kinds.iter().map(|kind| objects_query(platform, scope, kind, None)).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        if self.kinds.is_empty() { vec!["scale_kept needs at least one kind".to_owned()] } else { Vec::new() }
    }
}

fn judge<'a>(check: &'a ScaleKept, view: &View<'a>) -> Result<Verdict, Verdict> {
    let chosen = handed_over(view, &check.kinds, None, None, &check.except)?;
    for (kind, before) in &chosen {
        let name = object::name(before);
        let wanted = format!("{kind} {name} as large as it was handed over");
        let there = view.object(kind, name, None)?;
        let found = match there {
            None => Some("is gone".to_owned()),
            Some(now) if view.platform == Platform::Docker => container(before, now),
            Some(now) if view.platform == Platform::Ecs => service(before, now),
            Some(now) => workload(kind, before, now),
        };
        if let Some(found) = found {
            let look = view.look_at(kind, name, None, there.is_some());
            return Ok(Verdict::not_met(format!("{kind} {name} {found}"), Evidence::new(wanted, found).look(look)));
        }
    }
    let wanted = format!("every {} as large as it was handed over", check.kinds.join(", "));
    let found = match chosen.len() {
        0 => "nothing of these kinds was handed over".to_owned(),
        count => format!("so of {count}"),
    };
    Ok(Verdict::met(Evidence::new(wanted, found)))
}

/// How a Kubernetes workload was made smaller, in words.
fn workload(kind: &str, before: &Value, now: &Value) -> Option<String> {
    let switched = |path: &[&str]| object::flag(now, path) && !object::flag(before, path);
    if object::is_going(now) && !object::is_going(before) {
        return Some("is being deleted".to_owned());
    }
    if switched(&["spec", "paused"]) {
        return Some("is paused".to_owned());
    }
    if switched(&["spec", "suspend"]) {
        return Some("is suspended".to_owned());
    }
    // Both fields default to 1 (apps/v1, batch/v1); a DaemonSet has neither.
    let sized: &[(&str, &str)] = match kind {
        "Deployment" | "StatefulSet" | "ReplicaSet" => &[("replicas", "replicas")],
        "Job" => &[("parallelism", "pods at a time")],
        _ => &[],
    };
    sized.iter().find_map(|(field, word)| {
        let size = |object| object::number(object, &["spec", field]).unwrap_or(1);
        let (before, now) = (size(before), size(now));
        (now < before).then(|| format!("wants {now} {word}, it wanted {before}"))
    })
}

/// How an ECS service was made smaller, in words.
fn service(before: &Value, now: &Value) -> Option<String> {
    if object::text(now, &["status"]).is_some_and(|status| status != "ACTIVE") {
        return Some("is being deleted".to_owned());
    }
    let size = |object| object::number(object, &["desiredCount"]).unwrap_or(0);
    let (before, now) = (size(before), size(now));
    (now < before).then(|| format!("wants {now} tasks, it wanted {before}"))
}

/// How a container was put away, in words. Networks and volumes can only be there or not.
fn container(before: &Value, now: &Value) -> Option<String> {
    let is = |object, key| object::flag(object, &["State", key]);
    if is(now, "Paused") && !is(before, "Paused") {
        return Some("is paused".to_owned());
    }
    let ran = is(before, "Running") || is(before, "Restarting");
    let runs = is(now, "Running") || is(now, "Restarting");
    (ran && !runs).then(|| "is stopped".to_owned())
}

#[cfg(test)]
mod tests;
