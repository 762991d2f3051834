//! How a machine becomes a node: kubelet registers it, keeps a lease for it, and says so.
//!
//! A lease is renewed every ten seconds, and by the control plane's parts every two. None of it is written down: when a lease is read, its
//! last renewal is worked out. A watch of leases is therefore silent, and a lease's `resourceVersion` stays.

use breakfix_sim::SimTime;
use serde_json::{Value, json};

use super::machine;
use crate::{
    Cluster, Kind, Status,
    api::{
        schema::value::micros_text,
        verbs::{Actor, Part},
    },
    bootstrap,
    controllers::events::{self, Note, Source},
    kind,
    object::{namespace, set, text, uid},
};

/// Where the nodes' leases lie.
const LEASES: &str = "kube-node-lease";
/// Parts of the control plane that hold a lease in `kube-system`, and for how many seconds.
const LEADERS: [(&str, u64); 2] = [("kube-controller-manager", 15), ("kube-scheduler", 15)];

/// Registers the node of a machine that has none in the API. A name that no machine has is left alone.
///
/// # Errors
/// The API refused.
pub fn register(cluster: &mut Cluster, node: &str) -> Result<(), Status> {
    let names = bootstrap::node_names(cluster.config.workers);
    let Some(number) = names.iter().position(|name| name == node) else { return Ok(()) };
    let by = Actor { user: format!("system:node:{node}"), manager: "kubelet".into() };
    let body = bootstrap::nodes::object(node, number);
    cluster.create(&kind::NODE, "", body, &by)?;
    let status = bootstrap::nodes::status(cluster, node, number);
    let object = cluster.update(&kind::NODE, "", node, Part::Status, &by, |node| set(node, "/status", status))?;
    greet(cluster, &object, true);
    let owner = json!({"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid(&object)});
    let lease = json!({
        "metadata": {"name": node, "namespace": LEASES, "ownerReferences": [owner]},
        "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": moment(cluster, cluster.now())},
    });
    match cluster.create(&kind::LEASE, LEASES, lease, &by) {
        // It is there still, or its namespace is not: kubelet lives on.
        Err(status) if matches!(status.code, 403 | 404 | 409) => Ok(()),
        other => other.map(drop),
    }
}

/// The leases by which the parts of the control plane know who leads.
///
/// # Errors
/// The API refused, which would be an error of this crate.
pub fn elect(cluster: &mut Cluster) -> Result<(), Status> {
    let node = bootstrap::node_names(0).concat();
    for (part, seconds) in LEADERS {
        let holder = format!("{node}_{}", cluster.chance.uuid());
        let now = moment(cluster, cluster.now());
        let lease = json!({
            "metadata": {"name": part, "namespace": "kube-system"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": seconds, "leaseTransitions": 0,
                "acquireTime": now, "renewTime": now},
        });
        cluster.create(&kind::LEASE, "kube-system", lease, &Actor::system(part))?;
    }
    Ok(())
}

/// What kubelet says when it has come up.
pub(super) fn greet(cluster: &mut Cluster, node: &Value, becomes_ready: bool) {
    let name = text(node, "/metadata/name").to_owned();
    let mut notes = vec![("Starting", "Starting kubelet.".to_owned())];
    let reasons = ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"];
    notes.extend(reasons.map(|reason| (reason, format!("Node {name} status is now: {reason}"))));
    notes.push(("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods".to_owned()));
    if becomes_ready {
        notes.push(("NodeReady", format!("Node {name} status is now: NodeReady")));
    }
    for (reason, message) in notes {
        let source = Source { component: "kubelet", host: &name };
        events::record_at(cluster, source, node, "", Note::normal(reason, &message));
    }
}

/// An object as it is read: a lease with its last renewal.
pub fn renewed(cluster: &Cluster, kind: &Kind, mut object: Value) -> Value {
    if kind.collection != kind::LEASE.collection {
        return object;
    }
    let name = text(&object, "/metadata/name");
    let holder = text(&object, "/spec/holderIdentity");
    let renewal = match namespace(&object) {
        LEASES if name == holder && machine::exists(cluster, name) => machine::last_heartbeat(cluster, name),
        "kube-system" if LEADERS.iter().any(|(part, _)| *part == name) => cluster.now(),
        _ => return object,
    };
    set(&mut object, "/spec/renewTime", json!(moment(cluster, renewal)));
    object
}

fn moment(cluster: &Cluster, time: SimTime) -> String {
    micros_text(cluster.clock.date(time))
}
