//! One check run: the loop that does what a [`Plan`] says, and nothing else.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use breakfix_grade::{
    Baseline, Failure, Moved, Query, Report,
    plan::{Answer, Case, Doing, Plan, Step, Unpulled},
};
use breakfix_lab::{Change, LoadedLab};
use jiff::{SignedDuration, Timestamp};

use super::{LifeError, Talk, making, noting::Noting, rest};
use crate::{
    Journal, Session, Target, TargetError,
    journal::{self, Entry, Undo},
    target::Cause,
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
    /// The healthy system, before anything was handed over: objectives alone. Safeguards compare with what was handed over, so that none could be
    /// met yet, and waiting for them would be in vain.
    Healthy(Duration),
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
    let epoch = baseline.epoch;
    let case = Case {
        target: known.target,
        session: known.session,
        sticky: known.sticky,
        hints_cost: known.hints_cost,
        ..Case::new(lab, baseline)
    };
    let case = case.with_run(&target.nonce()).map_err(|error| LifeError::Lab {
        lab: lab.id().to_owned(),
        what: format!("its checks cannot be filled in: {error}"),
    })?;
    let judging = case.clone();
    let mut plan = match extent {
        Extent::Full => Plan::full(case),
        Extent::Passive => Plan::passive(case),
        Extent::AfterControl(at_most) => Plan::after_control(case, at_most),
        Extent::Healthy(within) => Plan::after_control(Case { safeguards: Vec::new(), ..case }, Some(within)),
        Extent::Opening(patience) => Plan::opening(case, patience),
    };
    let mut run = Run {
        target,
        case: judging,
        journal,
        noting: Noting::new(journal, Vec::new()),
        tried: None,
        began: None,
        clock: Instant::now(),
        passed: Duration::ZERO,
        epoch,
    };
    let mut answer = Answer::Begin;
    let report = loop {
        let step = plan.next(run.elapsed(), answer);
        let doing = plan.doing();
        tell(&doing, run.elapsed(), talk);
        run.over(&doing).await?;
        answer = match step {
            Step::Observe { queries, since } => {
                let since = match since {
                    Some(since) => since,
                    None => run.began(&queries).await,
                };
                let by = run.dates_moved().await;
                let observed = target.observe(&queries, since).await;
                plan.dates_moved(Moved { by, meanwhile: run.dates_moved().await });
                Answer::Observed(observed)
            }
            Step::Pull { changes, objective } => {
                let (pulled, moved) = run.pull(objective, &changes).await?;
                plan.dates_moved(Moved { by: moved, ..Moved::default() });
                Answer::Pulled(pulled)
            }
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
    /// What judges the checks that a trigger awaits.
    case: Case,
    journal: &'a Journal,
    noting: Noting<'a>,
    /// The objective whose trigger was pulled and is not put right yet.
    tried: Option<String>,
    /// On the target's clock, once it was needed.
    began: Option<Timestamp>,
    clock: Instant,
    passed: Duration,
    /// Of the target's dates, when they were looked at last: what is remembered of them has to move with them. Known from the beginning where the
    /// baseline's dates are compared, or else from the first trigger on.
    epoch: Option<Timestamp>,
}

impl Run<'_> {
    /// How long the run has lasted by the target's clock.
    fn elapsed(&self) -> Duration {
        if self.target.skips_time() { self.passed } else { self.clock.elapsed() }
    }

    /// When the run began by the clock that the target's events are stamped with. That clock is read only for a query that
    /// compares with it: on some targets it costs as much as all the others.
    async fn began(&mut self, queries: &BTreeSet<Query>) -> Timestamp {
        if let Some(began) = self.began {
            return began;
        }
        if !queries.iter().any(|query| matches!(query, Query::Events { .. })) {
            return Timestamp::now();
        }
        let now = self.target.today().await;
        let began = SignedDuration::try_from(self.elapsed()).ok().and_then(|elapsed| now.checked_sub(elapsed).ok());
        *self.began.insert(began.unwrap_or(now))
    }

    async fn pass(&mut self, time: Duration) -> Result<(), LifeError> {
        self.target.pass(time).await?;
        self.passed += time;
        Ok(())
    }

    /// Makes a trigger's changes, each on record before it is made, and says when it began and by how much the target's dates were moved since they
    /// were looked at last. What the target refuses is a failure of the observation.
    async fn pull(
        &mut self,
        objective: String,
        changes: &[Change],
    ) -> Result<(Result<Timestamp, Unpulled>, SignedDuration), LifeError> {
        self.journal.write(&Entry::Begin { step: journal::Step::Trigger })?;
        self.tried = Some(objective);
        if self.epoch.is_none() {
            self.epoch = self.target.epoch().await;
        }
        let at = self.target.today().await;
        let before = self.dates_moved().await;
        let made = self.make(changes).await?;
        let moved = self.dates_moved().await;
        let pulled = made.map(|()| at.checked_sub(moved).unwrap_or(at)).map_err(|error| match error.cause {
            Cause::Denied => Unpulled::Denied(error.chain()),
            _ => Unpulled::Failed(failure(&error)),
        });
        Ok((pulled, before + moved))
    }

    /// By how much the target has moved its dates into the past since this was asked last; nothing where nobody has to know.
    async fn dates_moved(&mut self) -> SignedDuration {
        let Some(before) = self.epoch else { return SignedDuration::ZERO };
        let now = self.target.epoch().await.unwrap_or(before);
        self.epoch = Some(now);
        before.duration_since(now)
    }

    /// Makes the changes, each after a note of what it leaves to be put back.
    async fn make(&self, changes: &[Change]) -> Result<Result<(), TargetError>, LifeError> {
        let mut noted = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let rest = rest::rest(changes, at);
            if rest != noted {
                self.noting.note(rest::note(&rest))?;
                noted = rest;
            }
            if let Err(error) = making::make(self.target, &self.noting, &self.case, std::slice::from_ref(change)).await
            {
                return Ok(Err(error));
            }
        }
        if !noted.is_empty() {
            self.noting.note(rest::note(&[]))?;
        }
        Ok(Ok(()))
    }

    /// Once the objective is over, what its trigger noted and did not settle is put right: a node is opened, a Job removed.
    async fn over(&mut self, doing: &Doing) -> Result<(), LifeError> {
        if self.tried.as_ref().is_none_or(|objective| is_about(doing, objective)) {
            return Ok(());
        }
        self.noting.put_right(self.target).await?;
        self.journal.write(&Entry::Done { step: journal::Step::Trigger })?;
        self.tried = None;
        Ok(())
    }
}

fn is_about(doing: &Doing, name: &str) -> bool {
    match doing {
        Doing::Pulling { objective } | Doing::Converging { objective, .. } => objective == name,
        Doing::Holding { objectives, .. } => objectives.iter().any(|it| it == name),
        Doing::Looking { .. } | Doing::Guarding { .. } | Doing::Finished => false,
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
