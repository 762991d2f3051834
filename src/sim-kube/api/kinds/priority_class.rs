//! Priority classes (`ValidatePriorityClass`, admission `Priority`).

use serde_json::Value;

use super::{PLAIN, Rules, defaults::default};
use crate::{
    Cluster, Status,
    api::check::{At, Problems},
    kind::PRIORITY_CLASS,
    object::{number, text, truth},
};

/// The highest priority that is not the system's own.
const HIGHEST: i64 = 1_000_000_000;
/// The system's own classes with their priorities.
const SYSTEM: [(&str, i64); 2] = [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

pub static RULES: Rules = Rules {
    defaults: |object| default(object, "/preemptionPolicy", "PreemptLowerPriority"),
    admit: |cluster, new, _| one_default(cluster, new),
    validate,
    validate_update,
    counts: |_, _| false,
    ..PLAIN
};

fn one_default(cluster: &mut Cluster, class: &Value) -> Result<(), Status> {
    let name = text(class, "/metadata/name");
    if !truth(class, "/globalDefault") {
        return Ok(());
    }
    let other = cluster
        .list(&PRIORITY_CLASS, None)
        .find(|other| truth(other, "/globalDefault") && text(other, "/metadata/name") != name)
        .map(|other| text(other, "/metadata/name").to_owned());
    match other {
        Some(other) => {
            let why = format!("PriorityClass {other} is already marked as default. Only one default can exist");
            Err(Status::forbidden(&PRIORITY_CLASS, name, &why))
        }
        None => Ok(()),
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let (name, value) = (text(object, "/metadata/name"), number(object, "/value").unwrap_or(0));
    if name.starts_with("system-") {
        let own = SYSTEM.iter().find(|(known, _)| *known == name);
        if own.is_none_or(|(_, priority)| *priority != value || truth(object, "/globalDefault")) {
            let why = match own {
                None => format!("{name} is not a known system priority class"),
                Some((_, priority)) if *priority != value => {
                    format!("value of {name} PriorityClass must be {priority}")
                }
                Some(_) => format!("globalDefault of {name} PriorityClass must be false"),
            };
            problems.forbidden(
                &At::new("metadata").child("name"),
                format!("priority class names with 'system-' prefix are reserved for system use only. error: {why}"),
            );
        }
    } else if value > HIGHEST {
        problems.forbidden(&At::new("value"), format!("maximum allowed value of a user defined priority is {HIGHEST}"));
    }
    let policy = text(object, "/preemptionPolicy");
    if !["Never", "PreemptLowerPriority"].contains(&policy) {
        problems.not_supported(&At::new("preemptionPolicy"), policy, &["Never", "PreemptLowerPriority"]);
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    if number(new, "/value") != number(old, "/value") {
        problems.forbidden(&At::new("value"), "may not be changed in an update.");
    }
    if new.get("preemptionPolicy") != old.get("preemptionPolicy") {
        problems.invalid(&At::new("preemptionPolicy"), text(new, "/preemptionPolicy"), "field is immutable");
    }
}
