//! `docs/cli.md` is what the program says of itself; UPDATE_DOCS=1 writes it anew.

mod learner;

use std::{fs, path::PathBuf};

use learner::Learner;

const VERBS: &[&[&str]] = &[
    &["list"],
    &["start"],
    &["check"],
    &["status"],
    &["step"],
    &["hint"],
    &["answer"],
    &["debrief"],
    &["reset"],
    &["stop"],
    &["sweep"],
    &["shell"],
    &["env"],
    &["node"],
    &["doctor"],
    &["progress"],
    &["lab"],
    &["lab", "new"],
    &["lab", "lint"],
    &["lab", "test"],
    &["lab", "schema"],
    &["completions"],
];

#[test]
fn the_command_line_reference_is_what_the_program_says() {
    let learner = Learner::new();
    let general = learner.run(&["--help"]).code(0).out;
    let mut page = format!(
        "# The command line\n\nWritten by a test from `breakfix --help`; `UPDATE_DOCS=1 cargo test --test cli_reference` writes it anew.\n\n```text\n{}\n```\n",
        general.trim_end()
    );
    for verb in VERBS {
        let mut arguments = verb.to_vec();
        arguments.push("--help");
        let help = learner.run(&arguments).code(0).out;
        page.push_str(&format!("\n## breakfix {}\n\n```text\n{}\n```\n", verb.join(" "), help.trim_end()));
    }
    let listed = general.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    for line in listed.take_while(|line| !line.trim().is_empty()) {
        let Some(name) = line.strip_prefix("  ").and_then(|line| line.split(' ').next()) else { continue };
        assert!(
            name.is_empty() || name == "help" || VERBS.iter().any(|verb| verb[0] == name),
            "`{name}` has no section"
        );
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/cli.md is out of date: UPDATE_DOCS=1 cargo test --test cli_reference");
}
