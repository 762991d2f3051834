//! Bodies: malformed, huge, deeply nested, of the wrong type, of unknown kinds, with unknown fields. Words as recorded on 1.36, or as in
//! apiserver's `handlers/rest.go` and `negotiation/`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::asking::{
    APPLY, DEPLOYMENTS, IMAGE, JSON, JSON_PATCH, MAPS, MERGE, STRATEGIC, cluster, code, config_map, deployment, get,
    is_an_answer, lives_on, message, nested, post, send,
};

/// No request may take longer, in a debug build on a busy machine: whatever is in a body, it is not worked on for ever.
const SOON: Duration = Duration::from_secs(120);

#[track_caller]
fn refused(method: &str, target: &str, media: &str, body: &[u8], status: u16, part: &str) {
    let mut cluster = cluster();
    let began = Instant::now();
    let answer = send(&mut cluster, method, target, media, body.to_vec());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    is_an_answer(&answer);
    assert_eq!(answer.0, status, "{}", answer.1);
    assert!(message(&answer.1).contains(part), "{}", message(&answer.1));
    lives_on(&mut cluster);
}

#[test]
fn what_is_no_json_is_told_in_go_s_words() {
    refused("POST", MAPS, JSON, b"{\"kind\": ", 400, "unexpected end of JSON input");
    refused("POST", MAPS, JSON, b"{'kind'}", 400, "invalid character '\\'' looking for beginning of object key string");
    refused("POST", MAPS, JSON, b"[1]", 400, "cannot unmarshal");
    refused("POST", MAPS, "application/yaml", b"a: [", 400, "error converting YAML to JSON");
    refused("POST", MAPS, "application/yaml", b"\xff\xfe", 400, "ConfigMap");
    refused("POST", MAPS, "application/vnd.kubernetes.protobuf", b"k8s\0\xff\xff", 400, "cannot be handled");
    refused("POST", MAPS, "text/plain", b"{}", 415, "the body of the request was in an unknown format");
    let web = format!("{DEPLOYMENTS}/web");
    refused(
        "PATCH",
        &web,
        MERGE,
        b"[]",
        400,
        "json: cannot unmarshal array into Go value of type map[string]interface {}",
    );
    refused("PATCH", &web, JSON_PATCH, b"{}", 400, "error decoding patch");
    refused("PATCH", &web, STRATEGIC, b"\"a\"", 400, "cannot unmarshal string");
    refused("PATCH", &format!("{web}?fieldManager=a"), APPLY, b"\t", 400, "");
}

#[test]
fn deep_expressions_take_no_stack() {
    const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    for (before, again, after) in [
        ("", "(", "true"),
        ("object", ".a", " == 1"),
        ("1", "+1", " == 1"),
        ("", "!", "true"),
        ("", "true ? true : ", "true"),
        ("object", "[0]", " == 1"),
        ("", "[", ""),
    ] {
        let expression = format!("{before}{}{after}", again.repeat(6_000));
        let rules =
            json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}]);
        let policy = json!({"metadata": {"name": "deep"}, "spec": {
            "matchConstraints": {"resourceRules": rules}, "validations": [{"expression": expression}]}});
        let part = "expression recursion limit exceeded: 250";
        refused("POST", POLICIES, JSON, policy.to_string().as_bytes(), 422, part);
    }
}

#[test]
fn deep_bodies_take_no_stack() {
    let web = format!("{DEPLOYMENTS}/web");
    for depth in [1_000, 100_000] {
        refused("POST", MAPS, JSON, &nested("[", "]", depth), 400, "exceeded max depth");
        refused("POST", MAPS, JSON, &nested("{\"a\":", "}", depth), 400, "exceeded max depth");
        refused("PATCH", &web, MERGE, &nested("{\"a\":", "}", depth), 400, "exceeded max depth");
        refused("PATCH", &web, JSON_PATCH, &nested("[", "]", depth), 400, "exceeded max depth");
        refused("POST", MAPS, "application/yaml", &nested("[", "]", depth), 400, "error converting YAML to JSON");
        refused("POST", MAPS, "application/yaml", &nested("{a: ", "}", depth), 400, "error converting YAML to JSON");
        refused("PATCH", &format!("{web}?fieldManager=a"), APPLY, &nested("{a: ", "}", depth), 400, "");
    }
}

