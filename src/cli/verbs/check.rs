//! `check`: grades the system as it is now.

use std::sync::Arc;

use breakfix_grade::{Baseline, Report, report::Outcome};
use breakfix_stage::life::{self, Extent, Graded, Known, Talk};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    app::{App, Open},
    args::CheckArgs,
    exit::{self, Exit},
    failure::Failure,
    guide, interrupt,
    keep::Progress,
    out::Working,
    show, watch,
};

pub async fn run(app: &App, args: &CheckArgs) -> Result<Exit, Failure> {
    if args.watch {
        return watch::run(app).await;
    }
    let mut open = app.open_session().await?;
    let baseline = Arc::new(app.baseline_of(&open.session)?);
    let graded = {
        let working = Working::start(&app.out);
        interrupt::unless_interrupted(grade(&open, &baseline, Extent::Full, &working)).await
    };
    let Some(graded) = graded else {
        interrupt::cleaning_up(leave(app, &mut open)).await??;
        return Err(Failure::trouble("interrupted; nothing was graded, and the lab is as it was"));
    };
    let graded = graded?;
    settle(app, &mut open, &graded, Asked::ByHand)?;
    go_on(app, &mut open, &baseline).await?;
    print(app, &graded.report, &open)?;
    Ok(code(&graded.report))
}

/// What a run found, on stdout.
///
/// # Errors
/// stdout's.
pub fn print(app: &App, report: &Report, open: &Open) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Printed<'a> {
        #[serde(flatten)]
        report: &'a Report,
        guide: serde_json::Value,
    }
    if app.out.json {
        return app.out.json(&Printed { report, guide: guide::json(&open.session, &open.lab) });
    }
    show::report(&app.out, report, &open.lab)?;
    if let Some(step) = guide::lay_out(&app.out, &open.session, &open.lab, "`breakfix step --next`")
        && !report.solved
    {
        app.out.line(&format!("\n{step}"))?;
    }
    Ok(())
}

/// Grades an open session.
///
/// # Errors
/// As [`life::grade`].
pub async fn grade(open: &Open, baseline: &Arc<Baseline>, extent: Extent, talk: &dyn Talk) -> Result<Graded, Failure> {
    let known = Known::of(&open.session, &open.lab);
    let baseline = Arc::clone(baseline);
    Ok(life::grade(&open.lab, &*open.target, &open.journal, baseline, known, extent, talk).await?)
}

/// Takes up, after an interrupted run, what it had under way on the system.
///
/// # Errors
/// As [`life::recover`]; the next command tries again.
pub async fn leave(app: &App, open: &mut Open) -> Result<(), Failure> {
    open.target.rest().await;
    life::recover(&app.home, &mut open.session, Some(&open.lab), &*open.target, &open.journal, &life::Silent).await?;
    Ok(())
}

/// Who wanted a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The learner.
    ByHand,
    /// `--watch`, once more.
    Again,
}

/// Keeps what a run found.
///
/// # Errors
/// The disk's.
pub fn settle(app: &App, open: &mut Open, graded: &Graded, asked: Asked) -> Result<(), Failure> {
    let session = &mut open.session;
    let before = session.clone();
    session.sticky.clone_from(&graded.sticky);
    session.checks += u32::from(asked == Asked::ByHand);
    session.best = session.best.max(graded.report.score);
    session.last = graded.report.objectives.iter().map(|it| (it.name.clone(), it.verdict.word().to_owned())).collect();
    let first = graded.report.solved && session.solved.is_none();
    if first {
        session.solved = Some(Timestamp::now());
    }
    if graded.report.solved {
        session.step = open.lab.lab.steps.len();
    }
    if *session != before {
        session.save(&app.home)?;
    }
    if !session.gave_up && (first || session.best > before.best) {
        let mut progress = Progress::load(&app.home)?;
        let entry = progress.of(session);
        entry.best = entry.best.max(session.best);
        if first {
            entry.solved = entry.solved.or(session.solved);
            entry.target = Some(session.target.to_string());
        }
        progress.save(&app.home)?;
    }
    Ok(())
}

/// Goes on in a guided lab, past every step that is done now.
///
/// # Errors
/// The disk's.
pub async fn go_on(app: &App, open: &mut Open, baseline: &Arc<Baseline>) -> Result<(), Failure> {
    if guide::present(&open.session, &open.lab).is_none_or(|step| step.check.is_none()) {
        return Ok(());
    }
    let step = life::advance(&open.lab, &*open.target, Arc::clone(baseline), open.session.step).await;
    if step != open.session.step {
        open.session.step = step;
        open.session.save(&app.home)?;
    }
    Ok(())
}

/// The exit code for a report.
pub fn code(report: &Report) -> Exit {
    match report.outcome() {
        Outcome::Solved => exit::DONE,
        Outcome::NotYet => exit::NOT_YET,
        Outcome::CouldNotCheck => exit::TROUBLE,
    }
}
