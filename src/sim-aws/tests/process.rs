//! A simulator as a process of its own: started, killed, found again, told to end.

mod endpoint;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use breakfix_sim::detached::Found;
use breakfix_sim_aws::{
    Cloud,
    serve::{
        process::{VERB, begin, find, run, spawn_detached, stop},
        settings::Settings,
    },
};
use serde_json::{Value, json};

const FOLDER: &str = "BREAKFIX_TEST_FOLDER";

/// Not a test: what [`program`] runs, this test binary as the process under test.
#[test]
#[ignore = "runs as the process under test"]
fn as_a_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let Err(error) = runtime.block_on(run(Path::new(&folder))) {
        eprintln!("{error}");
        std::process::exit(3);
    }
}

/// A program that knows the verb, made of this test binary.
fn program(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("program");
    let test = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\ntest \"$1\" = {VERB} || exit 64\n{FOLDER}=\"$2\" exec {} --exact as_a_process --ignored --nocapture\n",
        test.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn wait_until_dead(folder: &Path) {
    let begun = Instant::now();
    while find(folder).unwrap() != Found::Dead {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not die");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An order to the simulator over a socket, without any client.
fn order(port: u16, verb: &str, body: &str) -> (String, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let method = if verb == "info" { "GET" } else { "POST" };
    write!(
        stream,
        "{method} /breakfix/{verb} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
         x-breakfix-operator: secret-of-the-operator\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

fn create_role(port: u16, name: &str) -> Value {
    let trust =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
    let input = json!({"RoleName": name, "AssumeRolePolicyDocument": trust});
    let call = json!({"service": "iam", "operation": "CreateRole", "input": input});
    order(port, "call", &call.to_string()).1
}

#[test]
fn what_was_answered_outlives_a_kill_and_the_port_stays() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cloud"));
    assert_eq!(find(&folder).unwrap(), Found::Never);
    let cloud = Cloud::empty(endpoint::config());
    begin(&folder, &cloud, &Settings::default()).unwrap();
    let clock = Instant::now();
    let first = spawn_detached(&program, &folder).unwrap();
    println!("a process listens after {} ms", clock.elapsed().as_millis());
    assert_eq!(find(&folder).unwrap(), Found::Running(first.clone()));
    assert!(begin(&folder, &cloud, &Settings::default()).is_err(), "a served cloud is not begun anew");
    let (head, info) = order(first.port, "info", "");
    assert!(head.contains("server: breakfix-sim/"), "{head}");
    assert_eq!((&info["account"], &info["pid"]), (&json!("123456789012"), &json!(first.pid)));
    let made = create_role(first.port, "kept");
    assert_eq!(made["Role"]["RoleName"], "kept", "{made}");
    assert!(std::process::Command::new("kill").args(["-9", &first.pid.to_string()]).status().unwrap().success());
    wait_until_dead(&folder);
    let second = spawn_detached(&program, &folder).unwrap();
    assert_eq!(second.port, first.port);
    let again = create_role(second.port, "kept");
    assert_eq!(again["error"]["code"], "EntityAlreadyExists", "{again}");
    let (_, ending) = order(second.port, "shutdown", "");
    assert_eq!(ending["ending"], true);
    wait_until_dead(&folder);
    assert_eq!(
        fs::metadata(folder.join("log.jsonl")).unwrap().len(),
        0,
        "a process that is asked to end saves its cloud"
    );
}

#[test]
fn a_process_that_nobody_asks_for_anything_ends() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cloud"));
    begin(&folder, &Cloud::empty(endpoint::config()), &Settings { idle_seconds: 1, ..Settings::default() }).unwrap();
    spawn_detached(&program, &folder).unwrap();
    wait_until_dead(&folder);
}

#[test]
fn a_damaged_cloud_is_an_error_that_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cloud"));
    begin(&folder, &Cloud::empty(endpoint::config()), &Settings::default()).unwrap();
    fs::write(folder.join("snapshot.json"), "{").unwrap();
    let error = spawn_detached(&program, &folder).unwrap_err();
    let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(text.contains("snapshot.json"), "{text}");
    stop(&folder).unwrap();
}

#[test]
fn a_port_taken_meanwhile_moves_the_server() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cloud"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    begin(&folder, &Cloud::empty(endpoint::config()), &Settings { port, ..Settings::default() }).unwrap();
    let ready = spawn_detached(&program, &folder).unwrap();
    assert_ne!(ready.port, port);
    assert_eq!(Settings::load(&folder).unwrap().port, ready.port);
    stop(&folder).unwrap();
}
