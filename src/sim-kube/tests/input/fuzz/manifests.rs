//! Manifests: whatever becomes of one, it is taken or refused, and a cluster that has taken it goes on.

use breakfix_sim_kube::kind;
use serde_json::Value;

use super::{files, run};
use crate::asking::{cluster, get, is_an_answer, pass, send};

const WORDS: &[&str] = &[
    "apiVersion: v1\n",
    "kind: Pod\n",
    "metadata:\n",
    "  name: a\n",
    "  namespace: other\n",
    "  generateName: a-\n",
    "  finalizers: [a/b]\n",
    "  labels: {a: b}\n",
    "  annotations: {a: b}\n",
    "spec:\n",
    "status:\n",
    "  replicas: 3\n",
    "  selector: {}\n",
    "containers:\n",
    "- name: web\n",
    "image: registry.example/web:1\n",
    "command: [sh, -c, exit 1]\n",
    "restartPolicy: Never\n",
    "nodeName: breakfix-worker\n",
    "hostNetwork: true\n",
    "ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: b, controller: true}]\n",
    "0",
    "null\n",
    "~\n",
    "yes\n",
];

/// Where objects of the manifest's kind are made.
fn collection(text: &str) -> Option<String> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_owned());
    let kind = kind::by_kind(&value("apiVersion:")?, &value("kind:")?)?;
    let group = if kind.group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{}", kind.api_version()) };
    let space = if kind.namespaced { "/namespaces/shop" } else { "" };
    Some(format!("{group}{space}/{}", kind.plural))
}

#[test]
fn manifests_are_taken_or_refused() {
    let (names, inputs): (Vec<String>, Vec<Vec<u8>>) = files("manifests").into_iter().unzip();
    let paths: Vec<String> = names
        .iter()
        .zip(&inputs)
        .map(|(name, text)| collection(std::str::from_utf8(text).unwrap()).expect(name))
        .collect();
    run("manifests", &inputs, WORDS, |which, input| {
        let path = &paths[which];
        let mut cluster = cluster();
        let strict = format!("{path}?dryRun=All&fieldValidation=Strict");
        is_an_answer(&send(&mut cluster, "POST", &strict, "application/yaml", input.to_vec()));
        let made = send(&mut cluster, "POST", path, "application/yaml", input.to_vec());
        is_an_answer(&made);
        pass(&mut cluster, 3);
        let listed = get(&mut cluster, path);
        is_an_answer(&listed);
        if made.0 != 201 {
            return;
        }
        let name = made.1["metadata"]["name"].as_str().unwrap();
        let found =
            listed.1["items"].as_array().into_iter().flatten().find(|item| item["metadata"]["name"] == name).cloned();
        if let Some(mut found) = found {
            // What was read is written back as it is.
            found["kind"] = made.1["kind"].clone();
            found["apiVersion"] = made.1["apiVersion"].clone();
            let body = Value::to_string(&found).into_bytes();
            let back = send(&mut cluster, "PUT", &format!("{path}/{name}"), "application/json", body);
            is_an_answer(&back);
            assert!(
                matches!(back.0, 200 | 409),
                "an object that the API gave is one that it takes: {}\n{found}",
                back.1
            );
        }
        is_an_answer(&send(&mut cluster, "DELETE", &format!("{path}/{name}"), "", Vec::new()));
        pass(&mut cluster, 2);
    });
}
