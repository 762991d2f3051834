//! What is on disk is the cluster, whenever its process dies.

use std::{fs, io::Write, time::Duration};

use breakfix_sim::{
    Chance,
    pace::Pace,
    serve::record::{Record, RecordError},
};
use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::access::{Access, Trust};
use crate::serve::{
    blob::Blob,
    call::Call,
    exec_run::{ExecRun, Job, Place},
    input::AddImages,
};

fn host(cluster: Cluster, record: Option<Record>) -> Host {
    Host::new(shared(cluster), Pace::ByHand, record, || Timestamp::UNIX_EPOCH)
}

fn bytes(host: &Host) -> String {
    host.look(|cluster| serde_json::to_string(cluster).unwrap()).unwrap()
}

/// Keys as a process hands them in.
fn keys(number: u64) -> Trust {
    let of_seed = Access::from_seed(number, Timestamp::UNIX_EPOCH);
    of_seed.trust
}

/// One step of a scenario: good and bad requests, and time.
fn step(host: &Host, chance: &mut Chance, number: u64) {
    let name = format!("thing-{}", chance.below(5));
    let maps = "/api/v1/namespaces/shop/configmaps";
    let deployments = "/apis/apps/v1/namespaces/shop/deployments";
    match chance.below(10) {
        0 => drop(ask(host, "POST", "/api/v1/namespaces", &namespace("shop"))),
        1 | 2 => drop(ask(host, "POST", maps, &config_map(&name, &number.to_string()))),
        3 => drop(ask(host, "DELETE", &format!("{maps}/{name}"), &Value::Null)),
        4 => drop(ask(host, "POST", deployments, &deployment(&name, 2))),
        5 => drop(ask(host, "PUT", &format!("{maps}/{name}"), &config_map(&name, "put"))),
        6 => host.act(AddImages { images: BTreeSet::from([format!("registry.example/{name}:1")]) }).unwrap(),
        7 => drop(ask(host, "DELETE", &format!("{deployments}/{name}"), &Value::Null)),
        8 => host.act(keys(number)).unwrap(),
        _ => host.skip(Duration::from_millis(chance.below(20_000))),
    }
}

#[test]
fn a_cluster_that_is_killed_again_and_again_is_the_same_as_one_that_never_was() {
    for seed in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let twin = host(cluster(), None);
        let mut lived = host(cluster(), Some(Record::begin(folder.path(), &cluster()).unwrap()));
        let (mut first, mut second) = (Chance::from_seed(seed), Chance::from_seed(seed));
        let mut deaths = Chance::from_seed(seed + 100);
        for number in 0..60 {
            step(&twin, &mut first, number);
            step(&lived, &mut second, number);
            match deaths.below(6) {
                0 => lived.save().unwrap(),
                1 | 2 => {
                    drop(lived);
                    if deaths.below(2) == 0 {
                        tear(folder.path());
                    }
                    let (record, cluster) = Record::open::<Cluster>(folder.path()).unwrap();
                    lived = host(cluster, Some(record));
                }
                _ => {}
            }
            assert_same(&bytes(&lived), &bytes(&twin), seed, number);
        }
    }
}

/// One step among pods that run.
fn step_in_pods(host: &Host, chance: &mut Chance) {
    let pods = "/api/v1/namespaces/shop/pods";
    let place = Place { namespace: "shop".to_owned(), pod: "web".to_owned(), container: "web".to_owned() };
    let exec = |line: &str| ExecRun {
        place: place.clone(),
        job: Job::Command(["sh", "-c", line].map(str::to_owned).to_vec()),
        stdin: Blob::default(),
        stdin_ends: true,
        tty: false,
    };
    match chance.below(8) {
        0 | 1 => drop(host.act(exec(&format!("echo {} > /tmp/note", chance.bits()))).unwrap()),
        2 => drop(host.act(exec("get http://localhost:8080/; kill 1")).unwrap()),
        3 => drop(ask(host, "DELETE", &format!("{pods}/web"), &Value::Null)),
        4 => drop(ask(host, "POST", pods, &web())),
        5 => drop(host.act(Call::new("shop", "web", 8080, breakfix_workload::Request::post("/order?id=1", "")))),
        _ => host.skip(Duration::from_millis(chance.below(20_000))),
    }
}

#[test]
fn pods_their_files_and_programs_outlive_a_death() {
    for seed in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let begun = lived_in("2026-11-21T12:00:00Z".parse().unwrap());
        let twin = host(begun.clone(), None);
        let mut lived = host(begun.clone(), Some(Record::begin(folder.path(), &begun).unwrap()));
        let (mut first, mut second) = (Chance::from_seed(seed), Chance::from_seed(seed));
        let mut deaths = Chance::from_seed(seed + 100);
        for number in 0..40 {
            step_in_pods(&twin, &mut first);
            step_in_pods(&lived, &mut second);
            if deaths.below(8) == 0 {
                lived.save().unwrap();
            }
            if deaths.below(5) == 0 {
                drop(lived);
                let (record, cluster) = Record::open::<Cluster>(folder.path()).unwrap();
                lived = host(cluster, Some(record));
                assert_same(&bytes(&lived), &bytes(&twin), seed, number);
            }
        }
        assert_same(&bytes(&lived), &bytes(&twin), seed, 40);
    }
}

