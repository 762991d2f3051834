//! `access`: what an account may do, and what it may not.
//!
//! Rule: `can` needs the review and the real call, `cannot` needs both to say no. A review alone can be asked with too few groups; a call
//! alone can be let through by somebody else's certificate (both seen on a real cluster), so where they differ it is not settled.

use breakfix_lab::{
    Platform,
    check::{Access, Action},
};

use crate::{Evidence, Fetched, Judge, Permit, Query, Verdict, View, answers::mismatch, query::Scope};

impl Judge for Access {
    fn queries(&self, _platform: Platform, _scope: &Scope) -> Vec<Query> {
        vec![query(self)]
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

fn query(check: &Access) -> Query {
    Query::Access { account: check.account.clone(), actions: check.can.iter().chain(&check.cannot).cloned().collect() }
}

fn judge(check: &Access, view: &View<'_>) -> Result<Verdict, Verdict> {
    let query = query(check);
    let Fetched::Permits(permits) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let who = format!("ServiceAccount {}", check.account.name);
    let wanted = wanted(check);
    let Some(permits) = permits else {
        return Ok(Verdict::not_met(format!("{who} does not exist"), Evidence::new(wanted, "no such account")));
    };
    let asked: Vec<(bool, &Action)> = check
        .can
        .iter()
        .map(|action| (true, action))
        .chain(check.cannot.iter().map(|action| (false, action)))
        .collect();
    if asked.len() != permits.len() {
        return Err(mismatch(&query));
    }
    let mut split = None;
    for ((may, action), permit) in asked.iter().zip(permits) {
        let words = action.in_words();
        match (permit.review, permit.call) {
            (true, true) if *may => {}
            (false, false) if !*may => {}
            (true, true) => {
                return Ok(not_met(format!("{who} can {words}, and it must not"), wanted, permit));
            }
            (false, false) => return Ok(not_met(format!("{who} cannot {words}"), wanted, permit)),
            _ => split = split.or(Some((words, permit))),
        }
    }
    match split {
        Some((words, permit)) => Err(Verdict::unknown(format!(
            "the review of {who} says {} to {words}, the call itself was {}: {}",
            if permit.review { "yes" } else { "no" },
            if permit.call { "let through" } else { "refused" },
            permit.said,
        ))),
        None => Ok(Verdict::met(Evidence::new(wanted, format!("so of all {} actions", asked.len())))),
    }
}

fn not_met(reason: String, wanted: String, permit: &Permit) -> Verdict {
    Verdict::not_met(reason, Evidence::new(wanted, &permit.said))
}

fn wanted(check: &Access) -> String {
    let list = |actions: &[Action]| actions.iter().map(Action::in_words).collect::<Vec<_>>().join(", ");
    let parts = [("can", &check.can), ("cannot", &check.cannot)];
    let parts: Vec<String> =
        parts.into_iter().filter(|(_, it)| !it.is_empty()).map(|(word, it)| format!("{word} {}", list(it))).collect();
    format!("ServiceAccount {} {}", check.account.name, parts.join(" and "))
}

#[cfg(test)]
mod tests;
