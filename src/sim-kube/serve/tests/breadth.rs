//! kubectl's breadth: every verb that a learner may reach for, as tables of commands and what they say.
//!
//! A table is read line by line. `$` is a kubectl command line (single quotes keep words together; FOLDER is a scratch folder), `<` a line of
//! its input, `>` NAME and then `<` lines a file in the scratch folder. What follows a command is expected of it: `=` a whole line of its
//! output, `~` a part of its output, `!` a part of its errors (and then it must fail). `.` waits so many milliseconds. Lines with `#` are
//! remarks.

use std::{
    io::Write,
    process::{Output, Stdio},
    time::Duration,
};

use jiff::Timestamp;

use super::{kubectl::Served, lived_in};

/// A command and what is expected of it.
#[derive(Debug, Default)]
struct Step {
    line: usize,
    arguments: Vec<String>,
    input: String,
    whole: Vec<String>,
    parts: Vec<String>,
    errors: Vec<String>,
}

fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for letter in text.chars() {
        match letter {
            '\'' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            letter => {
                word.push(letter);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

/// Runs a table; all that went wrong, not only the first.
fn run(table: &str) {
    let Some(served) = Served::new(lived_in(Timestamp::now())) else { return };
    let folder = served.folder().to_str().unwrap().to_owned();
    let mut faults = Vec::new();
    let mut step: Option<Step> = None;
    let mut file: Option<(String, String)> = None;
    let done = |step: Option<Step>, faults: &mut Vec<String>| {
        if let Some(step) = step {
            check(&served, &step, faults);
        }
    };
    for (number, text) in table.lines().chain(std::iter::once("#")).enumerate() {
        let (mark, rest) = text.split_at(text.len().min(1));
        let rest = rest.strip_prefix(' ').unwrap_or(rest).replace("FOLDER", &folder);
        if mark != "<"
            && let Some((name, text)) = file.take()
        {
            std::fs::write(served.folder().join(name), text).unwrap();
        }
        match (mark, &mut step, &mut file) {
            ("$", ..) => {
                done(step.take(), &mut faults);
                step = Some(Step { line: number + 1, arguments: words(&rest), ..Step::default() });
            }
            (">", ..) => {
                done(step.take(), &mut faults);
                file = Some((rest, String::new()));
            }
            (".", ..) => {
                done(step.take(), &mut faults);
                std::thread::sleep(Duration::from_millis(rest.parse().unwrap()));
            }
            ("<", _, Some((_, text))) => text.push_str(&format!("{rest}\n")),
            ("<", Some(step), _) => step.input.push_str(&format!("{rest}\n")),
            ("=", Some(step), _) => step.whole.push(rest),
            ("~", Some(step), _) => step.parts.push(rest),
            ("!", Some(step), _) => step.errors.push(rest),
            ("#" | "", ..) => {}
            other => panic!("line {}: {other:?}", number + 1),
        }
    }
    done(step.take(), &mut faults);
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn output(served: &Served, step: &Step) -> Output {
    let mut command = served.command();
    command.args(&step.arguments).env("EDITOR", "sed -i s/EDIT_FROM/edited/").env("TERM", "dumb");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(step.input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn check(served: &Served, step: &Step, faults: &mut Vec<String>) {
    let mut output = output(served, step);
    // kubectl's own race before 1.34, which a busy machine makes likely (see `is_hasty` in `remote/upgrade.rs`); nothing has been done then.
    for _ in 0..3 {
        if !String::from_utf8_lossy(&output.stderr).contains("Unknown stream id") {
            break;
        }
        output = self::output(served, step);
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let spaces = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut missing: Vec<String> = Vec::new();
    if output.status.success() != step.errors.is_empty() {
        missing.push(format!("exit {:?}", output.status.code()));
    }
    missing.extend(step.whole.iter().filter(|it| !out.lines().any(|line| line == **it)).map(|it| format!("= {it}")));
    missing.extend(step.parts.iter().filter(|it| !spaces(&out).contains(&spaces(it))).map(|it| format!("~ {it}")));
    missing.extend(step.errors.iter().filter(|it| !err.contains(it.as_str())).map(|it| format!("! {it}")));
    if !missing.is_empty() {
        let (line, arguments) = (step.line, step.arguments.join(" "));
        faults.push(format!(
            "line {line}: kubectl {arguments}\n  {}\n--- out\n{out}--- err\n{err}",
            missing.join("\n  ")
        ));
    }
}

#[test]
fn creating() {
    run(include_str!("breadth/creating.txt"));
}

#[test]
fn looking() {
    run(include_str!("breadth/looking.txt"));
}

#[test]
fn changing() {
    run(include_str!("breadth/changing.txt"));
}

#[test]
fn removing() {
    run(include_str!("breadth/removing.txt"));
}

#[test]
fn words_are_split_as_a_shell_does() {
    assert_eq!(words("get pods -o 'jsonpath={.a b}' ''"), ["get", "pods", "-o", "jsonpath={.a b}", ""]);
}
