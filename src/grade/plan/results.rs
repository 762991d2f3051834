//! What a run has found so far, and the report made of it.

use std::time::Duration;

use breakfix_lab::lab::{Objective, Severity};

use crate::{
    Case, Evidence, Judge, Observation, Report, Verdict,
    report::{ObjectiveResult, SafeguardResult},
    score,
};

/// Verdicts by the place of their objective or safeguard in the case.
#[derive(Clone, Debug)]
pub(super) struct Results {
    /// Of the passive look: the check itself, or the guard of an objective with a trigger.
    looks: Vec<Option<Verdict>>,
    /// The last word.
    settled: Vec<Option<Verdict>>,
    safeguards: Vec<Kept>,
}

/// How a safeguard fared.
#[derive(Clone, Debug)]
struct Kept {
    verdict: Option<Verdict>,
    sticky: bool,
    seen: Option<String>,
}

impl Results {
    pub(super) fn of(case: &Case) -> Self {
        let none = vec![None; case.objectives.len()];
        let kept = |name: &String| Kept { verdict: None, sticky: case.sticky.contains(name), seen: None };
        Self {
            looks: none.clone(),
            settled: none,
            safeguards: case.safeguards.iter().map(|safeguard| kept(&safeguard.name)).collect(),
        }
    }

    /// The passive look at every objective.
    pub(super) fn look(&mut self, case: &Case, observation: &Observation) {
        let view = case.view(observation, None);
        self.looks = case
            .objectives
            .iter()
            .map(|objective| match (&objective.guard, is_triggered(objective)) {
                (Some(guard), true) => Some(guard.judge(&view)),
                (None, true) => Some(Verdict::met(Evidence::new("nothing beforehand", "nothing beforehand"))),
                (_, false) => Some(objective.check.judge(&view)),
            })
            .collect();
    }

    /// A sample of the safeguards: of all of them, or of those that are `always`.
    pub(super) fn sample(&mut self, case: &Case, observation: &Observation, all: bool) {
        let view = case.view(observation, None);
        for (safeguard, kept) in case.safeguards.iter().zip(&mut self.safeguards) {
            if !all && !safeguard.always {
                continue;
            }
            let verdict = safeguard.check.judge(&view);
            if let (true, Verdict::NotMet { reason, .. }) = (safeguard.always, &verdict) {
                kept.sticky = true;
                kept.seen.get_or_insert_with(|| reason.clone());
            }
            // One sample of many that could not be taken does not undo what the others showed.
            if all || !verdict.is_unknown() || kept.verdict.is_none() {
                kept.verdict = Some(verdict);
            }
        }
    }

    /// The last word on an objective.
    pub(super) fn settle(&mut self, index: usize, verdict: Verdict) {
        if let Some(settled) = self.settled.get_mut(index) {
            *settled = Some(verdict);
        }
    }

    /// Whether the look at this objective (or its guard) was met.
    pub(super) fn looks_met(&self, index: usize) -> bool {
        self.looks.get(index).is_some_and(|it| it.as_ref().is_some_and(Verdict::is_met))
    }

    /// Whether every objective without a trigger is met, as far as is known now.
    pub(super) fn passive_met(&self, case: &Case) -> bool {
        let settled_met =
            |index: usize| self.settled.get(index).is_none_or(|it| it.as_ref().is_none_or(Verdict::is_met));
        let passive = case.objectives.iter().enumerate().filter(|(_, objective)| !is_triggered(objective));
        passive.into_iter().all(|(index, _)| self.looks_met(index) && settled_met(index))
    }

    pub(super) fn safeguards_met(&self) -> bool {
        self.safeguards.iter().all(|kept| kept.verdict.as_ref().is_some_and(Verdict::is_met))
    }

    /// A catastrophic safeguard is violated: nothing that follows can change the score.
    pub(super) fn is_catastrophe(&self, case: &Case) -> bool {
        let violated = |kept: &Kept| kept.sticky || kept.verdict.as_ref().is_some_and(Verdict::is_not_met);
        case.safeguards
            .iter()
            .zip(&self.safeguards)
            .any(|(it, kept)| it.severity == Severity::Catastrophic && violated(kept))
    }

    /// Every objective was seen to fail, every safeguard to be met.
    pub(super) fn opens(&self) -> bool {
        let fails = |look: &Option<Verdict>| look.as_ref().is_some_and(Verdict::is_not_met);
        self.looks.iter().all(fails) && self.safeguards_met()
    }

    pub(super) fn report(&self, case: &Case) -> Report {
        let objectives = case.objectives.iter().zip(self.looks.iter().zip(&self.settled));
        let objectives =
            objectives.map(|(objective, (look, settled))| objective_result(objective, look.as_ref(), settled.as_ref()));
        let safeguards = case.safeguards.iter().zip(&self.safeguards).map(|(safeguard, kept)| {
            let verdict = kept.verdict.clone().unwrap_or_else(|| Verdict::unknown("not looked at"));
            let violated = kept.sticky || verdict.is_not_met();
            let severity = match safeguard.severity {
                Severity::Recoverable => "recoverable",
                Severity::Catastrophic => "catastrophic",
            };
            SafeguardResult {
                name: safeguard.name.clone(),
                title: safeguard.title.clone(),
                severity: severity.to_owned(),
                cost: if violated { score::cost(safeguard) } else { 0 },
                sticky: kept.sticky,
                seen: kept.seen.clone(),
                verdict,
            }
        });
        Report::new(
            case.lab.clone(),
            case.target.clone(),
            case.session.clone(),
            objectives.collect(),
            safeguards.collect(),
            case.hints_cost,
        )
    }
}

fn objective_result(objective: &Objective, look: Option<&Verdict>, settled: Option<&Verdict>) -> ObjectiveResult {
    let (pending, verdict) = match (settled, look) {
        (Some(settled), _) => (false, settled.clone()),
        (None, Some(look)) if look.is_met() => match untried(objective, look) {
            Some(verdict) => (true, verdict),
            None => (false, look.clone()),
        },
        (None, Some(look)) => (false, look.clone()),
        (None, None) => (false, Verdict::unknown("not looked at")),
    };
    ObjectiveResult {
        name: objective.name.clone(),
        title: objective.title.clone(),
        points: objective.points,
        pending,
        verdict,
    }
}

/// The verdict where the look is met but something remains to be run; `None` where nothing does.
fn untried(objective: &Objective, look: &Verdict) -> Option<Verdict> {
    let found = look.evidence().map(|it| it.found.clone()).unwrap_or_default();
    let reason = match hold(objective) {
        _ if is_triggered(objective) => {
            "not tried yet: it is put to the test once the other objectives are met".to_owned()
        }
        Some(window) => {
            format!("met now; whether it stays so for {} is watched once the other objectives are met", seconds(window))
        }
        None => return None,
    };
    Some(Verdict::not_met(reason, Evidence::new(&objective.title, found)))
}

pub(super) fn is_triggered(objective: &Objective) -> bool {
    !objective.trigger.is_empty()
}

/// How long the objective must stay true; `None` where a moment is enough.
pub(super) fn hold(objective: &Objective) -> Option<Duration> {
    objective.hold.map(|span| span.0).filter(|window| !window.is_zero())
}

/// `60s`, `0.5s`.
pub(super) fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{:.1}s", time.as_secs_f64()),
    }
}
