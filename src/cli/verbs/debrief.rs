//! `debrief`: what had happened, the way to think about it, how it looks elsewhere.

use serde_json::json;

use crate::{
    app::App,
    args::DebriefArgs,
    exit::{self, Exit},
    failure::Failure,
    prose,
};

pub fn run(app: &App, args: &DebriefArgs) -> Result<Exit, Failure> {
    let session = app.chosen()?;
    let lab = app.lab_of(&session)?;
    if session.solved.is_none() && !session.gave_up {
        if !args.give_up {
            return Err(Failure::usage("the debrief tells the cause; solve the lab first").hint(
                "`breakfix hint` helps; `breakfix debrief --give-up` shows it, and the lab does not count as solved",
            ));
        }
        let (mut session, _guard) = app.chosen_alone()?;
        session.gave_up = true;
        session.save(&app.home)?;
    }
    if app.out.json {
        app.out.json(&json!({"lab": session.lab, "debrief": lab.debrief}))?;
    } else {
        app.out.line(&prose::lay_out(&app.out, &lab.debrief, 0))?;
    }
    Ok(exit::DONE)
}
