//! A learner, the simulator and the real kubectl.

mod learner;

use std::{fs, time::Duration};

use learner::{Learner, have};

const SOON: Duration = Duration::from_secs(30);

fn verdict(report: &serde_json::Value, name: &str) -> String {
    let objectives = report["objectives"].as_array().unwrap();
    objectives.iter().find(|it| it["name"] == name).unwrap()["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn a_lab_from_start_to_stop() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    let started = learner.run(&["start", "shop-answers-nobody", "--json"]).code(0).json();
    for key in ["session", "lab", "target", "env", "seconds"] {
        assert!(!started[key].is_null(), "{key} of {started}");
    }
    assert!(started["env"]["KUBECONFIG"].is_string(), "{started}");

    let pods = learner.tool(&["kubectl", "get", "pods"]).code(0);
    assert_eq!(pods.out.matches("Running").count(), 5, "{}", pods.out);
    let first = learner.run(&["check", "--json"]).code(1).json();
    assert_eq!(first["score"], 0);
    assert_eq!(first["formula"], "1");
    assert_eq!(verdict(&first, "shop-answers"), "not_met");
    learner.run(&["debrief"]).code(2);

    let hint = learner.run(&["hint", "--json"]).code(0).json();
    assert_eq!(hint["cost"], 5);

    let selector = r#"{"spec":{"selector":{"component":"web"}}}"#;
    learner.tool(&["kubectl", "patch", "service", "shop", "--type=merge", "-p", selector]).code(0);
    let solved = learner.run(&["check", "--json"]).code(0).json();
    assert_eq!((&solved["solved"], &solved["score"]), (&true.into(), &95.into()), "{solved}");

    assert!(learner.run(&["debrief"]).code(0).out.contains("endpoints"));
    learner.run(&["answer", "1", "b"]).code(0);
    let progress = learner.run(&["progress", "--json"]).code(0).json();
    assert_eq!(progress["labs"]["shop-answers-nobody"]["best"], 95);

    learner.run(&["reset"]).code(0);
    learner.run(&["check"]).code(1);
    learner.run(&["stop"]).code(0);
    assert_eq!(learner.sessions(), Vec::<std::path::PathBuf>::new());
    assert!(!learner.folder().join(".kube").exists(), "kubectl's cache went with the session");
    learner.run(&["status", "--json"]).code(0);
    learner.run(&["stop"]).code(2);
}

#[test]
fn the_simulator_survives_its_own_death() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "shop-answers-nobody"]).code(0);
    learner.tool(&["kubectl", "create", "configmap", "mine", "--from-literal=a=b"]).code(0);
    let before = learner.tool(&["kubectl", "get", "pods,services,configmaps", "-o", "name"]).code(0).out;
    kill_simulator(&learner);
    let after = learner.tool(&["kubectl", "get", "pods,services,configmaps", "-o", "name"]).code(0).out;
    assert_eq!(before, after);
    kill_simulator(&learner);
    learner.run(&["check"]).code(1);
}

fn kill_simulator(learner: &Learner) {
    let folder = learner.sessions().into_iter().next().unwrap();
    let ready = find(&folder, "ready.json").expect("a simulator says where it is");
    let ready: serde_json::Value = serde_json::from_slice(&fs::read(ready).unwrap()).unwrap();
    let pid = ready["pid"].as_u64().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(100));
}

fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name) {
                return Some(found);
            }
        } else if path.file_name().is_some_and(|it| it == name) {
            return Some(path);
        }
    }
    None
}

#[test]
fn the_broken_state_is_the_only_one_that_ever_was() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "image-never-arrives"]).code(0);
    let history = learner.tool(&["kubectl", "rollout", "history", "deployment/web"]).code(0).out;
    assert!(!history.contains("\n2 "), "a second revision tells that there was a first:\n{history}");
    let all = learner
        .tool(&["kubectl", "get", "deployments,replicasets,events", "-o", "yaml", "--show-managed-fields"])
        .code(0)
        .out;
    let healthy = "registry.example/shop/web:1.4\n";
    assert!(!all.contains(healthy), "the healthy image is still to be seen");
    assert!(!all.contains("last-applied-configuration"));
}

#[test]
fn a_crashing_pod_looks_like_one() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "crashes-looking-for-its-config"]).code(0);
    learner.until(&["kubectl", "logs", "deployment/web"], "/etc/shop/shop.yml", SOON);
    let described = learner.tool(&["kubectl", "describe", "pods"]).code(0).out;
    assert!(described.contains("Exit Code:    78"), "{described}");
    let fixed = r#"[{"op":"replace","path":"/spec/template/spec/containers/0/args","value":["serve","--config=/etc/shop/shop.yaml"]}]"#;
    learner.tool(&["kubectl", "patch", "deployment", "web", "--type=json", "-p", fixed]).code(0);
    learner.tool(&["kubectl", "rollout", "status", "deployment/web", "--timeout=60s"]).code(0);
    learner.run(&["check"]).code(0);
}

