//! Which pods go first when there are too many (`ActivePodsWithRanks` of `controller_utils.go`).

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Cluster, Kind,
    controllers::{owner, pod_state},
    kind::POD,
    object::{name, namespace, text, uid},
};

/// The first `count` pods in the order of removal.
pub(super) fn choose(
    cluster: &Cluster,
    set: &Value,
    kind: &'static Kind,
    active: &[Arc<Value>],
    count: usize,
) -> Vec<Arc<Value>> {
    if count >= active.len() {
        return active.to_vec();
    }
    let crowd = crowd(cluster, set, kind);
    let today = cluster.clock.today();
    let mut pods = active.to_vec();
    pods.sort_by(|left, right| compare(left, right, &crowd, today));
    pods.truncate(count);
    pods
}

/// How many active pods of the same owner each node has: the set's, and those of its sisters under one Deployment.
fn crowd(cluster: &Cluster, set: &Value, kind: &'static Kind) -> BTreeMap<String, usize> {
    let space = namespace(set);
    let deployment = crate::object::controller(set).map(|owner| text(owner, "/uid").to_owned());
    let sisters: Vec<String> = cluster
        .store
        .list(kind.collection, Some(space))
        .filter(|(_, other)| {
            uid(other) == uid(set)
                || deployment
                    .as_deref()
                    .is_some_and(|uid| crate::object::controller(other).is_some_and(|owner| text(owner, "/uid") == uid))
        })
        .map(|(_, other)| name(other).to_owned())
        .collect();
    let mut crowd = BTreeMap::new();
    for (_, pod) in cluster.store.list(POD.collection, Some(space)) {
        let ours = owner::controller_name(pod, kind).is_some_and(|set| sisters.iter().any(|name| name == set));
        if ours && pod_state::is_active(pod) {
            *crowd.entry(text(pod, "/spec/nodeName").to_owned()).or_insert(0) += 1;
        }
    }
    crowd
}

fn compare(left: &Value, right: &Value, crowd: &BTreeMap<String, usize>, today: Timestamp) -> Ordering {
    let node = |pod: &Value| text(pod, "/spec/nodeName").to_owned();
    let rank = |pod: &Value| crowd.get(&node(pod)).copied().unwrap_or(0);
    let created = |pod: &Value| text(pod, "/metadata/creationTimestamp").parse::<Timestamp>().ok();
    // 1. no node yet, 2. pending, 3. not ready, 4. cheap to delete, 5. on a crowded node
    (!node(left).is_empty())
        .cmp(&!node(right).is_empty())
        .then_with(|| phase(left).cmp(&phase(right)))
        .then_with(|| pod_state::is_ready(left).cmp(&pod_state::is_ready(right)))
        .then_with(|| deletion_cost(left).cmp(&deletion_cost(right)))
        .then_with(|| Reverse(rank(left)).cmp(&Reverse(rank(right))))
        // 6. ready for a shorter time, 7. more restarts, 8. younger: times on a logarithmic scale, equal ones by uid
        .then_with(|| by_age(pod_state::ready_since(left), pod_state::ready_since(right), left, right, today))
        .then_with(|| Reverse(pod_state::restarts(left)).cmp(&Reverse(pod_state::restarts(right))))
        .then_with(|| by_age(created(left), created(right), left, right, today))
}

fn phase(pod: &Value) -> u8 {
    match text(pod, "/status/phase") {
        "Pending" => 0,
        "Running" => 2,
        _ => 1,
    }
}

fn deletion_cost(pod: &Value) -> i64 {
    pod["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"]
        .as_str()
        .and_then(|cost| cost.parse().ok())
        .unwrap_or(0)
}

/// `LogarithmicScaleDown`: ages within one power of two count as equal, and the uid decides.
fn by_age(
    left: Option<Timestamp>,
    right: Option<Timestamp>,
    left_pod: &Value,
    right_pod: &Value,
    today: Timestamp,
) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) if left != right => {
            let order = magnitude(left, today).cmp(&magnitude(right, today));
            order.then_with(|| uid(left_pod).cmp(uid(right_pod)))
        }
        _ => Ordering::Equal,
    }
}

fn magnitude(since: Timestamp, today: Timestamp) -> Option<u32> {
    u64::try_from(today.as_second() - since.as_second()).ok().filter(|age| *age > 0).map(u64::ilog2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, node: &str, ready: bool, age: i64) -> Arc<Value> {
        let since = crate::date::seconds(Timestamp::from_second(10_000 - age).unwrap());
        Arc::new(json!({
            "metadata": {"name": name, "uid": name, "creationTimestamp": since},
            "spec": {"nodeName": node},
            "status": {"phase": "Running", "conditions": [
                {"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": since}]},
        }))
    }

    fn order(pods: &[Arc<Value>], crowd: &[(&str, usize)]) -> Vec<String> {
        let crowd = crowd.iter().map(|(node, count)| ((*node).to_owned(), *count)).collect();
        let today = Timestamp::from_second(10_000).unwrap();
        let mut pods = pods.to_vec();
        pods.sort_by(|left, right| compare(left, right, &crowd, today));
        pods.iter().map(|pod| name(pod).to_owned()).collect()
    }

    #[test]
    fn the_useless_go_before_the_crowded_and_the_crowded_before_the_young() {
        let pods = [
            pod("old", "a", true, 4000),
            pod("young", "a", true, 10),
            pod("crowded", "b", true, 4000),
            pod("unready", "a", false, 4000),
            pod("unplaced", "", false, 10),
        ];
        assert_eq!(order(&pods, &[("a", 1), ("b", 2)]), ["unplaced", "unready", "crowded", "young", "old"]);
    }
}
