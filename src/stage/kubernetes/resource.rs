//! The kinds that the API serves, and where: a table for those of Kubernetes itself, discovery for the rest.

use std::collections::BTreeMap;

/// Where objects of a kind are found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resource {
    /// `v1`, `apps/v1`.
    pub(crate) api_version: String,
    pub(crate) kind: String,
    /// As in paths: `pods`.
    pub(crate) plural: String,
    pub(crate) namespaced: bool,
}

/// `apiVersion`, kind, plural, namespaced: the stable versions of Kubernetes 1.36.
const BUILT_IN: &[(&str, &str, &str, bool)] = &[
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Endpoints", "endpoints", true),
    ("v1", "Event", "events", true),
    ("v1", "LimitRange", "limitranges", true),
    ("v1", "Namespace", "namespaces", false),
    ("v1", "Node", "nodes", false),
    ("v1", "PersistentVolume", "persistentvolumes", false),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    ("v1", "Pod", "pods", true),
    ("v1", "PodTemplate", "podtemplates", true),
    ("v1", "ReplicationController", "replicationcontrollers", true),
    ("v1", "ResourceQuota", "resourcequotas", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Service", "services", true),
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    ("apiregistration.k8s.io/v1", "APIService", "apiservices", false),
    ("apps/v1", "ControllerRevision", "controllerrevisions", true),
    ("apps/v1", "DaemonSet", "daemonsets", true),
    ("apps/v1", "Deployment", "deployments", true),
    ("apps/v1", "ReplicaSet", "replicasets", true),
    ("apps/v1", "StatefulSet", "statefulsets", true),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    ("batch/v1", "CronJob", "cronjobs", true),
    ("batch/v1", "Job", "jobs", true),
    ("coordination.k8s.io/v1", "Lease", "leases", true),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true),
    ("networking.k8s.io/v1", "Ingress", "ingresses", true),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", false),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", false),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
];

/// Every kind of Kubernetes itself.
pub(crate) fn built_in_kinds() -> impl Iterator<Item = Resource> {
    BUILT_IN.iter().filter_map(|(api_version, kind, ..)| Resource::built_in(Some(api_version), kind))
}

impl Resource {
    /// A kind of Kubernetes itself. `api_version` may name another version of the same group.
    pub(crate) fn built_in(api_version: Option<&str>, kind: &str) -> Option<Self> {
        let (stable, kind, plural, namespaced) = BUILT_IN.iter().find(|(stable, name, ..)| {
            *name == kind && api_version.is_none_or(|wanted| group_of(wanted) == group_of(stable))
        })?;
        Some(Self {
            api_version: api_version.unwrap_or(stable).to_owned(),
            kind: (*kind).to_owned(),
            plural: (*plural).to_owned(),
            namespaced: *namespaced,
        })
    }

    /// What a Role's rule calls by its plural. A group that is unknown here is taken to serve `v1`.
    pub(crate) fn of_plural(group: &str, plural: &str) -> Self {
        let known = BUILT_IN.iter().find(|(stable, _, name, _)| *name == plural && group_of(stable) == group);
        match known {
            Some((stable, kind, ..)) => Self {
                api_version: (*stable).to_owned(),
                kind: (*kind).to_owned(),
                plural: plural.to_owned(),
                namespaced: true,
            },
            None => Self {
                api_version: if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") },
                kind: plural.to_owned(),
                plural: plural.to_owned(),
                namespaced: true,
            },
        }
    }

    pub(crate) fn is_built_in(&self) -> bool {
        Self::built_in(Some(&self.api_version), &self.kind).is_some()
    }

    /// `/api/v1/namespaces/shop/pods/web-1/log`. Without a namespace: all namespaces, or a cluster-scoped kind's.
    pub(crate) fn path(&self, namespace: Option<&str>, name: Option<&str>, subresource: Option<&str>) -> String {
        let mut path = String::from(if self.api_version.contains('/') { "/apis" } else { "/api" });
        for part in self.api_version.split('/') {
            push(&mut path, part);
        }
        if let Some(namespace) = namespace.filter(|_| self.namespaced) {
            path.push_str("/namespaces");
            push(&mut path, namespace);
        }
        push(&mut path, &self.plural);
        for part in [name, subresource].into_iter().flatten() {
            push(&mut path, part);
        }
        path
    }

    /// `deployments.apps`, as the API's and kubectl's messages name it.
    pub(crate) fn word(&self) -> String {
        match group_of(&self.api_version) {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// `apps` of `apps/v1`; empty for the core group.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// One step of a path, with everything escaped that is not plain in one (RFC 3986; `:` is, and RBAC names have it).
fn push(path: &mut String, part: &str) {
    path.push('/');
    path.push_str(&escape(part));
}

/// Percent-encodes what may not stand in a path segment or a query value.
pub(crate) fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}

/// The selector `a=b,c=d`, as it stands in a query.
pub(crate) fn selector(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    escape(&pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let pod = Resource::built_in(None, "Pod").unwrap();
        assert_eq!(pod.path(Some("shop"), Some("web-1"), Some("log")), "/api/v1/namespaces/shop/pods/web-1/log");
        assert_eq!(pod.path(None, None, None), "/api/v1/pods");
        let node = Resource::built_in(Some("v1"), "Node").unwrap();
        assert_eq!(node.path(Some("shop"), Some("n"), None), "/api/v1/nodes/n", "cluster-scoped: no namespace");
        let role = Resource::built_in(None, "ClusterRole").unwrap();
        let path = role.path(None, Some("system:node a/b"), None);
        assert_eq!(path, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node%20a%2Fb");
    }

    #[test]
    fn another_version_of_the_group_is_that_group() {
        let hpa = Resource::built_in(Some("autoscaling/v1"), "HorizontalPodAutoscaler").unwrap();
        assert_eq!(hpa.api_version, "autoscaling/v1");
        assert_eq!(Resource::built_in(Some("example.dev/v1"), "Deployment"), None, "a stranger's Deployment");
        assert_eq!(Resource::built_in(None, "Widget"), None);
        assert_eq!(Resource::built_in(None, "Deployment").unwrap().word(), "deployments.apps");
    }

    #[test]
    fn selectors_are_escaped() {
        let labels = BTreeMap::from([("app".to_owned(), "web".to_owned()), ("a/b".to_owned(), "c".to_owned())]);
        assert_eq!(selector(&labels), "a%2Fb%3Dc%2Capp%3Dweb");
    }
}