#[test]
fn a_roll_out_can_be_taken_back() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "release-stuck-halfway"]).code(0);
    let stuck = learner.tool(&["kubectl", "rollout", "status", "deployment/web", "--timeout=5s"]);
    assert_ne!(stuck.code, 0, "{}", stuck.out);
    learner.tool(&["kubectl", "rollout", "undo", "deployment/web"]).code(0);
    learner.until(&["kubectl", "get", "deployment", "web"], "3/3     3            3", SOON);
    learner.run(&["check"]).code(0);
}

#[test]
fn two_labs_need_a_name() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    let first = learner.run(&["start", "shop-answers-nobody", "--json"]).code(0).json();
    learner.run(&["start", "shop-answers-nobody"]).code(2);
    learner.run(&["start", "image-never-arrives"]).code(0);
    let answer = learner.run(&["check"]).code(2);
    assert!(answer.err.contains("--session"), "{}", answer.err);
    learner.run(&["check", "--session", first["session"].as_str().unwrap()]).code(1);
    learner.run(&["stop", "--all"]).code(0);
    assert_eq!(learner.sessions().len(), 0);
}

#[test]
fn a_seed_changes_the_names_and_not_the_lab() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "shop-answers-nobody", "--seed", "1"]).code(0);
    let labels = learner.tool(&["kubectl", "get", "pods", "--show-labels"]).code(0).out;
    let plain = Learner::new();
    plain.run(&["start", "shop-answers-nobody"]).code(0);
    let plain_labels = plain.tool(&["kubectl", "get", "pods", "--show-labels"]).code(0).out;
    let words = |text: &str| text.matches("component=web").count();
    assert!(words(&plain_labels) > 0);
    assert_ne!(words(&labels), words(&plain_labels), "{labels}");
}

/// A lab whose fault is on a node: its machine, its zones, a context with fewer rights, the declared folder, an answer from the system.
#[test]
fn nodes_contexts_and_a_declared_folder() {
    let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lint/valid/kubernetes/one-machine-went-quiet");
    let learner = Learner::new().with("BREAKFIX_LABS", lab);
    let proof = learner.run(&["lab", "test", "one-machine-went-quiet"]);
    proof.code(0);
    if !have("kubectl") {
        return;
    }
    let started = learner.run(&["start", "one-machine-went-quiet", "--json"]).code(0).json();
    let zones = learner.tool(&["kubectl", "get", "nodes", "-L", "topology.kubernetes.io/zone"]).code(0).out;
    assert!(zones.contains("shop-a") && zones.contains("shop-b") && zones.contains("NotReady"), "{zones}");
    let quiet =
        zones.lines().find(|line| line.contains("NotReady")).unwrap().split_whitespace().next().unwrap().to_owned();

    // The context has the account's rights and no others.
    let pipeline = |words: &[&str]| learner.tool(&[&["kubectl", "--context", "pipeline"], words].concat());
    assert!(pipeline(&["auth", "whoami"]).code(0).out.contains("system:serviceaccount:shop:pipeline"));
    pipeline(&["get", "configmap", "page"]).code(0);
    assert!(pipeline(&["get", "secrets"]).code(1).err.contains("Forbidden"));
    let auditor = learner.tool(&["kubectl", "--context", "auditor", "auth", "whoami"]).code(0).out;
    assert!(auditor.contains("auditor") && auditor.contains("auditors"), "{auditor}");

    // The machine takes commands; the answer is what the system said at the start, whatever it says later.
    learner.run(&["node", &quiet, "systemctl", "is-active", "kubelet"]).code(1);
    assert!(learner.run(&["node", "nowhere", "true"]).code(2).err.contains("breakfix-worker"));
    learner.run(&["node", &quiet, "systemctl", "start", "kubelet"]).code(0);
    learner.run(&["answer", "1", &quiet]).code(0);

    // A live edit is taken back; the folder is not.
    let work = started["env"]["BREAKFIX_WORK"].as_str().unwrap();
    let page = std::path::Path::new(work).join("page.yaml");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replace("hello", "welcome")).unwrap();
    // The machine takes its time to come back, as a learner sees who checks at once.
    let ready = format!("node/{quiet}");
    learner.tool(&["kubectl", "wait", &ready, "--for=condition=Ready", "--timeout=120s"]).code(0);
    let begun = std::time::Instant::now();
    while learner.run(&["check"]).code != 0 && begun.elapsed() < std::time::Duration::from_secs(120) {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    let solved = learner.run(&["check", "--json"]).code(0).json();
    assert_eq!(solved["score"], 100, "{solved}");
    learner.run(&["reset"]).code(0);
    assert!(learner.tool(&["kubectl", "get", "nodes"]).code(0).out.contains("NotReady"));
    assert!(fs::read_to_string(&page).unwrap().contains("hello"), "a reset lays the folder out anew");
    learner.run(&["stop"]).code(0);
}

