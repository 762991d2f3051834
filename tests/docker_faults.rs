//! What becomes of a lab when its engine, its containers or its neighbours do what they should not. Whatever happens: `unknown` or a clear error
//! with exit code 3, and nothing left behind by the next `stop`.
#![cfg(unix)]

mod engine;
mod learner;

use std::{
    sync::MutexGuard,
    time::{Duration, Instant},
};

use engine::{Then, Way, inventory, turn};
use learner::{Learner, Said};

const LAB: &str = "page-not-there";

/// A learner whose engine is at the end of a way, and what the engine held before.
struct OnTheWay {
    way: Way,
    learner: Learner,
    before: String,
    _folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

fn on_the_way() -> Option<OnTheWay> {
    let turn = turn()?;
    let folder = tempfile::tempdir().unwrap();
    let way = Way::to_the_engine(folder.path())?;
    let learner = Learner::new().with("DOCKER_HOST", &way.host());
    let before = inventory(&learner);
    Some(OnTheWay { way, learner, before, _folder: folder, _turn: turn })
}

#[track_caller]
fn is_trouble_with_a_hint(said: &Said, when: &str) {
    assert_eq!(said.code, 3, "{when}\n{}\n{}", said.out, said.err);
    assert!(said.err.contains("hint:"), "{when}\n{}", said.err);
}

#[test]
fn an_engine_that_stops_during_start_leaves_nothing_that_stop_does_not_find() {
    let Some(OnTheWay { way, learner, before, .. }) = &on_the_way() else { return };
    learner.run(&["start", LAB]).code(0);
    let whole = way.passed();
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(learner), *before);
    // At its beginning and at some moments between. Near the end it waits two minutes for a broken system before it gives up.
    for connections in [0, 1, whole / 5, whole / 3, whole / 2] {
        way.only(connections, Then::Cut);
        let said = learner.run(&["start", LAB]);
        // How often it looks depends on the moment: near the end it may have been done.
        if said.code != 0 || connections <= whole / 2 {
            is_trouble_with_a_hint(&said, &format!("{connections} of {whole}"));
        }
        way.mend();
        if !learner.sessions().is_empty() {
            learner.run(&["stop"]).code(0);
        }
        assert_eq!(inventory(learner), *before, "{connections} of {whole}");
    }
}

#[test]
fn an_engine_that_stops_or_talks_nonsense_during_a_check_makes_it_unknown() {
    let Some(OnTheWay { way, learner, before, .. }) = &on_the_way() else { return };
    learner.run(&["start", LAB]).code(0);
    way.passed();
    learner.run(&["check"]).code(1);
    let whole = way.passed();
    for connections in [0, 1, whole / 2, whole - 1] {
        for then in [Then::Cut, Then::Nonsense] {
            way.only(connections, then);
            let said = learner.run(&["check"]);
            // What is judged without the engine may be told; the rest is not known, and never right.
            assert!([1, 3].contains(&said.code), "{connections} of {whole}\n{}\n{}", said.out, said.err);
            way.mend();
        }
    }
    way.only(0, Then::Cut);
    is_trouble_with_a_hint(&learner.run(&["check"]), "no engine at all");
    way.mend();
    learner.run(&["check"]).code(1);
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(learner), *before);
}

#[test]
fn an_engine_that_stops_during_reset_and_stop_is_asked_again_by_the_next_command() {
    let Some(OnTheWay { way, learner, before, .. }) = &on_the_way() else { return };
    learner.run(&["start", LAB]).code(0);
    way.passed();
    learner.run(&["reset"]).code(0);
    let whole = way.passed();
    for connections in [1, whole / 3, whole / 2] {
        way.only(connections, Then::Cut);
        let said = learner.run(&["reset"]);
        if said.code != 0 || connections <= whole / 2 {
            is_trouble_with_a_hint(&said, &format!("reset, {connections} of {whole}"));
        }
        way.mend();
        // The next command does the reset again first.
        learner.run(&["check"]).code(1);
    }
    for connections in [0, 3, 6, 9] {
        way.only(connections, Then::Cut);
        let said = learner.run(&["stop"]);
        assert!([0, 3].contains(&said.code), "stop, {connections}\n{}\n{}", said.out, said.err);
        way.mend();
        if said.code == 0 {
            break;
        }
    }
    if !learner.sessions().is_empty() {
        learner.run(&["stop"]).code(0);
    }
    assert_eq!(inventory(learner), *before);
}

#[test]
fn a_slow_engine_is_waited_for() {
    let Some(OnTheWay { way, learner, before, .. }) = &on_the_way() else { return };
    way.slow_down(Duration::from_millis(300));
    learner.run(&["start", LAB]).code(0);
    learner.run(&["check"]).code(1);
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(learner), *before);
}

#[test]
fn an_engine_that_never_answers_is_given_up() {
    let Some(OnTheWay { way, learner, .. }) = &on_the_way() else { return };
    way.slow_down(Duration::from_secs(600));
    let clock = Instant::now();
    is_trouble_with_a_hint(&learner.run(&["start", LAB]), "silence");
    assert!(clock.elapsed() < Duration::from_secs(60), "{:?}", clock.elapsed());
    assert!(learner.sessions().is_empty(), "nothing is left to be cleared later");
}

