//! The states of a check run and the ways between them.

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::lab::Objective;
use jiff::Timestamp;

use super::{
    Answer, CONVERGE_DEFAULT, Doing, Mode, Step, Unpulled,
    results::{Results, hold, is_triggered, seconds},
};
use crate::{Case, Evidence, Judge, Moved, Observation, Query, Verdict};

/// The first pause between two looks of a wait; each is half as long again as the one before.
const POLL_MIN: Duration = Duration::from_secs(1);
const POLL_MAX: Duration = Duration::from_secs(5);
/// The shortest pause between two samples of a hold.
const SAMPLE_MIN: Duration = Duration::from_millis(100);
/// The pause between two looks at what may not fail while something is put to the test.
const DURING_PAUSE: Duration = Duration::from_millis(500);
/// How long a hold goes on after its window while its last sample is unknown.
const HOLD_GRACE: Duration = Duration::from_secs(30);
/// How long the opening proof goes on asking a system that answers nothing at all: longer than an engine or an API server takes to
/// restart.
const SILENCE: Duration = Duration::from_secs(20);
/// How long `lab test` waits for safeguards that a control has disturbed, where nothing else is waited for.
const SETTLE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Machine {
    case: Case,
    mode: Mode,
    phase: Phase,
    results: Results,
    /// Pauses made in this phase.
    polls: u32,
    /// Since when every answer has been a failure.
    silent: Option<Duration>,
    clock: Clock,
}

/// The time that has passed for the run. A caller's clock that jumps back must not make a wait endless: the jump counts as nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    told: Duration,
    passed: Duration,
}

impl Clock {
    fn tell(&mut self, now: Duration) -> Duration {
        self.passed = self.passed.saturating_add(now.saturating_sub(self.told));
        self.told = now;
        self.passed
    }
}

#[derive(Clone, Debug)]
enum Phase {
    Looking { until: Option<Duration> },
    Guarding { index: usize, until: Duration },
    Pulling { index: usize },
    Converging { index: usize, until: Duration, triggered: Timestamp },
    Holding { holds: Vec<Hold>, started: Duration, trial: Option<(usize, Timestamp)> },
    Finished,
}

/// An objective that must stay true.
#[derive(Clone, Copy, Debug)]
struct Hold {
    index: usize,
    window: Duration,
}

impl Machine {
    pub(super) fn new(case: Case, mode: Mode) -> Self {
        let until = match mode {
            Mode::Full | Mode::Passive => None,
            Mode::Opening { patience } => Some(patience),
            Mode::AfterControl { at_most } => case.objectives.iter().map(|it| allowed(it, at_most)).max(),
        };
        Self {
            results: Results::of(&case),
            case,
            mode,
            phase: Phase::Looking { until },
            polls: 0,
            silent: None,
            clock: Clock::default(),
        }
    }

    pub(super) fn next(&mut self, now: Duration, answer: Answer) -> Step {
        let now = self.clock.tell(now);
        match (&self.phase, answer) {
            (Phase::Finished, _) => self.done(),
            (Phase::Pulling { index }, Answer::Pulled(result)) => self.pulled(now, *index, result),
            (Phase::Pulling { index }, _) => self.pull(*index),
            (_, Answer::Observed(observation)) => self.observed(now, &observation),
            (_, Answer::Begin | Answer::Passed | Answer::Pulled(_)) => self.observe(),
        }
    }

    pub(super) fn dates_moved(&mut self, moved: Moved) {
        let before = self.case.moved;
        self.case.moved = Moved { by: before.by + before.meanwhile + moved.by, meanwhile: moved.meanwhile };
        let by = moved.by + moved.meanwhile;
        match &mut self.phase {
            Phase::Converging { triggered, .. } | Phase::Holding { trial: Some((_, triggered)), .. } => {
                *triggered = triggered.checked_sub(by).unwrap_or(*triggered);
            }
            _ => {}
        }
    }

