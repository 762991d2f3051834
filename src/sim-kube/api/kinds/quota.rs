//! Quotas and limit ranges (`ValidateResourceQuota`, `ValidateLimitRange`, `SetDefaults_LimitRangeItem`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::each};
use crate::{
    api::{
        check::{At, Problems, label},
        quantity::Quantity,
    },
    object::{entries, members, set, text},
};

pub static QUOTA: Rules = Rules {
    create: |object| set(object, "/status", json!({})),
    validate: quota,
    validate_update: same_scopes,
    ..PLAIN
};

pub static LIMIT_RANGE: Rules = Rules { defaults: ranges, validate: limit_range, ..PLAIN };

/// Names without a domain that a quota may count.
const COUNTED: [&str; 19] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];
const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

fn quota(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    for (resource, amount) in members(object, "/spec/hard") {
        let at = at.child("hard").key(resource);
        for problem in label::qualified_name(resource) {
            problems.invalid(&at, resource.as_str(), problem);
        }
        let known = COUNTED.contains(&resource.as_str()) || resource.contains("hugepages-");
        if !resource.contains('/') && !known {
            problems.invalid(&at, resource.as_str(), "must be a standard resource for quota");
        }
        let amount = amount.as_str().unwrap_or("");
        let Ok(parsed) = Quantity::parse(amount) else { continue };
        if parsed.is_negative() {
            problems.invalid(&at, amount, "must be greater than or equal to 0");
        }
        let whole = ["pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas"];
        if (whole.contains(&resource.as_str()) || resource.starts_with("count/")) && !parsed.is_whole() {
            problems.invalid(&at, amount, "must be an integer");
        }
    }
    let scopes = entries(object, "/spec/scopes");
    for scope in scopes.iter().filter_map(Value::as_str) {
        if !SCOPES.contains(&scope) {
            let shown = Value::Array(scopes.to_vec());
            problems.invalid(&at.child("scopes"), shown, "unsupported scope");
        }
    }
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|scope| scopes.iter().any(|given| given == scope)) {
            let shown = Value::Array(scopes.to_vec());
            problems.invalid(&at.child("scopes"), shown, "conflicting scopes");
        }
    }
}

fn same_scopes(new: &Value, old: &Value, problems: &mut Problems) {
    let sorted = |object: &Value| {
        let mut scopes: Vec<String> =
            entries(object, "/spec/scopes").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        scopes.sort();
        scopes
    };
    if sorted(new) != sorted(old) {
        let scopes = new.pointer("/spec/scopes").cloned().unwrap_or_default();
        problems.invalid(&At::new("spec").child("scopes"), scopes, "field is immutable");
    }
    if new.pointer("/spec/scopeSelector") != old.pointer("/spec/scopeSelector") {
        let selector = new.pointer("/spec/scopeSelector").cloned().unwrap_or_default();
        problems.invalid(&At::new("spec").child("scopeSelector"), selector, "field is immutable");
    }
}

/// What a container is given follows from its limits: the default limit from the maximum, the default request from the default limit, then
/// from the minimum.
fn ranges(object: &mut Value) {
    for item in each(object, "/spec/limits") {
        if text(item, "/type") != "Container" {
            continue;
        }
        for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
            let amounts: Vec<_> =
                members(item, &format!("/{from}")).map(|(key, amount)| (key.clone(), amount.clone())).collect();
            for (key, amount) in amounts {
                if item.get(to).is_none_or(|amounts| !amounts.is_object()) {
                    set(item, &format!("/{to}"), json!({}));
                }
                if let Some(amounts) = item.get_mut(to).and_then(Value::as_object_mut) {
                    amounts.entry(key).or_insert(amount);
                }
            }
        }
    }
}

fn limit_range(object: &Value, problems: &mut Problems) {
    let at = At::new("spec").child("limits");
    let mut kinds: Vec<&str> = Vec::new();
    for (index, item) in entries(object, "/spec/limits").iter().enumerate() {
        let at = at.index(index);
        let kind = text(item, "/type");
        for problem in label::qualified_name(kind) {
            problems.invalid(&at.child("type"), kind, problem);
        }
        if !["Container", "Pod", "PersistentVolumeClaim"].contains(&kind) && !kind.contains('/') {
            problems.invalid(&at.child("type"), kind, "must be a standard limit type or fully qualified");
        }
        if kinds.contains(&kind) {
            problems.duplicate(&at.child("type"), kind);
        }
        kinds.push(kind);
        if kind == "Pod" {
            for member in ["default", "defaultRequest"] {
                if members(item, &format!("/{member}")).next().is_some() {
                    problems.forbidden(&at.child(member), "may not be specified when `type` is 'Pod'");
                }
            }
        }
        if kind == "PersistentVolumeClaim" {
            let has = |side: &str| item.pointer(&format!("/{side}/storage")).is_some();
            if !has("min") && !has("max") {
                let detail = "either minimum or maximum storage value is required, but neither was provided";
                problems.required(&at, detail);
            }
        }
        amounts(item, &at, problems);
    }
}

/// Every pair of amounts that has an order.
const ORDER: [(&str, &str, &str, &str); 6] = [
    ("min", "max", "min", "min value {a} is greater than max value {b}"),
    ("min", "defaultRequest", "defaultRequest", "min value {a} is greater than default request value {b}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {a} is greater than max value {b}"),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "default request value {a} is greater than default limit value {b}",
    ),
    ("min", "default", "default", "min value {a} is greater than default value {b}"),
    ("default", "max", "default", "default value {a} is greater than max value {b}"),
];

fn amounts(item: &Value, at: &At, problems: &mut Problems) {
    let mut keys: Vec<&String> = ["max", "min", "default", "defaultRequest"]
        .iter()
        .filter_map(|side| item.get(side).and_then(Value::as_object))
        .flat_map(serde_json::Map::keys)
        .collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let amount = |side: &str| item.get(side).and_then(|amounts| amounts.get(key)).and_then(Value::as_str);
        for (less, more, blamed, detail) in ORDER {
            let (Some(a), Some(b)) = (amount(less), amount(more)) else { continue };
            if let (Ok(low), Ok(high)) = (Quantity::parse(a), Quantity::parse(b))
                && low > high
            {
                let value = amount(blamed).unwrap_or("").to_owned();
                let detail = detail.replace("{a}", a).replace("{b}", b);
                problems.invalid(&at.child(blamed).key(key), value, detail);
            }
        }
    }
}
