//! Cordoned nodes take no pods that do not tolerate it.

use serde_json::{Value, json};

use super::{Plugin, Refusal, View, taints};
use crate::object::truth;

pub struct NodeUnschedulable;

impl Plugin for NodeUnschedulable {
    fn filter(&self, _view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
        let refused = truth(node, "/spec/unschedulable") && taints::toleration(pod, &taint).is_none();
        refused.then(|| Refusal::incurable("node(s) were unschedulable"))
    }
}
