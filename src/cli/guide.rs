//! The guided mode's present step, as a learner sees it.

use breakfix_lab::{LoadedLab, lab::Step};
use breakfix_stage::Session;
use serde_json::{Value, json};

use crate::{
    out::{Out, Tone},
    prose,
};

/// The step that a learner is at; nothing where the lab is not guided, or all is done.
pub fn present<'a>(session: &Session, lab: &'a LoadedLab) -> Option<&'a Step> {
    lab.lab.steps.get(session.step)
}

/// One step: its number, what to look at, the command to try, and what it waits for. `by_hand`: how to go on without its check.
pub fn lay_out(out: &Out, session: &Session, lab: &LoadedLab, by_hand: &str) -> Option<String> {
    let step = present(session, lab)?;
    let number = format!("Step {} of {}", session.step + 1, lab.lab.steps.len());
    let mut lines = vec![out.paint(Tone::Strong, &number), prose::lay_out(out, &step.text, 2)];
    lines.extend(step.run.as_ref().map(|run| format!("\n    {run}\n")));
    let goes_on = match &step.check {
        Some(_) => format!("it goes on by itself when that is done; {by_hand} passes it over"),
        None => format!("{by_hand} goes on"),
    };
    lines.push(
        prose::lay_out(out, &goes_on, 2).lines().map(|it| out.paint(Tone::Faint, it)).collect::<Vec<_>>().join("\n"),
    );
    Some(lines.join("\n"))
}

/// The same for programs; `null` where the lab is not guided. `step` counts from 1 and is one more than `of` when all are done.
pub fn json(session: &Session, lab: &LoadedLab) -> Value {
    if lab.lab.steps.is_empty() {
        return Value::Null;
    }
    let step = present(session, lab);
    json!({
        "step": session.step + 1,
        "of": lab.lab.steps.len(),
        "text": step.map(|it| &it.text),
        "run": step.and_then(|it| it.run.as_ref()),
        "goes_on_by_itself": step.is_some_and(|it| it.check.is_some()),
    })
}
