//! `policy`: what a role may do, and what it may not.
//!
//! Rule: every `can` is allowed and every `cannot` is denied, by the policy simulator. A role that does not exist can do nothing, which meets
//! no `cannot`: deleting it is no way to take a right away.

use breakfix_lab::{
    Platform,
    check::{Grant, Policy},
};

use crate::{Evidence, Fetched, Judge, Query, Verdict, View, answers::mismatch, query::Scope};

impl Judge for Policy {
    fn queries(&self, _platform: Platform, _scope: &Scope) -> Vec<Query> {
        vec![query(self)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

fn query(check: &Policy) -> Query {
    Query::Decisions { role: check.role.clone(), grants: check.can.iter().chain(&check.cannot).cloned().collect() }
}

fn judge(check: &Policy, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::Decisions(decisions) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let who = format!("role {}", check.role);
    let wanted = wanted(check);
    let Some(decisions) = decisions else {
        return Ok(Verdict::not_met(format!("there is no {who}"), Evidence::new(wanted, "no such role")));
    };
    let asked: Vec<(bool, &Grant)> =
        check.can.iter().map(|it| (true, it)).chain(check.cannot.iter().map(|it| (false, it))).collect();
    if asked.len() != decisions.len() {
        return Err(mismatch(&query));
    }
    let wrong = asked.iter().zip(decisions).find(|((may, _), decision)| decision.allowed != *may);
    Ok(match wrong {
        None => Verdict::met(Evidence::new(wanted, format!("so of all {} actions", asked.len()))),
        Some(((may, grant), decision)) => {
            let verb = if *may { "may not" } else { "may, and must not," };
            // Where a right is missing, the resource is often the answer; the action is what an error shows anyway.
            let said = match (&decision.on, may) {
                (_, true) | (None, _) => grant.action.clone(),
                (Some(resource), false) => format!("{} on {resource}", grant.action),
            };
            let found = Evidence::new(wanted, &decision.said).look(view.look_at("Role", &check.role, None, true));
            Verdict::not_met(format!("{who} {verb} {said}"), found)
        }
    })
}

/// `role deployer may iam:PassRole on 2 resources and may not iam:PassRole on 6 others`.
fn wanted(check: &Policy) -> String {
    let count = |grants: &[Grant], action: &str| grants.iter().filter(|it| it.action == action).count();
    let part = |word: &str, grants: &[Grant], others: &[Grant]| {
        let mut said: Vec<String> = Vec::new();
        for (index, grant) in grants.iter().enumerate() {
            let action = &grant.action;
            if grants.iter().take(index).any(|it| it.action == *action) {
                continue;
            }
            let also = count(others, action) > 0;
            said.push(match (count(grants, action), also) {
                (1, false) => action.clone(),
                (1, true) => format!("{action} on another"),
                (many, false) => format!("{action} on {many} resources"),
                (many, true) => format!("{action} on {many} others"),
            });
        }
        (!said.is_empty()).then(|| format!("{word} {}", said.join(", ")))
    };
    let parts = [part("may", &check.can, &[]), part("may not", &check.cannot, &check.can)];
    format!("role {} {}", check.role, parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

#[cfg(test)]
mod tests;
