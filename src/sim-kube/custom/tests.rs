use serde_json::{Value, json};

use crate::{
    Cluster,
    api::{ApiRequest, ApiResponse, User, handle, write::tests::cluster},
    object::text,
};

const GROUP: &str = "/apis/stable.example.com/v1";
const TABS: &str = "/apis/stable.example.com/v1/namespaces/shop/crontabs";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// The definition of the Kubernetes documentation's example, with more to check.
fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"]},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object",
                            "required": ["cronSpec"],
                            "properties": {
                                "cronSpec": {"type": "string", "pattern": "^(\\S+ ){4}\\S+$"},
                                "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
                                "size": {"type": "string", "enum": ["small", "large"]},
                                "most": {"type": "integer"},
                            },
                            "x-kubernetes-validations": [{
                                "rule": "!has(self.most) || self.replicas <= self.most",
                                "message": "replicas must not exceed most",
                            }],
                        },
                        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                    },
                }},
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "additionalPrinterColumns": [
                    {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
            }],
        },
    })
}

fn send(cluster: &mut Cluster, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query
            .split('&')
            .filter_map(|it| it.split_once('='))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect(),
        headers: headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        user: User::admin(),
    };
    let ApiResponse::Reply(reply) = handle(cluster, &request) else { panic!("{target}") };
    (reply.status, serde_json::from_slice(&reply.body.to_bytes()).unwrap_or(Value::Null))
}

fn defined() -> Cluster {
    let mut cluster = cluster();
    let (status, made) = send(&mut cluster, "POST", DEFINITIONS, &[], &definition());
    assert_eq!(status, 201, "{made}");
    cluster.advance(breakfix_sim::SimTime(1_000));
    cluster
}

