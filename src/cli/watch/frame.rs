//! One picture of the watch screen, from what is to be said to lines that fit.

use crate::out::{Out, Tone};

/// What stands on the screen, from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The lab and where it runs.
    pub title: String,
    /// What was asked for by a key, or the present step; may be empty.
    pub panel: String,
    /// What the last look found.
    pub report: String,
    /// What is being done at the moment.
    pub doing: String,
    /// The keys and what they do.
    pub keys: Vec<(char, &'static str)>,
}

impl Frame {
    /// At most so many lines of at most so many columns, colours aside. What does not fit is cut from the report's end, and said.
    pub fn lines(&self, out: &Out, columns: usize, rows: usize) -> Vec<String> {
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(key, does)| format!("{} {does}", out.paint(Tone::Strong, &key.to_string())))
            .collect();
        let foot = vec![out.paint(Tone::Faint, &self.doing), keys.join("   ")];
        let mut body = vec![out.paint(Tone::Strong, &self.title), String::new()];
        for part in [&self.panel, &self.report] {
            if !part.is_empty() {
                body.extend(part.trim_matches('\n').lines().map(str::to_owned));
                body.push(String::new());
            }
        }
        body.pop();
        let room = rows.saturating_sub(foot.len());
        if body.len() > room {
            let left = body.len() - room.saturating_sub(1);
            body.truncate(room.saturating_sub(1));
            body.push(out.paint(Tone::Faint, &format!("… {left} more lines; a higher window shows them")));
        }
        body.resize(room, String::new());
        body.extend(foot);
        // A window lower than the foot itself.
        let extra = body.len().saturating_sub(rows);
        body.drain(..extra);
        body.iter().map(|line| clip(line, columns)).collect()
    }
}

/// A line cut to so many columns; escape sequences take none, and colour does not run out of it.
fn clip(line: &str, columns: usize) -> String {
    let (mut kept, mut used, mut in_escape, mut coloured) = (String::new(), 0, false, false);
    let total = textwrap::core::display_width(line);
    for char in line.chars() {
        if in_escape || char == '\x1b' {
            (in_escape, coloured) = (char != 'm', true);
            kept.push(char);
            continue;
        }
        let mut buffer = [0; 4];
        let wide = textwrap::core::display_width(char.encode_utf8(&mut buffer));
        if total > columns && used + wide > columns.saturating_sub(1) {
            kept.push_str(if columns > 0 { "…" } else { "" });
            kept.push_str(if coloured { "\x1b[0m" } else { "" });
            break;
        }
        used += wide;
        kept.push(char);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(colour: bool) -> Out {
        Out { colour, json: false, width: 60 }
    }

    fn frame() -> Frame {
        Frame {
            title: "Every pod runs".to_owned(),
            panel: "Step 1 of 2\n  Look here".to_owned(),
            report: "  not yet  The shop answers  50\n           nobody listens\n\nNot solved yet.".to_owned(),
            doing: "watching".to_owned(),
            keys: vec![('h', "hint"), ('q', "quit")],
        }
    }

    #[test]
    fn the_foot_is_at_the_bottom_and_all_rows_are_filled() {
        let lines = frame().lines(&out(false), 60, 20);
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[0], "Every pod runs");
        assert_eq!(lines[18..], ["watching", "h hint   q quit"]);
    }

    #[test]
    fn a_low_window_cuts_the_report_and_keeps_the_keys() {
        let lines = frame().lines(&out(false), 60, 8);
        assert_eq!(lines.len(), 8);
        assert_eq!(lines[2..4], ["Step 1 of 2", "  Look here"]);
        assert!(lines[5].starts_with("… 4 more lines"), "{lines:?}");
        assert_eq!(lines[7], "h hint   q quit");
        assert_eq!(frame().lines(&out(false), 60, 1), ["h hint   q quit"]);
        assert!(frame().lines(&out(false), 60, 0).is_empty());
    }

    #[test]
    fn no_line_is_wider_than_the_window_and_no_colour_runs_out() {
        for columns in [0, 1, 5, 20, 60] {
            for line in frame().lines(&out(true), columns, 20) {
                assert!(textwrap::core::display_width(&line) <= columns, "{columns}: {line:?}");
            }
        }
        assert_eq!(clip("\x1b[1mabcdef\x1b[0m", 4), "\x1b[1mabc…\x1b[0m");
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("漢字漢字", 5), "漢字…");
    }
}
