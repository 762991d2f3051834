//! One metric, and how many replicas it calls for (`computeReplicasForMetric`).

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    Look, Scale, place,
    ratio::{self, Target, Tolerance},
};
use crate::{
    Cluster,
    api::quantity::Quantity,
    controllers::pod_state,
    kind, metrics,
    object::{entries, name, number, text},
};

/// A metric's answer.
pub(super) struct Proposal {
    pub(super) replicas: i64,
    /// As conditions and events name it.
    pub(super) metric: String,
    /// For `status.currentMetrics`.
    pub(super) status: Value,
}

/// A metric has no answer.
#[derive(Debug)]
pub(super) struct Failure {
    /// `FailedGetResourceMetric` …
    pub(super) reason: &'static str,
    /// For the event and the condition.
    pub(super) words: String,
    /// For the error of the whole look.
    pub(super) in_full: String,
}

pub(super) type Measured = Result<Proposal, Failure>;

pub(super) fn measure(cluster: &Cluster, look: &Look, scale: &Scale, metric: &Value) -> Measured {
    let asked = Asked { cluster, look, scale, tolerance: Tolerance::of(&look.scaler) };
    match text(metric, "/type") {
        "Resource" => asked.resource(&metric["resource"], ""),
        "ContainerResource" => {
            let source = &metric["containerResource"];
            asked.resource(source, text(source, "/container"))
        }
        "Pods" => asked.pods(&metric["pods"]),
        "Object" => asked.object(&metric["object"]),
        "External" => asked.external(&metric["external"]),
        other => {
            let words = format!("unknown metric source type {other:?}");
            Err(Failure { reason: "InvalidMetricSourceType", in_full: words.clone(), words })
        }
    }
}

struct Asked<'a> {
    cluster: &'a Cluster,
    look: &'a Look,
    scale: &'a Scale,
    tolerance: Tolerance,
}

/// An amount of a target, in thousandths.
fn milli(value: Option<&Value>) -> i64 {
    let text = value.map(|value| value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string()));
    text.and_then(|text| Quantity::parse(&text).ok()).map_or(0, |amount| amount.milli())
}

/// Thousandths as an amount is written.
fn amount(milli: i64) -> String {
    if milli % 1000 == 0 { (milli / 1000).to_string() } else { format!("{milli}m") }
}

