//! The rules of the house that a program can see, each with its reason. A rule's list of exceptions may only shrink.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the project: path from the root, and text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        walk(&root().join(folder), &mut files);
    }
    files.sort();
    assert!(files.len() > 100, "the walk finds the project");
    files
}

fn walk(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Files of tests: `tests/` of the project or of a crate, and every module that is declared for tests alone.
fn test_files(sources: &[(String, String)]) -> BTreeSet<String> {
    let mut modules = Vec::new();
    for (path, text) in sources {
        let folder = match path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder.to_owned(),
            _ => path.trim_end_matches(".rs").to_owned(),
        };
        for part in text.split("#[cfg(test)]\n").skip(1) {
            let line = part.lines().next().unwrap_or("").trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
                modules.push(format!("{folder}/{name}"));
            }
        }
    }
    let of_module =
        |path: &str| modules.iter().any(|it| path == format!("{it}.rs") || path.starts_with(&format!("{it}/")));
    let files = sources.iter().map(|(path, _)| path.clone());
    files
        .filter(|path| {
            path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("_tests.rs") || of_module(path)
        })
        .collect()
}

/// A file without its trailing test module, comments and strings left as they are.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// Whether a text has a name that begins so: `rand::`, not `operand::`.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_'))
}

fn refuse(faults: Vec<String>, reason: &str) {
    assert!(faults.is_empty(), "{reason}\n  {}", faults.join("\n  "));
}

/// The layers stand in the manifests. `grade` must not be able to reach a network, nor a simulator a lab.
#[test]
fn arrows_between_crates_run_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("src/lab", &[][..]),
        ("src/expression", &[][..]),
        ("src/grade", &["expression", "lab"][..]),
        ("src/sim", &[][..]),
        ("src/workload", &[][..]),
        ("src/sim-kube", &["expression", "sim", "workload"][..]),
        ("src/sim-aws", &["sim", "workload"][..]),
        ("src/stage", &["lab", "grade", "sim", "sim-kube", "sim-aws", "workload"][..]),
        (".", &["lab", "grade", "stage"][..]),
    ]);
    let mut faults = Vec::new();
    for (folder, arrows) in allowed {
        let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or("").split("\n[").next().unwrap_or("");
        for line in dependencies.lines() {
            if let Some(name) = line.strip_prefix("breakfix-").and_then(|rest| rest.split(['.', ' ', '=']).next())
                && !arrows.contains(&name)
            {
                faults.push(format!("{folder} -> {name}"));
            }
        }
    }
    refuse(faults, "an arrow that ARCHITECTURE.md does not have:");
}

/// Verdicts and simulations must come out the same for the same input; time, chance and order are arguments.
#[test]
fn pure_crates_read_no_clock_and_draw_no_lots() {
    let banned = [
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "HashMap",
        "HashSet",
        "thread_rng",
        "rand::",
        "getrandom",
    ];
    let mut faults = Vec::new();
    let sources = sources();
    let tests = test_files(&sources);
    for (path, text) in sources {
        let pure = ["src/lab/", "src/grade/", "src/sim/", "src/sim-kube/", "src/sim-aws/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        // The edge of a simulator: sockets, processes and the clock on the wall.
        let edge = ["src/sim-kube/serve", "src/sim-aws/serve", "src/sim/serve"].iter().any(|it| path.starts_with(it));
        if !pure || edge || tests.contains(&path) {
            continue;
        }
        for word in banned {
            if has_word(code(&text), word) && !SIM_EDGE.contains(&path.as_str()) {
                faults.push(format!("{path}: {word}"));
            }
        }
    }
    refuse(faults, "pure code must be given these:");
}

/// Files of `src/sim` that serve: they may read the wall clock and nothing decides by it.
const SIM_EDGE: &[&str] = &["src/sim/ca.rs", "src/sim/tls.rs", "src/sim/detached.rs", "src/sim/pace.rs"];

/// A file is one idea; past 600 lines it is several.
#[test]
fn files_stay_small() {
    let faults = sources()
        .into_iter()
        .filter(|(path, text)| text.lines().count() > 600 && !LONG_FILES.contains(&path.as_str()))
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    refuse(faults, "more than 600 lines:");
}

/// Only ever shorter.
const LONG_FILES: &[&str] = &[];

/// A reader learns from the first line of a file what it answers for.
#[test]
fn every_file_says_what_it_answers_for() {
    let sources = sources();
    let tests = test_files(&sources);
    let faults = sources
        .into_iter()
        .filter(|(path, text)| !text.starts_with("//!") && !tests.contains(path))
        .map(|(path, _)| path)
        .collect();
    refuse(faults, "no `//!` at the top:");
}

/// Leftovers are promises nobody keeps.
#[test]
fn nothing_is_left_over() {
    let banned = ["todo!(", "unimplemented!(", "dbg!(", "TODO", "FIXME", "XXX:", "#[ignore]"];
    let mut faults = Vec::new();
    for (path, text) in sources() {
        if path == "tests/house.rs" {
            continue;
        }
        for word in banned {
            if text.contains(word) {
                faults.push(format!("{path}: {word}"));
            }
        }
    }
    refuse(faults, "leftovers:");
}

/// What a caller can cause is an error with a remedy, not a panic.
#[test]
fn input_causes_no_panic() {
    let banned = [".unwrap()", ".expect(\"", "panic!("];
    let mut faults = Vec::new();
    let sources = sources();
    let tests = test_files(&sources);
    for (path, text) in sources {
        if tests.contains(&path) || !path.starts_with("src/") || path.ends_with("build.rs") {
            continue;
        }
        let text = code(&text);
        // A test module in the middle of a file, or one with attributes, is still a test.
        let text = text.split("#[cfg(test)]").next().unwrap_or(text);
        for (number, line) in text.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && banned.iter().any(|word| line.contains(word)) && !PANICS.contains(&path.as_str()) {
                faults.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    refuse(faults, "may panic:");
}

/// Files whose panics name a broken invariant of their own.
const PANICS: &[&str] = &[];

/// Everything public in a pure crate that a result file or a lab depends on is pointed at from ARCHITECTURE.md's table.
#[test]
fn the_map_names_every_crate() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let crates: BTreeSet<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| format!("`src/{}`", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    refuse(crates.into_iter().filter(|name| !map.contains(name.as_str())).collect(), "not in ARCHITECTURE.md:");
}

/// The project speaks of itself alone: no machine's own paths, no other place's names.
#[test]
fn no_path_of_a_machine_is_kept() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        // `/home/` and `/root/` as such are words of the systems that are simulated; with a name behind them they are a machine's.
        for word in ["/home/u", "/root/."] {
            if text.contains(word) && path != "tests/house.rs" {
                faults.push(format!("{path}: {word}"));
            }
        }
    }
    refuse(faults, "paths of a machine:");
}
