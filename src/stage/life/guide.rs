//! The guided mode: which of a lab's steps are done.
//!
//! A step that carries a check goes on by itself; one without waits for the learner. Steps bring no points, and nothing is
//! lost by skipping one.

use std::{collections::BTreeSet, sync::Arc};

use breakfix_grade::{Baseline, Verdict, plan::Case};
use breakfix_lab::LoadedLab;
use jiff::Timestamp;

use crate::Target;

/// What the checks of these steps (from 0) say now; a step without one is left out. They are all looked at at one moment.
pub async fn step_verdicts(
    lab: &LoadedLab,
    target: &dyn Target,
    baseline: Arc<Baseline>,
    steps: std::ops::Range<usize>,
) -> Vec<(usize, Verdict)> {
    let case = Case::new(lab, baseline);
    let all = lab.lab.steps.iter().enumerate();
    let checks: Vec<_> = all
        .filter(|(number, _)| steps.contains(number))
        .filter_map(|(number, step)| Some((number, step.check.as_ref()?)))
        .collect();
    let queries: BTreeSet<_> = checks.iter().flat_map(|(_, check)| case.queries(check)).collect();
    if checks.is_empty() {
        return Vec::new();
    }
    let observation = target.observe(&queries, Timestamp::now()).await;
    target.rest().await;
    checks.into_iter().map(|(number, check)| (number, case.judge(check, &observation))).collect()
}

/// How many steps are done now, given how many were: every next one whose check is met goes by. Stops before the first that has
/// no check, is not met, or cannot be told.
pub async fn advance(lab: &LoadedLab, target: &dyn Target, baseline: Arc<Baseline>, done: usize) -> usize {
    let steps = &lab.lab.steps;
    let checked = steps.iter().skip(done).take_while(|step| step.check.is_some()).count();
    let verdicts = step_verdicts(lab, target, baseline, done..done + checked).await;
    done + verdicts.iter().take_while(|(_, verdict)| verdict.is_met()).count()
}
