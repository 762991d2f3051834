//! A learner, the Docker engine and the real docker. One lab at a time: names on an engine are for everybody.
#![cfg(unix)]

mod engine;
mod learner;

use engine::{inventory, turn};
use learner::Learner;

fn port(learner: &Learner) -> String {
    let said = learner.tool(&["docker", "inspect", "web", "--format", "{{json .HostConfig.PortBindings}}"]).code(0);
    let bindings = said.json();
    bindings.as_object().unwrap().values().next().unwrap()[0]["HostPort"].as_str().unwrap().to_owned()
}

fn environment(learner: &Learner) -> String {
    let said = learner.tool(&["docker", "inspect", "web", "--format", "{{json .Config.Env}}"]).code(0);
    let env = said.json();
    let entries = env.as_array().unwrap().iter().filter_map(|it| it.as_str());
    entries.clone().find(|it| it.starts_with("TITLE=")).unwrap().to_owned()
}

#[test]
fn a_lab_from_start_to_stop() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    let before = inventory(&learner);
    let started = learner.run(&["start", "page-not-there", "--json"]).code(0).json();
    assert_eq!(started["target"], "docker");
    let first = learner.run(&["check", "--json"]).code(1).json();
    assert_eq!(first["score"], 0);

    // The learner makes the container again, by plain docker, without any label of ours.
    let (port, title) = (port(&learner), environment(&learner));
    let image =
        learner.tool(&["docker", "inspect", "web", "--format", "{{.Config.Image}}"]).code(0).out.trim().to_owned();
    learner.tool(&["docker", "rm", "-f", "web"]).code(0);
    let publish = format!("127.0.0.1:{port}:8080");
    learner.tool(&["docker", "run", "-d", "--name", "web", "-m", "128m", "-e", &title, "-p", &publish, &image]).code(0);
    let solved = learner.run(&["check", "--json"]).code(0).json();
    assert_eq!(solved["score"], 100, "{solved}");

    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(&learner), before, "the engine holds what it held before");
}

#[test]
fn a_container_of_somebody_else_is_not_touched() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    // An image of the learner's own: an empty archive is one.
    let archive = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(archive.path(), [0; 1024]).unwrap();
    let docker = |arguments: &[&str]| {
        let output = learner.command("docker").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    docker(&["import", archive.path().to_str().unwrap(), "mine:1"]);
    docker(&["create", "--name", "web", "mine:1", "/nothing"]);
    let before = inventory(&learner);
    let refused = learner.run(&["start", "killed-137"]).code(2);
    assert!(refused.err.contains("web"), "{}", refused.err);
    assert_eq!(inventory(&learner), before, "a refusal changes nothing");
    assert_eq!(learner.sessions().len(), 0);
    docker(&["rm", "-f", "web"]);
    docker(&["rmi", "mine:1"]);
}

#[test]
fn a_port_in_use_is_a_clear_refusal_or_another_port() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    let _taken = std::net::TcpListener::bind("0.0.0.0:18080");
    let before = inventory(&learner);
    learner.run(&["start", "page-not-there"]).code(0);
    assert_ne!(port(&learner), "18080");
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(&learner), before);
}

#[test]
fn no_engine_is_trouble_of_the_machine() {
    let learner = Learner::new().with("DOCKER_HOST", "unix:///no/such/engine.sock");
    let answer = learner.run(&["start", "page-not-there"]).code(3);
    assert!(answer.err.contains("hint:"), "{}", answer.err);
    assert_eq!(learner.sessions().len(), 0, "nothing is left to be cleared later");
}

/// `docker-compose` or `docker compose`, whichever this machine has.
fn compose(learner: &Learner) -> Option<Vec<&'static str>> {
    let tools = [vec!["docker-compose"], vec!["docker", "compose"]];
    let has = |tool: &Vec<&str>| {
        let version = learner.command(tool[0]).args(&tool[1..]).arg("version").output();
        version.is_ok_and(|it| it.status.success())
    };
    let found = tools.into_iter().find(has);
    if found.is_none() {
        eprintln!("skipped: no docker-compose");
    }
    found
}

#[test]
fn a_compose_project_is_gone_on_with_by_the_learners_own_tool() {
    let Some(_turn) = turn() else { return };
    let learner = Learner::new();
    let Some(tool) = compose(&learner) else { return };
    let before = inventory(&learner);
    let started = learner.run(&["start", "up-fails-every-time", "--json"]).code(0).json();
    let work = started["env"]["BREAKFIX_WORK"].as_str().unwrap().to_owned();
    let compose = |arguments: &[&str]| {
        let output = learner.command(tool[0]).args(&tool[1..]).args(arguments).current_dir(&work).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_up, said) = compose(&["up", "-d"]);
    assert!(!is_up, "the fault shows in the tool too: {said}");
    let file = std::path::Path::new(&work).join("compose.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let volumes = "    volumes: [data:/data]\n";
    let check = "    healthcheck: {test: nc -z 127.0.0.1 5432, interval: 1s, timeout: 1s, retries: 30}\n";
    let mended = text
        .replace(volumes, &format!("{volumes}{check}"))
        .replace("    depends_on: [db]\n", "    depends_on:\n      db: {condition: service_healthy}\n");
    std::fs::write(&file, mended).unwrap();
    // From nothing: what breakfix made is the tool's to remove as well.
    let (is_down, said) = compose(&["down"]);
    assert!(is_down, "{said}");
    let (is_up, said) = compose(&["up", "-d"]);
    assert!(is_up, "{said}");
    let solved = learner.run(&["check", "--json"]).code(0).json();
    assert_eq!(solved["score"], 100, "{solved}");

    // What breakfix does not read of Compose is said with its line, and is nobody's failure.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("    mem_limit: 64m\n", "    mem_limit: 64m\n    secrets: []\n", 1)).unwrap();
    let unsure = learner.run(&["check", "--json"]).code(3).json();
    let reason = &unsure["objectives"][1]["reason"];
    assert_eq!(unsure["objectives"][1]["verdict"], "unknown", "{unsure}");
    assert!(reason.as_str().unwrap().contains("secrets"), "{reason}");
    // A name of somebody else's container in the file: it is left alone.
    let docker = |arguments: &[&str]| assert!(learner.command("docker").args(arguments).status().unwrap().success());
    let image =
        learner.tool(&["docker", "inspect", "web", "--format", "{{.Config.Image}}"]).code(0).out.trim().to_owned();
    docker(&["run", "-d", "--name", "stranger", &image]);
    std::fs::write(&file, text.replace("container_name: migrate", "container_name: stranger")).unwrap();
    learner.run(&["check", "--json"]).code(3);
    let running = learner.tool(&["docker", "inspect", "stranger", "--format", "{{.State.Running}}"]).code(0);
    assert_eq!(running.out.trim(), "true");
    docker(&["rm", "-f", "stranger"]);
    // A file that is none is the learner's own.
    std::fs::write(&file, "services: [").unwrap();
    let broken = learner.run(&["check", "--json"]).code(1).json();
    assert_eq!(broken["objectives"][1]["verdict"], "not_met", "{broken}");
    learner.run(&["stop"]).code(0);
    assert_eq!(inventory(&learner), before, "the engine holds what it held before");
}
