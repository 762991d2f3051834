//! What nodes, pods and other things measure of themselves, as the three metrics APIs tell it.
//!
//! A cluster has no metrics server until it is given one, as a cluster of `kind` has none. Resource metrics are worked out from what the
//! nodes know when they are asked for; custom and external ones are what somebody wrote into a table.

mod feed;
mod resource;
mod table;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_sim::SimTime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use feed::{Feed, OfObject, OfOutside};
pub use resource::read;
pub use table::{Custom, External, custom_of_object, custom_of_pods, external};

use crate::{Cluster, object::name};

/// Which metrics APIs a cluster has, and what is known to them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// Since when there is a metrics server (`metrics.k8s.io`).
    server: Option<SimTime>,
    /// `custom.metrics.k8s.io`, where an adapter serves it.
    pub custom: Option<Custom>,
    /// `external.metrics.k8s.io`, where an adapter serves it.
    pub external: Option<External>,
}

impl Cluster {
    /// Gives the cluster a metrics server, which measures from now on.
    pub fn install_metrics_server(&mut self) {
        let now = self.now();
        self.metrics.server.get_or_insert(now);
    }

    /// Whether the cluster has a metrics server.
    pub fn has_metrics_server(&self) -> bool {
        self.metrics.server.is_some()
    }

    /// Since when it has one.
    pub(crate) fn metrics_server_since(&self) -> Option<SimTime> {
        self.metrics.server
    }
}

/// Whether a group is not served for want of who would serve it: the metrics API is a metrics server's.
pub fn is_absent(cluster: &Cluster, group: &str) -> bool {
    group == crate::kind::POD_METRICS.group && !cluster.has_metrics_server()
}

/// What one pod uses of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// In thousandths: of a processor, of a byte, of whatever a metric counts.
    pub milli: i64,
    pub at: Timestamp,
    /// The time over which it was measured.
    pub window: Duration,
}

/// What pods use of `cpu` or `memory`, by name; of one container each, unless `container` is empty. Pods that were not measured yet are
/// left out.
///
/// # Errors
/// In the words of a client of the metrics API.
pub fn resource(
    cluster: &Cluster,
    pods: &[Arc<Value>],
    resource: &str,
    container: &str,
) -> Result<BTreeMap<String, Sample>, String> {
    let cannot = |why: &str| format!("unable to fetch metrics from resource metrics API: {why}");
    if !cluster.has_metrics_server() {
        return Err(cannot("the server could not find the requested resource (get pods.metrics.k8s.io)"));
    }
    let mut samples = BTreeMap::new();
    for pod in pods {
        let Some(reading) = resource::of_pod(cluster, pod) else { continue };
        let wanted = |own: &&resource::Usage| container.is_empty() || own.container == container;
        let used = reading.usages.iter().filter(wanted);
        let milli =
            used.map(|own| if resource == "cpu" { own.milli_cpu } else { own.bytes.saturating_mul(1000) }).sum();
        samples.insert(name(pod).to_owned(), Sample { milli, at: reading.at, window: reading.window });
    }
    if samples.is_empty() { Err("no metrics returned from resource metrics API".to_owned()) } else { Ok(samples) }
}
