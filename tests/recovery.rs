//! Cut short at every entry of the journal, then asked to go on: nothing is left behind and nothing is lost.

mod engine;
mod learner;

use engine::{inventory, turn};
use learner::Learner;

const CRASH: &str = "BREAKFIX_TEST_CRASH_AFTER_ENTRY";
/// More entries than any command writes.
const ENTRIES_MAX: usize = 40;

/// Runs a command so that it ends itself after its `entry`th entry. Whether it got to its own end before that.
fn cut_short(learner: &Learner, arguments: &[&str], entry: usize) -> bool {
    let mut command = learner.command(env!("CARGO_BIN_EXE_breakfix"));
    let output = command.args(arguments).env(CRASH, entry.to_string()).output().unwrap();
    output.status.code().is_some()
}

/// Each command of a session, cut short at each of its entries; then `stop --all` leaves what there was before.
fn everywhere(lab: &str, residue: &dyn Fn(&Learner) -> String) {
    for before in [&[][..], &["reset"], &["stop"]] {
        let mut cuts = 0;
        for entry in 1..=ENTRIES_MAX {
            let learner = Learner::new();
            let held = residue(&learner);
            let whole = if before.is_empty() {
                cut_short(&learner, &["start", lab], entry)
            } else {
                learner.run(&["start", lab]).code(0);
                cut_short(&learner, before, entry)
            };
            if !whole {
                cuts += 1;
                // Any next command puts right what was cut short; this one may also find that the session is gone.
                learner.run(&["status"]).code(0);
                let next = learner.run(&["check"]);
                assert!([1, 2].contains(&next.code), "{before:?} at {entry}: {}{}", next.out, next.err);
            }
            learner.run(&["stop", "--all"]).code(0);
            assert_eq!(learner.sessions().len(), 0, "{before:?} cut short at entry {entry}");
            assert_eq!(residue(&learner), held, "{before:?} cut short at entry {entry}");
            if whole {
                break;
            }
        }
        assert!(cuts >= 2, "{before:?} was cut short {cuts} times only");
    }
}

#[test]
fn docker_sessions_survive_being_cut_short() {
    if let Some(_turn) = turn() {
        everywhere("page-not-there", &inventory);
    }
}

#[test]
fn simulated_sessions_survive_being_cut_short() {
    everywhere("shop-answers-nobody", &|learner| {
        let home = learner.home().display().to_string();
        let processes = std::fs::read_dir("/proc").map(|it| it.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
        let lines =
            processes.unwrap_or_default().into_iter().filter_map(|path| std::fs::read(path.join("cmdline")).ok());
        lines
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&home))
            .collect()
    });
}

#[test]
fn a_trigger_cut_short_is_put_right() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    let before = inventory(&learner);
    learner.run(&["start", "names-do-not-resolve"]).code(0);
    for arguments in [
        &["docker", "network", "create", "mine"][..],
        &["docker", "network", "connect", "mine", "db"],
        &["docker", "network", "connect", "mine", "web"],
    ] {
        learner.tool(arguments).code(0);
    }
    let mut cuts = 0;
    for entry in 1..=ENTRIES_MAX {
        let whole = cut_short(&learner, &["check"], entry);
        let names = learner.tool(&["docker", "ps", "--format", "{{.Names}}"]).code(0).out;
        assert!(names.lines().any(|name| name == "db"), "db is back after a cut at {entry}: {names}");
        if whole {
            break;
        }
        cuts += 1;
    }
    assert!(cuts >= 3, "the trigger was cut short {cuts} times only");
    learner.run(&["check"]).code(0);
    learner.run(&["stop"]).code(0);
    // A network that the learner made for the lab may go with it or be left to the learner.
    learner.command("docker").args(["network", "rm", "mine"]).output().unwrap();
    assert_eq!(inventory(&learner), before);
}