#[test]
fn containers_that_were_removed_or_paused_by_hand_are_judged_and_cleared() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    let before = inventory(&learner);
    learner.run(&["start", LAB]).code(0);
    learner.tool(&["docker", "rm", "-f", "web"]).code(0);
    learner.run(&["check"]).code(1);
    learner.run(&["reset"]).code(0);
    learner.run(&["check"]).code(1);
    learner.tool(&["docker", "pause", "web"]).code(0);
    let said = learner.run(&["check"]);
    assert!([1, 3].contains(&said.code), "{}\n{}", said.out, said.err);
    learner.run(&["reset"]).code(0);
    learner.run(&["check"]).code(1);
    learner.tool(&["docker", "pause", "web"]).code(0);
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(&learner), before);
}

#[test]
fn the_same_lab_twice_on_one_engine_is_refused_and_disturbs_nobody() {
    let Some(_turn) = turn() else { return };
    let (first, second) = (Learner::new(), Learner::new());
    let before = inventory(&first);
    first.run(&["start", LAB]).code(0);
    let open = inventory(&first);
    let refused = second.run(&["start", LAB]).code(2);
    assert!(refused.err.contains("web") && refused.err.contains("hint:"), "{}", refused.err);
    assert_eq!(inventory(&first), open, "the refused one changed nothing");
    first.run(&["check"]).code(1);
    first.run(&["stop"]).code(0);
    assert_eq!(inventory(&first), before);
}

#[test]
fn two_starts_at_the_same_moment_open_one_lab_at_most_and_leave_nothing() {
    let Some(_turn) = turn() else { return };
    // One with a network and a volume, which the engine hands out twice under one name without a word.
    let lab = "data-gone-after-update";
    let learners = [Learner::new(), Learner::new()];
    let before = inventory(&learners[0]);
    let codes = std::thread::scope(|scope| {
        let starts = learners.each_ref().map(|learner| scope.spawn(move || learner.run(&["start", lab])));
        starts.map(|start| start.join().unwrap())
    });
    for said in &codes {
        assert!([0, 2, 3].contains(&said.code), "{}\n{}", said.out, said.err);
        assert!(said.code == 0 || said.err.contains("hint:"), "{}", said.err);
    }
    assert!(codes.iter().filter(|said| said.code == 0).count() < 2, "both are open on the same containers");
    for (learner, said) in learners.iter().zip(&codes) {
        if said.code == 0 {
            learner.run(&["check"]).code(1);
        }
        if !learner.sessions().is_empty() {
            learner.run(&["stop"]).code(0);
        }
    }
    assert_eq!(inventory(&learners[0]), before);
}

#[test]
fn an_engine_whose_disk_is_full_is_told_as_such_and_cleared() {
    let Some(OnTheWay { way, learner, before, .. }) = &on_the_way() else { return };
    learner.run(&["start", LAB]).code(0);
    let whole = way.passed();
    learner.run(&["stop"]).code(0);
    for connections in [0, whole / 3, whole / 2] {
        way.only(connections, Then::DiskFull);
        let said = learner.run(&["start", LAB]);
        is_trouble_with_a_hint(&said, &format!("{connections} of {whole}"));
        assert!(said.err.contains("no space left on device"), "{}", said.err);
        // Removing needs no space.
        if !learner.sessions().is_empty() {
            learner.run(&["stop"]).code(0);
        }
        way.mend();
        assert_eq!(inventory(learner), *before, "{connections} of {whole}");
    }
    learner.run(&["start", LAB]).code(0);
    way.only(0, Then::DiskFull);
    let said = learner.run(&["check"]);
    assert!([1, 3].contains(&said.code), "{}\n{}", said.out, said.err);
    is_trouble_with_a_hint(&learner.run(&["reset"]), "reset");
    way.mend();
    learner.run(&["check"]).code(1);
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(learner), *before);
}

/// An engine that is restarted stops its containers and starts none that has no policy for it.
#[test]
fn containers_that_a_restarted_engine_left_stopped_are_judged_reset_and_cleared() {
    let Some(_turn) = turn() else { return };
    let learner = &Learner::new();
    let before = inventory(learner);
    learner.run(&["start", LAB]).code(0);
    let restarted = || drop(learner.command("docker").args(["kill", "web"]).output().unwrap());
    restarted();
    learner.run(&["check"]).code(1);
    restarted();
    learner.run(&["reset"]).code(0);
    learner.run(&["check"]).code(1);
    restarted();
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(learner), before);
}

#[test]
fn what_the_learner_made_beside_the_lab_is_seen_and_left_alone() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    let before = inventory(&learner);
    learner.run(&["start", LAB]).code(0);
    let image = learner.tool(&["docker", "inspect", "web", "--format", "{{.Image}}"]).code(0).out.trim().to_owned();
    // By the image's id it is tied to nothing of the lab; its labels pretend to be a probe.
    let relay = ["docker", "run", "-d", "--name", "relay", "--network", "host", "--label", "breakfix.dev/role=probe"];
    learner
        .tool(&[&relay[..], &["--label", "breakfix.dev/session=nobody", "-e", "PORT=18999", &image]].concat())
        .code(0);
    let report = learner.run(&["check", "--json"]).code(1).json();
    let power = report["safeguards"].as_array().unwrap().iter().find(|it| it["name"] == "no-new-power").unwrap();
    assert!(power.to_string().contains("relay"), "{power}");
    learner.run(&["stop"]).code(0);
    let left = inventory(&learner);
    assert!(left.contains("container relay"), "it is not the lab's to remove\n{left}");
    let docker = |arguments: &[&str]| drop(learner.command("docker").args(arguments).output().unwrap());
    docker(&["rm", "-f", "relay"]);
    docker(&["rmi", "-f", &image]);
    assert_eq!(inventory(&learner), before);
}
