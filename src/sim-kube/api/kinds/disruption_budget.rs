//! Disruption budgets (`ValidatePodDisruptionBudget`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, template};
use crate::{
    api::check::{At, Problems, label},
    object::{set, text},
};

pub static RULES: Rules = Rules { create: |object| set(object, "/status", json!({})), validate, ..PLAIN };

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let given = |member: &str| object.pointer(&format!("/spec/{member}")).filter(|value| !value.is_null());
    if given("minAvailable").is_some() && given("maxUnavailable").is_some() {
        let spec = &object["spec"];
        // The internal type has no JSON names.
        let shown = json!({
            "MinAvailable": spec["minAvailable"],
            "Selector": spec["selector"],
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"],
        });
        problems.invalid(&at, shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for member in ["minAvailable", "maxUnavailable"] {
        if let Some(value) = given(member) {
            template::share_of(value, &at.child(member), problems);
            if template::share(value).is_some_and(|share| share > 100) && value.is_string() {
                problems.invalid(&at.child(member), value.clone(), "must not be greater than 100%");
            }
        }
    }
    label::selector(object.pointer("/spec/selector"), &at.child("selector"), problems);
    let policy = text(object, "/spec/unhealthyPodEvictionPolicy");
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    if !policy.is_empty() && !policies.contains(&policy) {
        problems.not_supported(&at.child("unhealthyPodEvictionPolicy"), policy, &policies);
    }
}
