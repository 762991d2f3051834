//! Deployments and ReplicaSets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, integer, name, or_none, wide};
use crate::object::{entries, members, number, text};

pub static DEPLOYMENT: Layout = Layout {
    columns: &[
        NAME,
        column("Ready", "Number of the pod with ready state"),
        column("Up-to-date", "Pods that are made from the present template and not terminating."),
        column("Available", "Pods that have been ready for at least minReadySeconds and are not terminating."),
        AGE,
        wide("Containers", "Names of each container in the template."),
        wide("Images", "Images referenced by each container in the template."),
        wide("Selector", "The labels by which the deployment finds its pods."),
    ],
    cells: deployment,
};

pub static REPLICA_SET: Layout = Layout {
    columns: &[
        NAME,
        integer("Desired", "The number of pods wanted."),
        integer("Current", "The number of pods there are."),
        integer("Ready", "The number of pods that are ready."),
        AGE,
        wide("Containers", "Names of each container in the template."),
        wide("Images", "Images referenced by each container in the template."),
        wide("Selector", "The labels by which the set finds its pods."),
    ],
    cells: replica_set,
};

fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

fn deployment(object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![
        name(object),
        json!(format!("{}/{}", count(object, "/status/readyReplicas"), count(object, "/spec/replicas"))),
        json!(count(object, "/status/updatedReplicas")),
        json!(count(object, "/status/availableReplicas")),
        age(object, now),
    ];
    cells.extend(template(object));
    cells
}

fn replica_set(object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![
        name(object),
        json!(count(object, "/spec/replicas")),
        json!(count(object, "/status/replicas")),
        json!(count(object, "/status/readyReplicas")),
        age(object, now),
    ];
    cells.extend(template(object));
    cells
}

fn template(object: &Value) -> [Value; 3] {
    let containers = entries(object, "/spec/template/spec/containers");
    let list = |member: &str| containers.iter().map(|container| text(container, member)).collect::<Vec<_>>().join(",");
    [json!(list("/name")), json!(list("/image")), selector(object.pointer("/spec/selector").unwrap_or(&Value::Null))]
}

/// A selector as `metav1.FormatLabelSelector` writes it.
fn selector(selector: &Value) -> Value {
    let mut parts: Vec<(String, String)> = members(selector, "/matchLabels")
        .map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or(""))))
        .collect();
    for expression in entries(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let mut values: Vec<_> = entries(expression, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let shown = match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        parts.push((key.to_owned(), shown));
    }
    parts.sort();
    or_none(&parts.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>().join(","))
}
