//! `metrics.k8s.io`: what containers compute and hold, in windows of 15 s (metrics-server's own pace).

use std::{sync::Arc, time::Duration};

use breakfix_sim::SimTime;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Cluster, Kind, kind,
    node::{self, WINDOW},
    object::{name, namespace, text, uid},
};

/// What a node needs for itself, in thousandths of a processor and in bytes: kubelet, the runtime, the system.
const SYSTEM: (i64, i64) = (60, node::SYSTEM_BYTES.cast_signed());

/// What one container uses.
pub(super) struct Usage {
    pub(super) container: String,
    pub(super) milli_cpu: i64,
    pub(super) bytes: i64,
}

/// What one pod uses.
pub(super) struct Reading {
    pub(super) at: Timestamp,
    pub(super) window: Duration,
    pub(super) usages: Vec<Usage>,
}

/// The end of the last whole window.
fn last_window(cluster: &Cluster) -> SimTime {
    let window = u64::try_from(WINDOW.as_millis()).unwrap_or(1);
    SimTime(cluster.now().0 / window * window)
}

/// The reading of a pod; nothing until all its containers have run for a whole window under the metrics server's eyes.
pub(super) fn of_pod(cluster: &Cluster, pod: &Value) -> Option<Reading> {
    let end = last_window(cluster);
    let measured_since = cluster.metrics_server_since()?;
    if text(pod, "/status/phase") != "Running" {
        return None;
    }
    let used = node::usage(cluster, uid(pod));
    let is_whole = |started: &SimTime| (*started).max(measured_since) + WINDOW <= end;
    if used.is_empty() || !used.iter().all(|own| is_whole(&own.started)) {
        return None;
    }
    let usages = used
        .into_iter()
        .map(|own| Usage { container: own.container, milli_cpu: own.milli_cpu, bytes: own.bytes })
        .collect();
    Some(Reading { at: cluster.clock.date(end), window: WINDOW, usages })
}

/// The readings of a kind (`kind::NODE_METRICS`, `kind::POD_METRICS`), in (namespace, name) order; of all namespaces without one. Each is
/// a whole object of `metrics.k8s.io/v1beta1` with `kind` and `apiVersion`.
pub fn read(cluster: &Cluster, kind: &Kind, namespace: Option<&str>) -> Vec<Value> {
    if !cluster.has_metrics_server() {
        return Vec::new();
    }
    if kind.namespaced {
        return cluster.list(&kind::POD, namespace).filter_map(|pod| pod_metrics(cluster, pod)).collect();
    }
    cluster.list(&kind::NODE, None).filter_map(|node| node_metrics(cluster, node)).collect()
}

fn head(cluster: &Cluster, of: &Value, kind: &str, at: Timestamp, window: Duration) -> Value {
    let mut metadata = json!({"name": name(of), "creationTimestamp": cluster.today()});
    if !namespace(of).is_empty() {
        metadata["namespace"] = json!(namespace(of));
    }
    if let Some(labels) = of["metadata"].get("labels").filter(|labels| labels.is_object()) {
        metadata["labels"] = labels.clone();
    }
    json!({
        "kind": kind,
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": metadata,
        "timestamp": crate::date::seconds(at),
        "window": format!("{}s", window.as_secs()),
    })
}

fn amounts(milli_cpu: i64, bytes: i64) -> Value {
    json!({"cpu": format!("{}n", milli_cpu.saturating_mul(1_000_000)), "memory": format!("{}Ki", bytes / 1024)})
}

fn pod_metrics(cluster: &Cluster, pod: &Arc<Value>) -> Option<Value> {
    let reading = of_pod(cluster, pod)?;
    let mut metrics = head(cluster, pod, "PodMetrics", reading.at, reading.window);
    let containers: Vec<Value> = reading
        .usages
        .iter()
        .map(|own| json!({"name": own.container, "usage": amounts(own.milli_cpu, own.bytes)}))
        .collect();
    metrics["containers"] = Value::Array(containers);
    Some(metrics)
}

/// A node that does not answer is not measured.
fn node_metrics(cluster: &Cluster, node: &Arc<Value>) -> Option<Value> {
    let since = cluster.metrics_server_since()?;
    let end = last_window(cluster);
    let ready = crate::controllers::pod_state::condition_holds(node, "Ready");
    if !ready || since + WINDOW > end {
        return None;
    }
    let (mut cpu, mut bytes) = SYSTEM;
    for pod in cluster.list(&kind::POD, None).filter(|pod| text(pod, "/spec/nodeName") == name(node)) {
        for own in node::usage(cluster, uid(pod)) {
            cpu += own.milli_cpu;
            bytes += own.bytes;
        }
    }
    let mut metrics = head(cluster, node, "NodeMetrics", cluster.clock.date(end), WINDOW);
    metrics["usage"] = amounts(cpu, bytes);
    Some(metrics)
}
