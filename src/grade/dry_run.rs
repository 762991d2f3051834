//! `dry_run`: what the API would say to a request that is never carried out.
//!
//! Rule: a refusal counts only with the words that are wanted, so that another rail's refusal does not pass for this one. Trouble of the
//! server (a webhook that is away answers 500) is an answer to this question too: the request was not admitted.

use breakfix_lab::{Platform, check::DryRun};

use crate::{Admission, Evidence, Fetched, Judge, Query, Verdict, View, answers::mismatch, query::Scope};

impl Judge for DryRun {
    fn queries(&self, _platform: Platform, _scope: &Scope) -> Vec<Query> {
        query(self).into_iter().collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }
}

fn query(check: &DryRun) -> Option<Query> {
    let account = check.account.clone();
    match (&check.create, &check.evict) {
        (Some(file), None) => Some(Query::DryCreate { file: file.clone(), account }),
        (None, Some(of)) => Some(Query::DryEvict { of: of.clone(), account }),
        _ => None,
    }
}

fn judge(check: &DryRun, view: &View<'_>) -> Result<Verdict, Verdict> {
    let Some(query) = query(check) else {
        return Err(Verdict::unknown("the lab's `dry_run` does not say what is tried"));
    };
    let Fetched::Admission(admission) = view.answer(&query)? else { return Err(mismatch(&query)) };
    let what = match (&check.create, &check.evict) {
        (_, Some(owner)) => format!("the eviction of a pod of {} {}", owner.kind, owner.name),
        (file, _) => format!("what {} holds", file.as_deref().unwrap_or_default()),
    };
    let who = check.account.as_ref().map(|it| format!(", asked for by {}", it.name)).unwrap_or_default();
    let wanted = match &check.refused {
        Some(part) => format!("{what}{who} is refused: \"{part}\""),
        None => format!("{what}{who} is admitted"),
    };
    Ok(match (admission, &check.refused) {
        (Admission::Admitted, None) => Verdict::met(Evidence::new(wanted, "admitted")),
        (Admission::Admitted, Some(_)) => {
            Verdict::not_met(format!("{what} would be admitted"), Evidence::new(wanted, "admitted"))
        }
        (Admission::Refused { code, message }, Some(part)) if message.contains(part.as_str()) => {
            Verdict::met(Evidence::new(wanted, format!("{code}: {message}")))
        }
        (Admission::Refused { code, message }, Some(_)) => Verdict::not_met(
            format!("{what} would be refused for another reason"),
            Evidence::new(wanted, format!("{code}: {message}")),
        ),
        (Admission::Refused { code, message }, None) => Verdict::not_met(
            format!("{what} would be refused: {message}"),
            Evidence::new(wanted, format!("{code}: {message}")),
        ),
        (Admission::Nothing, _) => {
            Verdict::not_met(format!("{what} cannot be tried: there is none"), Evidence::new(wanted, "no pod runs"))
        }
    })
}

#[cfg(test)]
mod tests;
