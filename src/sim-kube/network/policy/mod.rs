//! NetworkPolicies: who may reach whom.
//!
//! The rules are those of the API (`networking/v1`); where they leave a choice, the network plugin of kind has made it (kindnet with
//! kube-network-policies): a packet is judged once its Service's address has become a pod's, first by the policies on its source, then
//! by those on its destination; what a node itself sends to its own pods is never judged; what is denied is dropped in silence.

mod peer;
mod port;

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use super::{Source, address};
use crate::{Cluster, api::select::label::matches_selector, kind, node::PodRun, object::entries};

/// One end of a connection, as the policies know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) ip: IpAddr,
    /// The pod of this address. A pod on its node's own network has none, and is only an address.
    pub(super) pod: Option<Pod<'a>>,
}

/// A pod and the labels of its namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pod<'a> {
    pub(super) object: &'a Value,
    pub(super) namespace: &'a str,
    pub(super) namespace_labels: Option<&'a Value>,
}

/// A connection that is tried: to the destination's port, addresses of Services already undone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) from: End<'a>,
    pub(super) to: End<'a>,
    pub(super) port: u16,
    /// `TCP`, `UDP`, `SCTP`.
    pub(super) protocol: &'a str,
}

/// Which of a pod's two lists of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    fn word(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }

    /// Where the rules stand, and in each of them the peers.
    fn rules_and_peers(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingress => ("/spec/ingress", "/from"),
            Self::Egress => ("/spec/egress", "/to"),
        }
    }
}

/// What the destination sees a connection come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The caller itself.
    AsItIs,
    /// An address that a node has put in the caller's place (masquerade).
    Address(IpAddr),
}

/// Whether a connection may leave its source for this address.
pub(super) fn may_leave(cluster: &Cluster, from: &Source, to: IpAddr, port: u16, protocol: &str) -> bool {
    let Some(ip) = address::of_source(cluster, from) else { return true };
    let attempt = Attempt { from: end(cluster, ip), to: end(cluster, to), port, protocol };
    permitted(cluster, &attempt, Direction::Egress)
}

/// Whether a connection may enter the pod at an address.
pub(super) fn may_enter(
    cluster: &Cluster,
    from: &Source,
    seen: &Seen,
    pod: &PodRun,
    to: SocketAddr,
    protocol: &str,
) -> bool {
    // The pod's own node: kubelet's probes, and whatever else runs on its network.
    if address::is_on_node_network(cluster, from) && address::node_of(cluster, from) == pod.node {
        return true;
    }
    let ip = match seen {
        Seen::Address(ip) => Some(*ip),
        Seen::AsItIs => address::of_source(cluster, from),
    };
    let Some(ip) = ip else { return true };
    let attempt = Attempt { from: end(cluster, ip), to: end(cluster, to.ip()), port: to.port(), protocol };
    permitted(cluster, &attempt, Direction::Ingress)
}

fn end(cluster: &Cluster, ip: IpAddr) -> End<'_> {
    let pod = address::pod_at(cluster, ip).map(|run| {
        // Labels are the API's: they count from the moment they are written.
        let stored = cluster.store.get(&run.key).filter(|object| crate::object::uid(object) == run.uid);
        let space = cluster.store.get(&kind::NAMESPACE.key("", run.key.namespace.as_ref()));
        Pod {
            object: stored.unwrap_or(&run.pod),
            namespace: run.key.namespace.as_ref(),
            namespace_labels: space.and_then(|space| space.pointer("/metadata/labels")),
        }
    });
    End { ip, pod }
}

fn permitted(cluster: &Cluster, attempt: &Attempt<'_>, direction: Direction) -> bool {
    let subject = match direction {
        Direction::Ingress => attempt.to.pod,
        Direction::Egress => attempt.from.pod,
    };
    let Some(subject) = subject else { return true };
    let policies =
        cluster.store.list(kind::NETWORK_POLICY.collection, Some(subject.namespace)).map(|(_, policy)| policy.as_ref());
    permits(policies, attempt, direction)
}

/// Whether policies, all of the subject's namespace, let a connection through: one that allows is enough, and without any that selects
/// the pod for this direction all is allowed.
fn permits<'a>(policies: impl Iterator<Item = &'a Value>, attempt: &Attempt<'_>, direction: Direction) -> bool {
    let (rules, peers) = direction.rules_and_peers();
    let (subject, other) = match direction {
        Direction::Ingress => (&attempt.to, &attempt.from),
        Direction::Egress => (&attempt.from, &attempt.to),
    };
    let Some(pod) = subject.pod else { return true };
    let mut is_isolated = false;
    for policy in policies.filter(|policy| selects(policy, &pod) && is_about(policy, direction)) {
        is_isolated = true;
        let allows = entries(policy, rules).iter().any(|rule| {
            port::fits(entries(rule, "/ports"), attempt) && peer::fits(entries(rule, peers), other, pod.namespace)
        });
        if allows {
            return true;
        }
    }
    !is_isolated
}

fn selects(policy: &Value, pod: &Pod<'_>) -> bool {
    let selector = policy.pointer("/spec/podSelector").unwrap_or(&Value::Null);
    matches_selector(selector, pod.object.pointer("/metadata/labels"))
}

/// Without `policyTypes` a policy is about ingress, and about egress if it has such rules (API default).
fn is_about(policy: &Value, direction: Direction) -> bool {
    match entries(policy, "/spec/policyTypes") {
        [] => direction == Direction::Ingress || !entries(policy, "/spec/egress").is_empty(),
        types => types.iter().any(|it| it == direction.word()),
    }
}

#[cfg(test)]
mod tests;
