//! Which requests a webhook or a policy is asked about (`apiserver/pkg/admission/plugin/webhook/predicates`, `…/plugin/policy/matching`).

use serde_json::Value;

use super::review::Review;
use crate::{
    Cluster, Kind,
    api::select::label::matches_selector,
    kind::{self, NAMESPACE},
    object::{entries, text},
};

/// Configurations of admission itself are never asked about: nobody could put them right again.
const EXEMPT: [&str; 4] = [
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

/// Whether a request is one that admission is asked about at all.
pub(super) fn is_exempt(review: &Review<'_>) -> bool {
    EXEMPT.contains(&review.kind.collection)
}

/// Whether the rules and selectors under `holder` fit a request. `rules` and `excluded` name the lists of rules.
pub(super) fn fits(cluster: &Cluster, holder: &Value, rules: &str, excluded: &str, review: &Review<'_>) -> bool {
    let equivalent = text(holder, "/matchPolicy") != "Exact";
    let listed = |list: &str| entries(holder, list).iter().any(|rule| rule_fits(rule, equivalent, review));
    namespace_fits(cluster, holder.get("namespaceSelector"), review)
        && object_fits(holder.get("objectSelector"), review)
        && listed(rules)
        && (excluded.is_empty() || !listed(excluded))
}

fn rule_fits(rule: &Value, equivalent: bool, review: &Review<'_>) -> bool {
    let has = |member: &str, value: &str| {
        entries(rule, &format!("/{member}")).iter().any(|given| given == "*" || given == value)
    };
    let names = entries(rule, "/resourceNames");
    let resource = |kind: &Kind| {
        has("apiGroups", kind.group)
            && has("apiVersions", kind.version)
            && entries(rule, "/resources").iter().filter_map(Value::as_str).any(|given| {
                let (resource, part) = given.split_once('/').unwrap_or((given, ""));
                (resource == "*" || resource == kind.plural) && (part == "*" || part == review.subresource)
            })
    };
    // The same objects in another version are the same objects.
    let other = |other: &&Kind| other.collection == review.kind.collection;
    has("operations", review.operation)
        && (names.is_empty() || names.iter().any(|name| name == review.name))
        && scope_fits(text(rule, "/scope"), review)
        && (resource(review.kind) || (equivalent && kind::KINDS.iter().copied().filter(other).any(resource)))
}

fn scope_fits(scope: &str, review: &Review<'_>) -> bool {
    match scope {
        "Namespaced" => review.kind.namespaced,
        "Cluster" => !review.kind.namespaced,
        _ => true,
    }
}

/// Objects of no namespace always fit, but for namespaces themselves.
fn namespace_fits(cluster: &Cluster, selector: Option<&Value>, review: &Review<'_>) -> bool {
    let Some(selector) = selector.filter(|selector| !is_empty(selector)) else { return true };
    if review.kind.collection == NAMESPACE.collection {
        let own = if review.object.is_null() { review.old } else { review.object };
        return matches_selector(selector, own.pointer("/metadata/labels"));
    }
    if !review.kind.namespaced {
        return true;
    }
    let found = cluster.get(&NAMESPACE, "", review.namespace);
    found.is_ok_and(|namespace| matches_selector(selector, namespace.pointer("/metadata/labels")))
}

fn object_fits(selector: Option<&Value>, review: &Review<'_>) -> bool {
    let Some(selector) = selector.filter(|selector| !is_empty(selector)) else { return true };
    let fits = |object: &Value| !object.is_null() && matches_selector(selector, object.pointer("/metadata/labels"));
    fits(review.object) || fits(review.old)
}

fn is_empty(selector: &Value) -> bool {
    ["matchLabels", "matchExpressions"].iter().all(|member| {
        selector.get(member).is_none_or(|value| {
            value.is_null()
                || value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty)
        })
    })
}