impl Asked<'_> {
    /// The pods of the target.
    fn selected(&self) -> Vec<Arc<Value>> {
        let (space, _) = place(&self.look.scaler);
        self.cluster.list(&kind::POD, Some(space)).filter(|pod| self.scale.selects(pod)).cloned().collect()
    }

    fn ready_count(&self) -> usize {
        let is_ready = |pod: &&Arc<Value>| text(pod, "/status/phase") == "Running" && pod_state::is_ready(pod);
        self.selected().iter().filter(is_ready).count()
    }

    /// cpu or memory, of whole pods or of one container each.
    fn resource(&self, source: &Value, container: &str) -> Measured {
        let resource = text(source, "/name");
        let target = &source["target"];
        let (percent, each) = (number(target, "/averageUtilization"), target.get("averageValue"));
        let of = if percent.is_some() { "utilization" } else { "usage" };
        let (reason, outer) = if container.is_empty() {
            ("FailedGetResourceMetric", format!("failed to get {resource} resource metric value"))
        } else {
            ("FailedGetContainerResourceMetric", format!("failed to get {container} container metric value"))
        };
        let fail = |why: String| {
            let words = format!("failed to get {resource} {of}: {why}");
            Failure { reason, in_full: format!("{outer}: {words}"), words }
        };
        let pods = self.selected();
        let samples = metrics::resource(self.cluster, &pods, resource, container)
            .map_err(|why| fail(format!("unable to get metrics for resource {resource}: {why}")))?;
        if pods.is_empty() {
            return Err(fail("no pods returned by selector while calculating replica count".to_owned()));
        }
        let groups = ratio::group(&pods, &samples, resource == "cpu", self.cluster.clock.today());
        if groups.ready.is_empty() {
            return Err(fail("did not receive metrics for targeted pods (pods might be unready)".to_owned()));
        }
        let requests = match percent {
            Some(_) => requests(&pods, resource, container).map_err(fail)?,
            None => BTreeMap::new(),
        };
        let target = match percent {
            Some(percent) => Target::Share(percent, &requests),
            None => Target::Each(milli(each)),
        };
        let replicas = ratio::replicas(self.scale.replicas, &groups, &samples, target, self.tolerance)
            .ok_or_else(|| fail("no metrics returned matched known pods".to_owned()))?;
        let used: i64 = groups.ready.iter().filter_map(|pod| samples.get(pod)).map(|sample| sample.milli).sum();
        let count = i64::try_from(groups.ready.len()).unwrap_or(1).max(1);
        let mut current = json!({"averageValue": amount_of(resource, used / count)});
        if percent.is_some() {
            let asked: i64 = groups.ready.iter().filter_map(|pod| requests.get(pod)).sum();
            current["averageUtilization"] = json!(used.saturating_mul(100) / asked.max(1));
        }
        let of = if percent.is_some() { " utilization (percentage of request)" } else { "" };
        let mut status = json!({"name": resource, "current": current});
        let (metric, status) = if container.is_empty() {
            (format!("{resource} resource{of}"), json!({"type": "Resource", "resource": status}))
        } else {
            status["container"] = json!(container);
            (
                format!("{resource} container resource{of}"),
                json!({"type": "ContainerResource", "containerResource": status}),
            )
        };
        Ok(Proposal { replicas, metric, status })
    }

    /// A metric of each pod, from the custom metrics API.
    fn pods(&self, source: &Value) -> Measured {
        let metric = text(source, "/metric/name");
        let fail = |why: String| Failure {
            reason: "FailedGetPodsMetric",
            in_full: format!("failed to get pods metric value: {why}"),
            words: why,
        };
        let pods = self.selected();
        let samples = metrics::custom_of_pods(self.cluster, &pods, metric)
            .map_err(|why| fail(format!("unable to get metric {metric}: {why}")))?;
        if pods.is_empty() {
            return Err(fail("no pods returned by selector while calculating replica count".to_owned()));
        }
        let groups = ratio::group(&pods, &samples, false, self.cluster.clock.today());
        let each = milli(source["target"].get("averageValue"));
        let replicas = ratio::replicas(self.scale.replicas, &groups, &samples, Target::Each(each), self.tolerance)
            .ok_or_else(|| fail("did not receive metrics for targeted pods (pods might be unready)".to_owned()))?;
        let used: i64 = groups.ready.iter().filter_map(|pod| samples.get(pod)).map(|sample| sample.milli).sum();
        let mean = used / i64::try_from(groups.ready.len()).unwrap_or(1).max(1);
        let status = json!({"metric": source["metric"], "current": {"averageValue": amount(mean)}});
        Ok(Proposal {
            replicas,
            metric: format!("pods metric {metric}"),
            status: json!({"type": "Pods", "pods": status}),
        })
    }

    /// A metric of another object.
    fn object(&self, source: &Value) -> Measured {
        let metric = text(source, "/metric/name");
        let described = &source["describedObject"];
        let (space, _) = place(&self.look.scaler);
        let used = metrics::custom_of_object(self.cluster, space, described, metric).map_err(|why| {
            let why = format!(
                "unable to get metric {metric}: {} on {space} {}/{why}",
                text(described, "/kind"),
                text(described, "/name")
            );
            Failure {
                reason: "FailedGetObjectMetric",
                in_full: format!("failed to get object metric value: {why}"),
                words: why,
            }
        })?;
        let (replicas, current) = self.shared(&source["target"], used);
        let status = json!({"metric": source["metric"], "describedObject": described, "current": current});
        Ok(Proposal {
            replicas,
            metric: format!("{} metric {metric}", text(described, "/kind")),
            status: json!({"type": "Object", "object": status}),
        })
    }

    /// A metric of something outside the cluster.
    fn external(&self, source: &Value) -> Measured {
        let metric = text(source, "/metric/name");
        let (space, _) = place(&self.look.scaler);
        let selector = source["metric"].get("selector").cloned().unwrap_or_default();
        let used = metrics::external(self.cluster, space, metric, &selector).map_err(|why| {
            let shown = go_selector(&selector);
            let why = format!("unable to get external metric {space}/{metric}/{shown}: {why}");
            Failure {
                reason: "FailedGetExternalMetric",
                in_full: format!("failed to get {metric} external metric value: {why}"),
                words: why,
            }
        })?;
        let (replicas, current) = self.shared(&source["target"], used);
        let status = json!({"metric": source["metric"], "current": current});
        Ok(Proposal {
            replicas,
            metric: format!("external metric {metric}({})", go_selector(&selector)),
            status: json!({"type": "External", "external": status}),
        })
    }

    /// One amount for all pods: shared out among them, or a value of its own.
    fn shared(&self, target: &Value, used: i64) -> (i64, Value) {
        let current = self.scale.replicas;
        if let Some(each) = target.get("averageValue").filter(|each| !each.is_null()) {
            let replicas = ratio::of_share(current, used, milli(Some(each)), self.tolerance);
            return (replicas, json!({"averageValue": amount(used / current.max(1))}));
        }
        let replicas = ratio::of_total(current, used, milli(target.get("value")), self.ready_count(), self.tolerance);
        (replicas, json!({"value": amount(used)}))
    }
}

/// Thousandths of a resource as the API writes them: memory in bytes.
fn amount_of(resource: &str, milli: i64) -> String {
    if resource == "memory" { (milli / 1000).to_string() } else { amount(milli) }
}

/// What each pod asks for, in thousandths (`calculatePodRequests`).
fn requests(pods: &[Arc<Value>], resource: &str, container: &str) -> Result<BTreeMap<String, i64>, String> {
    let mut requests = BTreeMap::new();
    for pod in pods {
        let sidecars =
            entries(pod, "/spec/initContainers").iter().filter(|init| text(init, "/restartPolicy") == "Always");
        let all = entries(pod, "/spec/containers").iter().chain(sidecars);
        let mut sum = 0;
        for own in all.filter(|own| container.is_empty() || text(own, "/name") == container) {
            let request = own["resources"]["requests"].get(resource).filter(|request| !request.is_null());
            let Some(request) = request else {
                let (own, pod) = (text(own, "/name"), name(pod));
                return Err(format!("missing request for {resource} in container {own} of Pod {pod}"));
            };
            sum += milli(Some(request));
        }
        requests.insert(name(pod).to_owned(), sum);
    }
    Ok(requests)
}

/// A selector as Go prints a pointer to one.
fn go_selector(selector: &Value) -> String {
    if !selector.is_object() {
        return "nil".to_owned();
    }
    let labels: String = crate::object::members(selector, "/matchLabels")
        .map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or("")))
        .collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{}},}}"
    )
}
