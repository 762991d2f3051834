//! Taints and tolerations (`component-helpers/scheduling/corev1`).

use serde_json::Value;

use super::{Plugin, Refusal, View};
use crate::object::{entries, text};

pub struct TaintToleration;

impl Plugin for TaintToleration {
    fn filter(&self, _view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        let refused = entries(node, "/spec/taints")
            .iter()
            .filter(|taint| matches!(text(taint, "/effect"), "NoSchedule" | "NoExecute"))
            .any(|taint| toleration(pod, taint).is_none());
        // Version 1.36 names neither key nor value of the taint.
        refused.then(|| Refusal::incurable("node(s) had untolerated taint(s)"))
    }

    /// Weight 3: nodes with fewer `PreferNoSchedule` taints that the pod does not tolerate.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let count = |node: &Value| {
            entries(node, "/spec/taints")
                .iter()
                .filter(|taint| text(taint, "/effect") == "PreferNoSchedule" && toleration(pod, taint).is_none())
                .count()
        };
        let most = view.nodes.iter().map(|node| count(node)).max().unwrap_or(0);
        if most == 0 {
            return 300;
        }
        let spared = i64::try_from(most - count(node).min(most)).unwrap_or(0);
        300 * spared / i64::try_from(most).unwrap_or(1)
    }
}

/// The pod's toleration of a taint, if it has one.
pub fn toleration<'a>(pod: &'a Value, taint: &Value) -> Option<&'a Value> {
    entries(pod, "/spec/tolerations").iter().find(|toleration| tolerates(toleration, taint))
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let (key, effect) = (text(toleration, "/key"), text(toleration, "/effect"));
    if !effect.is_empty() && effect != text(taint, "/effect") || !key.is_empty() && key != text(taint, "/key") {
        return false;
    }
    match text(toleration, "/operator") {
        "Exists" => true,
        // A missing operator means Equal; no key then fits nothing.
        "" | "Equal" => !key.is_empty() && text(toleration, "/value") == text(taint, "/value"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_toleration_without_a_key_must_say_exists() {
        let taint = json!({"key": "maint", "value": "now", "effect": "NoExecute"});
        let tolerated = |toleration: Value| {
            let pod = json!({"spec": {"tolerations": [toleration]}});
            super::toleration(&pod, &taint).is_some()
        };
        assert!(tolerated(json!({"operator": "Exists"})));
        assert!(tolerated(json!({"key": "maint", "operator": "Exists", "effect": "NoExecute"})));
        assert!(tolerated(json!({"key": "maint", "value": "now"})));
        assert!(!tolerated(json!({"key": "maint", "value": "later"})));
        assert!(!tolerated(json!({"key": "maint", "operator": "Exists", "effect": "NoSchedule"})));
        assert!(!tolerated(json!({"value": "now"})));
    }
}