    pub(super) fn doing(&self) -> Doing {
        match &self.phase {
            Phase::Looking { until } => Doing::Looking { until: *until },
            Phase::Guarding { index, until } => Doing::Guarding { objective: self.name(*index), until: *until },
            Phase::Pulling { index } => Doing::Pulling { objective: self.name(*index) },
            Phase::Converging { index, until, .. } => Doing::Converging { objective: self.name(*index), until: *until },
            Phase::Holding { holds, started, .. } => Doing::Holding {
                objectives: holds.iter().map(|hold| self.name(hold.index)).collect(),
                until: started.saturating_add(holds.iter().map(|hold| hold.window).max().unwrap_or_default()),
            },
            Phase::Finished => Doing::Finished,
        }
    }

    fn objective(&self, index: usize) -> Option<&Objective> {
        self.case.objectives.get(index)
    }

    fn name(&self, index: usize) -> String {
        self.objective(index).map(|it| it.name.clone()).unwrap_or_default()
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.polls = 0;
    }

    fn done(&mut self) -> Step {
        self.enter(Phase::Finished);
        Step::Done(Box::new(self.results.report(&self.case)))
    }

    /// Everything that the present phase wants to see.
    fn observe(&self) -> Step {
        let case = &self.case;
        let looking = matches!(self.phase, Phase::Looking { .. });
        let (checks, since) = match &self.phase {
            Phase::Looking { .. } => {
                let look = |it| if is_triggered(it) { it.guard.as_ref() } else { Some(&it.check) };
                (case.objectives.iter().filter_map(look).collect(), None)
            }
            Phase::Guarding { index, .. } => {
                (self.objective(*index).and_then(|it| it.guard.as_ref()).into_iter().collect(), None)
            }
            Phase::Converging { index, triggered, .. } => {
                let objective = self.objective(*index);
                let during = objective.and_then(|it| it.during.as_ref());
                let checks = objective.map(|it| &it.check).into_iter().chain(during);
                (checks.collect::<Vec<_>>(), Some(*triggered))
            }
            Phase::Holding { holds, trial, .. } => {
                let checks = holds.iter().filter_map(|hold| self.objective(hold.index)).map(|it| &it.check);
                (checks.collect(), trial.map(|(_, triggered)| triggered))
            }
            Phase::Pulling { .. } | Phase::Finished => (Vec::new(), None),
        };
        let safeguards = case.safeguards.iter().filter(|it| looking || it.always).map(|it| &it.check);
        let queries: BTreeSet<Query> =
            checks.into_iter().chain(safeguards).flat_map(|check| check.queries(case.platform, &case.scope)).collect();
        Step::Observe { queries, since }
    }

    fn observed(&mut self, now: Duration, observation: &Observation) -> Step {
        let looking = matches!(self.phase, Phase::Looking { .. });
        self.results.sample(&self.case, observation, looking);
        match self.phase.clone() {
            Phase::Looking { .. } => self.looked(now, observation),
            Phase::Guarding { index, until } => self.guarded(now, index, until, observation),
            Phase::Converging { index, until, triggered } => self.converged(now, index, until, triggered, observation),
            Phase::Holding { holds, started, trial } => self.held(now, &holds, started, trial, observation),
            Phase::Pulling { index } => self.pull(index),
            Phase::Finished => self.done(),
        }
    }

    /// A pause before the next look, not beyond `until`.
    fn pause(&mut self, now: Duration, until: Duration) -> Step {
        let steps = self.polls.min(8);
        self.polls = self.polls.saturating_add(1);
        let pause = POLL_MIN.mul_f64(1.5f64.powi(i32::try_from(steps).unwrap_or(8))).min(POLL_MAX);
        Step::Pass(pause.min(until.saturating_sub(now)))
    }

