//! A simulator as a process of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use breakfix_sim::detached::Found;
use jiff::Timestamp;

use super::*;
use crate::serve::{
    process::{begin, find, run, spawn_detached, stop},
    settings::Settings,
};

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
pub fn program(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("program");
    let test = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\ntest \"$1\" = sim-serve || exit 64\n{FOLDER}=\"$2\" exec {} --exact serve::tests::process::as_a_process --ignored --nocapture\n",
        test.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn kill(pid: u32) {
    assert!(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

fn wait_until_dead(folder: &Path) {
    let begun = Instant::now();
    while find(folder).unwrap() != Found::Dead {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not die");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_process_is_started_found_killed_and_started_again_on_its_port() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cluster"));
    assert_eq!(find(&folder).unwrap(), Found::Never);
    let mut begun = cluster();
    begun.config.date = Timestamp::now();
    begin(&folder, &begun, &Settings { namespace: "shop".to_owned(), ..Settings::default() }).unwrap();
    let clock = Instant::now();
    let first = spawn_detached(&program, &folder).unwrap();
    println!("a process listens after {} ms", clock.elapsed().as_millis());
    assert_eq!(find(&folder).unwrap(), Found::Running(first.clone()));
    assert_eq!(spawn_detached(&program, &folder).unwrap(), first, "a second one is not needed");
    assert_eq!(find(&folder).unwrap(), Found::Running(first.clone()));
    assert!(begin(&folder, &begun, &Settings::default()).is_err(), "a served cluster is not begun anew");
    kill(first.pid);
    wait_until_dead(&folder);
    let second = spawn_detached(&program, &folder).unwrap();
    assert_eq!(second.port, first.port);
    assert_ne!(second.pid, first.pid);
    stop(&folder).unwrap();
    assert_eq!(find(&folder).unwrap(), Found::Dead);
    assert_eq!(
        fs::metadata(folder.join("log.jsonl")).unwrap().len(),
        0,
        "a process that is asked to end saves its cluster"
    );
}

#[test]
fn a_port_taken_meanwhile_moves_the_server_and_its_kubeconfig() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cluster"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let elsewhere = place.path().join("config");
    let settings = Settings { port, kubeconfig: Some(elsewhere.clone()), ..Settings::default() };
    begin(&folder, &cluster(), &settings).unwrap();
    let ready = spawn_detached(&program, &folder).unwrap();
    assert_ne!(ready.port, port);
    for path in [elsewhere, folder.join("kubeconfig")] {
        assert!(fs::read_to_string(path).unwrap().contains(&format!("127.0.0.1:{}\n", ready.port)));
    }
    stop(&folder).unwrap();
}

#[test]
fn a_damaged_cluster_is_an_error_that_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cluster"));
    begin(&folder, &cluster(), &Settings::default()).unwrap();
    fs::write(folder.join("snapshot.json"), "{").unwrap();
    let error = spawn_detached(&program, &folder).unwrap_err();
    let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(text.contains("snapshot.json"), "{text}");
}

#[test]
fn a_process_that_nobody_asks_for_anything_ends_and_keeps_its_cluster() {
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cluster"));
    begin(&folder, &cluster(), &Settings { idle_seconds: 1, ..Settings::default() }).unwrap();
    spawn_detached(&program, &folder).unwrap();
    wait_until_dead(&folder);
    assert!(breakfix_sim::serve::record::Record::open::<Cluster>(&folder).is_ok());
}

#[test]
fn a_process_ends_when_it_is_told_to() {
    if std::process::Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        println!("skipped: no kubectl");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (program, folder) = (program(place.path()), place.path().join("cluster"));
    begin(&folder, &cluster(), &Settings::default()).unwrap();
    spawn_detached(&program, &folder).unwrap();
    let body = place.path().join("body");
    fs::write(&body, "{}").unwrap();
    let told = std::process::Command::new("kubectl")
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .env("HOME", place.path())
        .args(["create", "--raw", "/breakfix/shutdown", "-f"])
        .arg(&body)
        .output()
        .unwrap();
    assert!(told.status.success(), "{told:?}");
    wait_until_dead(&folder);
}
