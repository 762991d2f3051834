//! `hint`: the next hint of the first objective that is not met.

use serde_json::json;

use crate::{
    app::App,
    args::HintArgs,
    exit::{self, Exit},
    failure::Failure,
    prose,
};

pub fn run(app: &App, args: &HintArgs) -> Result<Exit, Failure> {
    let chosen = app.chosen()?;
    let _guard = app.home.lock(&chosen.id, &format!("the session {}", chosen.id))?;
    let mut session = chosen;
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
    let wanted = |name: &str| match &args.objective {
        Some(named) => named == name,
        None => session.last.get(name).is_none_or(|word| word != "met"),
    };
    let next = objectives.iter().filter(|it| wanted(&it.name)).find_map(|objective| {
        let taken = session.hints.get(&objective.name).copied().unwrap_or(0);
        objective.hints.get(taken).map(|hint| (objective, taken, hint))
    });
    let Some((objective, taken, hint)) = next else {
        return Err(Failure::usage("there is no further hint")
            .hint("`breakfix debrief --give-up` tells the whole story; the lab then does not count as solved"));
    };
    session.hints.insert(objective.name.clone(), taken + 1);
    session.save(&app.home)?;
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