    fn looked(&mut self, now: Duration, observation: &Observation) -> Step {
        self.results.look(&self.case, observation);
        let silent = !observation.answers.is_empty() && observation.answers.values().all(Result::is_err);
        self.silent = if silent { self.silent.or(Some(now)) } else { None };
        let in_vain = self.silent.is_some_and(|since| now.saturating_sub(since) >= SILENCE);
        match self.mode {
            Mode::Passive => self.done(),
            Mode::Full => self.looked_enough(now),
            Mode::Opening { patience } if self.results.opens() || in_vain || now >= patience => self.done(),
            Mode::Opening { patience } => self.pause(now, patience),
            Mode::AfterControl { at_most } => {
                let unmet =
                    self.case.objectives.iter().enumerate().filter(|(index, _)| !self.results.looks_met(*index));
                let objectives = unmet.map(|(_, it)| allowed(it, at_most)).max();
                let settle = (!self.results.safeguards_met()).then(|| at_most.map_or(SETTLE, |most| most.min(SETTLE)));
                match objectives.into_iter().chain(settle).max() {
                    Some(until) if now < until => self.pause(now, until),
                    _ => self.looked_enough(now),
                }
            }
        }
    }

    /// On to the holds of the objectives without a trigger, all at once.
    fn looked_enough(&mut self, now: Duration) -> Step {
        if self.results.is_catastrophe(&self.case) || !self.results.passive_met(&self.case) {
            return self.done();
        }
        let passive = self.case.objectives.iter().enumerate().filter(|(_, objective)| !is_triggered(objective));
        let holds: Vec<Hold> =
            passive.filter_map(|(index, objective)| Some(Hold { index, window: hold(objective)? })).collect();
        if holds.is_empty() {
            return self.trial(now, 0, true);
        }
        self.hold(now, holds, now, None)
    }

    /// The next objective to be put to the test, from this place on. `fresh`: its guard was looked at a moment ago.
    fn trial(&mut self, now: Duration, from: usize, fresh: bool) -> Step {
        if self.results.is_catastrophe(&self.case) || !self.results.passive_met(&self.case) {
            return self.done();
        }
        let mut rest = self.case.objectives.iter().enumerate().skip(from);
        let next = rest.find(|(index, objective)| is_triggered(objective) && self.results.looks_met(*index));
        match next {
            None => self.done(),
            Some((index, objective)) if fresh || objective.guard.is_none() => self.pull(index),
            Some((index, objective)) => {
                let until = now.saturating_add(allowed(objective, None));
                self.enter(Phase::Guarding { index, until });
                self.observe()
            }
        }
    }

    /// An earlier trigger may have shaken what this one rests on, so the guard gets as long as the check.
    fn guarded(&mut self, now: Duration, index: usize, until: Duration, observation: &Observation) -> Step {
        let guard = self.objective(index).and_then(|it| it.guard.as_ref());
        let verdict = guard.map(|guard| guard.judge(&self.case.view(observation, None)));
        match verdict {
            Some(verdict) if !verdict.is_met() && now < until => self.pause(now, until),
            Some(verdict) if !verdict.is_met() => {
                self.results.settle(index, verdict);
                self.trial(now, index + 1, false)
            }
            _ => self.pull(index),
        }
    }

    fn pull(&mut self, index: usize) -> Step {
        self.enter(Phase::Pulling { index });
        let changes = self.objective(index).map(|it| it.trigger.clone()).unwrap_or_default();
        Step::Pull { objective: self.name(index), changes }
    }

    fn pulled(&mut self, now: Duration, index: usize, result: Result<Timestamp, Unpulled>) -> Step {
        match (result, self.objective(index)) {
            (Ok(triggered), Some(objective)) => {
                let until = now.saturating_add(allowed(objective, None));
                self.enter(Phase::Converging { index, until, triggered });
                self.observe()
            }
            (Err(unpulled), _) => {
                self.results.settle(
                    index,
                    match unpulled {
                        Unpulled::Denied(why) => {
                            Verdict::not_met(why.clone(), Evidence::new("that it can be put to the test", why))
                        }
                        Unpulled::Failed(failure) => {
                            Verdict::unknown(format!("it could not be put to the test: {failure}"))
                        }
                    },
                );
                self.trial(now, index + 1, false)
            }
            (Ok(_), None) => self.done(),
        }
    }

