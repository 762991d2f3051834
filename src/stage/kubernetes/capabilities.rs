//! What a cluster can do: asked, not assumed.

use std::collections::BTreeSet;

use breakfix_lab::lab::Capability;
use serde_json::Value;

use super::{api::Api, object, resource::Resource, target::KubeTarget, trouble::Trouble};
use crate::target::TargetError;

/// How a StorageClass says that it is the default (storage.k8s.io).
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

impl KubeTarget {
    pub(super) async fn probe_capabilities(&self) -> Result<BTreeSet<Capability>, TargetError> {
        let api = &*self.api().await?;
        let mut capabilities = BTreeSet::new();
        let nodes = self.all(api, "Node").await?;
        // Every zone of the lab needs a node of its own.
        if nodes.iter().filter(|node| is_schedulable(node)).count() >= self.place.zones.len().max(2) {
            capabilities.insert(Capability::MultiNode);
        }
        if self.all(api, "StorageClass").await?.iter().any(is_default_class) {
            capabilities.insert(Capability::DefaultStorage);
        }
        // Not installed, or installed and ill: there are no metrics either way. What stands before an API that is added says its troubles as plain
        // text (503 "service unavailable", 500 "Internal Server Error: …"), though the API server is well: it has just listed the nodes.
        if api.send(http::Method::GET, "/apis/metrics.k8s.io/v1beta1/nodes", None).await.is_ok() {
            capabilities.insert(Capability::Metrics);
        }
        if self.host.machines(api).await?.is_some() {
            capabilities.insert(Capability::NodeAccess);
        }
        if self.needs_network_policy() && self.enforces_network_policy(api).await? {
            capabilities.insert(Capability::NetworkPolicy);
        }
        Ok(capabilities)
    }

    /// Every object of a cluster-scoped kind; none where it is not served or this account may not look.
    pub(super) async fn all(&self, api: &Api, kind: &str) -> Result<Vec<Value>, TargetError> {
        let Some(resource) = Resource::built_in(None, kind) else { return Ok(Vec::new()) };
        match api.list(&resource, None, "").await {
            Ok((_, objects)) => Ok(objects),
            Err(Trouble::NotServed { .. }) => Ok(Vec::new()),
            Err(trouble) if trouble.is_forbidden() => Ok(Vec::new()),
            Err(trouble) => Err(self.cannot(format!("list {}", resource.plural), trouble)),
        }
    }
}

/// Ready, not cordoned, and free of taints that keep ordinary pods away.
pub(super) fn is_schedulable(node: &Value) -> bool {
    let ready = object::is_ready(node);
    let cordoned = node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true);
    let tainted = object::list(node, "/spec/taints")
        .iter()
        .any(|taint| matches!(object::text(taint, "/effect"), Some("NoSchedule" | "NoExecute")));
    ready && !cordoned && !tainted
}

fn is_default_class(class: &Value) -> bool {
    class.pointer("/metadata/annotations").and_then(|all| all.get(DEFAULT_CLASS)).and_then(Value::as_str)
        == Some("true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_nodes_that_take_ordinary_pods_count() {
        let node = |spec: Value, ready: &str| json!({"spec": spec, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        assert!(is_schedulable(&node(json!({}), "True")));
        assert!(is_schedulable(&node(json!({"taints": [{"effect": "PreferNoSchedule"}]}), "True")));
        assert!(!is_schedulable(&node(json!({}), "Unknown")));
        assert!(!is_schedulable(&node(json!({"unschedulable": true}), "True")));
        assert!(!is_schedulable(&node(json!({"taints": [{"effect": "NoSchedule"}]}), "True")));
        let class = |value: &str| json!({"metadata": {"annotations": {DEFAULT_CLASS: value}}});
        assert!(
            is_default_class(&class("true")) && !is_default_class(&class("false")) && !is_default_class(&json!({}))
        );
    }
}
