//! Requests that were recorded on a real cluster, and its answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        golden::{golden_dir, golden_json},
        write::tests::{admin, cluster},
    },
    kind,
    object::{entries, set, text, unset},
};

/// One recorded exchange.
struct Exchange {
    request: ApiRequest,
    status: u16,
    body: String,
}

/// Every `$ curl` of a record.
fn exchanges(file: &str) -> Vec<Exchange> {
    let Some(folder) = golden_dir() else { return Vec::new() };
    let record = std::fs::read_to_string(folder.join(file)).expect(file);
    let blocks = record.split("\n$ ").map(|block| block.trim_start_matches("$ "));
    blocks.filter(|block| block.starts_with("curl")).filter_map(exchange).collect()
}

fn exchange(block: &str) -> Option<Exchange> {
    let (command, rest) = block.split_once('\n')?;
    let words: Vec<&str> = command.split('\'').collect();
    let method = command.split("-X ").nth(1)?.split(' ').next()?;
    let url = words.iter().rev().find(|word| word.starts_with("https://"))?;
    let (_, target) = url.strip_prefix("https://")?.split_once('/')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = BTreeMap::from([("user-agent".to_owned(), "curl/8".to_owned())]);
    for word in words.iter().filter(|word| word.contains(": ") && !word.starts_with("https")) {
        let (name, value) = word.split_once(": ")?;
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let sent: Vec<&str> = rest.lines().take_while(|line| line.starts_with("> ")).map(|line| &line[2..]).collect();
    let answer = rest.split_once("HTTP/2 ")?.1;
    let (head, body) = answer.split_once("\n\n")?;
    let decode = |text: &str| text.replace("%3D", "=").replace("%20", " ").replace("%2C", ",");
    Some(Exchange {
        request: ApiRequest {
            method: method.to_owned(),
            path: format!("/{path}"),
            query: query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), decode(value)))
                .collect(),
            headers,
            body: sent.join("\n").into_bytes(),
            user: User::admin(),
        },
        status: head.split(' ').next()?.trim().parse().ok()?,
        body: body.trim().to_owned(),
    })
}

/// Takes out what differs between any two clusters.
fn tame(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                let varies = ["uid", "resourceVersion", "creationTimestamp", "time", "continue", "remainingItemCount"];
                if varies.contains(&key.as_str()) {
                    *member = json!("*");
                } else {
                    tame(member);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(tame),
        _ => {}
    }
}

/// A namespace with a service account, as the controllers leave it.
fn in_namespace(name: &str) -> Cluster {
    let mut cluster = cluster();
    cluster.create(&kind::NAMESPACE, "", json!({"metadata": {"name": name}}), &admin()).unwrap();
    cluster.create(&kind::SERVICE_ACCOUNT, name, json!({"metadata": {"name": "default"}}), &admin()).unwrap();
    let default = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    let class =
        json!({"metadata": {"name": "standard", "annotations": default}, "provisioner": "rancher.io/local-path"});
    cluster.create(&kind::STORAGE_CLASS, "", class, &admin()).unwrap();
    cluster
}

fn apply(cluster: &mut Cluster, namespace: &str, file: &str) {
    let Some(folder) = golden_dir() else { return };
    let manifests = std::fs::read_to_string(folder.join(file)).expect(file);
    for document in manifests.split("\n---") {
        let object: Value = serde_saphyr::from_str(document).expect(file);
        if object.is_object() {
            let kind = kind::by_kind(text(&object, "/apiVersion"), text(&object, "/kind")).expect(file);
            cluster.create(kind, namespace, object, &admin()).expect(file);
        }
    }
}

