//! `custom.metrics.k8s.io` and `external.metrics.k8s.io`: tables that somebody fills, as an adapter fills them from elsewhere.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Sample;
use crate::{
    Cluster, kind,
    object::{name, namespace, text},
};

/// Metrics of objects in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custom {
    values: BTreeMap<String, i64>,
}

impl Custom {
    /// Sets a metric of an object, in thousandths. `resource` is the plural: `pods`, `services`.
    pub fn set(&mut self, resource: &str, namespace: &str, name: &str, metric: &str, milli: i64) {
        self.values.insert(id(resource, namespace, name, metric), milli);
    }

    fn get(&self, resource: &str, namespace: &str, name: &str, metric: &str) -> Option<i64> {
        self.values.get(&id(resource, namespace, name, metric)).copied()
    }

    fn has(&self, resource: &str, metric: &str) -> bool {
        let (front, end) = (format!("{resource} "), format!(" {metric}"));
        self.values.keys().any(|id| id.starts_with(&front) && id.ends_with(&end))
    }
}

fn id(resource: &str, namespace: &str, name: &str, metric: &str) -> String {
    format!("{resource} {namespace} {name} {metric}")
}

/// Metrics of things outside the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    series: Vec<Series>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Series {
    metric: String,
    labels: BTreeMap<String, String>,
    milli: i64,
}

impl External {
    /// Sets a metric under its labels, in thousandths.
    pub fn set(&mut self, metric: &str, labels: BTreeMap<String, String>, milli: i64) {
        match self.series.iter_mut().find(|series| series.metric == metric && series.labels == labels) {
            Some(series) => series.milli = milli,
            None => self.series.push(Series { metric: metric.to_owned(), labels, milli }),
        }
    }
}

const NO_CUSTOM: &str =
    "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

/// A metric of each pod, by name; pods without one are left out.
///
/// # Errors
/// In the words of a client of the API.
pub fn custom_of_pods(
    cluster: &Cluster,
    pods: &[Arc<Value>],
    metric: &str,
) -> Result<BTreeMap<String, Sample>, String> {
    let custom = cluster.metrics.custom.as_ref().ok_or(NO_CUSTOM)?;
    if !custom.has("pods", metric) {
        return Err(format!(
            "unable to fetch metrics from custom metrics API: the server could not find the metric {metric} for pods"
        ));
    }
    let at = cluster.clock.today();
    let of = |pod: &Arc<Value>| custom.get("pods", namespace(pod), name(pod), metric);
    let sample = |milli| Sample { milli, at, window: Duration::from_secs(60) };
    Ok(pods.iter().filter_map(|pod| Some((name(pod).to_owned(), sample(of(pod)?)))).collect())
}

/// A metric of the object that a reference `{apiVersion, kind, name}` names.
///
/// # Errors
/// In the words of a client of the API.
pub fn custom_of_object(cluster: &Cluster, space: &str, described: &Value, metric: &str) -> Result<i64, String> {
    let custom = cluster.metrics.custom.as_ref().ok_or(NO_CUSTOM)?;
    let (version, kind_name, own) =
        (text(described, "/apiVersion"), text(described, "/kind"), text(described, "/name"));
    let plural = kind::by_kind(version, kind_name).map_or_else(|| kind_name.to_lowercase() + "s", kind::Kind::resource);
    custom.get(&plural, space, own, metric).ok_or_else(|| {
        format!(
            "unable to fetch metrics from custom metrics API: the server could not find the metric {metric} for {plural} {own}"
        )
    })
}

/// The sum of all series of a metric that a label selector fits; all of them without one.
///
/// # Errors
/// In the words of a client of the API.
pub fn external(cluster: &Cluster, space: &str, metric: &str, selector: &Value) -> Result<i64, String> {
    let cannot = |why: String| format!("unable to fetch metrics from external metrics API: {why}");
    let Some(external) = &cluster.metrics.external else {
        return Err(cannot(format!(
            "the server could not find the requested resource (get {metric}.external.metrics.k8s.io)"
        )));
    };
    let _ = space;
    let fits = |series: &&Series| {
        let object = serde_json::json!({"metadata": {"labels": series.labels}});
        series.metric == metric
            && (!selector.is_object() || crate::controllers::selector::selects(Some(selector), &object))
    };
    let found: Vec<i64> = external.series.iter().filter(fits).map(|series| series.milli).collect();
    if found.is_empty() {
        return Err("no metrics returned from external metrics API".to_owned());
    }
    Ok(found.iter().sum())
}
