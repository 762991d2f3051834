//! Stories, hints and debriefs on a terminal: a little Markdown, wrapped to its width.

use crate::out::{Out, Tone};

/// Lays a Markdown text out: headings strong, paragraphs and list entries wrapped, indented blocks as they are.
pub fn lay_out(out: &Out, markdown: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut paragraph = String::new();
    let mut fenced = false;
    for line in markdown.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if is_fence || fenced || line.starts_with("    ") {
            flush(out, &mut lines, &mut paragraph, indent);
            if is_fence {
                fenced = !fenced;
            } else {
                lines.push(format!("{}{line}", " ".repeat(indent)).trim_end().to_owned());
            }
            continue;
        }
        let heading = line.trim_start_matches('#');
        let starts_entry = line.starts_with("- ") || begins_with_number(line);
        if line.trim().is_empty() {
            flush(out, &mut lines, &mut paragraph, indent);
            lines.push(String::new());
        } else if heading.len() < line.len() {
            flush(out, &mut lines, &mut paragraph, indent);
            lines.push(format!("{}{}", " ".repeat(indent), out.paint(Tone::Strong, heading.trim())));
        } else {
            if starts_entry {
                flush(out, &mut lines, &mut paragraph, indent);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(out, &mut lines, &mut paragraph, indent);
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

fn begins_with_number(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && line.get(digits..).is_some_and(|rest| rest.starts_with(". "))
}

fn flush(out: &Out, lines: &mut Vec<String>, paragraph: &mut String, indent: usize) {
    if paragraph.is_empty() {
        return;
    }
    let hang = if paragraph.starts_with("- ") {
        2
    } else if begins_with_number(paragraph) {
        3
    } else {
        0
    };
    let first = " ".repeat(indent);
    let rest = " ".repeat(indent + hang);
    let options = textwrap::Options::new(out.width.min(100))
        .initial_indent(&first)
        .subsequent_indent(&rest)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    lines.extend(textwrap::wrap(&paragraph.replace("**", ""), options).into_iter().map(|line| line.into_owned()));
    paragraph.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_and_blocks_are_not() {
        let out = Out { colour: false, json: false, width: 40 };
        let text = "# A title\n\nSome words that do not\nfit into one line of forty.\n\n    kubectl get pods --all-namespaces --output wide\n\n- one entry of a list that is long enough to wrap\n";
        let wanted = "A title\n\nSome words that do not fit into one line\nof forty.\n\n    kubectl get pods --all-namespaces --output wide\n\n- one entry of a list that is long\n  enough to wrap";
        assert_eq!(lay_out(&out, text, 0), wanted);
    }
}