#[test]
fn refusals_read_as_on_a_real_server() {
    let exchanges = exchanges("wrong-apply/errors.txt");
    if exchanges.is_empty() {
        return;
    }
    let mut cluster = in_namespace("wrong-apply");
    apply(&mut cluster, "wrong-apply", "wrong-apply/input.yaml");
    apply(&mut cluster, "wrong-apply", "wrong-apply/pod.yaml");
    let first = json!({"metadata": {"name": "first"}});
    cluster.create(&kind::CONFIG_MAP, "wrong-apply", first, &admin()).unwrap();
    cluster.bind("wrong-apply", "p", "worker-1", &admin()).unwrap();
    // Protobuf is not offered; and texts with that cluster's own numbers.
    let known = ["Available representations", "Too large", "does not match the UID", "too old resource version"];
    let mut differences = Vec::new();
    for Exchange { request, status, body } in &exchanges {
        let sent = String::from_utf8_lossy(&request.body).into_owned();
        let mut found = match handle(&mut cluster, request) {
            ApiResponse::Reply(reply) => (reply.status, String::from_utf8(reply.body.to_bytes()).unwrap()),
            _ => (200, String::new()),
        };
        let mut wanted = (*status, body.clone());
        let about = format!("{} {} {:?} {:?} {sent}", request.method, request.path, request.query, request.headers);
        if known.iter().any(|text| body.contains(text)) {
            assert_eq!(found.0, *status, "{about}");
            continue;
        }
        for side in [&mut found, &mut wanted] {
            if let Ok(mut value) = serde_json::from_str::<Value>(&side.1) {
                tame(&mut value);
                side.1 = value.to_string();
            }
        }
        if found.0 != wanted.0 || found.1.trim() != wanted.1.trim() {
            differences.push(format!("{about}\n  found  {found:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What the control plane adds to an object's spec after it was made.
fn as_made(object: &Value) -> Value {
    let mut spec = object.get("spec").or_else(|| object.get("data")).cloned().unwrap_or_default();
    for member in ["nodeName", "clusterIP", "clusterIPs", "ephemeralContainers", "volumeName"] {
        if let Some(members) = spec.as_object_mut() {
            members.remove(member);
        }
    }
    for list in ["volumes", "ports"] {
        for entry in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            unset(entry, "/nodePort");
        }
    }
    let mut text = spec.to_string();
    // A job's pods are told by its uid.
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    if !uid.is_empty() {
        text = text.replace(uid, "*");
    }
    // The token volume's name ends in chance.
    let parts: Vec<&str> = text.split("kube-api-access-").collect();
    let tail = |part: &&str| part.get(5..).unwrap_or("").to_owned();
    let tails: Vec<String> = parts.iter().skip(1).map(tail).collect();
    serde_json::from_str(&format!(
        "{}{}",
        parts[0],
        tails.iter().map(|tail| format!("kube-api-access-*{tail}")).collect::<String>()
    ))
    .unwrap_or(spec)
}

#[test]
fn defaults_are_those_of_a_real_server() {
    let Some(folder) = golden_dir() else { return };
    let mut seen = BTreeSet::new();
    let mut differences = Vec::new();
    for scenario in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let name = scenario.file_name().into_string().unwrap();
        if !scenario.path().join("objects.json").is_file() {
            continue;
        }
        let objects = golden_json(&format!("{name}/objects.json")).unwrap();
        let mut cluster = in_namespace(&name);
        for object in entries(&objects, "/items") {
            let annotations = object.pointer("/metadata/annotations");
            let last = annotations.and_then(|map| map.get("kubectl.kubernetes.io/last-applied-configuration"));
            let kind = kind::by_kind(text(object, "/apiVersion"), text(object, "/kind"));
            let (Some(last), Some(kind)) = (last.and_then(Value::as_str), kind) else { continue };
            let mut applied: Value = serde_json::from_str(last).unwrap();
            // A controller's revision carries along what was applied to its owner.
            if text(&applied, "/kind") != kind.kind {
                continue;
            }
            // Later commands of a record changed some objects otherwise than by apply.
            let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(1);
            let namespace = text(&applied, "/metadata/namespace").to_owned();
            let edited = generation > 1 || kind.collection == "nodes" || namespace != name;
            // Limit ranges are not modelled.
            let edited = edited || name == "limitrange-reject";
            if edited || !text(&applied, "/spec/priorityClassName").is_empty() {
                continue;
            }
            let account = text(&applied, "/spec/serviceAccountName").to_owned();
            if !account.is_empty() && cluster.get(&kind::SERVICE_ACCOUNT, &name, &account).is_err() {
                let account = json!({"metadata": {"name": account}});
                cluster.create(&kind::SERVICE_ACCOUNT, &name, account, &admin()).unwrap();
            }
            set(&mut applied, "/metadata/annotations", json!({}));
            match cluster.create(kind, &name, applied, &admin()) {
                Ok(made) => {
                    seen.insert(kind.kind);
                    if as_made(&made) != as_made(object) {
                        differences.push(format!(
                            "{name} {} {}\n  found  {}\n  wanted {}",
                            kind.kind,
                            text(object, "/metadata/name"),
                            as_made(&made),
                            as_made(object)
                        ));
                    }
                }
                Err(status) if status.code == 409 => {}
                Err(status) => differences.push(format!("{name} {}: {status}", kind.kind)),
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(["Deployment", "Pod", "Service"].iter().all(|kind| seen.contains(kind)), "{seen:?}");
}

#[test]
fn managed_fields_are_those_of_a_real_server() {
    let exchanges = exchanges("healthy-deployment/table-api.txt");
    let mut compared = 0;
    for Exchange { body, .. } in &exchanges {
        let table: Value = serde_json::from_str(body).unwrap();
        for row in entries(&table, "/rows") {
            let object = &row["object"];
            let annotations = object.pointer("/metadata/annotations");
            let key = "kubectl.kubernetes.io/last-applied-configuration";
            let Some(last) = annotations.and_then(|map| map.get(key)).and_then(Value::as_str) else { continue };
            let mut applied: Value = serde_json::from_str(last).unwrap();
            set(&mut applied, "/metadata/annotations", json!({key: last}));
            let kind = kind::by_kind(text(&applied, "/apiVersion"), text(&applied, "/kind")).unwrap();
            let by = Actor { user: "kubernetes-admin".to_owned(), manager: "kubectl-client-side-apply".to_owned() };
            let mut cluster = in_namespace("healthy-deployment");
            let made = cluster.create(kind, "healthy-deployment", applied, &by).unwrap();
            let of = |object: &Value| {
                let list = entries(object, "/metadata/managedFields");
                list.iter().find(|entry| text(entry, "/manager") == by.manager).map(|entry| entry["fieldsV1"].clone())
            };
            assert_eq!(of(&made), of(object));
            compared += 1;
        }
    }
    assert!(exchanges.is_empty() || compared > 0);
}

#[test]
fn a_pods_managed_fields_are_those_of_its_template() {
    let exchanges = exchanges("healthy-deployment/table-api.txt");
    let Some(objects) = golden_json("healthy-deployment/objects.json") else { return };
    let set = entries(&objects, "/items").iter().find(|object| text(object, "/kind") == "ReplicaSet").unwrap();
    let mut pod = set.pointer("/spec/template").unwrap().clone();
    let metadata = json!({
        "generateName": "web-",
        "labels": pod.pointer("/metadata/labels"),
        "ownerReferences": [{
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": text(set, "/metadata/name"),
            "uid": text(set, "/metadata/uid"),
            "controller": true,
            "blockOwnerDeletion": true,
        }],
    });
    pod["metadata"] = metadata;
    let by = Actor::system("kube-controller-manager");
    let made = in_namespace("live").create(&kind::POD, "live", pod, &by).unwrap();
    let table: Value = serde_json::from_str(&exchanges[0].body).unwrap();
    let of = |object: &Value| {
        let list = entries(object, "/metadata/managedFields");
        list.iter().find(|entry| text(entry, "/manager") == by.manager).map(|entry| entry["fieldsV1"].clone())
    };
    assert_eq!(of(&made), of(&table["rows"][0]["object"]));
}

#[test]
fn a_refused_pod_update_shows_the_difference() {
    let Some(folder) = golden_dir() else { return };
    let record = std::fs::read_to_string(folder.join("wrong-apply/errors.txt")).unwrap();
    let start = record.find("The Pod \"p\" is invalid: ").unwrap();
    let wanted = &record[start + "The Pod \"p\" is invalid: ".len()..];
    let wanted = &wanted[..wanted.find("\n\n--- exit").unwrap()];
    let mut cluster = in_namespace("wrong-apply");
    apply(&mut cluster, "wrong-apply", "wrong-apply/pod.yaml");
    let refused = cluster
        .update(&kind::POD, "wrong-apply", "p", crate::api::verbs::Part::Main, &admin(), |pod| {
            pod["spec"]["containers"][0]["command"] = json!(["/bin/other"]);
        })
        .unwrap_err();
    assert_eq!(refused.message.trim_end(), format!("Pod \"p\" is invalid: {}", wanted.trim_end()));
}