/// Aliases that name aliases: nine lines that would be a billion entries.
#[test]
fn a_yaml_that_grows_when_it_is_read_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for step in 1..10 {
        let last = format!("*a{}", step - 1);
        text.push_str(&format!("a{step}: &a{step} [{}]\n", [last.as_str(); 10].join(", ")));
    }
    refused("POST", MAPS, "application/yaml", text.as_bytes(), 400, "");
}

#[test]
fn huge_bodies_and_values_are_refused_by_size() {
    let mut map = config_map("big");
    map["data"]["key"] = json!("x".repeat(1_100_000));
    refused("POST", MAPS, JSON, map.to_string().as_bytes(), 422, "Too long: may not be more than 1048576 bytes");
    map["data"]["key"] = json!("x".repeat(3 << 20));
    refused("POST", MAPS, JSON, map.to_string().as_bytes(), 413, "Request entity too large: limit is 3145728");
    let mut map = config_map("annotated");
    map["metadata"]["annotations"] = json!({"a": "x".repeat(300_000)});
    refused("POST", MAPS, JSON, map.to_string().as_bytes(), 422, "metadata.annotations: Too long");
    let name = "n".repeat(254);
    refused("POST", MAPS, JSON, config_map(&name).to_string().as_bytes(), 422, "must be no more than 253 bytes");
}

/// A patch of a kilobyte that would double an object again and again.
#[test]
fn a_json_patch_that_copies_copies_has_an_end() {
    let mut operations = vec![json!({"op": "add", "path": "/metadata/annotations", "value": {"a": "x".repeat(1000)}})];
    for step in 0..60 {
        let (from, path) = ("/metadata/annotations", format!("/metadata/annotations/c{step}"));
        operations.push(json!({"op": "copy", "from": from, "path": path}));
    }
    let body = Value::Array(operations).to_string();
    let words = "the server rejected our request due to an error in our request";
    refused("PATCH", &format!("{DEPLOYMENTS}/web"), JSON_PATCH, body.as_bytes(), 422, words);
}

#[test]
fn a_patch_with_too_many_operations_is_refused() {
    let operations = vec![json!({"op": "test", "path": "/kind", "value": "Deployment"}); 10_001];
    let body = Value::Array(operations).to_string();
    let words = "The allowed maximum operations in a JSON patch is 10000, got 10001";
    refused("PATCH", &format!("{DEPLOYMENTS}/web"), JSON_PATCH, body.as_bytes(), 413, words);
}

