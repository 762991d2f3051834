//! What a container's program leads to: memory, hanging, exit codes, probes, stops.

use std::time::Duration;

use breakfix_sim_kube::{
    api::verbs::{DeleteOptions, Part},
    kind,
    network::{self, Source},
    node::{self, LogOptions},
};
use breakfix_workload::Request;
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, deployment, is_ready};

fn pod(name: &str, container: Value) -> Value {
    let mut container = container;
    container["name"] = json!("main");
    if container.get("image").is_none() {
        container["image"] = json!(WEB);
    }
    json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [container]}})
}

fn status(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]
}

fn post(world: &mut World, pod: &Value, path: &str) -> Result<u16, String> {
    let from = Source::Node("breakfix-worker".into());
    let url = format!("http://{}:8080{path}", pod["status"]["podIP"].as_str().unwrap());
    let request = Request { method: "POST".into(), target: path.into(), ..Request::default() };
    let answered = network::http(&mut world.cluster, &from, &url, &request, Duration::from_secs(2));
    answered.outcome.map(|answer| answer.status).map_err(|error| error.word().to_owned())
}

/// Tried on 1.36 (`killed-again-and-again`): the first kill shows as one restart, lastState OOMKilled 137, and no event names memory.
#[test]
fn a_program_that_holds_too_much_is_killed() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({"resources": {"limits": {"memory": "64Mi"}}})));
    world.run(4);
    let web = world.get(&kind::POD, "web");
    assert_eq!(post(&mut world, &web, "/load?mb=32&seconds=1"), Ok(200));
    world.run(3);
    assert_eq!(post(&mut world, &web, "/load?mb=96&seconds=30"), Err("reset".into()));
    world.run(3);
    let web = world.get(&kind::POD, "web");
    assert_eq!(status(&web)["restartCount"], 1);
    assert_eq!(status(&web)["lastState"]["terminated"]["reason"], "OOMKilled");
    assert_eq!(status(&web)["lastState"]["terminated"]["exitCode"], 137);
    assert!(is_ready(&web));
    assert!(!world.events().iter().any(|event| event.to_lowercase().contains("memory") || event.contains("BackOff")));
}

/// Tried on 1.36 (`restarted-before-it-is-up`): a hung program is restarted by its liveness probe; a TCP probe never notices.
#[test]
fn a_hung_program_is_noticed_by_http_only() {
    let mut world = World::new();
    let probe = |handler: Value| {
        let mut probe = handler;
        probe["periodSeconds"] = json!(3);
        json!({"livenessProbe": probe})
    };
    world.create(&kind::POD, SPACE, pod("http", probe(json!({"httpGet": {"path": "/healthz", "port": 8080}}))));
    world.create(&kind::POD, SPACE, pod("tcp", probe(json!({"tcpSocket": {"port": 8080}}))));
    world.run(4);
    for name in ["http", "tcp"] {
        let hung = world.get(&kind::POD, name);
        assert_eq!(post(&mut world, &hung, "/hang"), Ok(200));
    }
    let took = world.until(20, "a restart", |cluster| {
        status(&cluster.get(&kind::POD, SPACE, "http").unwrap())["restartCount"] == 1
    });
    assert!((6.0..14.0).contains(&took), "three failures, three seconds apart: {took}");
    assert!(
        world
            .events()
            .iter()
            .any(|event| event.contains("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"))
    );
    world.run(60);
    assert_eq!(status(&world.get(&kind::POD, "tcp"))["restartCount"], 0);
}

/// Documented: while the startup probe has not succeeded, the others do not ask.
#[test]
fn a_startup_probe_holds_the_others_back() {
    let mut world = World::new();
    let ask = |period: u64, failures: u64| json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": period, "failureThreshold": failures});
    let slow = |name: &str, startup: Option<Value>| {
        let mut container = json!({"env": [{"name": "START_DELAY", "value": "20s"}], "livenessProbe": ask(2, 2)});
        if let Some(startup) = startup {
            container["startupProbe"] = startup;
        }
        pod(name, container)
    };
    world.create(&kind::POD, SPACE, slow("patient", Some(ask(2, 30))));
    world.create(&kind::POD, SPACE, slow("hasty", None));
    world.run(30);
    let patient = world.get(&kind::POD, "patient");
    assert_eq!(status(&patient)["restartCount"], 0);
    assert_eq!(status(&patient)["started"], true);
    assert!(status(&world.get(&kind::POD, "hasty"))["restartCount"].as_i64() > Some(0));
}

