//! Trouble that is nobody's fault: a full disk, a clock that jumps, an API that is down, slow or mad, Ctrl-C. Each is told clearly, with
//! the right code; nothing is lost, and nothing is left behind.

mod learner;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use learner::{Learner, Said, have};

const BREAKFIX: &str = env!("CARGO_BIN_EXE_breakfix");
const LAB: &str = "shop-answers-nobody";

/// The processes that serve one of the learner's simulators.
fn simulators(learner: &Learner) -> Vec<String> {
    let home = learner.home().display().to_string();
    let processes = fs::read_dir("/proc").map(|it| it.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
    let lines = processes.unwrap_or_default().into_iter().filter_map(|path| fs::read(path.join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(&home)).collect()
}

/// Their process ids.
fn pids(learner: &Learner) -> Vec<String> {
    let home = learner.home().display().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let serve = processes.filter(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&home)
    });
    serve.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Nothing of the learner's sessions is left, on disk or running.
#[track_caller]
fn leaves_nothing(learner: &Learner) {
    learner.run(&["stop", "--all"]).code(0);
    assert_eq!(learner.sessions(), Vec::<PathBuf>::new());
    // A simulator that was only being started finds its session gone, and ends by itself.
    let begun = std::time::Instant::now();
    while !simulators(learner).is_empty() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(simulators(learner), Vec::<String>::new());
    assert_eq!(learner.sessions(), Vec::<PathBuf>::new(), "nor does it bring the session's folder back");
}

fn session(learner: &Learner) -> PathBuf {
    learner.sessions().into_iter().next().expect("a session is open")
}

/// Runs breakfix with no file allowed to grow beyond so many blocks of 512 bytes, as a disk that is nearly full.
#[cfg(unix)]
fn in_little_room(learner: &Learner, blocks: usize, arguments: &[&str]) -> Said {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    learner.command("/bin/sh").args(["-c", &script, BREAKFIX]).args(arguments).output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_at_start_makes_nothing() {
    let learner = Learner::new();
    let answer = in_little_room(&learner, 0, &["start", LAB]).code(3);
    assert!(answer.err.contains("disk is full"), "{}", answer.err);
    assert!(simulators(&learner).is_empty());
    learner.run(&["start", LAB]).code(0);
    leaves_nothing(&learner);
}

/// The journal is full to the brim, everything else has room.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_while_journalling_stops_before_the_mutation() {
    let learner = Learner::new();
    learner.run(&["start", LAB]).code(0);
    let journal = session(&learner).join("journal.jsonl");
    let line = "{\"entry\":\"done\",\"step\":\"fault\"}\n";
    let blocks = 4096;
    let mut file = fs::OpenOptions::new().append(true).open(&journal).unwrap();
    // `ulimit -f` counts in 512 bytes in one shell and in 1024 in another; full either way.
    file.write_all(line.repeat(blocks * 1024 / line.len() + 1).as_bytes()).unwrap();
    for command in ["reset", "stop"] {
        let answer = in_little_room(&learner, blocks, &[command]).code(3);
        assert!(answer.err.contains("could not keep the journal"), "{}", answer.err);
        assert!(answer.err.contains("disk is full"), "{}", answer.err);
    }
    // There is room again: the stop that was begun is finished by whatever comes next.
    let answer = learner.run(&["check"]).code(2);
    assert!(answer.err.contains("removed"), "{}", answer.err);
    leaves_nothing(&learner);
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    for opened in ["2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z"] {
        let learner = Learner::new();
        learner.run(&["start", LAB]).code(0);
        let file = session(&learner).join("session.json");
        let mut kept: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        kept["opened"] = opened.into();
        fs::write(&file, kept.to_string()).unwrap();
        learner.run(&["status"]).code(0);
        learner.run(&["check"]).code(1);
        learner.run(&["reset"]).code(0);
        learner.run(&["check"]).code(1);
        leaves_nothing(&learner);
    }
}

#[test]
fn of_two_starts_at_once_one_opens_the_lab() {
    let learner = Learner::new();
    let start = || {
        learner.command(BREAKFIX).args(["start", LAB]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()];
    let mut said: Vec<Said> = both.map(|child| child.wait_with_output().unwrap().into()).into();
    said.sort_by_key(|it| it.code);
    assert_eq!(said[0].code, 0, "{}", said[0].err);
    assert!([2, 3].contains(&said[1].code), "{}", said[1].err);
    assert!(said[1].err.contains("already open") || said[1].err.contains("another breakfix"), "{}", said[1].err);
    assert_eq!(learner.sessions().len(), 1);
    learner.run(&["check"]).code(1);
    leaves_nothing(&learner);
}

/// What stands in the place of the API server.
#[derive(Clone, Copy, Debug)]
enum Server {
    /// Nobody listens.
    Down,
    /// Says something else than a Kubernetes API does.
    Garbage,
    /// Takes every connection and never says anything.
    Silent,
    /// The API's own words for trouble of its own.
    Broken,
}

/// Puts a server in the simulator's place, in the kubeconfig that breakfix uses.
fn instead_of_the_simulator(learner: &Learner, server: Server) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let text = match server {
        Server::Down => None,
        Server::Garbage => {
            Some("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>")
        }
        Server::Silent => Some(""),
        Server::Broken => Some(
            "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
             {\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"InternalError\",\"code\":500,\"message\":\"etcdserver: no leader\"}",
        ),
    };
    match text {
        None => drop(listener),
        Some(text) => drop(std::thread::spawn(move || {
            let mut kept: Vec<TcpStream> = Vec::new();
            for mut client in listener.incoming().flatten() {
                if text.is_empty() {
                    kept.push(client);
                    continue;
                }
                let mut request = [0; 4096];
                let _ = client.read(&mut request);
                let _ = client.write_all(text.as_bytes());
            }
        })),
    }
    let file = find(&session(learner).join("sim"), "kubeconfig").expect("a kubeconfig of breakfix's own");
    let text = fs::read_to_string(&file).unwrap();
    let place = text.find("server").unwrap();
    let (before, rest) = text.split_at(place);
    let url = rest.find("https://").unwrap();
    let end = url + rest[url..].find(['"', '\n', ',', '\'']).unwrap();
    fs::write(&file, format!("{before}{}http://{address}{}", &rest[..url], &rest[end..])).unwrap();
}

fn find(folder: &Path, part: &str) -> Option<PathBuf> {
    let paths = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let here = files.into_iter().find(|path| path.file_name().is_some_and(|it| it.to_string_lossy().contains(part)));
    here.or_else(|| folders.iter().find_map(|folder| find(folder, part)))
}

#[test]
fn an_api_in_trouble_makes_a_check_unknown_and_loses_nothing() {
    for (server, words) in [
        (Server::Down, "cannot be reached"),
        (Server::Garbage, "not one of a Kubernetes API"),
        (Server::Broken, "etcdserver: no leader"),
        (Server::Silent, "did not answer"),
    ] {
        let learner = Learner::new();
        learner.run(&["start", LAB]).code(0);
        let kubeconfig = find(&session(&learner).join("sim"), "kubeconfig").unwrap();
        let right = fs::read(&kubeconfig).unwrap();
        instead_of_the_simulator(&learner, server);
        let report = learner.run(&["check", "--json"]).code(3);
        let report = report.json();
        assert_eq!(report["solved"], false, "{server:?}");
        for objective in report["objectives"].as_array().unwrap() {
            assert_eq!(objective["verdict"], "unknown", "{server:?}: {objective}");
        }
        assert!(report.to_string().contains(words), "{server:?}: {report}");
        // The system is back; the session goes on where it was.
        fs::write(&kubeconfig, right).unwrap();
        learner.run(&["check"]).code(1);
        leaves_nothing(&learner);
    }
}

#[test]
fn a_system_whose_files_are_gone_is_trouble_and_no_mistake_of_the_learners() {
    for (lab, folder) in [(LAB, "sim"), ("slow-starter-never-survives", "sim-aws")] {
        let learner = Learner::new();
        learner.run(&["start", lab]).code(0);
        for pid in pids(&learner) {
            Command::new("kill").args(["-9", &pid]).status().unwrap();
        }
        fs::remove_dir_all(session(&learner).join(folder)).unwrap();
        let answer = learner.run(&["check"]).code(3);
        assert!(answer.err.contains("gone") && answer.err.contains("breakfix reset"), "{}", answer.err);
        learner.run(&["env"]).code(3);
        learner.run(&["reset"]).code(0);
        learner.run(&["check"]).code(1);
        leaves_nothing(&learner);
    }
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    // It may be over already.
    let _ = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
}

/// Starts a command, interrupts it after so long, and returns what it said.
#[cfg(unix)]
fn interrupted(learner: &Learner, arguments: &[&str], after: Duration) -> Said {
    let mut command = learner.command(BREAKFIX);
    let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(after);
    interrupt(&child);
    child.wait_with_output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn ctrl_c_at_any_moment_leaves_a_session_or_none() {
    let mut in_time = 0;
    for command in ["start", "check", "reset", "stop"] {
        for milliseconds in [1, 15, 40, 80, 160, 320] {
            let learner = Learner::new();
            let after = Duration::from_millis(milliseconds);
            let said = if command == "start" {
                interrupted(&learner, &["start", LAB], after)
            } else {
                learner.run(&["start", LAB]).code(0);
                interrupted(&learner, &[command], after)
            };
            let done: &[i32] = if command == "check" { &[1] } else { &[0] };
            if said.code == 3 {
                in_time += 1;
                assert!(said.err.contains("interrupted"), "{command} after {milliseconds} ms: {}", said.err);
            } else if said.code != -1 {
                assert!(done.contains(&said.code), "{command} after {milliseconds} ms: {} {}", said.code, said.err);
            }
            learner.run(&["status"]).code(0);
            let next = learner.run(&["check"]);
            assert!([1, 2].contains(&next.code), "{command} after {milliseconds} ms: {}{}", next.out, next.err);
            if command == "start" && said.code == 3 {
                assert_eq!(learner.sessions().len(), 0, "an interrupted start is taken back by itself");
            }
            leaves_nothing(&learner);
        }
    }
    assert!(in_time > 0, "every command was over, or not begun, before it was interrupted");
}

#[test]
fn a_reader_that_goes_away_does_not_keep_a_lab_from_opening() {
    let learner = Learner::new();
    let mut child =
        learner.command(BREAKFIX).args(["start", LAB]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    learner.run(&["check"]).code(1);
    for arguments in [&["status"][..], &["list"], &["step"]] {
        let mut child =
            learner.command(BREAKFIX).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let said: Said = child.wait_with_output().unwrap().into();
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{arguments:?}");
    }
    leaves_nothing(&learner);
}

/// A new lab of the learner's own, changed by one replacement.
fn own_lab(learner: &Learner, from: &str, to: &str) {
    learner.run(&["lab", "new", "mine", "--platform", "kubernetes"]).code(0);
    let file = learner.folder().join("kubernetes/mine/lab.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_lab_with_mistakes_says_where_and_opens_nothing() {
    for (from, to, words) in [
        ("objectives:", "objectifs:", "objectives"),
        ("kind: Lab", "kind: [Lab", "lab.yaml:"),
        ("points: 60", "points: many", "lab.yaml:"),
    ] {
        let learner = Learner::new();
        own_lab(&learner, from, to);
        for arguments in [&["--labs", ".", "start", "mine"][..], &["--labs", ".", "lab", "test", "mine"]] {
            let answer = learner.run(arguments).code(2);
            assert!(answer.err.contains(words), "{arguments:?}: {}", answer.err);
        }
        assert_eq!(learner.sessions().len(), 0);
        learner.run(&["lab", "lint", "."]).code(1);
        // The others can be had all the same.
        assert!(learner.run(&["--labs", ".", "list"]).code(0).out.contains(LAB));
    }
}

/// What a pack may hold: refused by whoever reads it, or by the API in its own words; nobody falls over, and nothing stays.
#[test]
fn a_pack_with_content_that_no_api_takes_opens_nothing() {
    let of = |kind: &str, rest: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: odd, namespace: mine}}\n{rest}\n")
    };
    let policy = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: odd}}\nspec: \
         {{matchConstraints: {{resourceRules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}}]}}, \
         validations: [{{expression: \"{}true{}\"}}]}}\n",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    let many: String = (0..10_000).map(|at| of("ConfigMap", "---").replace("odd", &format!("odd-{at}"))).collect();
    for (document, code, words) in [
        (of("Gizmo", ""), 3, "no matches for kind \"Gizmo\" in version \"v1\""),
        (of("ConfigMap", "data: [1, 2]"), 3, "json: cannot unmarshal array into Go struct field ConfigMap.data"),
        (of("Pod", "spec: {contaners: []}"), 3, "unknown field \"spec.contaners\""),
        (of("ConfigMap", "").replace("odd", "Odd_One"), 3, "a lowercase RFC 1123 subdomain must consist of"),
        (policy, 3, "spec.validations[0].expression: Invalid value"),
        (of("ConfigMap", &format!("data: {{a: {}}}", "x".repeat(2 << 20))), 2, "larger than 1 MiB"),
        (of("ConfigMap", &format!("data: {}{}", "[".repeat(50_000), "]".repeat(50_000))), 2, "nested too deeply"),
        (many, 2, "too many values"),
        ("\u{0}\u{1}".to_owned(), 2, "this is not YAML"),
    ] {
        let learner = Learner::new();
        learner.run(&["lab", "new", "mine", "--platform", "kubernetes"]).code(0);
        fs::write(learner.folder().join("kubernetes/mine/system/odd.yaml"), &document).unwrap();
        let answer = learner.run(&["--labs", ".", "start", "mine"]).code(code);
        assert!(answer.err.contains(words), "{words}: {}", answer.err.chars().take(600).collect::<String>());
        assert!(!answer.err.contains("panicked"), "{words}");
        leaves_nothing(&learner);
    }
}

#[test]
fn a_fault_that_breaks_nothing_is_no_lab() {
    let learner = Learner::new();
    own_lab(
        &learner,
        "path: /spec/ports/0/targetPort, value: \"${stray}\"",
        "path: /spec/ports/0/targetPort, value: http",
    );
    let answer = learner.run(&["--labs", ".", "start", "mine"]).code(3);
    assert!(answer.err.contains("would be no exercise") && answer.err.contains("page-answers"), "{}", answer.err);
    assert_eq!(learner.sessions().len(), 0, "what had been made is removed");
    assert!(simulators(&learner).is_empty());
    let proof = learner.run(&["--labs", ".", "lab", "test", "mine"]).code(1);
    assert!(proof.out.contains("FAILED   opens"), "{}", proof.out);
    assert_eq!(learner.sessions().len(), 0);
}

#[test]
fn a_new_lab_proves_itself() {
    let learner = Learner::new();
    let mut platforms = vec!["kubernetes"];
    platforms.extend(have("docker").then_some("docker"));
    for platform in platforms {
        let name = format!("mine-on-{platform}");
        learner.run(&["lab", "new", &name, "--platform", platform]).code(0);
        let proof = learner.run(&["--labs", ".", "lab", "test", &name]).code(0);
        for scenario in ["opens", "reference", "alternative-", "wrong-", "generic-no-change", "leaves-nothing-behind"] {
            assert!(proof.out.contains(scenario), "{scenario}\n{}", proof.out);
        }
    }
}
