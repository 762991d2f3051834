//! A lab proves itself: the fault shows, honest fixes reach the full score, wrong ones do not solve it, a reset breaks it again,
//! and nothing is left behind.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use breakfix_grade::{Baseline, Report, report::Outcome};
use breakfix_lab::{Change, LoadedLab, change};
use serde::{Deserialize, Serialize};

use super::{Extent, LifeError, Talk, grade, grading::Known, open, reset, stop};
use crate::{
    Home, Journal, Session, Target,
    journal::{Entry, Step},
};

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
                opened.baseline
            }
            Err(error @ LifeError::Unsupported { .. }) => return Ok(Some(error.to_string())),
            Err(error) => {
                self.add("opens", Expected::Broken, clock, Err(&error), error_line(&error));
                return Ok(None);
            }
        };
        let mut fresh = true;
        for (name, changes) in controls(self.lab) {
            if !only.is_empty() && !only.contains(&name) {
                continue;
            }
            let clock = Instant::now();
            self.talk.now(&format!("{}: {name}", self.lab.id()));
            if !fresh {
                match reset(self.home, session, self.lab, self.target, &self.journal, self.talk).await {
                    Ok(opened) => baseline = opened.baseline,
                    Err(error) => {
                        self.add(
                            &format!("reset-before-{name}"),
                            Expected::Broken,
                            clock,
                            Err(&error),
                            error_line(&error),
                        );
                        continue;
                    }
                }
            }
            fresh = false;
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
        for change in changes {
            if let Err(error) = self.target.change(change, &self.journal).await {
                // A wrong fix that the system itself refuses is refused: the grader then judges what is there.
                if honest {
                    let error = LifeError::from(error);
                    self.add(
                        name,
                        expected,
                        clock,
                        Err(&error),
                        format!("could not be applied: {}", error_line(&error)),
                    );
                    return Ok(());
                }
                break;
            }
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
        Ok(())
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

fn line(name: &str, verdict: &breakfix_grade::Verdict) -> String {
    match verdict {
        breakfix_grade::Verdict::Met { .. } => format!("{name} was violated on the way"),
        breakfix_grade::Verdict::NotMet { reason, .. } => format!("{name}: {reason}"),
        breakfix_grade::Verdict::Unknown { reason } => format!("{name} unknown: {reason}"),
    }
}

fn verdicts(report: &Report) -> BTreeMap<String, String> {
    report.objectives.iter().map(|it| (it.name.clone(), it.verdict.word().to_owned())).collect()
}

fn error_line(error: &LifeError) -> String {
    match error {
        LifeError::Target(error) => error.chain(),
        other => other.to_string(),
    }
}

/// The lab's controls and the generic wrong fixes of every lab.
fn controls(lab: &LoadedLab) -> Vec<(String, Vec<Change>)> {
    let mut controls: Vec<(String, Vec<Change>)> =
        lab.lab.controls.iter().map(|(name, changes)| (name.clone(), changes.clone())).collect();
    controls.push(("generic-no-change".to_owned(), Vec::new()));
    let workloads = lab.documents.iter().filter(|it| ["Deployment", "StatefulSet"].contains(&it.kind.as_str()));
    let to_zero: Vec<Change> = workloads
        .map(|document| {
            Change::Scale(change::Scale {
                kind: document.kind.clone(),
                name: document.name.clone(),
                namespace: document.namespace.clone(),
                replicas: 0,
            })
        })
        .collect();
    if !to_zero.is_empty() {
        controls.push(("generic-scale-to-zero".to_owned(), to_zero));
    }
    let remove: Vec<Change> = lab
        .documents
        .iter()
        .filter(|it| it.kind == "Container")
        .map(|document| {
            Change::Stop(change::ObjectRef {
                kind: document.kind.clone(),
                name: document.name.clone(),
                namespace: None,
            })
        })
        .collect();
    if !remove.is_empty() {
        controls.push(("generic-stop-everything".to_owned(), remove));
    }
    controls
}

#[cfg(test)]
mod tests {
    use breakfix_lab::Catalogue;

    use super::*;

    #[test]
    fn every_lab_is_tried_without_any_change_and_without_any_workload() {
        for source in Catalogue::embedded().list() {
            let lab = source.load().unwrap();
            let names: Vec<String> = controls(&lab).into_iter().map(|(name, _)| name).collect();
            assert!(names.iter().any(|name| name == "generic-no-change"), "{names:?}");
            assert!(names.iter().filter(|name| name.starts_with("generic-")).count() >= 2, "{names:?}");
        }
    }
}