/// Tried on 1.36 (`crashes-looking-for-its-config`): exit 78; the added key is seen at the next restart, without a roll-out.
#[test]
fn a_missing_variable_crashes_until_the_key_is_there() {
    let mut world = World::new();
    world.create(&kind::CONFIG_MAP, SPACE, json!({"metadata": {"name": "shop"}, "data": {"other": "x"}}));
    let container = json!({
        "env": [{"name": "NEEDS_ENV", "value": "CURRENCY"}],
        "envFrom": [{"configMapRef": {"name": "shop"}}],
    });
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 1, container));
    world.run(30);
    let crashed = &world.pods_of("web")[0].clone();
    let last = &status(crashed)["lastState"]["terminated"];
    assert_eq!((last["exitCode"].as_i64(), last["reason"].as_str()), (Some(78), Some("Error")));
    let name = crashed["metadata"]["name"].as_str().unwrap();
    let log = node::logs(&world.cluster, SPACE, name, "", &LogOptions::default()).unwrap();
    assert!(log.contains("CURRENCY is not set"), "{log}");
    world.edit(&kind::CONFIG_MAP, "shop", |shop| shop["data"]["CURRENCY"] = json!("EUR"));
    world.until(60, "it runs by itself", |cluster| cluster.list(&kind::POD, Some(SPACE)).all(|pod| is_ready(pod)));
}

/// Documented: the termination message is the file's text, or with FallbackToLogsOnError the log's end.
#[test]
fn last_words_are_kept() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "file"}, "spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": WEB, "command": ["sh", "-c", "echo disk full > /dev/termination-log; exit 9"]}]}}),
    );
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "log"}, "spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": WEB, "command": ["sh", "-c", "echo no more room; exit 9"],
             "terminationMessagePolicy": "FallbackToLogsOnError"}]}}),
    );
    world.run(5);
    for (name, words) in [("file", "disk full\n"), ("log", "no more room\n")] {
        let ended = world.get(&kind::POD, name);
        assert_eq!(status(&ended)["state"]["terminated"]["message"], words, "{name}");
        assert_eq!(ended["status"]["phase"], "Failed");
    }
}

/// Documented: whether a container is started again depends on the policy and on its code.
#[test]
fn the_restart_policy_decides() {
    let mut world = World::new();
    for (policy, code) in [("OnFailure", 0), ("OnFailure", 1), ("Never", 1), ("Always", 0)] {
        let name = format!("{}-{code}", policy.to_lowercase());
        let mut body = pod(&name, json!({"command": ["sh", "-c", format!("exit {code}")]}));
        body["spec"]["restartPolicy"] = json!(policy);
        world.create(&kind::POD, SPACE, body);
    }
    world.run(20);
    let seen = |world: &World, name: &str| {
        let pod = world.get(&kind::POD, name);
        (pod["status"]["phase"].as_str().unwrap().to_owned(), status(&pod)["restartCount"].as_i64().unwrap() > 0)
    };
    assert_eq!(seen(&world, "onfailure-0"), ("Succeeded".into(), false));
    assert_eq!(seen(&world, "onfailure-1"), ("Running".into(), true));
    assert_eq!(seen(&world, "never-1"), ("Failed".into(), false));
    assert_eq!(seen(&world, "always-0"), ("Running".into(), true));
}

/// Documented: an init container runs to its end before the next one starts, and before any other.
#[test]
fn init_containers_come_one_after_the_other() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "web"}, "spec": {
            "volumes": [{"name": "shared", "emptyDir": {}}],
            "initContainers": [
                {"name": "first", "image": WEB, "command": ["sh", "-c", "sleep 3; echo first > /shared/steps"],
                 "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]},
                {"name": "second", "image": WEB, "command": ["sh", "-c", "cat /shared/steps; echo second >> /shared/steps"],
                 "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]},
            ],
            "containers": [{"name": "main", "image": WEB, "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}],
        }}),
    );
    world.run(2);
    assert_eq!(world.get(&kind::POD, "web")["status"]["phase"], "Pending");
    world.run(6);
    let web = world.get(&kind::POD, "web");
    assert!(is_ready(&web), "{}", web["status"]);
    let read =
        node::exec(&mut world.cluster, SPACE, "web", "main", &["cat".into(), "/shared/steps".into()], b"").unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap(), "first\nsecond\n");
    let log = node::logs(&world.cluster, SPACE, "web", "second", &LogOptions::default()).unwrap();
    assert_eq!(log, "first\n");
}

