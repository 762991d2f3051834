//! The order of a check run, as a state machine that does nothing itself.
//!
//! First one observation for all that can be seen at once: objectives without a trigger, guards, safeguards. If those objectives are met,
//! the holds of untriggered objectives run, together; then the triggers, one at a time, each followed by its converge and its hold.
//! Safeguards that are `always` are sampled with every observation. The caller loops:
//!
//! ```text
//! let mut answer = Answer::Begin;
//! loop {
//!     answer = match plan.next(elapsed(), answer) {
//!         Step::Observe { queries, since } => Answer::Observed(fetch(queries, since)),
//!         Step::Pull { changes, .. } => Answer::Pulled(make(changes)),
//!         Step::Pass(time) => { pass(time); Answer::Passed }
//!         Step::Done(report) => break report,
//!     }
//! }
//! ```
//!
//! `elapsed` counts from the first call, by the target's clock (a simulator's own).

mod machine;
mod results;

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::Change;
use jiff::Timestamp;

pub use crate::case::Case;
use crate::{Failure, Moved, Observation, Query, Report};
use machine::Machine;

/// How long a check may take to become true where the objective does not say.
pub const CONVERGE_DEFAULT: Duration = Duration::from_secs(60);

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Fetch these, at one moment. Events are wanted since the trigger, at `since`, or where that is `None` since the run began.
    Observe {
        queries: BTreeSet<Query>,
        since: Option<Timestamp>,
    },
    /// Make these changes, the trigger of this objective.
    Pull {
        objective: String,
        changes: Vec<Change>,
    },
    /// Let so much time pass; a simulator moves its clock on.
    Pass(Duration),
    Done(Box<Report>),
}

/// What came of the last step.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// There was none yet.
    Begin,
    Observed(Observation),
    /// The system's time just before the first change was made, or why the changes could not be made.
    Pulled(Result<Timestamp, Unpulled>),
    Passed,
}

/// Why a trigger did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpulled {
    /// The system said no, by its own rules: an eviction that a budget refuses, a call that an account may not make, something
    /// awaited that did not come. That is an answer to the question.
    Denied(String),
    /// It could not be tried: trouble of ours or of the system's API.
    Failed(Failure),
}

/// What a run is about at the moment, to be shown. Times are `elapsed` as the caller counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Looking at all that can be seen at once; until then, where it may still become true.
    Looking {
        until: Option<Duration>,
    },
    /// Making sure that an objective may be tried.
    Guarding {
        objective: String,
        until: Duration,
    },
    /// Pulling a trigger.
    Pulling {
        objective: String,
    },
    /// Waiting for an objective to become true.
    Converging {
        objective: String,
        until: Duration,
    },
    /// Watching whether objectives stay true.
    Holding {
        objectives: Vec<String>,
        until: Duration,
    },
    Finished,
}

/// A check run.
#[derive(Clone, Debug)]
pub struct Plan(Machine);

/// How far a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// One look, then holds and triggers.
    Full,
    /// One look and no more.
    Passive,
    /// Looks until all that can be seen is met or the time is over, then holds and triggers.
    AfterControl { at_most: Option<Duration> },
    /// Looks until every objective fails and every safeguard is met, or the time is over; no more.
    Opening { patience: Duration },
}

impl Plan {
    /// `check`: one look, then holds and triggers where that look allows them.
    pub fn full(case: Case) -> Self {
        Self(Machine::new(case, Mode::Full))
    }

    /// Watch mode: what can be seen at once, nothing disturbed and nothing waited for.
    pub fn passive(case: Case) -> Self {
        Self(Machine::new(case, Mode::Passive))
    }

    /// `lab test`: a control was just applied, and each objective has its `converge` to become true, `at_most` so long.
    pub fn after_control(case: Case, at_most: Option<Duration>) -> Self {
        Self(Machine::new(case, Mode::AfterControl { at_most }))
    }

    /// The opening proof: objectives must fail (those with a trigger: their guards) and safeguards hold, within `patience`.
    /// [`Report::opening_faults`] says what stands against opening.
    pub fn opening(case: Case, patience: Duration) -> Self {
        Self(Machine::new(case, Mode::Opening { patience }))
    }

    /// What comes next, given how long the run has lasted and what came of the last step. An answer that does not belong to the last step
    /// is ignored and that step given again.
    pub fn next(&mut self, elapsed: Duration, answer: Answer) -> Step {
        self.0.next(elapsed, answer)
    }

    /// The target has moved all its dates since this was said last. What this run remembers of its dates moves along.
    pub fn dates_moved(&mut self, moved: Moved) {
        self.0.dates_moved(moved);
    }

    /// What the run is about at the moment.
    pub fn doing(&self) -> Doing {
        self.0.doing()
    }
}

#[cfg(test)]
mod tests;
