//! One check run: the loop that does what a [`Plan`] says, and nothing else.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use breakfix_grade::{
    Baseline, Failure, Report,
    plan::{Answer, Case, Doing, Plan, Step},
};
use breakfix_lab::{Change, LoadedLab};
use jiff::Timestamp;

use super::{LifeError, Talk};
use crate::{
    Journal, Session, Target, TargetError,
    journal::{self, Entry},
};

/// How much of a lab a run looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// `check`: one look, then holds and triggers where that look allows them.
    Full,
    /// Watching: what can be seen at once; nothing is disturbed and nothing waited for.
    Passive,
    /// `lab test`: a control was just applied; each objective has its time to become true, but no more than this.
    AfterControl(Option<Duration>),
    /// The opening proof.
    Opening(Duration),
}

/// A run's result.
#[derive(Clone, Debug)]
pub struct Graded {
    pub report: Report,
    /// The `always` safeguards that have been violated in this session, this run included.
    pub sticky: BTreeSet<String>,
}

/// What the run knows of the session.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub target: String,
    pub session: String,
    pub sticky: BTreeSet<String>,
    pub hints_cost: u32,
}

impl Known {
    /// As a session stands.
    pub fn of(session: &Session, lab: &LoadedLab) -> Self {
        Self {
            target: session.target.to_string(),
            session: session.id.clone(),
            sticky: session.sticky.clone(),
            hints_cost: session.hints_cost(lab),
        }
    }
}

/// Runs a check. Trouble on the way becomes `unknown` in the report; an error is only what keeps the run from being made at all.
///
/// # Errors
/// The journal cannot be written.
pub async fn grade(
    lab: &LoadedLab,
    target: &dyn Target,
    journal: &Journal,
    baseline: Arc<Baseline>,
    known: Known,
    extent: Extent,
    talk: &dyn Talk,
) -> Result<Graded, LifeError> {
    let sticky = known.sticky.clone();
    let case = Case {
        target: known.target,
        session: known.session,
        sticky: known.sticky,
        hints_cost: known.hints_cost,
        ..Case::new(lab, baseline)
    };
    let mut plan = match extent {
        Extent::Full => Plan::full(case),
        Extent::Passive => Plan::passive(case),
        Extent::AfterControl(at_most) => Plan::after_control(case, at_most),
        Extent::Opening(patience) => Plan::opening(case, patience),
    };
    let mut run = Run { target, journal, began: Timestamp::now(), clock: Instant::now(), passed: Duration::ZERO };
    let mut answer = Answer::Begin;
    let report = loop {
        let step = plan.next(run.elapsed(), answer);
        tell(&plan.doing(), run.elapsed(), talk);
        answer = match step {
            Step::Observe { queries, since } => {
                Answer::Observed(target.observe(&queries, since.unwrap_or(run.began)).await)
            }
            Step::Pull { changes, .. } => Answer::Pulled(run.pull(&changes).await?),
            Step::Pass(time) => {
                run.pass(time).await?;
                Answer::Passed
            }
            Step::Done(report) => break *report,
        };
    };
    target.rest().await;
    let sticky = sticky.into_iter().chain(report.safeguards.iter().filter(|it| it.sticky).map(|it| it.name.clone()));
    Ok(Graded { sticky: sticky.collect(), report })
}

/// The edge of one run.
struct Run<'a> {
    target: &'a dyn Target,
    journal: &'a Journal,
    began: Timestamp,
    clock: Instant,
    passed: Duration,
}

impl Run<'_> {
    /// How long the run has lasted by the target's clock.
    fn elapsed(&self) -> Duration {
        if self.target.skips_time() { self.passed } else { self.clock.elapsed() }
    }

    async fn pass(&mut self, time: Duration) -> Result<(), LifeError> {
        self.target.pass(time).await?;
        self.passed += time;
        Ok(())
    }

    /// Makes a trigger's changes, each on record before it is made. What the target refuses is a failure of the observation.
    async fn pull(&mut self, changes: &[Change]) -> Result<Result<Timestamp, Failure>, LifeError> {
        let step = journal::Step::Trigger;
        self.journal.write(&Entry::Begin { step })?;
        let at = self.target.today().await;
        let mut result = Ok(at);
        for change in changes {
            if let Err(error) = self.target.change(change, self.journal).await {
                result = Err(failure(&error));
                break;
            }
        }
        self.journal.write(&Entry::Done { step })?;
        Ok(result)
    }
}

fn failure(error: &TargetError) -> Failure {
    Failure { what: "make the trigger's changes".to_owned(), why: error.chain(), hint: error.hints.first().cloned() }
}

fn tell(doing: &Doing, elapsed: Duration, talk: &dyn Talk) {
    let left = |until: Duration| until.saturating_sub(elapsed).as_secs();
    match doing {
        Doing::Looking { until: None } => talk.now("looking"),
        Doing::Looking { until: Some(until) } => talk.now(&format!("looking, {} s at most", left(*until))),
        Doing::Guarding { objective, .. } => talk.now(&format!("{objective}: looking before trying it")),
        Doing::Pulling { objective } => talk.now(&format!("{objective}: trying it")),
        Doing::Converging { objective, until } => {
            talk.now(&format!("{objective}: waiting until it is so, {} s at most", left(*until)));
        }
        Doing::Holding { objectives, until } => {
            talk.now(&format!("{}: watching whether it stays so, {} s more", objectives.join(", "), left(*until)));
        }
        Doing::Finished => {}
    }
}
