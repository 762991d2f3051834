//! A lab proves itself: the fault shows, honest fixes reach the full score, wrong ones do not solve it, a reset breaks it again,
//! and nothing is left behind.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use breakfix_grade::{Baseline, Case, Report, Verdict, report::Outcome};
use breakfix_lab::{Change, LoadedLab};
use serde::{Deserialize, Serialize};

use super::{Extent, LifeError, Talk, generic, grade, grading::Known, making, open, reset, step_verdicts, stop};
use crate::{
    Home, Journal, Session, Target,
    journal::{Entry, Step},
    target::WayBack,
};

/// A lab has to be as broken after so many resets. From then on a target that knows a way back goes it: the state is the same, and a reset
/// builds the whole system again.
const RESETS: u32 = 2;

/// What a lab's proof showed on one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The lab's name.
    pub id: String,
    pub target: String,
    pub passed: bool,
    /// The lab needs what the target cannot do; there are no scenarios then, and it counts as neither passed nor failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    pub scenarios: Vec<Scenario>,
}

/// One scenario of a proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// `opens`, a control's name, `generic-*`, or `leaves-nothing-behind`.
    pub control: String,
    pub expected: Expected,
    /// `met`, `not_met` or `unknown` by objective.
    pub verdicts: BTreeMap<String, String>,
    pub passed: bool,
    /// It could not be told: trouble of the target's or of ours.
    pub unknown: bool,
    /// Seconds of wall time.
    pub seconds: f64,
    /// Why it did not pass, or what it reached.
    pub note: String,
}

/// What a scenario has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Every objective fails.
    Broken,
    /// Full score.
    Solved,
    /// Anything but solved.
    NotSolved,
    /// The target holds what it held before.
    Clean,
}

/// Proves one lab on one target. `only`: the controls to run, by name; empty for all.
///
/// # Errors
/// The disk's. Trouble of the target's stands in the proof.
pub async fn prove(
    home: &Home,
    session: &mut Session,
    lab: &LoadedLab,
    target: &dyn Target,
    only: &[String],
    talk: &dyn Talk,
) -> Result<Proof, LifeError> {
    let journal = Journal::open(&session.folder(home))?;
    let mut proving = Proving { home, lab, target, journal, talk, scenarios: Vec::new() };
    let before = target.inventory().await?;
    let unsupported = proving.run(session, only).await?;
    proving.leaves_nothing(session, &before).await?;
    let scenarios = proving.scenarios;
    Ok(Proof {
        id: lab.id().to_owned(),
        target: session.target.to_string(),
        passed: unsupported.is_none() && scenarios.iter().all(|it| it.passed),
        unsupported,
        scenarios,
    })
}

struct Proving<'a> {
    home: &'a Home,
    lab: &'a LoadedLab,
    target: &'a dyn Target,
    journal: Journal,
    talk: &'a dyn Talk,
    scenarios: Vec<Scenario>,
}

