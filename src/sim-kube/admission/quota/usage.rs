//! What an object takes of a quota (`pkg/quota/v1/evaluator/core`).

use serde_json::Value;

use crate::{
    Kind,
    admission::amounts::{Amounts, of_pod},
    api::quantity::Quantity,
    object::{entries, number, text},
};

/// Core kinds that are counted under their own name, too.
const COUNTED: [&str; 7] =
    ["configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services"];
const CLASS: &str = ".storageclass.storage.k8s.io/";
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Whether a change of such an object can take more than the object takes already.
pub fn may_grow(kind: &Kind) -> bool {
    matches!(kind.collection, "services" | "persistentvolumeclaims")
}

/// Whether a bound of a quota is about objects of this kind.
pub fn is_of(kind: &Kind, bound: &str) -> bool {
    if bound == count(kind) || (kind.group.is_empty() && bound == kind.plural && COUNTED.contains(&bound)) {
        return true;
    }
    match kind.collection {
        "pods" => {
            let resource = bound.strip_prefix("requests.").or_else(|| bound.strip_prefix("limits.")).unwrap_or(bound);
            bound != "requests.storage"
                && (COMPUTE.contains(&resource)
                    || resource.starts_with("hugepages-")
                    || (bound.starts_with("requests.") && resource.contains('/')))
        }
        "services" => matches!(bound, "services.nodeports" | "services.loadbalancers"),
        "persistentvolumeclaims" => bound == "requests.storage" || bound.contains(CLASS),
        _ => false,
    }
}

/// `count/deployments.apps`.
fn count(kind: &Kind) -> String {
    format!("count/{}", kind.resource())
}

/// What an object takes, under every name that a quota may bound it by.
pub fn of(kind: &Kind, object: &Value) -> Amounts {
    let one = Quantity::of_units(1);
    let mut used = Amounts::default();
    used.put(&count(kind), one);
    match kind.collection {
        "pods" if is_over(object) => {}
        "pods" => pod(object, &mut used),
        "services" => service(object, &mut used),
        "persistentvolumeclaims" => claim(object, &mut used),
        _ if kind.group.is_empty() && COUNTED.contains(&kind.plural) => used.put(kind.plural, one),
        _ => {}
    }
    used
}

/// Whether a pod has ended and takes nothing any more.
pub fn is_over(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

fn pod(pod: &Value, used: &mut Amounts) {
    used.put("pods", Quantity::of_units(1));
    for (name, amount) in of_pod(pod, "requests").0 {
        used.put(&format!("requests.{name}"), amount);
        if COMPUTE.contains(&name.as_str()) || name.starts_with("hugepages-") {
            used.put(&name, amount);
        }
    }
    for (name, amount) in of_pod(pod, "limits").0 {
        if COMPUTE.contains(&name.as_str()) {
            used.put(&format!("limits.{name}"), amount);
        }
    }
}

fn service(service: &Value, used: &mut Amounts) {
    let ports = entries(service, "/spec/ports");
    let numbered = ports.iter().filter(|port| number(port, "/nodePort").unwrap_or_default() != 0).count();
    let allocates = service.pointer("/spec/allocateLoadBalancerNodePorts") != Some(&Value::Bool(false));
    let all = i64::try_from(ports.len()).unwrap_or(i64::MAX);
    let (node_ports, balancers) = match text(service, "/spec/type") {
        "NodePort" => (all, 0),
        "LoadBalancer" if allocates => (all, 1),
        "LoadBalancer" => (i64::try_from(numbered).unwrap_or(i64::MAX), 1),
        _ => (0, 0),
    };
    for (name, units) in [("services", 1), ("services.nodeports", node_ports), ("services.loadbalancers", balancers)] {
        used.put(name, Quantity::of_units(units));
    }
}

fn claim(claim: &Value, used: &mut Amounts) {
    let asked = Amounts::read(claim.pointer("/spec/resources/requests"));
    let class = text(claim, "/spec/storageClassName");
    let mut put = |name: &str, amount: Quantity| {
        used.put(name, amount);
        if !class.is_empty() {
            used.put(&format!("{class}{CLASS}{name}"), amount);
        }
    };
    put("persistentvolumeclaims", Quantity::of_units(1));
    if let Some(amount) = asked.get("storage") {
        put("requests.storage", *amount);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind;

    #[test]
    fn objects_take_what_they_ask_for() {
        let pod = json!({"spec": {"containers": [{"resources": {
            "requests": {"cpu": "100m", "nvidia.com/gpu": "1"}, "limits": {"memory": "1Gi"}}}]}});
        assert_eq!(
            of(&kind::POD, &pod).shown(),
            "count/pods=1,cpu=100m,limits.memory=1Gi,pods=1,requests.cpu=100m,requests.nvidia.com/gpu=1"
        );
        let over = json!({"status": {"phase": "Succeeded"}});
        assert_eq!(of(&kind::POD, &over).shown(), "count/pods=1", "the object is still there");
        let service = json!({"spec": {"type": "LoadBalancer", "ports": [{}, {}]}});
        assert_eq!(
            of(&kind::SERVICE, &service).shown(),
            "count/services=1,services=1,services.loadbalancers=1,services.nodeports=2"
        );
        assert_eq!(of(&kind::DEPLOYMENT, &json!({})).shown(), "count/deployments.apps=1");
        let claim = json!({"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "5Gi"}}}});
        let shown = of(&kind::PERSISTENT_VOLUME_CLAIM, &claim).shown();
        assert!(shown.contains("fast.storageclass.storage.k8s.io/requests.storage=5Gi"), "{shown}");
    }

    #[test]
    fn a_bound_belongs_to_a_kind() {
        for bound in ["pods", "count/pods", "cpu", "limits.memory", "requests.nvidia.com/gpu"] {
            assert!(is_of(&kind::POD, bound), "{bound}");
        }
        for bound in [
            "services",
            "requests.storage",
            "count/deployments.apps",
            "fast.storageclass.storage.k8s.io/requests.storage",
        ] {
            assert!(!is_of(&kind::POD, bound), "{bound}");
        }
        assert!(is_of(&kind::DEPLOYMENT, "count/deployments.apps"));
        assert!(is_of(&kind::PERSISTENT_VOLUME_CLAIM, "requests.storage"));
    }
}
