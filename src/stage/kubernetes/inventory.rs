//! What a cluster holds that a session could leave behind: one line each, equal before and after.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{before::SYSTEM_NAMESPACE, clear::CLUSTER_KINDS, object, target::KubeTarget};
use crate::target::TargetError;

impl KubeTarget {
    pub(super) async fn take_inventory(&self) -> Result<Vec<String>, TargetError> {
        let api = &*self.api().await?;
        let mut lines = Vec::new();
        for kind in CLUSTER_KINDS.into_iter().chain(["Namespace"]) {
            let found = self.all(api, kind).await?;
            lines.extend(found.iter().map(|object| format!("{kind} {}", object::name(object))));
        }
        lines.extend(self.all(api, "Node").await?.iter().flat_map(node_lines));
        let config = self.system_config(api).await?;
        lines.extend(config.iter().map(|(name, data)| format!("ConfigMap {SYSTEM_NAMESPACE}/{name} {}", digest(data))));
        lines.sort();
        Ok(lines)
    }
}

/// What a lab may do to a node. Annotations and capacity change by themselves.
fn node_lines(node: &Value) -> Vec<String> {
    let name = object::name(node);
    let labels = node.pointer("/metadata/labels").cloned().unwrap_or_default();
    // The key and effect; the time at which a taint was added is the system's.
    let taints = object::list(node, "/spec/taints").iter().map(|taint| {
        let of = |key: &str| object::text(taint, &format!("/{key}")).unwrap_or_default();
        format!("Node {name} taint {}={}:{}", of("key"), of("value"), of("effect"))
    });
    let cordoned = node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true);
    let cordoned = cordoned.then(|| format!("Node {name} unschedulable"));
    [format!("Node {name} labels {}", digest(&labels))].into_iter().chain(taints).chain(cordoned).collect()
}

/// A short fingerprint; serde_json keeps keys sorted, so equal values have equal ones.
fn digest(value: &Value) -> String {
    Sha256::digest(value.to_string().as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_that_was_touched_reads_differently() {
        let node = |labels: Value, spec: Value| json!({"metadata": {"name": "w1", "labels": labels}, "spec": spec});
        let before = node_lines(&node(json!({"a": "b", "c": "d"}), json!({})));
        assert_eq!(before, node_lines(&node(json!({"c": "d", "a": "b"}), json!({}))));
        assert_ne!(before, node_lines(&node(json!({"a": "x", "c": "d"}), json!({}))));
        let tainted = node_lines(&node(
            json!({}),
            json!({"unschedulable": true, "taints": [{"key": "k", "value": "v", "effect": "NoSchedule", "timeAdded": "now"}]}),
        ));
        assert_eq!(tainted[1..], ["Node w1 taint k=v:NoSchedule", "Node w1 unschedulable"]);
    }
}
