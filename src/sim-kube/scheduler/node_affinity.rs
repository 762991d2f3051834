//! nodeSelector and node affinity, required and preferred.

use serde_json::{Value, json};

use super::{Plugin, Refusal, View};
use crate::{
    controllers::selector::holds,
    object::{entries, members, name},
};

pub struct NodeAffinity;

impl Plugin for NodeAffinity {
    fn filter(&self, _view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        (!fits(pod, node)).then(|| Refusal::incurable("node(s) didn't match Pod's node affinity/selector"))
    }

    /// Weight 2: the sum of the weights of the preferences that the node fulfils, in proportion to the best node's.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let sum = |node: &Value| {
            entries(pod, "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution")
                .iter()
                .filter(|preferred| preferred.get("preference").is_some_and(|term| term_fits(term, node)))
                .filter_map(|preferred| preferred["weight"].as_i64())
                .sum::<i64>()
        };
        match view.nodes.iter().map(|node| sum(node)).max() {
            Some(best) if best > 0 => 200 * sum(node) / best,
            _ => 0,
        }
    }
}

/// Whether one of a node selector's terms fits a node; volumes say in the same way which nodes reach them.
pub fn terms_fit(selector: &Value, node: &Value) -> bool {
    entries(selector, "/nodeSelectorTerms").iter().any(|term| term_fits(term, node))
}

/// Whether a node has one of the values of each label: a topology term of a storage class.
pub fn labels_fit(expressions: &[Value], node: &Value) -> bool {
    expressions.iter().all(|expression| {
        let value = node["metadata"]["labels"].get(crate::object::text(expression, "/key"));
        value.is_some_and(|value| entries(expression, "/values").contains(value))
    })
}

/// Whether a node is one that the pod's selector and required affinity allow.
pub fn fits(pod: &Value, node: &Value) -> bool {
    let labels = node.pointer("/metadata/labels").unwrap_or(&Value::Null);
    let selected = members(pod, "/spec/nodeSelector").all(|(key, value)| labels.get(key) == Some(value));
    let required = pod.pointer("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution");
    selected && required.is_none_or(|required| terms_fit(required, node))
}

/// A term without any requirement fits nothing.
fn term_fits(term: &Value, node: &Value) -> bool {
    let labels = node.pointer("/metadata/labels").unwrap_or(&Value::Null);
    let fields = json!({"metadata.name": name(node)});
    let (by_label, by_field) = (entries(term, "/matchExpressions"), entries(term, "/matchFields"));
    (!by_label.is_empty() || !by_field.is_empty())
        && by_label.iter().all(|expression| holds(expression, labels))
        && by_field.iter().all(|expression| holds(expression, &fields))
}
