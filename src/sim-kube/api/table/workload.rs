//! Deployments, ReplicaSets, StatefulSets, DaemonSets, their revisions, templates.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, integer, labels, name, or_none, wide};
use crate::{
    api::select::label::written,
    object::{controller, entries, number, text},
};

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

pub static REPLICATION_CONTROLLER: Layout = Layout {
    columns: REPLICA_SET.columns,
    cells: |object, now| {
        let mut cells = replica_set(object, now);
        cells.pop();
        cells.push(labels(object.pointer("/spec/selector")));
        cells
    },
};

pub static STATEFUL_SET: Layout = Layout {
    columns: &[
        NAME,
        column("Ready", "Number of the pod with ready state"),
        AGE,
        wide("Containers", "Names of each container in the template."),
        wide("Images", "Images referenced by each container in the template."),
    ],
    cells: |object, now| {
        let ready = format!("{}/{}", count(object, "/status/readyReplicas"), count(object, "/spec/replicas"));
        let [names, images, _] = template(object, "/spec");
        vec![name(object), json!(ready), age(object, now), names, images]
    },
};

pub static DAEMON_SET: Layout = Layout {
    columns: &[
        NAME,
        integer("Desired", "The number of nodes that should run a pod."),
        integer("Current", "The number of nodes that should run a pod and do."),
        integer("Ready", "The number of nodes whose pod is ready."),
        integer("Up-to-date", "The number of nodes whose pod is of the present template."),
        integer("Available", "The number of nodes whose pod has been ready for at least minReadySeconds."),
        column("Node Selector", "The labels of the nodes that pods are for."),
        AGE,
        wide("Containers", "Names of each container in the template."),
        wide("Images", "Images referenced by each container in the template."),
        wide("Selector", "The labels by which the set finds its pods."),
    ],
    cells: daemon_set,
};

pub static CONTROLLER_REVISION: Layout = Layout {
    columns: &[
        NAME,
        column("Controller", "Controller of the object"),
        column("Revision", "The revision's number."),
        AGE,
    ],
    cells: |object, now| {
        let owner = controller(object).map(|owner| {
            let (group, kind) = (text(owner, "/apiVersion"), text(owner, "/kind").to_lowercase());
            match group.split_once('/') {
                Some((group, _)) => format!("{kind}.{group}/{}", text(owner, "/name")),
                None => format!("{kind}/{}", text(owner, "/name")),
            }
        });
        vec![
            name(object),
            or_none(&owner.unwrap_or_default()),
            json!(count(object, "/revision").to_string()),
            age(object, now),
        ]
    },
};

pub static POD_TEMPLATE: Layout = Layout {
    columns: &[
        NAME,
        column("Containers", "Names of each container in the template."),
        column("Images", "Images referenced by each container in the template."),
        column("Pod Labels", "The labels for the pod template"),
    ],
    cells: |object, _| {
        let [names, images, _] = template(object, "");
        vec![name(object), names, images, labels(object.pointer("/template/metadata/labels"))]
    },
};

fn daemon_set(object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![
        name(object),
        json!(count(object, "/status/desiredNumberScheduled")),
        json!(count(object, "/status/currentNumberScheduled")),
        json!(count(object, "/status/numberReady")),
        json!(count(object, "/status/updatedNumberScheduled")),
        json!(count(object, "/status/numberAvailable")),
        labels(object.pointer("/spec/template/spec/nodeSelector")),
        age(object, now),
    ];
    cells.extend(template(object, "/spec"));
    cells
}

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
    cells.extend(template(object, "/spec"));
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
    cells.extend(template(object, "/spec"));
    cells
}

/// The containers' names, their images and the selector of what has its template under this pointer.
pub(super) fn template(object: &Value, under: &str) -> [Value; 3] {
    let containers = entries(object, &format!("{under}/template/spec/containers"));
    let list = |member: &str| containers.iter().map(|container| text(container, member)).collect::<Vec<_>>().join(",");
    let wanted = object.pointer(&format!("{under}/selector")).unwrap_or(&Value::Null);
    [json!(list("/name")), json!(list("/image")), selector(wanted)]
}

/// A selector as `metav1.FormatLabelSelector` writes it.
pub(super) fn selector(selector: &Value) -> Value {
    or_none(&written(selector))
}