/// Documented, and recorded in delete-grace: the hook's time counts as grace; a deaf program is killed when it is over.
#[test]
fn a_stop_takes_the_hook_and_the_grace_it_is_given() {
    let mut world = World::new();
    let mut slow = pod(
        "slow",
        json!({"env": [{"name": "STOP", "value": "ignore"}], "lifecycle": {"preStop": {"sleep": {"seconds": 3}}}}),
    );
    slow["spec"]["terminationGracePeriodSeconds"] = json!(8);
    world.create(&kind::POD, SPACE, slow);
    world.run(4);
    world.cluster.delete(&kind::POD, SPACE, "slow", &DeleteOptions::default(), &World::admin()).unwrap();
    let took = world.until(20, "it is gone", |cluster| cluster.get(&kind::POD, SPACE, "slow").is_err());
    assert!((8.0..10.5).contains(&took), "{took}");
}

/// Documented: `--grace-period=0 --force` takes the pod out of the API at once; its process is stopped all the same.
#[test]
fn a_forced_deletion_does_not_wait() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({})));
    world.run(4);
    let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    world.cluster.delete(&kind::POD, SPACE, "web", &options, &World::admin()).unwrap();
    assert!(world.cluster.get(&kind::POD, SPACE, "web").is_err());
    world.run(5);
    assert!(world.events().iter().any(|event| event.starts_with("Killing Pod/web")));
    assert_eq!(world.cluster.nodes.pods().filter(|pod| &*pod.key.namespace == SPACE).count(), 0);
}

/// Tried on 1.36 (`image-never-arrives`): the image of a live pod may be edited, and its container is replaced in place.
#[test]
fn a_live_pods_image_can_be_changed() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({"image": "registry.example/shop/none:1"})));
    world.run(20);
    world.edit(&kind::POD, "web", |web| web["spec"]["containers"][0]["image"] = json!(WEB));
    let took = world.until(20, "it runs", |cluster| is_ready(&cluster.get(&kind::POD, SPACE, "web").unwrap()));
    assert!(took < 2.0, "0.9 s on the real cluster, {took} here");
    world.edit(&kind::POD, "web", |web| web["spec"]["containers"][0]["image"] = json!("registry.example/shop/web:1.5"));
    world.run(5);
    let web = world.get(&kind::POD, "web");
    assert_eq!(status(&web)["restartCount"], 1);
    assert!(world.events().iter().any(|event| event.contains("Container main definition changed, will be restarted")));
}

/// Recorded in crash-loop-polled: STATUS is CrashLoopBackOff for the shorter part of a long back-off, and restarts keep their rhythm.
#[test]
fn a_long_crash_loop_keeps_its_rhythm() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({"command": ["sh", "-c", "exit 1"]})));
    let mut restarts = Vec::new();
    let mut waiting = 0;
    for second in 0..400_u64 {
        world.run(1);
        let web = world.get(&kind::POD, "web");
        let count = status(&web)["restartCount"].as_u64().unwrap();
        if count > restarts.len() as u64 {
            restarts.push(second);
        }
        waiting += usize::from(status(&web)["state"]["waiting"]["reason"] == "CrashLoopBackOff");
    }
    let pauses: Vec<u64> = restarts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let bounds = [(10, 16), (20, 31), (40, 61), (80, 92), (160, 172)];
    assert_eq!(pauses.len(), bounds.len(), "{restarts:?}");
    for (pause, (least, most)) in pauses.iter().zip(bounds) {
        assert!((least..=most).contains(pause), "{pauses:?}");
    }
    assert!((40..200).contains(&waiting), "{waiting} s of 400");
}

