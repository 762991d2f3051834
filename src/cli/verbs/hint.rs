//! `hint`: the next hint of the first objective that is not met.

use breakfix_lab::{
    LoadedLab,
    lab::{Hint, Objective},
};
use breakfix_stage::Session;
use serde_json::json;

use crate::{
    app::App,
    args::HintArgs,
    exit::{self, Exit},
    failure::Failure,
    prose,
};

/// The hint that comes next.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    pub objective: &'a Objective,
    pub hint: &'a Hint,
    /// How many of the objective's were shown before.
    pub taken: usize,
}

impl Next<'_> {
    /// Notes that it was shown.
    ///
    /// # Errors
    /// The disk's.
    pub fn take(&self, app: &App, session: &mut Session) -> Result<(), Failure> {
        session.hints.insert(self.objective.name.clone(), self.taken + 1);
        Ok(session.save(&app.home)?)
    }
}

/// The next hint of the objective named, or of the first that was not met when last looked at and has one left.
pub fn next<'a>(session: &Session, lab: &'a LoadedLab, named: Option<&str>) -> Option<Next<'a>> {
    let wanted = |name: &str| match named {
        Some(named) => named == name,
        None => session.last.get(name).is_none_or(|word| word != "met"),
    };
    lab.lab.objectives.iter().filter(|it| wanted(&it.name)).find_map(|objective| {
        let taken = session.hints.get(&objective.name).copied().unwrap_or(0);
        objective.hints.get(taken).map(|hint| Next { objective, hint, taken })
    })
}

pub fn run(app: &App, args: &HintArgs) -> Result<Exit, Failure> {
    let (mut session, _guard) = app.chosen_alone()?;
    let lab = app.lab_of(&session)?;
    let objectives = &lab.lab.objectives;
    if let Some(name) = &args.objective
        && !objectives.iter().any(|it| it.name == *name)
    {
        let names: Vec<&str> = objectives.iter().map(|it| it.name.as_str()).collect();
        return Err(
            Failure::usage(format!("this lab has no objective `{name}`")).hint(format!("it has: {}", names.join(", ")))
        );
    }
    let Some(next) = next(&session, &lab, args.objective.as_deref()) else {
        return Err(Failure::usage("there is no further hint")
            .hint("`breakfix debrief --give-up` tells the whole story; the lab then does not count as solved"));
    };
    next.take(app, &mut session)?;
    let Next { objective, hint, taken } = next;
    let left = objective.hints.len() - taken - 1;
    if app.out.json {
        app.out.json(&json!({"objective": objective.name, "cost": hint.cost, "text": hint.text, "left": left}))?;
    } else {
        app.out.line(&prose::lay_out(&app.out, &hint.text, 0))?;
        let total = session.hints_cost(&lab);
        app.out.say(&format!("\n{}: this hint costs {} points; {total} in all.", objective.title, hint.cost));
    }
    Ok(exit::DONE)
}
