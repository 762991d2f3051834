//! What paths lead to.

use serde_json::{Value, json};

use super::Path;

fn path(text: &str) -> Path {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn places(text: &str, object: &Value) -> Vec<String> {
    path(text).find(object).into_iter().map(|(place, value)| format!("{place}={value}")).collect()
}

fn pod() -> Value {
    json!({
        "metadata": {"labels": {"app.kubernetes.io/name": "shop", "7": "seven"}},
        "spec": {"containers": [{"name": "web", "image": "a"}, {"name": "log", "image": "b", "args": null}]},
        "env": ["PORT=80", "TITLE=shop"],
        "dup": [{"name": "x", "v": 1}, {"name": "x", "v": 2}],
    })
}

#[test]
fn leads_to_keys_entries_names_and_indexes() {
    let pod = pod();
    for (text, wanted) in [
        ("spec.containers[*].image", vec!["spec.containers[log].image=\"b\"", "spec.containers[web].image=\"a\""]),
        ("spec.containers[web].image", vec!["spec.containers[web].image=\"a\""]),
        ("spec.containers[1].image", vec!["spec.containers[log].image=\"b\""]),
        ("spec.containers[9].image", vec![]),
        ("spec.containers[*].args", vec![]),
        ("metadata.labels[\"app.kubernetes.io/name\"]", vec!["metadata.labels.app.kubernetes.io/name=\"shop\""]),
        ("metadata.labels[7]", vec!["metadata.labels.7=\"seven\""]),
        ("env[PORT]", vec!["env[PORT]=\"PORT=80\""]),
        ("dup[*].v", vec!["dup[0].v=1", "dup[1].v=2"]),
        ("nowhere.at.all", vec![]),
        ("spec.containers.image", vec![]),
        ("env[PORT].x", vec![]),
    ] {
        assert_eq!(places(text, &pod), wanted, "{text}");
    }
}

#[test]
fn removes_what_it_leads_to() {
    for (text, wanted) in [
        ("spec.containers[web].image", json!([{"name": "web"}, {"name": "log", "image": "b", "args": null}])),
        ("spec.containers[web]", json!([{"name": "log", "image": "b", "args": null}])),
        ("spec.containers[1]", json!([{"name": "web", "image": "a"}])),
        ("spec.containers[*]", json!([])),
        ("spec.containers[nobody].image", pod()["spec"]["containers"].clone()),
    ] {
        let mut pod = pod();
        path(text).remove(&mut pod);
        assert_eq!(pod["spec"]["containers"], wanted, "{text}");
    }
    let mut pod = pod();
    path("env[PORT]").remove(&mut pod);
    assert_eq!(pod["env"], json!(["TITLE=shop"]));
}

#[test]
fn refuses_what_is_no_path() {
    for text in [
        "",
        ".",
        "spec.",
        ".spec",
        "spec..x",
        "spec[",
        "spec[]",
        "spec]",
        "spec[web",
        "spec[\"a]",
        "spec[a]b",
        "[",
        "a[\"b\"x",
    ] {
        let error = text.parse::<Path>().unwrap_err().to_string();
        assert!(error.contains("is not a path"), "{text}: {error}");
    }
}
