//! Nodes.

use serde_json::Value;

use super::{PLAIN, Rules};
use crate::{
    api::check::{At, Problems, label},
    object::{entries, text},
};

pub static RULES: Rules = Rules { validate, validate_update, ..PLAIN };

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec").child("taints");
    let taints = entries(object, "/spec/taints");
    for (index, taint) in taints.iter().enumerate() {
        let at = at.index(index);
        let (key, value, effect) = (text(taint, "/key"), text(taint, "/value"), text(taint, "/effect"));
        for problem in label::qualified_name(key) {
            problems.invalid(&at.child("key"), key, problem);
        }
        for problem in label::label_value(value) {
            problems.invalid(&at.child("value"), value, problem);
        }
        if effect.is_empty() {
            problems.required(&at.child("effect"), "");
        } else if !EFFECTS.contains(&effect) {
            problems.not_supported(&at.child("effect"), effect, &EFFECTS);
        }
        let same = |other: &&Value| text(other, "/key") == key && text(other, "/effect") == effect;
        if taints.get(..index).is_some_and(|before| before.iter().any(|other| same(&other))) {
            problems.duplicate(&at, taint.clone());
        }
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    let before = text(old, "/spec/podCIDR");
    if !before.is_empty() && before != text(new, "/spec/podCIDR") {
        problems.forbidden(
            &At::new("spec").child("podCIDRs"),
            "node updates may not change podCIDR except from \"\" to valid",
        );
    }
    let before = text(old, "/spec/providerID");
    if !before.is_empty() && before != text(new, "/spec/providerID") {
        problems.forbidden(
            &At::new("spec").child("providerID"),
            "node updates may not change providerID except from \"\" to valid",
        );
    }
}
