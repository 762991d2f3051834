//! `targets`: whom a target group sends requests to.
//!
//! Rule: the set of targets that are not on their way out equals the set of addresses of the service's running tasks; all are healthy.

use breakfix_lab::{Platform, check::Targets};
use serde_json::Value;

use crate::{Evidence, Judge, Query, Verdict, View, answers::objects_query, aws, query::Scope, steady::group_fault};

impl Judge for Targets {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        ["Service", "Task", "TargetGroup"].iter().map(|kind| objects_query(platform, scope, kind, None)).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

fn judge(check: &Targets, view: &View<'_>) -> Result<Verdict, Verdict> {
    let at_least = check.healthy.unwrap_or(1).max(1) as usize;
    let wanted =
        format!("the targets of {} are the tasks of {}, {at_least} or more, all healthy", check.group, check.service);
    let not_met = |reason: String, found: String| {
        Ok(Verdict::not_met(
            reason,
            Evidence::new(wanted.clone(), found).look(view.look_at("TargetGroup", &check.group, None, true)),
        ))
    };
    let (service, group) =
        (view.object("Service", &check.service, None)?, view.object("TargetGroup", &check.group, None)?);
    let (Some(service), Some(group)) = (service, group) else {
        let gone = if group.is_none() {
            format!("target group {}", check.group)
        } else {
            format!("service {}", check.service)
        };
        return not_met(format!("there is no {gone}"), "none".to_owned());
    };
    let tasks: Vec<&Value> =
        view.objects("Task", None)?.iter().filter(|task| aws::is_of(task, service) && aws::runs(task)).collect();
    if let Some((reason, found)) = group_fault(group, &tasks) {
        return not_met(format!("service {} {reason}", check.service), found);
    }
    if tasks.len() < at_least {
        return not_met(
            format!("service {} has {} targets", check.service, tasks.len()),
            format!("{} targets", tasks.len()),
        );
    }
    Ok(Verdict::met(Evidence::new(wanted, format!("so of all {}", tasks.len()))))
}

#[cfg(test)]
mod tests;