    fn converged(
        &mut self,
        now: Duration,
        index: usize,
        until: Duration,
        triggered: Timestamp,
        observation: &Observation,
    ) -> Step {
        let Some(objective) = self.objective(index) else { return self.done() };
        let window = hold(objective);
        let within = seconds(allowed(objective, None));
        let dense = objective.during.is_some();
        let during = objective.during.as_ref().map(|it| it.judge(&self.case.view(observation, Some(triggered))));
        if let Some(Verdict::NotMet { reason, evidence }) = during {
            let reason = format!("while it was put to the test: {reason}");
            self.results.settle(index, Verdict::NotMet { reason, evidence });
            return self.trial(now, index + 1, false);
        }
        // What may not fail meanwhile must have been seen at the end, too.
        let verdict = match (during, objective.check.judge(&self.case.view(observation, Some(triggered)))) {
            (Some(blind @ Verdict::Unknown { .. }), Verdict::Met { .. }) => blind,
            (_, verdict) => verdict,
        };
        match verdict {
            Verdict::Met { evidence } => match window {
                Some(window) => self.hold(now, vec![Hold { index, window }], now, Some((index, triggered))),
                None => {
                    self.results.settle(index, Verdict::Met { evidence });
                    self.trial(now, index + 1, false)
                }
            },
            _ if now < until && dense => Step::Pass(DURING_PAUSE.min(until.saturating_sub(now))),
            _ if now < until => self.pause(now, until),
            Verdict::NotMet { reason, evidence } => {
                let reason = format!("within {within} of the test: {reason}");
                self.results.settle(index, Verdict::NotMet { reason, evidence });
                self.trial(now, index + 1, false)
            }
            unknown => {
                self.results.settle(index, unknown);
                self.trial(now, index + 1, false)
            }
        }
    }

    /// Goes on watching these; their last sample was met, or unknown.
    fn hold(&mut self, now: Duration, holds: Vec<Hold>, started: Duration, trial: Option<(usize, Timestamp)>) -> Step {
        let since = now.saturating_sub(started);
        let pause = |hold: &Hold| {
            let usual = (hold.window / 10).clamp(SAMPLE_MIN, POLL_MAX);
            match hold.window.saturating_sub(since) {
                Duration::ZERO => usual,
                left => usual.min(left),
            }
        };
        let pause = holds.iter().map(pause).min().unwrap_or(SAMPLE_MIN);
        self.phase = Phase::Holding { holds, started, trial };
        Step::Pass(pause)
    }

    fn held(
        &mut self,
        now: Duration,
        holds: &[Hold],
        started: Duration,
        trial: Option<(usize, Timestamp)>,
        observation: &Observation,
    ) -> Step {
        let since = now.saturating_sub(started);
        let mut rest = Vec::new();
        for hold in holds {
            let Some(objective) = self.objective(hold.index) else { continue };
            let verdict =
                match objective.check.judge(&self.case.view(observation, trial.map(|(_, triggered)| triggered))) {
                    Verdict::Met { .. } if since < hold.window => None,
                    Verdict::Met { mut evidence } => {
                        evidence.found.push_str(&format!("; and so for {}", seconds(hold.window)));
                        Some(Verdict::Met { evidence })
                    }
                    Verdict::NotMet { reason, evidence } => {
                        let (after, window) = (seconds(since), seconds(hold.window));
                        Some(Verdict::not_met(
                            format!("it did not stay so for {window}; after {after}: {reason}"),
                            evidence,
                        ))
                    }
                    // Trouble of ours for a moment says nothing about the system; the last word must be known, though.
                    Verdict::Unknown { .. } if since < hold.window.saturating_add(HOLD_GRACE) => None,
                    unknown => Some(unknown),
                };
            match verdict {
                Some(verdict) => self.results.settle(hold.index, verdict),
                None => rest.push(*hold),
            }
        }
        if !rest.is_empty() {
            return self.hold(now, rest, started, trial);
        }
        self.trial(now, trial.map_or(0, |(index, _)| index + 1), false)
    }
}

/// How long an objective may take to become true.
fn allowed(objective: &Objective, at_most: Option<Duration>) -> Duration {
    let own = objective.converge.map_or(CONVERGE_DEFAULT, |span| span.0);
    at_most.map_or(own, |most| own.min(most))
}