#[test]
fn wrong_types_name_their_field() {
    for (pointer, value, words) in [
        (
            "/spec/replicas",
            json!("three"),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "/spec/replicas",
            json!(2.5),
            "json: cannot unmarshal number 2.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ("/spec/replicas", json!(3_000_000_000_u64), "cannot unmarshal number 3000000000"),
        (
            "/metadata/labels",
            json!(["a"]),
            "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            "/spec/template/spec/containers",
            json!({}),
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers",
        ),
        (
            "/spec/template/spec/containers/0/image",
            json!(5),
            "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string",
        ),
        ("/metadata/creationTimestamp", json!("noon"), "cannot parse \"noon\""),
    ] {
        let mut body = deployment("typed", 1);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[key] = value;
        refused("POST", DEPLOYMENTS, JSON, body.to_string().as_bytes(), 400, words);
    }
}

#[test]
fn unknown_kinds_and_fields_are_named() {
    let body = json!({"apiVersion": "v1", "kind": "Nonsense", "metadata": {"name": "a"}}).to_string();
    refused("POST", MAPS, JSON, body.as_bytes(), 400, "Nonsense");
    let mut body = deployment("fields", 1);
    body["spec"]["template"]["spec"]["containers"][0]["imagePullPolcy"] = json!("Always");
    body["spce"] = json!({});
    let strict = format!("{DEPLOYMENTS}?fieldValidation=Strict");
    let words = "strict decoding error: unknown field \"spce\", unknown field \"spec.template.spec.containers[0].imagePullPolcy\"";
    refused("POST", &strict, JSON, body.to_string().as_bytes(), 400, words);
    let mut cluster = cluster();
    let (status, made) = post(&mut cluster, DEPLOYMENTS, &body);
    assert_eq!(status, 201, "without strictness they are dropped: {made}");
    assert!(made.get("spce").is_none());
    for path in ["/api/v1/namespaces/shop/nonsenses", "/apis/nonsense.example/v1/things", "/api/v9/pods"] {
        for method in ["GET", "POST", "DELETE"] {
            assert_eq!(code(&mut cluster, method, path), 404, "{method} {path}");
        }
    }
}

/// Many unknown fields, many faults: told in one answer whose length has an end, and soon.
#[test]
fn thousands_of_faults_are_one_answer() {
    let mut cluster = cluster();
    let mut body = deployment("faulty", 1);
    for number in 0..20_000 {
        body["spec"][format!("unknown{number}")] = json!(number);
    }
    let began = Instant::now();
    let (status, said) = post(&mut cluster, &format!("{DEPLOYMENTS}?fieldValidation=Strict"), &body);
    assert_eq!(status, 400, "{said}");
    let mut body = deployment("faulty", 1);
    let container = json!({"name": "UPPER", "image": "", "ports": [{"containerPort": 0}]});
    body["spec"]["template"]["spec"]["containers"] = Value::Array(vec![container; 2_000]);
    let (status, said) = post(&mut cluster, DEPLOYMENTS, &body);
    assert_eq!(status, 422, "{said}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    lives_on(&mut cluster);
}

/// What is allowed and large is taken, and does not stop the cluster's work.
#[test]
fn large_objects_that_are_right_are_served() {
    let mut cluster = cluster();
    let mut body = deployment("large", 1);
    let template = &mut body["spec"]["template"]["spec"];
    template["containers"][0]["env"] =
        (0..500).map(|number| json!({"name": format!("V{number}"), "value": "$(V0) x"})).collect();
    let (status, said) = post(&mut cluster, DEPLOYMENTS, &body);
    assert_eq!(status, 201, "{said}");
    let mut claim = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "many"}, "spec": {"podSelector": {}}});
    let peer =
        |number: u64| json!({"from": [{"ipBlock": {"cidr": format!("10.{}.{}.0/24", number / 250, number % 250)}}]});
    claim["spec"]["ingress"] = (0..5_000).map(peer).collect();
    let (status, said) = post(&mut cluster, "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", &claim);
    assert_eq!(status, 201, "{said}");
    let began = Instant::now();
    lives_on(&mut cluster);
    assert!(began.elapsed() < SOON * 2, "{:?}", began.elapsed());
    let (status, _) = get(&mut cluster, &format!("{DEPLOYMENTS}/large"));
    assert_eq!(status, 200);
}

/// What a program is told to do may be mad, too: nothing of it reaches beyond its container.
#[test]
fn programs_that_are_told_nonsense_only_harm_themselves() {
    let mut cluster = cluster();
    for (number, env) in [
        json!([{"name": "PORT", "value": "-1"}]),
        json!([{"name": "PORT", "value": "99999999999999999999"}]),
        json!([{"name": "START_DELAY", "value": "1e400s"}]),
        json!([{"name": "MEMORY", "value": "999999999999Gi"}]),
        json!([{"name": "A", "value": "$(A)$(A)$(A)"}, {"name": "B", "value": "$(A)$(A)"}]),
    ]
    .into_iter()
    .enumerate()
    {
        let spec = json!({"containers": [{"name": "main", "image": IMAGE, "env": env}]});
        let body = json!({"metadata": {"name": format!("mad-{number}")}, "spec": spec});
        let made = post(&mut cluster, "/api/v1/namespaces/shop/pods", &body);
        assert_eq!(made.0, 201, "{}", made.1);
    }
    for (number, command) in [
        vec!["sh".to_owned(), "-c".to_owned(), "(".repeat(50_000)],
        vec!["sh".to_owned(), "-c".to_owned(), "while true; do true; done".to_owned()],
        vec!["sh".to_owned(), "-c".to_owned(), "echo $(".repeat(20_000)],
        vec![String::new()],
        vec!["x".repeat(100_000)],
    ]
    .into_iter()
    .enumerate()
    {
        let spec = json!({"containers": [{"name": "main", "image": IMAGE, "command": command}]});
        let body = json!({"metadata": {"name": format!("odd-{number}")}, "spec": spec});
        let made = post(&mut cluster, "/api/v1/namespaces/shop/pods", &body);
        is_an_answer(&made);
    }
    let began = Instant::now();
    lives_on(&mut cluster);
    assert!(began.elapsed() < SOON * 2, "{:?}", began.elapsed());
}
