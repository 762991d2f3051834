//! Tables: what `kubectl get` prints, made by the server (`pkg/printers/internalversion`).

mod access;
mod admission;
mod age;
mod autoscaler;
mod batch;
mod cluster;
mod network;
mod pod;
mod readings;
mod service;
mod storage;
mod workload;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Kind, api::conversion, custom::Columns, object::text};

pub use age::{age, human};

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    /// `string` or `integer`.
    pub kind: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    pub priority: u8,
    pub description: &'static str,
}

const fn column(name: &'static str, description: &'static str) -> Column {
    Column { name, kind: "string", priority: 0, description }
}

const fn integer(name: &'static str, description: &'static str) -> Column {
    Column { name, kind: "integer", priority: 0, description }
}

const fn wide(name: &'static str, description: &'static str) -> Column {
    Column { name, kind: "string", priority: 1, description }
}

/// The name's column; every table begins with it, but that of events.
const NAME: Column = column("Name", "The name, unique among the objects of this kind in a namespace.");
/// The age's column.
const AGE: Column = column("Age", "The time since the object was created.");

/// A kind's columns, and an object's cells under them.
pub struct Layout {
    pub columns: &'static [Column],
    pub cells: fn(&Value, Timestamp) -> Vec<Value>,
}

/// How the objects of one kind are laid out.
#[derive(Clone, Copy)]
pub struct Laid {
    pub columns: &'static [Column],
    cells: Cells,
}

#[derive(Clone, Copy)]
enum Cells {
    Of(fn(&Value, Timestamp) -> Vec<Value>),
    Custom(&'static Columns),
}

impl Laid {
    /// An object's cells.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        match self.cells {
            Cells::Of(cells) => cells(&conversion::as_stored(object), now),
            Cells::Custom(columns) => columns.cells(object, now),
        }
    }
}

static PLAIN: Layout = Layout {
    columns: &[NAME, column("Created At", "When the object was created.")],
    cells: |object, _| vec![name(object), object.pointer("/metadata/creationTimestamp").cloned().unwrap_or_default()],
};

/// How the objects of a kind are laid out.
pub fn layout(kind: &Kind) -> Laid {
    if let Some(custom) = kind.custom {
        return Laid { columns: custom.columns.columns, cells: Cells::Custom(&custom.columns) };
    }
    let layout = of_collection(kind.collection);
    Laid { columns: layout.columns, cells: Cells::Of(layout.cells) }
}

fn of_collection(collection: &str) -> &'static Layout {
    match collection {
        "pods" => &pod::LAYOUT,
        "deployments.apps" => &workload::DEPLOYMENT,
        "replicasets.apps" => &workload::REPLICA_SET,
        "replicationcontrollers" => &workload::REPLICATION_CONTROLLER,
        "services" => &service::SERVICE,
        "endpoints" => &service::ENDPOINTS,
        "endpointslices.discovery.k8s.io" => &service::ENDPOINT_SLICE,
        "configmaps" => &cluster::CONFIG_MAP,
        "secrets" => &cluster::SECRET,
        "serviceaccounts" => &cluster::SERVICE_ACCOUNT,
        "namespaces" => &cluster::NAMESPACE,
        "nodes" => &cluster::NODE,
        "events" => &cluster::EVENT,
        "resourcequotas" => &cluster::RESOURCE_QUOTA,
        "priorityclasses.scheduling.k8s.io" => &cluster::PRIORITY_CLASS,
        "leases.coordination.k8s.io" => &cluster::LEASE,
        "runtimeclasses.node.k8s.io" => &cluster::RUNTIME_CLASS,
        "podtemplates" => &workload::POD_TEMPLATE,
        "statefulsets.apps" => &workload::STATEFUL_SET,
        "daemonsets.apps" => &workload::DAEMON_SET,
        "controllerrevisions.apps" => &workload::CONTROLLER_REVISION,
        "jobs.batch" => &batch::JOB,
        "cronjobs.batch" => &batch::CRON_JOB,
        "horizontalpodautoscalers.autoscaling" => &autoscaler::LAYOUT,
        "persistentvolumes" => &storage::VOLUME,
        "persistentvolumeclaims" => &storage::CLAIM,
        "storageclasses.storage.k8s.io" => &storage::CLASS,
        "networkpolicies.networking.k8s.io" => &network::POLICY,
        "ingresses.networking.k8s.io" => &network::INGRESS,
        "ingressclasses.networking.k8s.io" => &network::INGRESS_CLASS,
        "poddisruptionbudgets.policy" => &network::DISRUPTION_BUDGET,
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => &access::BINDING,
        "certificatesigningrequests.certificates.k8s.io" => &access::SIGNING_REQUEST,
        "validatingwebhookconfigurations.admissionregistration.k8s.io"
        | "mutatingwebhookconfigurations.admissionregistration.k8s.io" => &admission::WEBHOOKS,
        "validatingadmissionpolicies.admissionregistration.k8s.io" => &admission::POLICY,
        "validatingadmissionpolicybindings.admissionregistration.k8s.io" => &admission::BINDING,
        "nodes.metrics.k8s.io" => &readings::NODE,
        "pods.metrics.k8s.io" => &readings::POD,
        _ => &PLAIN,
    }
}

/// What of the object a row carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    Nothing,
    Metadata,
    Object,
}

/// The columns as a table defines them.
pub fn definitions(layout: Laid) -> Value {
    let define = |column: &Column| {
        json!({
            "name": column.name,
            "type": column.kind,
            "format": if column.name == "Name" && column.priority == 0 { "name" } else { "" },
            "description": column.description,
            "priority": column.priority,
        })
    };
    layout.columns.iter().map(define).collect()
}

/// One row.
pub fn row(layout: Laid, object: &Value, version: &str, include: Include, now: Timestamp) -> Value {
    let mut row = json!({"cells": layout.cells(object, now)});
    match include {
        Include::Nothing => row["object"] = Value::Null,
        Include::Metadata => row["object"] = metadata_only(object, version),
        Include::Object => row["object"] = object.clone(),
    }
    row
}

/// An object without spec and status.
pub fn metadata_only(object: &Value, version: &str) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": version,
        "metadata": object.get("metadata").cloned().unwrap_or_default(),
    })
}

fn name(object: &Value) -> Value {
    Value::from(text(object, "/metadata/name"))
}

/// A text, or what stands for none.
fn or_none(text: &str) -> Value {
    Value::from(if text.is_empty() { "<none>" } else { text })
}

/// `a=b,c=d`, in order, or what stands for none.
fn labels(map: Option<&Value>) -> Value {
    let pairs: Vec<String> = map
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    or_none(&pairs.join(","))
}

#[cfg(test)]
mod tests;
