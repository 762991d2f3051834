//! Nodes as machines: kubelet stopped and started, processor limits, roots without rights.

use breakfix_sim_kube::{
    kind,
    node::{self, machine},
};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, deployment, is_ready};

fn systemctl(world: &mut World, verb: &str) -> machine::NodeResult {
    let argv = ["systemctl", verb, "kubelet"].map(str::to_owned);
    machine::command(&mut world.cluster, "breakfix-worker", &argv).unwrap()
}

/// Recorded: node-not-ready (the words of logs and exec). Documented: without kubelet containers run on, and nobody looks after them.
#[test]
fn without_kubelet_nothing_is_restarted_until_it_is_back() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "web"}, "spec": {"nodeName": "breakfix-worker",
            "containers": [{"name": "main", "image": WEB}]}}),
    );
    world.run(4);
    assert_eq!(systemctl(&mut world, "is-active").stdout, "active\n");
    systemctl(&mut world, "stop");
    assert_eq!(systemctl(&mut world, "is-active").exit, 3);
    let refused = node::exec(&mut world.cluster, SPACE, "web", "", &["true".to_owned()], b"").unwrap_err();
    assert!(
        refused.message.ends_with("error dialing backend: dial tcp 172.31.0.3:10250: connect: connection refused"),
        "{refused:?}"
    );
    let refused = node::logs(&world.cluster, SPACE, "web", "", &node::LogOptions::default()).unwrap_err();
    assert_eq!(
        refused.message,
        "Get \"https://172.31.0.3:10250/containerLogs/shop/web/main\": dial tcp 172.31.0.3:10250: connect: connection refused"
    );
    let caller = {
        let mut caller = json!({"metadata": {"name": "caller"}, "spec": {"nodeName": "breakfix-worker2", "containers": [
            {"name": "main", "image": WEB, "command": ["sleep", "infinity"]}]}});
        caller["metadata"]["labels"] = json!({"app": "caller"});
        world.create(&kind::POD, SPACE, caller);
        world.run(4);
        world.get(&kind::POD, "caller")
    };
    let ip = world.get(&kind::POD, "web")["status"]["podIP"].as_str().unwrap().to_owned();
    let answer = world.get_from(&caller, &format!("http://{ip}:8080/")).unwrap();
    assert_eq!(answer.status, 200, "the container runs on");
    let request = breakfix_workload::Request::post("/exit?code=3", "");
    let from = breakfix_sim_kube::network::Source::Pod(caller["metadata"]["uid"].as_str().unwrap().to_owned());
    let url = format!("http://{ip}:8080/exit?code=3");
    let second = std::time::Duration::from_secs(1);
    breakfix_sim_kube::network::http(&mut world.cluster, &from, &url, &request, second).outcome.unwrap();
    world.run(20);
    let restarts =
        |world: &World| world.get(&kind::POD, "web")["status"]["containerStatuses"][0]["restartCount"].clone();
    assert_eq!(restarts(&world), 0);
    assert!(world.get_from(&caller, &format!("http://{ip}:8080/")).is_err(), "nobody has started it again");
    systemctl(&mut world, "start");
    world.run(10);
    assert_eq!(restarts(&world), 1);
    assert!(is_ready(&world.get(&kind::POD, "web")));
}

/// Tried on 1.36 (`slow-but-not-busy`): 10m of a processor for 50 ms of work take seconds, 500m do not; nothing is killed.
#[test]
fn a_small_processor_limit_makes_everything_slow() {
    let mut world = World::new();
    let caller = world.caller();
    for (name, limit) in [("slow", "10m"), ("fast", "500m")] {
        let container = json!({"args": ["serve", "--cpu=50ms"], "resources": {"limits": {"cpu": limit}}});
        world.create(&kind::DEPLOYMENT, SPACE, deployment(name, 1, container));
    }
    world.run(4);
    let ask = |world: &mut World, name: &str| {
        let ip = world.pods_of(name)[0]["status"]["podIP"].as_str().unwrap().to_owned();
        let from = breakfix_sim_kube::network::Source::Pod(caller["metadata"]["uid"].as_str().unwrap().to_owned());
        let request = breakfix_workload::Request::get("/");
        let url = format!("http://{ip}:8080/");
        let ten = std::time::Duration::from_secs(10);
        breakfix_sim_kube::network::http(&mut world.cluster, &from, &url, &request, ten).outcome.unwrap();
        ip
    };
    ask(&mut world, "slow");
    ask(&mut world, "fast");
    let slow = world.pods_of("slow")[0]["status"]["podIP"].as_str().unwrap().to_owned();
    world.run(30);
    assert!(world.get_from(&caller, &format!("http://{slow}:8080/")).is_err(), "not within two seconds");
    let fast = world.pods_of("fast")[0]["status"]["podIP"].as_str().unwrap().to_owned();
    assert!(world.get_from(&caller, &format!("http://{fast}:8080/")).is_ok());
    let restarts = world.pods_of("slow")[0]["status"]["containerStatuses"][0]["restartCount"].clone();
    assert_eq!(restarts, 0);
}

/// Documented in `capabilities(7)`: without DAC_OVERRIDE the superuser reads only what the bits allow.
#[test]
fn a_superuser_without_capabilities_is_held_to_the_files_bits() {
    let mut world = World::new();
    world.create(&kind::SECRET, SPACE, json!({"metadata": {"name": "key"}, "stringData": {"key": "k"}}));
    let pod = |name: &str, drop: Value| {
        json!({"metadata": {"name": name}, "spec": {
            "containers": [{"name": "main", "image": WEB, "command": ["sleep", "infinity"],
                "securityContext": {"capabilities": {"drop": drop}},
                "volumeMounts": [{"name": "data", "mountPath": "/mine"}]}],
            "volumes": [{"name": "data", "emptyDir": {}}]}})
    };
    world.create(&kind::POD, SPACE, pod("all", json!([])));
    world.create(&kind::POD, SPACE, pod("none", json!(["ALL"])));
    world.run(4);
    let touch = |world: &mut World, pod: &str| {
        let argv = ["touch".to_owned(), "/data/x".to_owned()];
        node::exec(&mut world.cluster, SPACE, pod, "", &argv, b"").unwrap().exit
    };
    assert_eq!((touch(&mut world, "all"), touch(&mut world, "none")), (0, 1), "/data belongs to another user");
}
