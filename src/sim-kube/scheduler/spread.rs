//! Pods of one workload are spread over the nodes by default (`PodTopologySpread`'s system defaults): a preference, never a refusal.

use serde_json::Value;

use super::{Plugin, View};
use crate::object::{controller, entries, name, namespace, text};

pub struct Spread;

impl Plugin for Spread {
    /// Weight 2: nodes with fewer pods of the same controller.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let owner = |pod: &Value| controller(pod).map(|owner| text(owner, "/uid").to_owned());
        // A pod that says how it is to be spread is not spread by default.
        let Some(own) = owner(pod).filter(|_| entries(pod, "/spec/topologySpreadConstraints").is_empty()) else {
            return 0;
        };
        let count = |node: &Value| {
            view.on(name(node))
                .filter(|other| namespace(other) == namespace(pod) && owner(other).as_deref() == Some(own.as_str()))
                .count()
        };
        let most = view.nodes.iter().map(|node| count(node)).max().unwrap_or(0);
        if most == 0 {
            return 0;
        }
        let spared = i64::try_from(most - count(node).min(most)).unwrap_or(0);
        200 * spared / i64::try_from(most).unwrap_or(1)
    }
}
