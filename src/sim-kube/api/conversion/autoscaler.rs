//! Autoscalers are stored as `autoscaling/v2`. `autoscaling/v1` knows the target for the processor's use alone; everything else it carries in
//! annotations (`pkg/apis/autoscaling/v1/conversion.go`).

use serde_json::{Map, Value, json};

use crate::object::{number, set, text, unset};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const PRESENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// `autoscaling/v2` to `autoscaling/v1`.
pub(super) fn shown(object: &Value) -> Value {
    let mut out = object.clone();
    set(&mut out, "/apiVersion", json!("autoscaling/v1"));
    let mut notes = Map::new();
    let metrics = unset(&mut out, "/spec/metrics").unwrap_or_default();
    let metrics = metrics.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(share) = metrics.iter().find_map(|metric| use_of_cpu(metric, "target")) {
        set(&mut out, "/spec/targetCPUUtilizationPercentage", json!(share));
    }
    let others: Vec<Value> =
        metrics.iter().filter(|metric| use_of_cpu(metric, "target").is_none()).map(old_metric).collect();
    note(&mut notes, METRICS, others);
    let present = unset(&mut out, "/status/currentMetrics").unwrap_or_default();
    let present = present.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(share) = present.iter().find_map(|metric| use_of_cpu(metric, "current")) {
        set(&mut out, "/status/currentCPUUtilizationPercentage", json!(share));
    }
    note(&mut notes, PRESENT, present.iter().map(old_present).collect());
    if let Some(Value::Array(conditions)) = unset(&mut out, "/status/conditions") {
        note(&mut notes, CONDITIONS, conditions);
    }
    if let Some(behavior) = unset(&mut out, "/spec/behavior").filter(|behavior| !behavior.is_null()) {
        notes.insert(BEHAVIOR.to_owned(), json!(behavior.to_string()));
    }
    if !notes.is_empty() {
        if out.pointer("/metadata/annotations").is_none_or(|annotations| !annotations.is_object()) {
            set(&mut out, "/metadata/annotations", json!({}));
        }
        if let Some(annotations) = out.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.extend(notes);
        }
    }
    out
}

/// `autoscaling/v1` to `autoscaling/v2`.
pub(super) fn stored(object: &Value) -> Value {
    let mut out = object.clone();
    set(&mut out, "/apiVersion", json!("autoscaling/v2"));
    let mut take = |key: &str| -> Option<Value> {
        let annotations = out.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)?;
        let text = annotations.remove(key)?;
        serde_json::from_str(text.as_str()?).ok()
    };
    let (others, present, conditions, behavior) = (take(METRICS), take(PRESENT), take(CONDITIONS), take(BEHAVIOR));
    if out.pointer("/metadata/annotations").and_then(Value::as_object).is_some_and(Map::is_empty) {
        unset(&mut out, "/metadata/annotations");
    }
    let mut metrics = Vec::new();
    if let Some(share) = unset(&mut out, "/spec/targetCPUUtilizationPercentage").filter(|share| !share.is_null()) {
        let target = json!({"type": "Utilization", "averageUtilization": share});
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}));
    }
    metrics.extend(list(others).iter().map(new_metric));
    if !metrics.is_empty() {
        set(&mut out, "/spec/metrics", Value::Array(metrics));
    }
    if let Some(behavior) = behavior {
        set(&mut out, "/spec/behavior", behavior);
    }
    let share = unset(&mut out, "/status/currentCPUUtilizationPercentage").filter(|share| !share.is_null());
    let mut present: Vec<Value> = list(present).iter().map(new_present).collect();
    if let (true, Some(share)) = (present.is_empty(), share) {
        let current = json!({"averageUtilization": share});
        present.push(json!({"type": "Resource", "resource": {"name": "cpu", "current": current}}));
    }
    if !present.is_empty() {
        set(&mut out, "/status/currentMetrics", Value::Array(present));
    }
    if let Some(conditions) = conditions {
        set(&mut out, "/status/conditions", conditions);
    }
    out
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

fn note(notes: &mut Map<String, Value>, key: &str, list: Vec<Value>) {
    if !list.is_empty() {
        notes.insert(key.to_owned(), json!(Value::Array(list).to_string()));
    }
}

/// The share of its processor requests that a metric is about.
fn use_of_cpu(metric: &Value, side: &str) -> Option<i64> {
    let is_cpu = text(metric, "/type") == "Resource" && text(metric, "/resource/name") == "cpu";
    number(metric, &format!("/resource/{side}/averageUtilization")).filter(|_| is_cpu)
}

/// The member of a metric that holds its source: `resource`, `pods` …
fn source(metric: &Value) -> Option<(&'static str, &Value)> {
    let member = match text(metric, "/type") {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return None,
    };
    Some((member, metric.get(member)?))
}

