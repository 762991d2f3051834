//! Resources for a probe where a LimitRange refuses zeros: the least that it admits.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kubernetes::object;

/// Taken where a range only limits the ratio of limit to request: small, and equal on both sides.
const SMALL: [(&str, &str); 2] = [("cpu", "10m"), ("memory", "16Mi")];

/// Requests and limits that pass every `Container` and `Pod` limit of these LimitRanges; `None` where zeros do.
/// A Pod's minimum is its only container's too.
pub(super) fn admitted(ranges: &[Value]) -> Option<Value> {
    let limits = ranges.iter().flat_map(|range| object::list(range, "/spec/limits"));
    let limits: Vec<&Value> =
        limits.filter(|limit| matches!(object::text(limit, "/type"), Some("Container" | "Pod"))).collect();
    let mut least = Map::new();
    for limit in &limits {
        let named: BTreeSet<&String> = ["/min", "/maxLimitRequestRatio"]
            .iter()
            .filter_map(|pointer| limit.pointer(pointer)?.as_object())
            .flat_map(Map::keys)
            .collect();
        for resource in named {
            let min = limit.pointer("/min").and_then(|min| min.get(resource)).cloned();
            let small = SMALL.iter().find(|(name, _)| name == resource).map(|(_, small)| json!(small));
            match min {
                // Several ranges: the later minimum may be the smaller one; then the server refuses, and says so.
                Some(min) => drop(least.insert(resource.clone(), min)),
                None => {
                    if let Some(small) = small {
                        least.entry(resource.clone()).or_insert(small);
                    }
                }
            }
        }
    }
    (!least.is_empty()).then(|| {
        let mut both = json!({"cpu": "0", "memory": "0"});
        for (resource, amount) in least {
            object::set(&mut both, &[&resource], amount);
        }
        json!({"requests": both, "limits": both})
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(limit: Value) -> Value {
        json!({"spec": {"limits": [limit]}})
    }

    #[test]
    fn the_least_that_a_range_admits_is_asked_for() {
        let min = range(json!({"type": "Container", "min": {"cpu": "50m"}, "max": {"cpu": "2"}}));
        let both = json!({"cpu": "50m", "memory": "0"});
        assert_eq!(admitted(&[min]), Some(json!({"requests": both, "limits": both})));
        let ratio = range(json!({"type": "Container", "maxLimitRequestRatio": {"memory": "2"}}));
        assert_eq!(admitted(&[ratio]).unwrap()["limits"]["memory"], "16Mi");
        let pod = range(json!({"type": "Pod", "min": {"memory": "32Mi"}}));
        assert_eq!(admitted(&[pod]).unwrap()["requests"]["memory"], "32Mi");
    }

    #[test]
    fn zeros_do_where_nothing_is_demanded() {
        let defaults = range(json!({"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}));
        let claims = range(json!({"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}}));
        assert_eq!(admitted(&[defaults, claims]), None);
        assert_eq!(admitted(&[]), None);
    }
}