/// Recorded in crash-loop-polled: while a crashed container stands as terminated, the run before it has no log any more.
#[test]
fn the_previous_log_is_there_only_sometimes() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({"command": ["sh", "-c", "echo boot; exit 1"]})));
    world.create(&kind::POD, SPACE, pod("well", json!({})));
    world.run(4);
    let previous = LogOptions { previous: true, ..LogOptions::default() };
    let refused = node::logs(&world.cluster, SPACE, "well", "", &previous).unwrap_err();
    assert_eq!(refused.message, "previous terminated container \"main\" in pod \"well\" not found");
    let mut answers = std::collections::BTreeSet::new();
    for _ in 0..400 {
        world.run_millis(1000);
        let answer = node::logs(&world.cluster, SPACE, "web", "", &previous).unwrap_or_default();
        answers.insert(answer.split(':').next().unwrap().to_owned());
        assert_eq!(node::logs(&world.cluster, SPACE, "web", "", &LogOptions::default()).unwrap(), "boot\n");
    }
    assert!(answers.contains("boot\n"), "{answers:?}");
    assert!(answers.contains("unable to retrieve container logs for containerd"), "{answers:?}");
}

/// The runtime's words, recorded in healthy-deployment.
#[test]
fn exec_says_what_the_runtime_says() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({})));
    world.run(4);
    let run = |world: &mut World, argv: &[&str]| {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        node::exec(&mut world.cluster, SPACE, "web", "", &argv, b"")
    };
    let done = run(&mut world, &["sh", "-c", "echo out; exit 3"]).unwrap();
    assert_eq!((done.stdout.as_slice(), done.exit), (b"out\n".as_slice(), 3));
    let refused = run(&mut world, &["/bin/nosuch"]).unwrap_err();
    assert!(refused.message.ends_with(
        "OCI runtime exec failed: exec failed: unable to start container process: exec: \"/bin/nosuch\": stat /bin/nosuch: no such file \
         or directory"
    ), "{}", refused.message);
    let refused = run(&mut world, &["nosuch"]).unwrap_err();
    assert!(refused.message.ends_with("exec: \"nosuch\": executable file not found in $PATH"), "{}", refused.message);
}

/// The job's last call takes its time; its end waits for that, and the clock goes on meanwhile.
#[test]
fn a_job_that_hands_in_to_nobody_fails_in_the_end() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "report"}, "spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": WEB, "args": ["job", "--after=2s"],
             "env": [{"name": "REPORT", "value": "http://archive/records"}]}]}}),
    );
    world.until(60, "the job ends", |cluster| {
        cluster.get(&kind::POD, SPACE, "report").unwrap()["status"]["phase"] == "Failed"
    });
}

/// `needsReconcile` of kubelet's status manager: what somebody else writes into a pod's status does not last.
#[test]
fn a_status_written_by_hand_is_put_right_by_kubelet() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pod("web", json!({})));
    let mut once = pod("once", json!({"command": ["/bin/false"]}));
    once["spec"]["restartPolicy"] = json!("Never");
    world.create(&kind::POD, SPACE, once);
    world.run(20);
    let told = |world: &World, name: &str| {
        let pod = world.get(&kind::POD, name);
        (pod["status"]["phase"].clone(), status(&pod)["ready"].clone(), pod["status"]["podIP"].clone())
    };
    let before = (told(&world, "web"), told(&world, "once"));
    assert_eq!((&before.0.0, &before.1.0), (&json!("Running"), &json!("Failed")));
    for name in ["web", "once"] {
        let write = |pod: &mut Value| {
            pod["status"]["phase"] = json!("Succeeded");
            pod["status"]["containerStatuses"][0]["ready"] = json!(false);
            pod["status"]["podIP"] = json!("10.9.9.9");
        };
        world.cluster.update(&kind::POD, SPACE, name, Part::Status, &World::admin(), write).unwrap();
        assert_eq!(told(&world, name).0, json!("Succeeded"));
    }
    world.run(5);
    assert_eq!(told(&world, "web").0, json!("Succeeded"), "kubelet looks every ten seconds");
    world.run(7);
    assert_eq!((told(&world, "web"), told(&world, "once")), before);
    let revision = world.cluster.store.revision();
    world.run(60);
    let writes = world.cluster.store.since(revision).unwrap().filter(|event| &*event.key.collection == "pods");
    assert_eq!(writes.count(), 0, "and then it rests");
}
