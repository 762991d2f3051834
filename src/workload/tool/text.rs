//! Tools for text: `head`, `tail`, `grep`, `wc`.

use crate::Machine;

use super::{Io, arguments::Arguments, files::contents};

/// `head [-n LINES] [FILE…]`.
pub(super) fn head(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    part("head", arguments, io, machine, |lines, count| {
        lines.get(..count.min(lines.len())).unwrap_or_default().to_vec()
    })
}

/// `tail [-n LINES] [FILE…]`.
pub(super) fn tail(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    part("tail", arguments, io, machine, |lines, count| {
        lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().to_vec()
    })
}

fn part(
    tool: &str,
    arguments: &[String],
    io: &mut Io,
    machine: &mut dyn Machine,
    cut: impl Fn(&[String], usize) -> Vec<String>,
) -> i32 {
    // `-5` is an old spelling of `-n 5`.
    let arguments: Vec<String> = arguments.iter().map(|argument| modern(argument)).collect();
    let arguments = match Arguments::read(&arguments, "n=") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("{tool}: {error}")),
    };
    let Ok(count) = arguments.value("n").unwrap_or("10").parse() else {
        return io.complain(&format!("{tool}: invalid number '{}'", arguments.value("n").unwrap_or_default()));
    };
    each_file(tool, &arguments.rest, io, machine, |_, lines, io| {
        for line in cut(lines, count) {
            io.line(&line);
        }
    })
}

fn modern(argument: &str) -> String {
    match argument.strip_prefix('-') {
        Some(digits) if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) => format!("-n{digits}"),
        _ => argument.to_owned(),
    }
}

/// Hand every file's lines to `work`; standard input where none is named.
fn each_file(
    tool: &str,
    names: &[String],
    io: &mut Io,
    machine: &mut dyn Machine,
    mut work: impl FnMut(&str, &[String], &mut Io),
) -> i32 {
    let mut code = 0;
    let names = if names.is_empty() { vec!["-".to_owned()] } else { names.to_vec() };
    for name in names {
        match contents(&name, io, machine) {
            Ok(bytes) => {
                let lines: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
                work(&name, &lines, io);
            }
            Err(error) => code = io.complain(&format!("{tool}: {name}: {error}")),
        }
    }
    code
}

/// `grep [-i] [-v] [-c] [-n] [-q] [-F] [-E] PATTERN [FILE…]`: fixed text, with `^` and `$` at its ends and `.` for any letter.
pub(super) fn grep(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "i v c n q F E h") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("grep: {error}")) + 1,
    };
    let Some((pattern, files)) = arguments.rest.split_first() else {
        return io.complain("grep: a pattern is wanted") + 1;
    };
    let plain = arguments.has("F");
    if !plain && let Some(sign) = pattern.chars().find(|c| "*[]\\+?(){}|".contains(*c)) {
        return io.complain(&format!("grep: '{sign}' in a pattern is not supported here; -F takes it as it is")) + 1;
    }
    let pattern = Pattern::new(pattern, plain, arguments.has("i"));
    let mut found = false;
    let code = each_file("grep", files, io, machine, |name, lines, io| {
        let hits: Vec<(usize, &String)> =
            lines.iter().enumerate().filter(|(_, line)| pattern.matches(line) != arguments.has("v")).collect();
        found |= !hits.is_empty();
        let front = if files.len() > 1 && !arguments.has("h") { format!("{name}:") } else { String::new() };
        if arguments.has("q") {
        } else if arguments.has("c") {
            io.line(&format!("{front}{}", hits.len()));
        } else {
            for (at, line) in hits {
                let number = if arguments.has("n") { format!("{}:", at + 1) } else { String::new() };
                io.line(&format!("{front}{number}{line}"));
            }
        }
    });
    if code != 0 { 2 } else { i32::from(!found) }
}

/// A text to look for.
struct Pattern {
    letters: Vec<char>,
    from_start: bool,
    to_end: bool,
    plain: bool,
    any_case: bool,
}

impl Pattern {
    fn new(text: &str, plain: bool, any_case: bool) -> Self {
        let (text, from_start) = match text.strip_prefix('^') {
            Some(rest) if !plain => (rest, true),
            _ => (text, false),
        };
        let (text, to_end) = match text.strip_suffix('$') {
            Some(rest) if !plain => (rest, true),
            _ => (text, false),
        };
        let text = if any_case { text.to_lowercase() } else { text.to_owned() };
        Self { letters: text.chars().collect(), from_start, to_end, plain, any_case }
    }

    fn matches(&self, line: &str) -> bool {
        let line: Vec<char> =
            if self.any_case { line.to_lowercase().chars().collect() } else { line.chars().collect() };
        let length = self.letters.len();
        let Some(last) = line.len().checked_sub(length) else { return false };
        let mut starts = if self.from_start { 0..1 } else { 0..last + 1 };
        starts.any(|start| {
            let here = line.iter().skip(start).take(length);
            let same = here.zip(&self.letters).all(|(have, want)| have == want || (*want == '.' && !self.plain));
            same && (!self.to_end || start == last)
        })
    }
}

/// `wc [-l] [-w] [-c] [FILE…]`.
pub(super) fn wc(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "l w c") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("wc: {error}")),
    };
    let all = !["l", "w", "c"].iter().any(|flag| arguments.has(flag));
    let names = if arguments.rest.is_empty() { vec!["-".to_owned()] } else { arguments.rest.clone() };
    let mut code = 0;
    for name in names {
        let bytes = match contents(&name, io, machine) {
            Ok(bytes) => bytes,
            Err(error) => {
                code = io.complain(&format!("wc: {name}: {error}"));
                continue;
            }
        };
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let words = String::from_utf8_lossy(&bytes).split_whitespace().count();
        let counts = [("l", lines), ("w", words), ("c", bytes.len())];
        let shown: Vec<String> =
            counts.iter().filter(|(flag, _)| all || arguments.has(flag)).map(|(_, count)| count.to_string()).collect();
        let label = if name == "-" { String::new() } else { format!(" {name}") };
        io.line(&format!("{}{label}", shown.join(" ")));
    }
    code
}
