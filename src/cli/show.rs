//! What a learner reads: a lab's story, and what a check found.

use breakfix_grade::{Report, Verdict, report::ObjectiveResult, report::SafeguardResult};
use breakfix_lab::{LoadedLab, lab::Difficulty};
use breakfix_stage::Session;

use crate::{
    failure::Failure,
    guide,
    out::{Out, Tone},
    prose,
};

/// The story, the objectives, and how to reach the system.
///
/// # Errors
/// stdout's.
pub fn story(out: &Out, session: &Session, lab: &LoadedLab) -> Result<(), Failure> {
    out.line(&format!("\n{}", story_text(out, session, lab)))
}

/// The same as a text.
pub fn story_text(out: &Out, session: &Session, lab: &LoadedLab) -> String {
    let about = &lab.lab.metadata;
    let level = match about.difficulty {
        Difficulty::Easy => "easy",
        Difficulty::Medium => "medium",
        Difficulty::Hard => "hard",
    };
    let facts = format!("{}, {level}, about {} minutes, on {}", about.name, about.minutes, session.target);
    let mut lines = vec![
        out.paint(Tone::Strong, &about.title),
        out.paint(Tone::Faint, &facts),
        format!("\n{}\n", prose::lay_out(out, &lab.lab.story, 0)),
        out.paint(Tone::Strong, "What must become true"),
    ];
    let objectives = lab.lab.objectives.iter();
    lines.extend(objectives.flat_map(|it| wrapped(out, &format!("  {:>3} points  ", it.points), &it.title)));
    lines.push(format!("\n{}", out.paint(Tone::Strong, "How to reach it")));
    lines.extend(session.reach.notes.iter().map(|note| prose::lay_out(out, note, 2)));
    if !session.reach.env.is_empty() {
        lines.push("  breakfix shell            opens a shell in which your tools reach it".to_owned());
        lines.push("  eval \"$(breakfix env)\"    does the same in this one".to_owned());
    }
    let check = "grades what the system then does; `breakfix hint` helps, `breakfix stop` ends it";
    lines.extend(wrapped(out, "  breakfix check            ", check));
    if let Some(step) = guide::lay_out(out, session, lab, "`breakfix step --next`") {
        lines.push(format!("\n{step}"));
    }
    lines.join("\n")
}

/// What a check found.
///
/// # Errors
/// stdout's.
pub fn report(out: &Out, report: &Report, lab: &LoadedLab) -> Result<(), Failure> {
    out.line(&report_text(out, report, lab))
}

/// The same as a text.
pub fn report_text(out: &Out, report: &Report, lab: &LoadedLab) -> String {
    let mut lines = Vec::new();
    for objective in &report.objectives {
        objective_lines(out, objective, &mut lines);
    }
    let violated: Vec<&SafeguardResult> =
        report.safeguards.iter().filter(|it| it.is_violated() || !it.verdict.is_met()).collect();
    if !violated.is_empty() {
        lines.push(String::new());
        lines.push(out.paint(Tone::Strong, "Not to be broken on the way"));
        for safeguard in violated {
            safeguard_lines(out, safeguard, &mut lines);
        }
    }
    lines.push(String::new());
    lines.extend(wrapped(out, "", &last_line(out, report, lab)));
    lines.join("\n")
}

/// A text in lines that fit, the first behind a mark and the others below its beginning. Commands in it are cut at spaces alone.
fn wrapped(out: &Out, mark: &str, text: &str) -> Vec<String> {
    let below = " ".repeat(textwrap::core::display_width(mark));
    let options = textwrap::Options::new(out.width)
        .initial_indent(mark)
        .subsequent_indent(&below)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(|line| line.into_owned()).collect()
}

fn objective_lines(out: &Out, result: &ObjectiveResult, lines: &mut Vec<String>) {
    let (mark, tone) = match &result.verdict {
        Verdict::Met { .. } => ("met    ", Tone::Good),
        Verdict::NotMet { .. } if result.pending => ("later  ", Tone::Faint),
        Verdict::NotMet { .. } => ("not yet", Tone::Bad),
        Verdict::Unknown { .. } => ("unknown", Tone::Warn),
    };
    let mark = format!("  {}  ", out.paint(tone, mark));
    lines.extend(wrapped(out, &mark, &format!("{}  {:>3}", result.title, result.points)));
    if result.pending {
        lines.push("           is tried when everything else is met".to_owned());
    } else {
        detail(out, &result.verdict, lines);
    }
}

fn safeguard_lines(out: &Out, result: &SafeguardResult, lines: &mut Vec<String>) {
    let cost = if result.is_catastrophic() { "score 0".to_owned() } else { format!("-{}", result.cost) };
    let (mark, tone) = match &result.verdict {
        Verdict::Unknown { .. } => ("unknown", Tone::Warn),
        _ => ("broken ", Tone::Bad),
    };
    let mark = format!("  {}  ", out.paint(tone, mark));
    lines.extend(wrapped(out, &mark, &format!("{}  {cost}", result.title)));
    match &result.seen {
        Some(seen) if result.verdict.is_met() => lines.push(format!("           it was broken on the way: {seen}")),
        _ if result.sticky && result.verdict.is_met() => {
            lines.push("           it was broken earlier; that stays".to_owned())
        }
        _ => detail(out, &result.verdict, lines),
    }
}

/// The reason, what was wanted and found, and where to look next.
fn detail(out: &Out, verdict: &Verdict, lines: &mut Vec<String>) {
    let indent = "           ";
    let mut push = |text: &str, tone: Tone| {
        let narrower = Out { width: out.width.saturating_sub(indent.len()), ..*out };
        lines.extend(wrapped(&narrower, "", text).iter().map(|line| format!("{indent}{}", out.paint(tone, line))));
    };
    match verdict {
        Verdict::Met { .. } => {}
        Verdict::NotMet { reason, evidence } => {
            push(reason, Tone::Plain);
            if !evidence.wanted.is_empty() {
                push(&format!("wanted: {}", evidence.wanted), Tone::Faint);
            }
            if !evidence.found.is_empty() && evidence.found != *reason {
                push(&format!("found:  {}", evidence.found), Tone::Faint);
            }
            if let Some(look) = &evidence.look {
                push(&format!("look:   {look}"), Tone::Faint);
            }
        }
        Verdict::Unknown { reason } => push(&format!("could not be checked: {reason}"), Tone::Plain),
    }
}

fn last_line(out: &Out, report: &Report, lab: &LoadedLab) -> String {
    let hints = if report.hints_cost > 0 { format!(" (hints cost {})", report.hints_cost) } else { String::new() };
    let score = format!("Score {} of 100{hints}.", report.score);
    if report.solved {
        let question = if lab.lab.questions.is_empty() { "" } else { "`breakfix answer` asks what you found, " };
        return format!(
            "{} {score} {question}`breakfix debrief` tells what had happened.",
            out.paint(Tone::Good, "Solved.")
        );
    }
    let unknown = report.objectives.iter().any(|it| it.verdict.is_unknown())
        || report.safeguards.iter().any(|it| it.verdict.is_unknown());
    let word = if unknown {
        out.paint(Tone::Warn, "Not everything could be checked.")
    } else {
        out.paint(Tone::Strong, "Not solved yet.")
    };
    format!("{word} {score}")
}