fn tab(spec: Value) -> Value {
    json!({"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "a"}, "spec": spec})
}

#[test]
fn a_definition_makes_a_kind() {
    let mut cluster = cluster();
    assert_eq!(send(&mut cluster, "GET", TABS, &[], &Value::Null).0, 404);
    let mut cluster = defined();
    let (_, made) = send(&mut cluster, "GET", &format!("{DEFINITIONS}/crontabs.stable.example.com"), &[], &Value::Null);
    let conditions: Vec<(&str, &str)> = made["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|condition| (text(condition, "/type"), text(condition, "/reason")))
        .collect();
    assert_eq!(conditions, [("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted")]);
    assert_eq!(made["status"]["acceptedNames"]["listKind"], "CronTabList");
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
    let (_, list) = send(&mut cluster, "GET", GROUP, &[], &Value::Null);
    assert_eq!(list["resources"][0]["shortNames"], json!(["ct"]));
    let (_, groups) = send(&mut cluster, "GET", "/apis", &[], &Value::Null);
    assert!(groups["groups"].as_array().unwrap().iter().any(|group| group["name"] == "stable.example.com"));
    let (_, index) = send(&mut cluster, "GET", "/openapi/v3", &[], &Value::Null);
    assert!(index["paths"].get("apis/stable.example.com/v1").is_some());
    let (_, document) = send(&mut cluster, "GET", "/openapi/v3/apis/stable.example.com/v1", &[], &Value::Null);
    let schema = &document["components"]["schemas"]["com.example.stable.v1.CronTab"];
    assert_eq!(schema["properties"]["spec"]["properties"]["replicas"]["default"], 1);
    assert_eq!(schema["x-kubernetes-group-version-kind"][0]["kind"], "CronTab");
}

#[test]
fn objects_are_pruned_and_filled_in() {
    let mut cluster = defined();
    let body = tab(json!({"cronSpec": "* * * * */5", "image": "x"}));
    let (status, refused) = send(&mut cluster, "POST", &format!("{TABS}?fieldValidation=Strict"), &[], &body);
    assert_eq!(status, 400);
    assert_eq!(
        refused["message"],
        "CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown field \"spec.image\""
    );
    let (status, made) = send(&mut cluster, "POST", TABS, &[], &body);
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["spec"], json!({"cronSpec": "* * * * */5", "replicas": 1}));
    assert_eq!(made["metadata"]["generation"], 1);
    let (_, found) = send(&mut cluster, "GET", TABS, &[], &Value::Null);
    assert_eq!((&found["kind"], &found["items"][0]["metadata"]["name"]), (&json!("CronTabList"), &json!("a")));
}

/// The words are kube-openapi's (`pkg/validation/errors/schema.go`) and of `apiserver/validation/validation.go`.
#[test]
fn objects_of_the_wrong_form_are_refused() {
    let mut cluster = defined();
    for (spec, wanted) in [
        (json!({}), "spec.cronSpec: Required value"),
        (
            json!({"cronSpec": "* * * * */5", "replicas": 0}),
            "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
        ),
        (
            json!({"cronSpec": "* * * * */5", "replicas": "three"}),
            "spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: \"string\"",
        ),
        (
            json!({"cronSpec": "now"}),
            "spec.cronSpec: Invalid value: \"now\": spec.cronSpec in body should match '^(\\S+ ){4}\\S+$'",
        ),
        (
            json!({"cronSpec": "* * * * */5", "size": "huge"}),
            "spec.size: Unsupported value: \"huge\": supported values: \"large\", \"small\"",
        ),
        (
            json!({"cronSpec": "* * * * */5", "replicas": 3, "most": 2}),
            "spec: Invalid value: replicas must not exceed most",
        ),
    ] {
        let (status, refused) = send(&mut cluster, "POST", TABS, &[], &tab(spec));
        assert_eq!(status, 422, "{refused}");
        assert_eq!(refused["message"], format!("CronTab.stable.example.com \"a\" is invalid: {wanted}"));
    }
}

#[test]
fn parts_of_an_object_are_kept_apart() {
    let mut cluster = defined();
    send(&mut cluster, "POST", TABS, &[], &tab(json!({"cronSpec": "* * * * */5"})));
    let merge = [("content-type", "application/merge-patch+json")];
    let patch = |replicas: i64| json!({"status": {"replicas": replicas}});
    let (_, main) = send(&mut cluster, "PATCH", &format!("{TABS}/a"), &merge, &patch(5));
    assert_eq!(main["status"], Value::Null);
    let (_, status) = send(&mut cluster, "PATCH", &format!("{TABS}/a/status"), &merge, &patch(5));
    assert_eq!((&status["status"]["replicas"], &status["metadata"]["generation"]), (&json!(5), &json!(1)));
    let scale = json!({"spec": {"replicas": 4}});
    let (code, scaled) = send(&mut cluster, "PATCH", &format!("{TABS}/a/scale"), &merge, &scale);
    assert_eq!((code, &scaled["spec"]["replicas"], &scaled["status"]["replicas"]), (200, &json!(4), &json!(5)));
    let (_, after) = send(&mut cluster, "GET", &format!("{TABS}/a"), &[], &Value::Null);
    assert_eq!((&after["spec"]["replicas"], &after["metadata"]["generation"]), (&json!(4), &json!(2)));
    let strategic = [("content-type", "application/strategic-merge-patch+json")];
    assert_eq!(send(&mut cluster, "PATCH", &format!("{TABS}/a"), &strategic, &scale).0, 415);
    let apply = [("content-type", "application/apply-patch+yaml")];
    let (code, applied) = send(
        &mut cluster,
        "PATCH",
        &format!("{TABS}/b?fieldManager=me"),
        &apply,
        &json!({"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "b"},
                "spec": {"cronSpec": "* * * * *"}}),
    );
    assert_eq!((code, &applied["spec"]["replicas"]), (201, &json!(1)), "{applied}");
    assert_eq!(applied["metadata"]["managedFields"][0]["fieldsV1"], json!({"f:spec": {"f:cronSpec": {}}}));
}

#[test]
fn tables_have_the_columns_that_were_asked_for() {
    let mut cluster = defined();
    send(&mut cluster, "POST", TABS, &[], &tab(json!({"cronSpec": "* * * * */5"})));
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let (_, table) = send(&mut cluster, "GET", TABS, &accept, &Value::Null);
    let names: Vec<&str> =
        table["columnDefinitions"].as_array().unwrap().iter().map(|column| text(column, "/name")).collect();
    assert_eq!(names, ["Name", "Spec", "Age"]);
    assert_eq!(table["rows"][0]["cells"], json!(["a", "* * * * */5", "0s"]));
}

#[test]
fn a_definition_takes_its_objects_along() {
    let mut cluster = defined();
    send(&mut cluster, "POST", TABS, &[], &tab(json!({"cronSpec": "* * * * */5"})));
    let (_, going) =
        send(&mut cluster, "DELETE", &format!("{DEFINITIONS}/crontabs.stable.example.com"), &[], &Value::Null);
    assert_eq!(going["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    cluster.advance(breakfix_sim::SimTime(5_000));
    assert_eq!(send(&mut cluster, "GET", TABS, &[], &Value::Null).0, 404);
    assert_eq!(cluster.store.list("crontabs.stable.example.com", None).count(), 0);
}

#[test]
fn versions_of_a_kind_are_the_same_objects() {
    let mut two = definition();
    let mut old = two["spec"]["versions"][0].clone();
    old["name"] = json!("v1beta1");
    old["storage"] = json!(false);
    two["spec"]["versions"].as_array_mut().unwrap().insert(0, old);
    let mut cluster = cluster();
    assert_eq!(send(&mut cluster, "POST", DEFINITIONS, &[], &two).0, 201);
    cluster.advance(breakfix_sim::SimTime(1_000));
    let (_, group) = send(&mut cluster, "GET", "/apis/stable.example.com", &[], &Value::Null);
    assert_eq!(group["preferredVersion"]["version"], "v1");
    let mut body = tab(json!({"cronSpec": "* * * * */5"}));
    body["apiVersion"] = json!("stable.example.com/v1beta1");
    let old_tabs = TABS.replace("/v1/", "/v1beta1/");
    let (status, made) = send(&mut cluster, "POST", &old_tabs, &[], &body);
    assert_eq!((status, &made["apiVersion"]), (201, &json!("stable.example.com/v1beta1")), "{made}");
    let (_, found) = send(&mut cluster, "GET", &format!("{TABS}/a"), &[], &Value::Null);
    assert_eq!(
        (&found["apiVersion"], &found["metadata"]["uid"]),
        (&json!("stable.example.com/v1"), &made["metadata"]["uid"])
    );
}
