//! `step`: where a guided lab is, and how it goes on.

use std::sync::Arc;

use breakfix_stage::life;

use crate::{
    app::App,
    args::StepArgs,
    exit::{self, Exit},
    failure::Failure,
    guide, interrupt,
    out::Tone,
};

pub async fn run(app: &App, args: &StepArgs) -> Result<Exit, Failure> {
    let mut open = app.open_session().await?;
    let steps = open.lab.lab.steps.len();
    if steps == 0 {
        return Err(Failure::usage("this lab has no steps; it is yours to explore").hint("`breakfix hint` helps"));
    }
    let baseline = Arc::new(app.baseline_of(&open.session)?);
    let from = open.session.step;
    // By hand past the present one; then past all that are done already.
    let from = if args.next { (from + 1).min(steps) } else { from };
    let work = life::advance(&open.lab, &*open.target, baseline, from);
    let Some(step) = interrupt::unless_interrupted(work).await else {
        return Err(Failure::trouble("interrupted; nothing was changed"));
    };
    if step != open.session.step {
        open.session.step = step;
        open.session.save(&app.home)?;
    }
    if app.out.json {
        app.out.json(&guide::json(&open.session, &open.lab))?;
        return Ok(exit::DONE);
    }
    if args.all {
        let done = open.lab.lab.steps.iter().take(step).enumerate();
        for (number, step) in done {
            let text = crate::prose::lay_out(&app.out, &step.text, 2);
            app.out.line(&format!("{}\n{text}", app.out.paint(Tone::Faint, &format!("Step {}, done", number + 1))))?;
        }
    }
    match guide::lay_out(&app.out, &open.session, &open.lab, "`breakfix step --next`") {
        Some(text) => app.out.line(&text)?,
        None => app.out.line("That was the last step. `breakfix check` grades what the system does now.")?,
    }
    Ok(exit::DONE)
}
