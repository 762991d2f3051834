//! Resources: what a pod requests must be left on the node (`NodeResourcesFit`), and emptier nodes are preferred (least allocated).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Plugin, Refusal, View};
use crate::{
    api::quantity::Quantity,
    object::{entries, members, name, text},
};

/// What a container without requests counts for when nodes are compared.
const CPU_DEFAULT: i64 = 100;
const MEMORY_DEFAULT: i64 = 200 << 20;

pub struct Fit;

impl Plugin for Fit {
    fn filter(&self, view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        let mut reasons = Vec::new();
        let mut is_curable = true;
        let room = amounts(node.pointer("/status/allocatable"));
        let others: Vec<&Value> = view.on(name(node)).map(|pod| &**pod).collect();
        let pods_max = room.get("pods").copied().unwrap_or(0) / 1000;
        if i64::try_from(others.len()).unwrap_or(i64::MAX) >= pods_max {
            reasons.push("Too many pods".to_owned());
        }
        let mut used: BTreeMap<String, i64> = BTreeMap::new();
        for other in others {
            for (resource, amount) in requests(other) {
                *used.entry(resource).or_insert(0) += amount;
            }
        }
        for (resource, wanted) in requests(pod) {
            let free = room.get(&resource).copied().unwrap_or(0) - used.get(&resource).copied().unwrap_or(0);
            if wanted > 0 && wanted > free {
                reasons.push(format!("Insufficient {resource}"));
                is_curable &= wanted <= room.get(&resource).copied().unwrap_or(0);
            }
        }
        (!reasons.is_empty()).then_some(Refusal { reasons, is_curable })
    }

    /// `LeastAllocated` and `BalancedAllocation`, weight 1 each.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let room = amounts(node.pointer("/status/allocatable"));
        let mut fractions = Vec::new();
        for (resource, default) in [("cpu", CPU_DEFAULT), ("memory", MEMORY_DEFAULT * 1000)] {
            let of = |pod: &Value| requests_with_default(pod, resource, default);
            let used: i64 = view.on(name(node)).map(|pod| of(pod)).sum::<i64>() + of(pod);
            let room = room.get(resource).copied().unwrap_or(0).max(1);
            fractions.push((i128::from(used) * 1000 / i128::from(room)).min(1000));
        }
        let mean = fractions.iter().sum::<i128>() / 2;
        let spread = fractions.iter().map(|fraction| (fraction - mean).abs()).max().unwrap_or(0);
        i64::try_from((1000 - mean) / 10 + (1000 - spread) / 10).unwrap_or(0)
    }
}

/// Amounts in thousandths.
pub fn amounts(list: Option<&Value>) -> BTreeMap<String, i64> {
    let Some(list) = list else { return BTreeMap::new() };
    members(list, "")
        .filter_map(|(resource, amount)| {
            let amount = amount.as_str().map(str::to_owned).unwrap_or_else(|| amount.to_string());
            Some((resource.clone(), Quantity::parse(&amount).ok()?.milli()))
        })
        .collect()
}

/// What a pod requests: its containers together, or an init container where that is more; sidecars count all along.
pub fn requests(pod: &Value) -> BTreeMap<String, i64> {
    let of = |container: &Value| amounts(container.pointer("/resources/requests"));
    let mut total: BTreeMap<String, i64> = BTreeMap::new();
    for container in entries(pod, "/spec/containers") {
        add(&mut total, &of(container));
    }
    let mut sidecars: BTreeMap<String, i64> = BTreeMap::new();
    let mut peak: BTreeMap<String, i64> = BTreeMap::new();
    for init in entries(pod, "/spec/initContainers") {
        let mut during = of(init);
        if text(init, "/restartPolicy") == "Always" {
            add(&mut sidecars, &during);
            during.clone_from(&sidecars);
        } else {
            add(&mut during, &sidecars);
        }
        raise(&mut peak, &during);
    }
    add(&mut total, &sidecars);
    raise(&mut total, &peak);
    // What the pod says as a whole holds instead of its containers' sum.
    total.extend(amounts(pod.pointer("/spec/resources/requests")));
    add(&mut total, &amounts(pod.pointer("/spec/overhead")));
    total
}

fn requests_with_default(pod: &Value, resource: &str, default: i64) -> i64 {
    let named =
        |container: &&Value| container.pointer("/resources/requests").is_some_and(|list| list.get(resource).is_some());
    let without = entries(pod, "/spec/containers").iter().filter(|container| !named(container)).count();
    let default = default.saturating_mul(i64::try_from(without).unwrap_or(0));
    requests(pod).get(resource).copied().unwrap_or(0).saturating_add(default)
}

fn add(total: &mut BTreeMap<String, i64>, more: &BTreeMap<String, i64>) {
    for (resource, amount) in more {
        let sum = total.entry(resource.clone()).or_insert(0);
        *sum = sum.saturating_add(*amount);
    }
}

fn raise(total: &mut BTreeMap<String, i64>, to: &BTreeMap<String, i64>) {
    for (resource, amount) in to {
        let present = total.entry(resource.clone()).or_insert(0);
        *present = (*present).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_init_container_counts_where_it_needs_more_and_a_sidecar_always() {
        let request = |cpu: &str| json!({"requests": {"cpu": cpu}});
        let pod = json!({"spec": {
            "containers": [{"resources": request("200m")}, {"resources": request("100m")}],
            "initContainers": [
                {"resources": request("50m"), "restartPolicy": "Always"},
                {"resources": request("400m")},
            ],
        }});
        assert_eq!(requests(&pod)["cpu"], 450, "the second init container beside the sidecar");
    }
}
