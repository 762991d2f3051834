//! The debrief: there, with its four sections.

use super::{Lint, Rule};
use crate::{load::DEBRIEF_FILE, problem::Place};

pub(super) const RULE: Rule = Rule {
    name: "debrief",
    why: "the repair is half of the lesson; the debrief says what happened and how to find it the next time",
    whole: false,
    check,
};

/// The headings of the second level that every debrief has, in this order.
const SECTIONS: [&str; 4] =
    ["What happened", "How to think about it", "In real incidents", "Questions you can now answer"];

fn check(lint: &mut Lint<'_>) {
    if !lint.bytes().contains_key(DEBRIEF_FILE) {
        let help = format!("write debrief.md with the sections {}", all());
        lint.error_in("", Place::default(), "there is no debrief.md", help);
        return;
    }
    let text = lint.lab.debrief.clone();
    if text.trim().is_empty() {
        lint.error_in(DEBRIEF_FILE, Place::default(), "the debrief is empty", format!("write the sections {}", all()));
        return;
    }
    let mut fenced = false;
    let headings: Vec<(u32, &str)> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| {
            // A `#` inside a code block is a comment of the code.
            fenced ^= line.trim_start().starts_with("```");
            !fenced && line.starts_with('#')
        })
        .collect();
    for section in SECTIONS {
        let is_it = |line: &str| line.strip_prefix("## ").is_some_and(|name| name.trim().eq_ignore_ascii_case(section));
        let Some(at) = headings.iter().position(|(_, line)| is_it(line)) else {
            let message = format!("the section `## {section}` is missing");
            lint.error_in(DEBRIEF_FILE, Place::default(), message, format!("every debrief has {}", all()));
            continue;
        };
        let line = headings.get(at).map_or(0, |(line, _)| *line);
        let next = headings.iter().skip(at + 1).find(|(_, line)| line.starts_with("## ")).map(|(line, _)| *line);
        let body =
            (1..).zip(text.lines()).filter(|(number, _)| *number > line && next.is_none_or(|next| *number < next));
        if body.into_iter().all(|(_, line)| line.trim().is_empty()) {
            let place = Place { line, column: 1 };
            lint.error_in(DEBRIEF_FILE, place, format!("the section `## {section}` is empty"), "write it");
        }
    }
}

fn all() -> String {
    SECTIONS.map(|section| format!("`## {section}`")).join(", ")
}
