//! What the program says: help, lists, mistakes. No system is needed.

mod learner;

use learner::Learner;

#[test]
fn help_names_every_verb_and_the_exit_codes() {
    insta::assert_snapshot!(Learner::new().run(&["--help"]).code(0).out);
}

#[test]
fn the_list_shows_every_lab() {
    insta::assert_snapshot!(Learner::new().run(&["list"]).code(0).out);
}

#[test]
fn the_list_for_programs_keeps_its_keys() {
    let list = Learner::new().run(&["list", "--json"]).code(0).json();
    let labs = list.as_array().unwrap();
    assert!(labs.len() >= 7, "{labs:?}");
    for lab in labs {
        for key in ["id", "title", "platform", "difficulty", "minutes", "topics", "targets"] {
            assert!(!lab[key].is_null(), "{key} of {lab}");
        }
    }
}

#[test]
fn a_list_can_be_narrowed() {
    let learner = Learner::new();
    let docker = learner.run(&["list", "--platform", "docker", "--json"]).code(0).json();
    assert!(docker.as_array().unwrap().iter().all(|lab| lab["platform"] == "docker"));
    let none = learner.run(&["list", "--topic", "no-such-topic", "--json"]).code(0).json();
    assert_eq!(none.as_array().unwrap().len(), 0);
}

#[test]
fn mistakes_are_usage_errors_that_say_what_to_try() {
    let learner = Learner::new();
    let mut said = String::new();
    for arguments in [
        &["start", "shop-answers-nobdy"][..],
        &["start", "page-not-there", "--target", "sim"],
        &["start", "page-not-there", "--target", "moon"],
        &["start"],
        &["check"],
        &["stop"],
        &["hint"],
        &["check", "--session", "nobody"],
        &["lab", "test", "no-such-lab"],
        &["lab", "test", "page-not-there", "--control", "no-such-control"],
        &["--labs", "/no/such/folder", "list"],
    ] {
        let answer = learner.run(arguments).code(2);
        assert_eq!(answer.out, "", "{arguments:?}");
        said.push_str(&format!("$ breakfix {}\n{}\n", arguments.join(" "), answer.err));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_mistake_is_json_for_a_program() {
    let answer = Learner::new().run(&["start", "nothing-like-it", "--json"]).code(2);
    let error: serde_json::Value = serde_json::from_str(&answer.err).unwrap();
    assert!(error["error"].as_str().unwrap().contains("nothing-like-it"), "{error}");
}

#[test]
fn without_a_home_it_says_what_to_set() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_breakfix")).arg("list").env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("BREAKFIX_HOME"));
}

#[test]
fn a_home_that_cannot_be_made_is_trouble_not_a_mistake() {
    let learner = Learner::new().with("BREAKFIX_HOME", "/proc/breakfix");
    let answer = learner.run(&["list"]).code(3);
    assert!(answer.err.contains("/proc/breakfix"), "{}", answer.err);
    assert!(answer.err.contains("hint:"), "{}", answer.err);
}

#[test]
fn a_closed_pipe_is_nobodys_error() {
    let learner = Learner::new();
    let mut child = learner
        .command(env!("CARGO_BIN_EXE_breakfix"))
        .args(["lab", "schema"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn completions_and_schema_are_printed() {
    let learner = Learner::new();
    assert!(learner.run(&["completions", "bash"]).code(0).out.contains("_breakfix"));
    let schema = learner.run(&["lab", "schema"]).code(0).json();
    assert!(schema["properties"]["objectives"].is_object());
}

#[test]
fn a_new_lab_lints_and_is_not_written_twice() {
    let learner = Learner::new();
    for platform in ["kubernetes", "docker"] {
        let written = learner.run(&["lab", "new", "my-first-lab", "--platform", platform]).code(0);
        assert!(written.out.contains("my-first-lab"), "{}", written.out);
        learner.run(&["lab", "lint", "."]).code(0);
        learner.run(&["lab", "new", "my-first-lab", "--platform", platform]).code(2);
    }
}

#[test]
fn a_damaged_session_is_told_of_and_can_be_removed() {
    let learner = Learner::new();
    let folder = learner.home().join("sessions/shop-answers-nobody-zzzz");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("session.json"), "{\"version\": 1, ").unwrap();
    let status = learner.run(&["status"]).code(0);
    assert!(status.err.contains("damaged"), "{}", status.err);
    assert!(learner.run(&["check"]).code(2).err.contains("no lab is open"));
    learner.run(&["stop", "--all"]).code(0);
    assert!(!folder.exists());
}
