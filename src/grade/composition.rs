//! `all`, `any`, `none`: three-valued logic over other checks.
//!
//! After Kleene: what is not known decides nothing, but cannot undo what is. An empty list says nothing and is `unknown`.

use breakfix_lab::check::Check;

use crate::{Evidence, Judge, Verdict, View};

/// Every one is met. One that is not decides; else one that is unknown leaves it open.
pub(crate) fn all(checks: &[Check], view: &View<'_>) -> Verdict {
    let verdicts = judged(checks, view);
    if let Some(verdict) = first_not_met(&verdicts).or_else(|| first_unknown(&verdicts)) {
        return verdict;
    }
    match joined(&verdicts, " and ") {
        Some(evidence) => Verdict::met(evidence),
        None => empty("all"),
    }
}

/// One at least is met; else one that is unknown leaves it open.
pub(crate) fn any(checks: &[Check], view: &View<'_>) -> Verdict {
    let verdicts = judged(checks, view);
    if let Some(met) = verdicts.iter().find(|verdict| verdict.is_met()) {
        return met.clone();
    }
    if let Some(unknown) = first_unknown(&verdicts) {
        return unknown;
    }
    match joined(&verdicts, " or ") {
        Some(evidence) => Verdict::not_met(reasons(&verdicts), evidence),
        None => empty("any"),
    }
}

/// None is met. One that is decides; else one that is unknown leaves it open.
pub(crate) fn none(checks: &[Check], view: &View<'_>) -> Verdict {
    let verdicts = judged(checks, view);
    if let Some(met) = verdicts.iter().find(|verdict| verdict.is_met()) {
        let evidence = met.evidence().cloned().unwrap_or_default();
        let reason = format!("this must not be so: {}", evidence.found);
        return Verdict::not_met(reason, Evidence { wanted: format!("not: {}", evidence.wanted), ..evidence });
    }
    if let Some(unknown) = first_unknown(&verdicts) {
        return unknown;
    }
    match joined(&verdicts, " and ") {
        Some(evidence) => Verdict::met(Evidence { wanted: format!("not: {}", evidence.wanted), ..evidence }),
        None => empty("none"),
    }
}

fn judged(checks: &[Check], view: &View<'_>) -> Vec<Verdict> {
    checks.iter().map(|check| check.judge(view)).collect()
}

/// The first that is not met, with a word about the others.
fn first_not_met(verdicts: &[Verdict]) -> Option<Verdict> {
    let first = verdicts.iter().find(|verdict| verdict.is_not_met())?;
    Some(Verdict::not_met(reasons(verdicts), first.evidence().cloned().unwrap_or_default()))
}

fn first_unknown(verdicts: &[Verdict]) -> Option<Verdict> {
    verdicts.iter().find(|verdict| verdict.is_unknown()).cloned()
}

/// The reasons of those that are not met, each once.
fn reasons(verdicts: &[Verdict]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in verdicts.iter().filter(|verdict| verdict.is_not_met()).filter_map(Verdict::reason) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join("; ")
}

fn joined(verdicts: &[Verdict], word: &str) -> Option<Evidence> {
    let every: Vec<&Evidence> = verdicts.iter().filter_map(Verdict::evidence).collect();
    let look = every.first()?.look.clone();
    let join = |part: fn(&Evidence) -> &str| every.iter().map(|it| part(it)).collect::<Vec<_>>().join(word);
    Some(Evidence {
        wanted: join(|it| &it.wanted),
        found: every.iter().map(|it| it.found.as_str()).collect::<Vec<_>>().join("; "),
        look,
    })
}

fn empty(word: &str) -> Verdict {
    Verdict::unknown(format!("the lab's `{word}` lists no check"))
}

#[cfg(test)]
mod tests;
