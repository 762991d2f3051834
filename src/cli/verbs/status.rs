//! `status`: the open labs, and how to reach each.

use serde::Serialize;
use std::collections::BTreeMap;

use breakfix_stage::session::Phase;

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
    guide,
    out::Tone,
};

/// One session, as `status --json` prints it.
#[derive(Serialize)]
struct Row {
    session: String,
    lab: String,
    title: String,
    target: String,
    phase: Phase,
    opened: String,
    best: u32,
    solved: bool,
    checks: u32,
    hints: usize,
    /// Where a guided lab is; null where the lab is not guided, or cannot be read any more.
    guide: serde_json::Value,
    env: BTreeMap<String, String>,
}

pub fn run(app: &App) -> Result<Exit, Failure> {
    let sessions = app.sessions()?;
    if app.out.json {
        let rows: Vec<Row> = sessions
            .into_iter()
            .map(|it| (app.lab_of(&it).map_or(serde_json::Value::Null, |lab| guide::json(&it, &lab)), it))
            .map(|(guide, it)| Row {
                session: it.id,
                lab: it.lab,
                title: it.title,
                target: it.target.to_string(),
                phase: it.phase,
                opened: it.opened.to_string(),
                best: it.best,
                solved: it.solved.is_some(),
                checks: it.checks,
                hints: it.hints.values().sum(),
                guide,
                env: it.reach.env,
            })
            .collect();
        app.out.json(&rows)?;
        return Ok(exit::DONE);
    }
    let out = &app.out;
    if sessions.is_empty() {
        out.say("No lab is open. `breakfix list` shows them.");
        return Ok(exit::DONE);
    }
    for session in sessions {
        let state = match (session.phase, session.solved) {
            (Phase::Open, Some(_)) => out.paint(Tone::Good, "solved"),
            (Phase::Open, None) => "open".to_owned(),
            (Phase::Opening, _) => out.paint(Tone::Warn, "its start was cut short; the next command removes it"),
            (Phase::Resetting, _) => out.paint(Tone::Warn, "its reset was cut short; the next command finishes it"),
            (Phase::Stopping, _) => out.paint(Tone::Warn, "its stop was cut short; the next command finishes it"),
        };
        out.line(&format!("{}  {}", out.paint(Tone::Strong, &session.id), session.title))?;
        out.line(&format!(
            "  on {}, {state}; best score {} in {}, hints used: {}",
            session.target,
            session.best,
            checks(session.checks),
            session.hints.values().sum::<usize>()
        ))?;
        for note in &session.reach.notes {
            out.line(&format!("  {note}"))?;
        }
        // A lab that cannot be read any more has said so elsewhere; its session can still be stopped.
        let step =
            app.lab_of(&session).ok().and_then(|lab| guide::lay_out(out, &session, &lab, "`breakfix step --next`"));
        if let Some(step) = step.filter(|_| session.phase == Phase::Open && session.solved.is_none()) {
            out.line(&format!("\n{step}"))?;
        }
    }
    Ok(exit::DONE)
}

fn checks(number: u32) -> String {
    if number == 1 { "1 check".to_owned() } else { format!("{number} checks") }
}
