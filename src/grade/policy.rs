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
            let said = if *may { grant.action.clone() } else { grant.in_words() };
            let found = Evidence::new(wanted, &decision.said).look(view.look_at("Role", &check.role, None, true));
            Verdict::not_met(format!("{who} {verb} {said}"), found)
        }
    })
}

fn wanted(check: &Policy) -> String {
    let list = |grants: &[Grant]| grants.iter().map(|it| it.action.clone()).collect::<Vec<_>>().join(", ");
    let parts = [("may", &check.can), ("may not", &check.cannot)];
    let parts: Vec<String> =
        parts.into_iter().filter(|(_, it)| !it.is_empty()).map(|(word, it)| format!("{word} {}", list(it))).collect();
    format!("role {} {}", check.role, parts.join(" and "))
}

#[cfg(test)]
mod tests;
