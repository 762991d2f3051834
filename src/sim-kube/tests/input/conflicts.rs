//! Writes that are in one another's way (apimachinery `NewConflict`, apiserver `registry/generic/registry/store.go`, structured-merge-diff).

use serde_json::{Value, json};

use crate::asking::{
    APPLY, DEPLOYMENTS, JSON, MAPS, MERGE, cluster, config_map, deployment, get, lives_on, message, post, send,
};

#[test]
fn of_two_who_replace_what_they_read_the_second_is_refused() {
    let mut cluster = cluster();
    let (_, read) = post(&mut cluster, MAPS, &config_map("shared"));
    let path = format!("{MAPS}/shared");
    let mut one = read.clone();
    one["data"]["key"] = json!("one");
    let mut other = read;
    other["data"]["key"] = json!("other");
    assert_eq!(send(&mut cluster, "PUT", &path, JSON, one.to_string().into_bytes()).0, 200);
    let (status, said) = send(&mut cluster, "PUT", &path, JSON, other.to_string().into_bytes());
    assert_eq!((status, &said["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        message(&said),
        "Operation cannot be fulfilled on configmaps \"shared\": the object has been modified; please apply your changes to the \
         latest version and try again"
    );
    assert_eq!(get(&mut cluster, &path).1["data"]["key"], "one", "the first one's word stands");
    // A patch that names the version it was made for is held to it; one that names none is not.
    let (status, _) = send(&mut cluster, "PATCH", &path, MERGE, b"{\"metadata\":{\"resourceVersion\":\"1\"}}".to_vec());
    assert_eq!(status, 409);
    let (status, _) = send(&mut cluster, "PATCH", &path, MERGE, b"{\"data\":{\"key\":\"two\"}}".to_vec());
    assert_eq!(status, 200);
    lives_on(&mut cluster);
}

#[test]
fn what_is_there_is_not_made_again() {
    let mut cluster = cluster();
    post(&mut cluster, MAPS, &config_map("twice"));
    let (status, said) = post(&mut cluster, MAPS, &config_map("twice"));
    assert_eq!((status, &said["reason"]), (409, &json!("AlreadyExists")));
    assert_eq!(message(&said), "configmaps \"twice\" already exists");
    let mut body = config_map("new");
    body["metadata"]["resourceVersion"] = json!("7");
    let (status, said) = post(&mut cluster, MAPS, &body);
    assert_eq!((status, message(&said)), (500, "resourceVersion should not be set on objects to be created"));
}

#[test]
fn a_deletion_may_be_meant_for_one_object_alone() {
    let mut cluster = cluster();
    post(&mut cluster, MAPS, &config_map("guarded"));
    let path = format!("{MAPS}/guarded");
    for (condition, words) in [
        (json!({"uid": "another"}), "the UID in the precondition (another) does not match the UID in record ("),
        (
            json!({"resourceVersion": "1"}),
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (",
        ),
    ] {
        let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": condition});
        let (status, said) = send(&mut cluster, "DELETE", &path, JSON, body.to_string().into_bytes());
        assert_eq!(status, 409, "{said}");
        assert!(message(&said).contains(words), "{}", message(&said));
    }
    assert_eq!(get(&mut cluster, &path).0, 200);
}

#[test]
fn who_applies_what_another_owns_is_told_of_whom() {
    let mut cluster = cluster();
    let web = format!("{DEPLOYMENTS}/applied");
    let mut body = deployment("applied", 2);
    let apply = |cluster: &mut _, by: &str, force: bool, body: &Value| {
        let target = format!("{web}?fieldManager={by}&force={force}");
        send(cluster, "PATCH", &target, APPLY, body.to_string().into_bytes())
    };
    assert_eq!(apply(&mut cluster, "one", false, &body).0, 201);
    body["spec"]["replicas"] = json!(5);
    let (status, said) = apply(&mut cluster, "other", false, &body);
    assert_eq!((status, &said["reason"]), (409, &json!("Conflict")));
    assert_eq!(message(&said), "Apply failed with 1 conflict: conflict with \"one\": .spec.replicas");
    assert_eq!(apply(&mut cluster, "other", true, &body).0, 200);
    body["spec"]["replicas"] = json!(2);
    let (status, said) = apply(&mut cluster, "one", false, &body);
    assert_eq!(status, 409, "{said}");
    assert_eq!(message(&said), "Apply failed with 1 conflict: conflict with \"other\": .spec.replicas");
}

/// Many hands on one object: nobody's write is lost without a word.
#[test]
fn a_hundred_who_count_up_count_a_hundred() {
    let mut cluster = cluster();
    post(&mut cluster, MAPS, &config_map("counter"));
    let path = format!("{MAPS}/counter");
    let (mut done, mut refused) = (0, 0);
    let mut read: Vec<Value> = vec![get(&mut cluster, &path).1; 4];
    for turn in 0..400 {
        let own = &mut read[turn % 4];
        let count = own["data"]["count"].as_str().unwrap_or("0").parse::<u64>().unwrap();
        own["data"]["count"] = json!((count + 1).to_string());
        match send(&mut cluster, "PUT", &path, JSON, own.to_string().into_bytes()).0 {
            200 => done += 1,
            409 => refused += 1,
            other => panic!("{other}"),
        }
        read[turn % 4] = get(&mut cluster, &path).1;
    }
    assert_eq!(get(&mut cluster, &path).1["data"]["count"], json!(done.to_string()));
    assert!(refused > 0 && done + refused == 400, "{done} {refused}");
}
