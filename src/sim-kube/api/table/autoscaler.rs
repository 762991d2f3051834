//! Autoscalers (`printHorizontalPodAutoscaler`, `formatHPAMetrics`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, integer, name};
use crate::object::{entries, number, text};

/// How many metrics are shown before the rest is only counted.
const SHOWN: usize = 2;

pub static LAYOUT: Layout = Layout {
    columns: &[
        NAME,
        column("Reference", "What is scaled."),
        column("Targets", "The metrics with their present and their wanted values."),
        column("MinPods", "The lowest number of replicas."),
        integer("MaxPods", "The highest number of replicas."),
        integer("Replicas", "The present number of replicas."),
        AGE,
    ],
    cells,
};

fn cells(object: &Value, now: Timestamp) -> Vec<Value> {
    let reference =
        format!("{}/{}", text(object, "/spec/scaleTargetRef/kind"), text(object, "/spec/scaleTargetRef/name"));
    let least = number(object, "/spec/minReplicas").map_or("<unset>".to_owned(), |least| least.to_string());
    vec![
        name(object),
        json!(reference),
        json!(targets(object)),
        json!(least),
        json!(number(object, "/spec/maxReplicas").unwrap_or(0)),
        json!(number(object, "/status/currentReplicas").unwrap_or(0)),
        age(object, now),
    ]
}

fn targets(object: &Value) -> String {
    let wanted = entries(object, "/spec/metrics");
    if wanted.is_empty() {
        return "<none>".to_owned();
    }
    let present = entries(object, "/status/currentMetrics");
    let mut shown: Vec<String> =
        wanted.iter().enumerate().map(|(index, metric)| target(metric, present.get(index))).collect();
    let count = shown.len();
    let more = count > SHOWN;
    shown.truncate(SHOWN);
    let shown = shown.join(", ");
    if more { format!("{shown} + {} more...", count - SHOWN) } else { shown }
}

/// One metric: its name, where it has one of its own, and `present/wanted`.
fn target(metric: &Value, present: Option<&Value>) -> String {
    let source = match text(metric, "/type") {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".to_owned(),
    };
    let present = present.and_then(|present| present.get(source)).unwrap_or(&Value::Null);
    let of = metric.get(source).unwrap_or(&Value::Null);
    let value = |holder: &Value, place: &str, member: &str| match holder.pointer(&format!("/{place}/{member}")) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let unknown = || "<unknown>".to_owned();
    let average = value(of, "target", "averageValue");
    let pair = |member: &str, wanted: String| {
        format!("{}/{wanted}", value(present, "current", member).unwrap_or_else(unknown))
    };
    match source {
        "resource" | "containerResource" => {
            let shown = match (average, value(of, "target", "averageUtilization")) {
                (Some(average), _) => pair("averageValue", average),
                (None, wanted) => {
                    let percent = |value: Option<String>, other: &str| {
                        value.map_or(other.to_owned(), |value| format!("{value}%"))
                    };
                    format!(
                        "{}/{}",
                        percent(value(present, "current", "averageUtilization"), "<unknown>"),
                        percent(wanted, "<auto>")
                    )
                }
            };
            format!("{}: {shown}", text(of, "/name"))
        }
        "pods" => pair("averageValue", average.unwrap_or_default()),
        _ => match average {
            Some(average) => format!("{} (avg)", pair("averageValue", average)),
            None => pair("value", value(of, "target", "value").unwrap_or_default()),
        },
    }
}