/// Names the first difference: the whole would fill many screens.
fn assert_same(one: &str, other: &str, seed: u64, step: u64) {
    if let Some(at) = one.bytes().zip(other.bytes()).position(|(one, other)| one != other) {
        let around = |text: &str| text.get(at.saturating_sub(300)..(at + 100).min(text.len())).unwrap_or("").to_owned();
        panic!("seed {seed}, step {step}, byte {at}:\n{}\n{}", around(one), around(other));
    }
    assert_eq!(one.len(), other.len(), "seed {seed}, step {step}");
}

/// The death came in the middle of a line.
fn tear(folder: &std::path::Path) {
    let mut log = fs::OpenOptions::new().append(true).open(folder.join("log.jsonl")).unwrap();
    log.write_all(br#"{"n":99999,"at":1,"do":{"requ"#).unwrap();
}

#[test]
fn a_death_between_snapshot_and_empty_log_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let lived = host(cluster(), Some(Record::begin(folder.path(), &cluster()).unwrap()));
    ask(&lived, "POST", "/api/v1/namespaces", &namespace("shop"));
    ask(&lived, "POST", "/api/v1/namespaces/shop/configmaps", &config_map("a", "1"));
    let log = fs::read(folder.path().join("log.jsonl")).unwrap();
    assert!(!log.is_empty());
    lived.save().unwrap();
    let before = bytes(&lived);
    drop(lived);
    fs::write(folder.path().join("log.jsonl"), log).unwrap();
    let (record, cluster) = Record::open::<Cluster>(folder.path()).unwrap();
    assert_eq!(bytes(&host(cluster, Some(record))), before);
}

#[test]
fn reads_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(cluster(), Some(Record::begin(folder.path(), &cluster()).unwrap()));
    ask(&host, "POST", "/api/v1/namespaces", &namespace("shop"));
    host.skip(Duration::from_secs(60));
    let (log, before) = (fs::read(folder.path().join("log.jsonl")).unwrap(), bytes(&host));
    for path in
        ["/version", "/api", "/apis", "/api/v1/namespaces", "/api/v1/namespaces/shop", "/api/v1/pods", "/openapi/v3"]
    {
        host.look(|cluster| request("GET", path, &Value::Null).act(cluster)).unwrap();
    }
    assert_eq!(fs::read(folder.path().join("log.jsonl")).unwrap(), log);
    assert_eq!(bytes(&host), before);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_full_disk_refuses_does_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    drop(Record::begin(folder.path(), &cluster()).unwrap());
    let log = folder.path().join("log.jsonl");
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let (record, cluster) = Record::open::<Cluster>(folder.path()).unwrap();
    let host = host(cluster, Some(record));
    let before = bytes(&host);
    let refused = host.act(request("POST", "/api/v1/namespaces", &namespace("shop"))).unwrap_err();
    let status = crate::Status::from(refused);
    assert_eq!(status.code, 500);
    assert!(status.message.contains("nothing was changed"), "{}", status.message);
    assert_eq!(bytes(&host), before);
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Record::open::<Cluster>(folder.path()), Err(RecordError::Nothing { .. })));
    drop(Record::begin(folder.path(), &cluster()).unwrap());
    let snapshot = folder.path().join("snapshot.json");
    let text = fs::read_to_string(&snapshot).unwrap();
    fs::write(&snapshot, &text[..text.len() / 2]).unwrap();
    assert!(Record::open::<Cluster>(folder.path()).unwrap_err().to_string().contains("snapshot.json"));
    fs::write(&snapshot, text.replacen("\"version\":2", "\"version\":3", 1)).unwrap();
    assert!(matches!(Record::open::<Cluster>(folder.path()), Err(RecordError::Version { found: 3, .. })));
    fs::write(&snapshot, text).unwrap();
    fs::write(folder.path().join("log.jsonl"), "nonsense\n").unwrap();
    assert!(Record::open::<Cluster>(folder.path()).unwrap_err().to_string().contains("log.jsonl"));
}

#[test]
fn the_log_is_folded_into_the_snapshot_when_it_is_long() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(cluster(), Some(Record::begin(folder.path(), &cluster()).unwrap()));
    ask(&host, "POST", "/api/v1/namespaces", &namespace("shop"));
    let large = "x".repeat(400 << 10);
    for name in ["a", "b", "c", "d"] {
        let (status, _) = ask(&host, "POST", "/api/v1/namespaces/shop/configmaps", &config_map(name, &large));
        assert_eq!(status, 201);
    }
    let length = fs::metadata(folder.path().join("log.jsonl")).unwrap().len();
    assert!(length < 500 << 10, "{length}");
    let before = bytes(&host);
    drop(host);
    let (record, cluster) = Record::open::<Cluster>(folder.path()).unwrap();
    assert_eq!(bytes(&super::record::host(cluster, Some(record))), before);
}
