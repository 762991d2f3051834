//! How fast the nodes of a zone may lose their pods (`zoneStates` of `pkg/controller/nodelifecycle`): one node in ten seconds; none where
//! too much of a zone is down at once, and none at all where everything is, for then it is the control plane that is cut off.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pod_state;
use crate::{Cluster, kind, object::members};

/// `nodeEvictionRate` is 0.1 a second.
const BETWEEN: Duration = Duration::from_secs(10);
/// `unhealthyZoneThreshold`, in percent.
const TOO_MANY: usize = 55;
/// `largeClusterSizeThreshold`: a zone that has more nodes goes on, at `secondaryNodeEvictionRate`.
const LARGE: usize = 50;
const BETWEEN_REDUCED: Duration = Duration::from_secs(100);

/// When pods were last driven off a node, by zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Zones {
    last: BTreeMap<String, SimTime>,
}

/// Whether a node's pods may be driven out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Now,
    In(Duration),
    /// Not while things are as they are.
    Not,
    /// No node of the cluster is ready: nothing that was said of the nodes counts.
    Cut,
}

/// How many nodes are ready and how many are not.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    ready: usize,
    other: usize,
}

/// Whether it is a node's turn. One whose turn it is counts as done; one that `is_driven_out` already waits for nobody.
pub fn turn(cluster: &mut Cluster, node: &Value, is_driven_out: bool) -> Turn {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for (_, each) in cluster.store.list(kind::NODE.collection, None) {
        let count = counts.entry(zone(each)).or_default();
        if pod_state::condition_holds(each, "Ready") {
            count.ready += 1;
        } else {
            count.other += 1;
        }
    }
    if counts.values().all(|count| count.ready == 0) {
        return Turn::Cut;
    }
    if is_driven_out {
        return Turn::Now;
    }
    let own = zone(node);
    let Some(between) = counts.get(&own).copied().and_then(pace) else { return Turn::Not };
    let now = cluster.now();
    let next = cluster.controllers.zones.last.get(&own).map(|last| *last + between);
    match next.filter(|next| *next > now) {
        Some(next) => Turn::In(next - now),
        None => {
            cluster.controllers.zones.last.insert(own, now);
            Turn::Now
        }
    }
}

/// How long lies between two nodes of a zone; `None` where no further node is touched.
fn pace(count: Count) -> Option<Duration> {
    let all = count.ready + count.other;
    let is_disrupted = count.ready > 0 && count.other > 2 && count.other * 100 >= all * TOO_MANY;
    match (is_disrupted, all > LARGE) {
        (false, _) => Some(BETWEEN),
        (true, true) => Some(BETWEEN_REDUCED),
        (true, false) => None,
    }
}

/// A node's region and zone.
fn zone(node: &Value) -> String {
    let label = |wanted: &str| {
        let mut labels = members(node, "/metadata/labels");
        labels.find(|(key, _)| *key == wanted).and_then(|(_, value)| value.as_str()).unwrap_or("").to_owned()
    };
    let place = (label("topology.kubernetes.io/region"), label("topology.kubernetes.io/zone"));
    format!("{}/{}", place.0, place.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ComputeZoneState`: more than two, and 55 percent or more.
    #[test]
    fn a_zone_that_is_mostly_down_keeps_its_pods() {
        let pace = |ready, other| pace(Count { ready, other });
        assert_eq!(pace(1, 2), Some(BETWEEN), "two are not many");
        assert_eq!(pace(2, 3), None);
        assert_eq!(pace(3, 3), Some(BETWEEN), "half is not most");
        assert_eq!(pace(0, 3), Some(BETWEEN), "a zone without any node that works is given up");
        assert_eq!(pace(20, 31), Some(BETWEEN_REDUCED));
    }
}
