//! Amounts of several resources: reading, adding, and what a pod asks for in all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    api::quantity::Quantity,
    object::{entries, members, text},
};

/// Amounts by resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Amounts(pub BTreeMap<String, Quantity>);

impl Amounts {
    /// A map of quantities, as objects hold it. What is no quantity is left out.
    pub fn read(map: Option<&Value>) -> Self {
        let Some(map) = map else { return Self::default() };
        Self(members(map, "").filter_map(|(name, value)| Some((name.clone(), quantity(value)?))).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Quantity> {
        self.0.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds to one amount.
    pub fn put(&mut self, name: &str, more: Quantity) {
        self.0.entry(name.to_owned()).and_modify(|amount| *amount = amount.plus(&more)).or_insert(more);
    }

    pub fn add(&mut self, more: &Self) {
        for (name, amount) in &more.0 {
            self.put(name, *amount);
        }
    }

    /// Takes away; what would fall below nothing is nothing.
    pub fn subtract(&mut self, less: &Self) {
        for (name, amount) in &mut self.0 {
            if let Some(other) = less.get(name) {
                let left = amount.minus(other);
                *amount = if left.is_negative() { Quantity::of_units(0) } else { left };
            }
        }
    }

    /// Raises each amount to the other's, where that is more.
    fn raise(&mut self, to: &Self) {
        for (name, amount) in &to.0 {
            let present = self.0.entry(name.clone()).or_insert(*amount);
            if *amount > *present {
                *present = *amount;
            }
        }
    }

    pub fn is_zero(&self) -> bool {
        self.0.values().all(Quantity::is_zero)
    }

    /// As objects hold it.
    pub fn object(&self) -> Value {
        let texts: BTreeMap<_, _> = self.0.iter().map(|(name, amount)| (name, amount.to_string())).collect();
        json!(texts)
    }

    /// `limits.cpu=1,pods=2`: as refusals show it.
    pub fn shown(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, amount)| format!("{name}={amount}")).collect();
        pairs.join(",")
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value.as_str() {
        Some(text) => Quantity::parse(text).ok(),
        None => Quantity::parse(&value.to_string()).ok(),
    }
}

/// What a pod asks for on one side, `requests` or `limits`: its containers together, or an init container where that is more; sidecars
/// count all along, and so does the pod's overhead (`component-helpers/resource`).
pub fn of_pod(pod: &Value, side: &str) -> Amounts {
    let of = |container: &Value| Amounts::read(container.pointer(&format!("/resources/{side}")));
    let mut total = Amounts::default();
    for container in entries(pod, "/spec/containers") {
        total.add(&of(container));
    }
    let (mut sidecars, mut peak) = (Amounts::default(), Amounts::default());
    for init in entries(pod, "/spec/initContainers") {
        let mut during = of(init);
        if text(init, "/restartPolicy") == "Always" {
            sidecars.add(&during);
            total.add(&during);
            during.clone_from(&sidecars);
        } else {
            during.add(&sidecars);
        }
        peak.raise(&during);
    }
    total.raise(&peak);
    // What the pod says as a whole holds instead of its containers' sum (on by default since 1.34).
    for (name, amount) in Amounts::read(pod.pointer(&format!("/spec/resources/{side}"))).0 {
        total.0.insert(name, amount);
    }
    let mut overhead = Amounts::read(pod.pointer("/spec/overhead"));
    if side == "limits" {
        // Where there is no limit, overhead makes none.
        overhead.0.retain(|name, _| total.get(name).is_some());
    }
    total.add(&overhead);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_asks_for_its_peak() {
        let asks = |cpu: &str| json!({"requests": {"cpu": cpu}});
        let pod = json!({"spec": {
            "containers": [{"resources": asks("200m")}, {"resources": asks("100m")}],
            "initContainers": [{"resources": asks("50m"), "restartPolicy": "Always"}, {"resources": asks("400m")}],
            "overhead": {"cpu": "10m"},
        }});
        assert_eq!(of_pod(&pod, "requests").shown(), "cpu=460m");
        assert_eq!(of_pod(&pod, "limits").shown(), "");
    }

    #[test]
    fn amounts_are_added_and_never_fall_below_nothing() {
        let mut amounts = Amounts::read(Some(&json!({"pods": "1", "memory": "1Gi"})));
        amounts.subtract(&Amounts::read(Some(&json!({"pods": "3", "cpu": "1"}))));
        assert_eq!(amounts.shown(), "memory=1Gi,pods=0");
        amounts.add(&Amounts::read(Some(&json!({"memory": "1Gi", "cpu": 1}))));
        assert_eq!(amounts.object(), json!({"cpu": "1", "memory": "2Gi", "pods": "0"}));
    }
}
