//! Watches and lists of another time: the past that is forgotten, the future, and versions that are none (apiserver `storage/cacher`,
//! `storage/errors.go`; etcd3 `store.go` for continue tokens).

use breakfix_sim_kube::Cluster;
use serde_json::{Value, json};

use crate::asking::{MAPS, MERGE, cluster, config_map, get, lives_on, message, post, send, watch};

/// Makes so many objects, whatever they are called.
fn write(cluster: &mut Cluster, front: &str, count: u64) {
    for number in 0..count {
        let made = post(cluster, MAPS, &config_map(&format!("{front}-{number}")));
        assert_eq!(made.0, 201, "{}", made.1);
        cluster.tell_controllers();
    }
}

/// Writes so often that the past before is forgotten.
fn churn(cluster: &mut Cluster) {
    post(cluster, MAPS, &config_map("churned"));
    for number in 0..3_000 {
        let body = json!({"data": {"key": number.to_string()}}).to_string().into_bytes();
        assert_eq!(send(cluster, "PATCH", &format!("{MAPS}/churned"), MERGE, body).0, 200);
        cluster.tell_controllers();
    }
}

fn frames(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn a_watch_from_a_forgotten_past_is_told_that_it_is() {
    let mut cluster = cluster();
    let (_, list) = get(&mut cluster, MAPS);
    let version = list["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    write(&mut cluster, "some", 20);
    let target = format!("{MAPS}?watch=true&resourceVersion={version}");
    let mut resumed = watch(&mut cluster, &target).unwrap();
    let seen = frames(&resumed.poll(&cluster).bytes);
    assert_eq!(seen.iter().filter(|event| event["type"] == "ADDED").count(), 20, "a recent past is told in full");
    churn(&mut cluster);
    let mut late = watch(&mut cluster, &target).unwrap();
    let told = late.poll(&cluster);
    assert!(told.over);
    let [event] = frames(&told.bytes).try_into().unwrap();
    assert_eq!(event["type"], "ERROR");
    let status = &event["object"];
    assert_eq!(
        (&status["kind"], &status["code"], &status["reason"]),
        (&json!("Status"), &json!(410), &json!("Expired"))
    );
    let words = format!("too old resource version: {version} (");
    assert!(message(status).starts_with(&words), "{}", message(status));
    lives_on(&mut cluster);
}

/// A watcher that was at work all the time never meets it, however much is written at once.
#[test]
fn a_watch_that_keeps_up_is_never_expired() {
    let mut cluster = cluster();
    let mut open = watch(&mut cluster, &format!("{MAPS}?watch=true")).unwrap();
    open.poll(&cluster);
    let mut seen = 0;
    for round in 0..5 {
        write(&mut cluster, &format!("round-{round}"), 500);
        let told = open.poll(&cluster);
        assert!(!told.over);
        seen += frames(&told.bytes).len();
    }
    assert_eq!(seen, 2_500);
}

#[test]
fn versions_that_are_none_are_refused() {
    let mut cluster = cluster();
    for (query, status, words) in [
        ("resourceVersion=abc", 400, "Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"),
        ("resourceVersion=-1", 400, "strconv.ParseUint: parsing \"-1\": invalid syntax"),
        ("resourceVersion=99999999999999999999999", 400, "strconv.ParseUint"),
        ("resourceVersion=99999999", 504, "Too large resource version: 99999999, current: "),
        ("limit=many", 400, "strconv.ParseInt: parsing \"many\": invalid syntax"),
        ("continue=nonsense", 400, "continue key is not valid"),
        ("continue=e30", 400, "server does not recognize this encoded version \"\""),
        ("labelSelector=a%3D%3D%3Db", 400, "unable to parse requirement"),
        ("fieldSelector=spec.nothing%3Da", 400, "is not a known field selector"),
        ("watch=true&timeoutSeconds=soon", 400, "strconv.ParseInt"),
        (
            "watch=true&sendInitialEvents=true",
            422,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
    ] {
        let query = query.replace("%3D", "=");
        let answer = match watch(&mut cluster, &format!("{MAPS}?{query}")) {
            Err(answer) => answer,
            Ok(_) => panic!("{query} begins a watch"),
        };
        assert_eq!(answer.0, status, "{query}: {}", answer.1);
        assert!(message(&answer.1).contains(words), "{query}: {}", message(&answer.1));
    }
}

/// A list that is read in pages shows the state of its first page's moment, or says that it cannot any more.
#[test]
fn pages_of_a_forgotten_list_are_expired() {
    let mut cluster = cluster();
    write(&mut cluster, "page", 20);
    let (_, first) = get(&mut cluster, &format!("{MAPS}?limit=5"));
    let next = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let (status, second) = get(&mut cluster, &format!("{MAPS}?limit=5&continue={next}"));
    assert_eq!((status, second["items"].as_array().unwrap().len()), (200, 5));
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let gone = names(&second)[0].clone();
    send(&mut cluster, "DELETE", &format!("{MAPS}/{gone}"), "", Vec::new());
    post(&mut cluster, MAPS, &config_map(&format!("{gone}0")));
    let again = get(&mut cluster, &format!("{MAPS}?limit=5&continue={next}")).1;
    assert_eq!(names(&again), names(&second), "as it was when the first page was read");
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let exact = get(&mut cluster, &format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")).1;
    assert!(names(&exact).contains(&gone) && !names(&exact).contains(&format!("{gone}0")));
    churn(&mut cluster);
    let (status, said) = get(&mut cluster, &format!("{MAPS}?limit=5&continue={next}"));
    assert_eq!((status, &said["reason"]), (410, &json!("Expired")), "{said}");
    assert!(
        message(&said).starts_with("The provided continue parameter is too old to display a consistent list result.")
    );
    let inconsistent = said["metadata"]["continue"].as_str().unwrap().to_owned();
    let (status, on) = get(&mut cluster, &format!("{MAPS}?limit=5&continue={inconsistent}"));
    assert_eq!((status, on["items"].as_array().unwrap().len()), (200, 5), "{on}");
    let exact = get(&mut cluster, &format!("{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact"));
    assert_eq!((exact.0, message(&exact.1)), (410, "The resourceVersion for the provided list is too old."));
}