/// How the shop of `alarm-without-a-fire` stands: how many pods are wanted, and whom its Service means.
fn shop_of_the_alarm(learner: &Learner) -> (String, String) {
    let ask = |arguments: &[&str]| learner.tool(arguments).code(0).out;
    let replicas = ask(&["kubectl", "get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"]);
    (replicas, ask(&["kubectl", "get", "service", "web", "-o", "jsonpath={.spec.selector.app}"]))
}

const AS_IT_WAS: (&str, &str) = ("3", "web");

fn watchdog(learner: &Learner, change: &[&str]) {
    learner.tool(change).code(0);
    learner.tool(&["kubectl", "rollout", "status", "deployment/watchdog", "--timeout=60s"]).code(0);
}

#[test]
fn a_test_that_ends_early_puts_back_what_it_took_away() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "alarm-without-a-fire", "--speed", "2"]).code(0);
    let always = r#"{"spec":{"template":{"spec":{"containers":[{"name":"watchdog","readinessProbe":{"exec":{"command":["/bin/true"]}}}]}}}}"#;
    watchdog(&learner, &["kubectl", "patch", "deployment", "watchdog", "--patch", always]);
    // The shop is taken away, and nobody notices: what stands after that in the trigger is never come to.
    let report = learner.run(&["check", "--json"]).code(1).json();
    for objective in ["says-down-when-nobody-answers", "says-down-when-the-page-is-another"] {
        assert_eq!(verdict(&report, objective), "not_met");
    }
    let (replicas, selector) = shop_of_the_alarm(&learner);
    assert_eq!((replicas.as_str(), selector.as_str()), AS_IT_WAS);
    // So an honest repair is worth all of it afterwards.
    learner.tool(&["kubectl", "rollout", "undo", "deployment/watchdog"]).code(0);
    watchdog(&learner, &["kubectl", "set", "env", "deployment/watchdog", "EXPECT=web "]);
    let report = learner.run(&["check", "--json"]).code(0).json();
    assert_eq!(report["score"], 100, "{report}");
    learner.run(&["stop"]).code(0);
}

#[test]
fn a_test_that_is_cut_short_puts_back_what_it_took_away() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["start", "alarm-without-a-fire", "--speed", "2"]).code(0);
    watchdog(&learner, &["kubectl", "set", "env", "deployment/watchdog", "EXPECT=web "]);
    let mut cuts = 0;
    for entry in 1..40 {
        let mut check = learner.command(env!("CARGO_BIN_EXE_breakfix"));
        let cut = check.arg("check").env("BREAKFIX_TEST_CRASH_AFTER_ENTRY", entry.to_string()).output().unwrap();
        if cut.status.code().is_some() {
            break;
        }
        cuts += 1;
        // Any next command that takes the session up puts it right.
        learner.run(&["env"]).code(0);
        let (replicas, selector) = shop_of_the_alarm(&learner);
        assert_eq!((replicas.as_str(), selector.as_str()), AS_IT_WAS, "cut short at entry {entry}");
        // Without pods nothing would be put to the test next time.
        for deployment in ["deployment/web", "deployment/watchdog"] {
            learner.tool(&["kubectl", "rollout", "status", deployment, "--timeout=90s"]).code(0);
        }
    }
    assert!(cuts >= 8, "both triggers note what they take away, and that it is back: {cuts}");
    learner.run(&["check"]).code(0);
    learner.run(&["stop"]).code(0);
}

/// A simulator that skips time sets its dates back, so that its date stays the wall's; what a test compares with them has to move along.
#[test]
fn a_restart_while_a_test_waits_is_seen() {
    if !have("kubectl") {
        return;
    }
    let learner = Learner::new();
    learner.run(&["lab", "new", "mine", "--platform", "kubernetes"]).code(0);
    let file = learner.folder().join("kubernetes/mine/lab.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("    trigger:\n").unwrap();
    let (_, after) = after.split_once("    converge: 90s\n").unwrap();
    let tried = "    trigger:\n      - request: {request: {url: \"http://web:8080/exit\", method: POST, each: {kind: Deployment, name: web}}, count: 1}\n      \
                 - wait: 40s\n    check:\n      restarts: {kind: Deployment, name: web, expect: none}\n    converge: 5s\n";
    std::fs::write(&file, format!("{before}{tried}{after}")).unwrap();
    learner.run(&["--labs", ".", "start", "mine"]).code(0);
    let repaired = r#"[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]"#;
    learner.tool(&["kubectl", "patch", "service", "web", "--type=json", "--patch", repaired]).code(0);
    let report = learner.run(&["--labs", ".", "check", "--json"]).code(1).json();
    assert_eq!(verdict(&report, "page-answers"), "met");
    assert_eq!(verdict(&report, "survives-a-new-pod"), "not_met", "{report}");
    learner.run(&["stop"]).code(0);
}