/// What `autoscaling/v1` calls a value of a metric: source, member there, member here.
const TARGETS: [(&str, &str, &str); 9] = [
    ("resource", "targetAverageUtilization", "averageUtilization"),
    ("resource", "targetAverageValue", "averageValue"),
    ("containerResource", "targetAverageUtilization", "averageUtilization"),
    ("containerResource", "targetAverageValue", "averageValue"),
    ("pods", "targetAverageValue", "averageValue"),
    ("object", "targetValue", "value"),
    ("object", "averageValue", "averageValue"),
    ("external", "targetValue", "value"),
    ("external", "targetAverageValue", "averageValue"),
];

const CURRENTS: [(&str, &str, &str); 9] = [
    ("resource", "currentAverageUtilization", "averageUtilization"),
    ("resource", "currentAverageValue", "averageValue"),
    ("containerResource", "currentAverageUtilization", "averageUtilization"),
    ("containerResource", "currentAverageValue", "averageValue"),
    ("pods", "currentAverageValue", "averageValue"),
    ("object", "currentValue", "value"),
    ("object", "averageValue", "averageValue"),
    ("external", "currentValue", "value"),
    ("external", "currentAverageValue", "averageValue"),
];

fn old(metric: &Value, side: &str, names: &[(&str, &str, &str)]) -> Value {
    let Some((member, of)) = source(metric) else { return metric.clone() };
    let mut out = Map::new();
    for key in ["name", "container"] {
        if let Some(value) = of.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(name) = of.pointer("/metric/name") {
        out.insert("metricName".to_owned(), name.clone());
    }
    if let Some(selector) = of.pointer("/metric/selector").filter(|selector| !selector.is_null()) {
        let key = if member == "external" { "metricSelector" } else { "selector" };
        out.insert(key.to_owned(), selector.clone());
    }
    if let Some(object) = of.get("describedObject") {
        out.insert("target".to_owned(), object.clone());
    }
    for (_, there, here) in names.iter().filter(|(source, ..)| *source == member) {
        if let Some(value) = of.pointer(&format!("/{side}/{here}")).filter(|value| !value.is_null()) {
            out.insert((*there).to_owned(), value.clone());
        }
    }
    json!({"type": text(metric, "/type"), member: out})
}

fn new(metric: &Value, side: &str, names: &[(&str, &str, &str)]) -> Value {
    let Some((member, of)) = source(metric) else { return metric.clone() };
    let mut out = Map::new();
    for key in ["name", "container"] {
        if let Some(value) = of.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(name) = of.get("metricName") {
        let mut identifier = json!({"name": name});
        if let Some(selector) = of.get("selector").or_else(|| of.get("metricSelector")) {
            identifier["selector"] = selector.clone();
        }
        out.insert("metric".to_owned(), identifier);
    }
    if let Some(object) = of.get("target") {
        out.insert("describedObject".to_owned(), object.clone());
    }
    let mut values = Map::new();
    for (_, there, here) in names.iter().filter(|(source, ..)| *source == member) {
        if let Some(value) = of.get(*there) {
            values.insert((*here).to_owned(), value.clone());
        }
    }
    if side == "target" {
        let kind = if values.contains_key("averageUtilization") {
            "Utilization"
        } else if values.contains_key("averageValue") {
            "AverageValue"
        } else {
            "Value"
        };
        values.insert("type".to_owned(), json!(kind));
    }
    out.insert(side.to_owned(), Value::Object(values));
    json!({"type": text(metric, "/type"), member: out})
}

fn old_metric(metric: &Value) -> Value {
    old(metric, "target", &TARGETS)
}

fn old_present(metric: &Value) -> Value {
    old(metric, "current", &CURRENTS)
}

fn new_metric(metric: &Value) -> Value {
    new(metric, "target", &TARGETS)
}

fn new_present(metric: &Value) -> Value {
    new(metric, "current", &CURRENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_old_version_cannot_say_stands_in_annotations_and_comes_back() {
        let new = json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web"},
            "spec": {
                "maxReplicas": 5,
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
                    {"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"}}},
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
            },
            "status": {
                "currentMetrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 20, "averageValue": "10m"}}},
                ],
                "conditions": [{"type": "AbleToScale", "status": "True"}],
            },
        });
        let old = shown(&new);
        assert_eq!(old["spec"], json!({"maxReplicas": 5, "targetCPUUtilizationPercentage": 70}));
        assert_eq!(old["status"], json!({"currentCPUUtilizationPercentage": 20}));
        let notes = old["metadata"]["annotations"].as_object().unwrap();
        assert_eq!(
            notes[METRICS],
            json!(r#"[{"pods":{"metricName":"queue","targetAverageValue":"30"},"type":"Pods"}]"#)
        );
        assert_eq!(notes.len(), 4);
        assert_eq!(stored(&old), new);
    }
}