impl Proving<'_> {
    /// Opens, then runs every control from the broken state. Says why where the lab is unsupported here.
    async fn run(&mut self, session: &mut Session, only: &[String]) -> Result<Option<String>, LifeError> {
        let clock = Instant::now();
        let opened = open(self.home, session, self.lab, self.target, &self.journal, self.talk).await;
        let mut baseline = match opened {
            Ok(opened) => {
                self.add("opens", Expected::Broken, clock, Ok(None), String::new());
                self.steps("steps-wait", Expected::Broken, &opened.baseline).await;
                opened.baseline
            }
            Err(error) if error.is_unsupported() => return Ok(Some(error.to_string())),
            Err(error) => {
                self.add("opens", Expected::Broken, clock, Err(&error), error_line(&error));
                return Ok(None);
            }
        };
        let mut begun = 0;
        let mut way_back: Option<WayBack> = None;
        for (name, changes) in controls(self.lab) {
            if !only.is_empty() && !only.contains(&name) {
                continue;
            }
            let clock = Instant::now();
            self.talk.now(&format!("{}: {name}", self.lab.id()));
            begun += 1;
            if let Some(way_back) = &way_back {
                way_back();
            } else if begun > 1 {
                match reset(self.home, session, self.lab, self.target, &self.journal, self.talk).await {
                    Ok(opened) => baseline = opened.baseline,
                    Err(error) => {
                        let name = format!("reset-before-{name}");
                        self.add(&name, Expected::Broken, clock, Err(&error), error_line(&error));
                        continue;
                    }
                }
                if begun > RESETS {
                    way_back = self.target.way_back();
                }
            }
            self.control(session, &name, &changes, &baseline, clock).await?;
        }
        Ok(None)
    }

    async fn control(
        &mut self,
        session: &Session,
        name: &str,
        changes: &[Change],
        baseline: &Arc<Baseline>,
        clock: Instant,
    ) -> Result<(), LifeError> {
        let honest = name == "reference" || name.starts_with("alternative-");
        let expected = if honest { Expected::Solved } else { Expected::NotSolved };
        self.journal.write(&Entry::Begin { step: Step::Control })?;
        let case = Case::new(self.lab, Arc::clone(baseline));
        let made = making::make(self.target, &self.journal, &case, changes).await;
        // A wrong fix that the system itself refuses is refused: the grader then judges what is there.
        if let (true, Err(error)) = (honest, made) {
            let error = LifeError::from(error);
            let note = format!("could not be applied: {}", error_line(&error));
            self.add(name, expected, clock, Err(&error), note);
            return Ok(());
        }
        self.journal.write(&Entry::Done { step: Step::Control })?;
        let patience = (!honest && !self.target.skips_time()).then(|| session.target.settles_within());
        let graded = grade(
            self.lab,
            self.target,
            &self.journal,
            Arc::clone(baseline),
            Known::of(session, self.lab),
            Extent::AfterControl(patience),
            self.talk,
        )
        .await?;
        self.add(name, expected, clock, Ok(Some(&graded.report)), String::new());
        if name == "reference" {
            self.steps("steps-go-on", Expected::Solved, baseline).await;
        }
        Ok(())
    }

    /// The steps of a guided lab that carry a check: none goes by before the learner has done anything, all do once the reference is in place.
    async fn steps(&mut self, name: &str, expected: Expected, baseline: &Arc<Baseline>) {
        let clock = Instant::now();
        let all = 0..self.lab.lab.steps.len();
        let steps = step_verdicts(self.lab, self.target, Arc::clone(baseline), all).await;
        if steps.is_empty() {
            return;
        }
        let wanted = |verdict: &Verdict| match expected {
            Expected::Broken | Expected::NotSolved => verdict.is_not_met(),
            Expected::Solved | Expected::Clean => verdict.is_met(),
        };
        let wrong = steps.iter().filter(|(_, verdict)| !wanted(verdict));
        let wrong: Vec<String> =
            wrong.map(|(step, verdict)| format!("step {} is {}", step + 1, verdict.word())).collect();
        self.scenarios.push(Scenario {
            control: name.to_owned(),
            expected,
            verdicts: steps.iter().map(|(step, it)| (format!("step-{}", step + 1), it.word().to_owned())).collect(),
            passed: wrong.is_empty(),
            unknown: steps.iter().any(|(_, verdict)| verdict.is_unknown()),
            seconds: clock.elapsed().as_secs_f64(),
            note: wrong.join("; "),
        });
    }

    /// Stops the session and compares what the target holds with what it held.
    async fn leaves_nothing(&mut self, session: &mut Session, before: &[String]) -> Result<(), LifeError> {
        let clock = Instant::now();
        let stopped = stop(self.home, session, self.target, &self.journal, self.talk).await;
        let name = "leaves-nothing-behind";
        if let Err(error) = &stopped {
            self.add(name, Expected::Clean, clock, Err(error), error_line(error));
            return Ok(());
        }
        let after = self.target.inventory().await?;
        let left: Vec<String> =
            after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}")).collect();
        let lost: Vec<String> =
            before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}")).collect();
        let difference = [left, lost].concat();
        let passed = difference.is_empty();
        self.scenarios.push(Scenario {
            control: name.to_owned(),
            expected: Expected::Clean,
            verdicts: BTreeMap::new(),
            passed,
            unknown: false,
            seconds: clock.elapsed().as_secs_f64(),
            note: difference.join("; "),
        });
        Ok(())
    }

    /// Enters a scenario. `report`: what was graded, nothing where nothing had to be, or what kept it from being graded.
    fn add(
        &mut self,
        control: &str,
        expected: Expected,
        clock: Instant,
        report: Result<Option<&Report>, &LifeError>,
        note: String,
    ) {
        let verdicts = report.ok().flatten().map(verdicts).unwrap_or_default();
        let (passed, unknown, note) = match report {
            Err(error) => (false, !matches!(error, LifeError::NotBroken { .. } | LifeError::Lab { .. }), note),
            Ok(None) => (true, false, note),
            Ok(Some(report)) => judge(expected, report),
        };
        self.scenarios.push(Scenario {
            control: control.to_owned(),
            expected,
            verdicts,
            passed,
            unknown,
            seconds: clock.elapsed().as_secs_f64(),
            note,
        });
    }
}

/// Whether a report shows what was expected, whether that can be told, and in a few words why.
fn judge(expected: Expected, report: &Report) -> (bool, bool, String) {
    let open = report.objectives.iter().filter(|it| !it.verdict.is_met()).map(|it| (&it.name, &it.verdict));
    let violated = report.safeguards.iter().filter(|it| it.is_violated() || it.verdict.is_unknown());
    let mut reasons: Vec<String> =
        open.chain(violated.map(|it| (&it.name, &it.verdict))).map(|(name, verdict)| line(name, verdict)).collect();
    reasons.truncate(4);
    let note = format!("score {}; {}", report.score, reasons.join("; "));
    let unknown = report.outcome() == Outcome::CouldNotCheck;
    let passed = match expected {
        Expected::Solved => report.solved && report.score == 100,
        Expected::NotSolved | Expected::Broken => !report.solved && !unknown,
        Expected::Clean => true,
    };
    (passed, unknown, note)
}

fn line(name: &str, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Met { .. } => format!("{name} was violated on the way"),
        Verdict::NotMet { reason, .. } => format!("{name}: {reason}"),
        Verdict::Unknown { reason } => format!("{name} unknown: {reason}"),
    }
}

fn verdicts(report: &Report) -> BTreeMap<String, String> {
    report.objectives.iter().map(|it| (it.name.clone(), it.verdict.word().to_owned())).collect()
}

fn error_line(error: &LifeError) -> String {
    match error {
        // What to try is half of the message: a cluster without the images names the archive that holds them.
        LifeError::Target(error) => {
            let chain = error.chain();
            std::iter::once(chain.as_str())
                .chain(error.hints.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(" | ")
        }
        other => other.to_string(),
    }
}

/// The lab's controls and the generic wrong fixes of every lab.
fn controls(lab: &LoadedLab) -> Vec<(String, Vec<Change>)> {
    let own = lab.lab.controls.iter().map(|(name, changes)| (name.clone(), changes.clone()));
    own.chain(generic::controls(lab)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Cause, TargetError};

    #[test]
    fn trouble_is_told_with_what_to_try() {
        let error =
            TargetError::new(Cause::Refused, "run it: no image").because("pull").hint("load a.tar").hint("or b");
        assert_eq!(error_line(&LifeError::Target(error)), "run it: no image: pull | load a.tar | or b");
    }
}
