//! `check`: grades the system as it is now.

use std::{sync::Arc, time::Duration};

use breakfix_grade::{Baseline, Report, report::Outcome};
use breakfix_stage::life::{self, Extent, Graded, Known, Talk};
use jiff::Timestamp;

use crate::{
    app::{App, Open},
    args::CheckArgs,
    exit::{self, Exit},
    failure::Failure,
    keep::Progress,
    out::Working,
    show,
};

/// How often `--watch` looks.
const WATCH_EVERY: Duration = Duration::from_secs(2);

pub async fn run(app: &App, args: &CheckArgs) -> Result<Exit, Failure> {
    let mut open = app.open_session().await?;
    let baseline = open.session.baseline(&app.home)?.ok_or_else(|| {
        Failure::trouble(format!("the baseline of {} is gone", open.session.id))
            .hint("`breakfix reset` opens the lab again")
    })?;
    let baseline = Arc::new(baseline);
    if args.watch {
        return watch(app, &mut open, &baseline).await;
    }
    let graded = {
        let working = Working::start(&app.out);
        grade(&open, &baseline, Extent::Full, &working).await?
    };
    settle(app, &mut open, &graded)?;
    let report = &graded.report;
    if app.out.json {
        app.out.json(report)?
    } else {
        show::report(&app.out, report, &open.lab)?
    }
    Ok(code(report))
}

/// Grades what can be seen at once, again and again, and shows every change; then, when all of that is met, the rest.
async fn watch(app: &App, open: &mut Open, baseline: &Arc<Baseline>) -> Result<Exit, Failure> {
    app.out.say("Watching; Ctrl-C ends it.");
    let mut shown: Option<String> = None;
    loop {
        let mut graded = grade(open, baseline, Extent::Passive, &life::Silent).await?;
        let ready = graded.report.objectives.iter().all(|it| it.verdict.is_met() || it.pending);
        if ready && !graded.report.solved {
            let working = Working::start(&app.out);
            graded = grade(open, baseline, Extent::Full, &working).await?;
        }
        settle(app, open, &graded)?;
        let text = show::report_text(&app.out, &graded.report, &open.lab);
        if shown.as_ref() != Some(&text) {
            if app.out.json {
                app.out.json(&graded.report)?
            } else {
                app.out.line(&format!("{text}\n"))?
            }
            shown = Some(text);
        }
        if graded.report.solved {
            return Ok(exit::DONE);
        }
        tokio::select! {
            () = tokio::time::sleep(WATCH_EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(code(&graded.report)),
        }
    }
}

async fn grade(open: &Open, baseline: &Arc<Baseline>, extent: Extent, talk: &dyn Talk) -> Result<Graded, Failure> {
    let known = Known::of(&open.session, &open.lab);
    let baseline = Arc::clone(baseline);
    Ok(life::grade(&open.lab, &*open.target, &open.journal, baseline, known, extent, talk).await?)
}

/// Keeps what a run found.
fn settle(app: &App, open: &mut Open, graded: &Graded) -> Result<(), Failure> {
    let session = &mut open.session;
    let before = session.clone();
    session.sticky.clone_from(&graded.sticky);
    session.checks += 1;
    session.best = session.best.max(graded.report.score);
    session.last = graded.report.objectives.iter().map(|it| (it.name.clone(), it.verdict.word().to_owned())).collect();
    let first = graded.report.solved && session.solved.is_none();
    if first {
        session.solved = Some(Timestamp::now());
    }
    session.save(&app.home)?;
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

fn code(report: &Report) -> Exit {
    match report.outcome() {
        Outcome::Solved => exit::DONE,
        Outcome::NotYet => exit::NOT_YET,
        Outcome::CouldNotCheck => exit::TROUBLE,
    }
}
