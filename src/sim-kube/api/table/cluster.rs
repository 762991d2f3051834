//! Settings, accounts, namespaces, nodes, events; quotas, priorities, leases.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Column, Layout, NAME, age, age::since, column, integer, name, or_none, wide};
use crate::object::{entries, members, number, text, truth};

pub static CONFIG_MAP: Layout = Layout {
    columns: &[NAME, integer("Data", "The number of entries."), AGE],
    cells: |object, now| {
        let count = members(object, "/data").count() + members(object, "/binaryData").count();
        vec![name(object), json!(count), age(object, now)]
    },
};

pub static SECRET: Layout = Layout {
    columns: &[NAME, column("Type", "What the secret is for."), integer("Data", "The number of entries."), AGE],
    cells: |object, now| {
        vec![name(object), json!(text(object, "/type")), json!(members(object, "/data").count()), age(object, now)]
    },
};

pub static SERVICE_ACCOUNT: Layout = Layout {
    columns: &[NAME, column("Secrets", "The number of secrets that pods of this account may use."), AGE],
    cells: |object, now| vec![name(object), json!(entries(object, "/secrets").len().to_string()), age(object, now)],
};

pub static NAMESPACE: Layout = Layout {
    columns: &[NAME, column("Status", "The status of the namespace"), AGE],
    cells: |object, now| vec![name(object), json!(text(object, "/status/phase")), age(object, now)],
};

pub static NODE: Layout = Layout {
    columns: &[
        NAME,
        column("Status", "The status of the node"),
        column("Roles", "The roles of the node"),
        AGE,
        column("Version", "The kubelet's version."),
        wide("Internal-IP", "The node's address within the cluster."),
        wide("External-IP", "The node's address outside."),
        wide("OS-Image", "The operating system."),
        wide("Kernel-Version", "The kernel's version."),
        wide("Container-Runtime", "The container runtime and its version."),
    ],
    cells: node,
};

pub static EVENT: Layout = Layout {
    columns: &[
        column("Last Seen", "The time since the event was seen last."),
        column("Type", "Normal or Warning."),
        column("Reason", "Why it happened, in a word."),
        column("Object", "What it happened to."),
        wide("Subobject", "The part of the object."),
        wide("Source", "Who saw it."),
        column("Message", "What happened."),
        wide("First Seen", "The time since the event was seen first."),
        wide("Count", "How often it was seen."),
        Column { name: "Name", kind: "string", priority: 1, description: "The event's own name." },
    ],
    cells: event,
};

pub static RESOURCE_QUOTA: Layout = Layout {
    columns: &[
        NAME,
        column("Request", "The requests in use and allowed."),
        column("Limit", "The limits in use and allowed."),
        AGE,
    ],
    cells: quota,
};

pub static PRIORITY_CLASS: Layout = Layout {
    columns: &[
        NAME,
        integer("Value", "The priority that pods of this class are given."),
        column("Global-Default", "Whether pods that name no class are of this one."),
        AGE,
        column("PreemptionPolicy", "Whether pods of this class may take the place of others."),
    ],
    cells: |object, now| {
        vec![
            name(object),
            json!(number(object, "/value").unwrap_or(0)),
            json!(truth(object, "/globalDefault")),
            age(object, now),
            json!(text(object, "/preemptionPolicy")),
        ]
    },
};

pub static LEASE: Layout = Layout {
    columns: &[NAME, column("Holder", "Who holds the lease."), AGE],
    cells: |object, now| vec![name(object), json!(text(object, "/spec/holderIdentity")), age(object, now)],
};

pub static RUNTIME_CLASS: Layout = Layout {
    columns: &[NAME, column("Handler", "Who runs the containers."), AGE],
    cells: |object, now| vec![name(object), json!(text(object, "/handler")), age(object, now)],
};

/// Used and allowed, by resource: `pods: 1/4, requests.cpu: 100m/1`.
fn quota(object: &Value, now: Timestamp) -> Vec<Value> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in members(object, "/status/hard") {
        let used = object.pointer("/status/used").and_then(|used| used.get(resource)).and_then(Value::as_str);
        let shown = format!("{resource}: {}/{}", used.unwrap_or("0"), hard.as_str().unwrap_or(""));
        if resource.starts_with("limits") { limits.push(shown) } else { requests.push(shown) }
    }
    vec![name(object), json!(requests.join(", ")), json!(limits.join(", ")), age(object, now)]
}

fn node(object: &Value, now: Timestamp) -> Vec<Value> {
    let conditions = entries(object, "/status/conditions");
    let ready = conditions.iter().find(|condition| text(condition, "/type") == "Ready");
    let mut status = match ready.map(|condition| text(condition, "/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if truth(object, "/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let mut roles: Vec<&str> = members(object, "/metadata/labels")
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role).filter(|role| !role.is_empty()),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .collect();
    roles.sort_unstable();
    let address = |kind: &str| {
        let found = entries(object, "/status/addresses").iter().find(|address| text(address, "/type") == kind);
        or_none(found.map_or("", |address| text(address, "/address")))
    };
    let unknown = |pointer: &str| match text(object, &format!("/status/nodeInfo/{pointer}")) {
        "" => json!("<unknown>"),
        known => json!(known),
    };
    let kernel = match (text(object, "/status/nodeInfo/kernelVersion"), text(object, "/status/nodeInfo/architecture")) {
        ("", _) => json!("<unknown>"),
        (kernel, "") => json!(kernel),
        (kernel, machine) => json!(format!("{kernel} ({machine})")),
    };
    vec![
        name(object),
        json!(status),
        or_none(&roles.join(",")),
        age(object, now),
        json!(text(object, "/status/nodeInfo/kubeletVersion")),
        address("InternalIP"),
        address("ExternalIP"),
        unknown("osImage"),
        kernel,
        unknown("containerRuntimeVersion"),
    ]
}

fn event(object: &Value, now: Timestamp) -> Vec<Value> {
    let time = |moment: &str, fallback: &str| {
        let moment = if moment.is_empty() { text(object, fallback) } else { moment };
        since(moment, now)
    };
    let first = time(text(object, "/firstTimestamp"), "/eventTime");
    let series = text(object, "/series/lastObservedTime");
    let last = match (series, text(object, "/lastTimestamp")) {
        ("", "") => first.clone(),
        ("", last) => since(last, now),
        (series, _) => since(series, now),
    };
    let count = number(object, "/series/count").or_else(|| number(object, "/count")).unwrap_or(1).max(1);
    let about =
        format!("{}/{}", text(object, "/involvedObject/kind").to_lowercase(), text(object, "/involvedObject/name"));
    let source = match (text(object, "/source/component"), text(object, "/source/host")) {
        ("", _) => match (text(object, "/reportingComponent"), text(object, "/reportingInstance")) {
            (component, "") => component.to_owned(),
            (component, instance) => format!("{component}, {instance}"),
        },
        (component, "") => component.to_owned(),
        (component, host) => format!("{component}, {host}"),
    };
    vec![
        json!(last),
        json!(text(object, "/type")),
        json!(text(object, "/reason")),
        json!(about),
        json!(text(object, "/involvedObject/fieldPath")),
        json!(source),
        json!(text(object, "/message").trim()),
        json!(first),
        json!(count),
        name(object),
    ]
}
