//! What a cluster is told of its metrics from outside: that it has a metrics server, and what adapters would have measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Custom, External};
use crate::{Cluster, api::quantity::Quantity};

/// Changes to a cluster's metrics. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Feed {
    /// Gives the cluster a metrics server.
    pub server: bool,
    /// Metrics of objects; an empty list makes an adapter that knows nothing yet.
    pub custom: Option<Vec<OfObject>>,
    /// Metrics of things outside the cluster; an empty list makes an adapter that knows nothing yet.
    pub external: Option<Vec<OfOutside>>,
}

/// A metric of an object in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfObject {
    /// The plural: `pods`, `services`, `ingresses.networking.k8s.io`.
    pub resource: String,
    #[serde(default)]
    pub namespace: String,
    pub name: String,
    pub metric: String,
    /// As quantities are written: `20`, `1500m`.
    pub value: String,
}

/// A metric of something outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfOutside {
    pub metric: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// As quantities are written: `20`, `1500m`.
    pub value: String,
}

impl Feed {
    /// Says which value is no quantity, if there is one.
    ///
    /// # Errors
    /// The value, with what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let custom = self.custom.iter().flatten().map(|one| &one.value);
        let external = self.external.iter().flatten().map(|one| &one.value);
        match custom.chain(external).find(|value| milli(value).is_none()) {
            Some(value) => Err(format!("{value:?} is no quantity; write 20 or 1500m")),
            None => Ok(()),
        }
    }

    /// Tells a cluster. Values that are no quantities are left out.
    pub fn tell(&self, cluster: &mut Cluster) {
        if self.server {
            cluster.install_metrics_server();
        }
        if let Some(list) = &self.custom {
            let custom = cluster.metrics.custom.get_or_insert_with(Custom::default);
            for one in list {
                if let Some(milli) = milli(&one.value) {
                    custom.set(&one.resource, &one.namespace, &one.name, &one.metric, milli);
                }
            }
        }
        if let Some(list) = &self.external {
            let external = cluster.metrics.external.get_or_insert_with(External::default);
            for one in list {
                if let Some(milli) = milli(&one.value) {
                    external.set(&one.metric, one.labels.clone(), milli);
                }
            }
        }
    }
}

fn milli(value: &str) -> Option<i64> {
    Quantity::parse(value).ok().map(|value| value.milli())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_read_strictly_and_its_values_are_quantities() {
        let feed: Feed =
            serde_json::from_str(r#"{"external": [{"metric": "queue_depth", "value": "1500m"}]}"#).unwrap();
        assert_eq!(feed.check(), Ok(()));
        assert!(serde_json::from_str::<Feed>(r#"{"externals": []}"#).is_err());
        let wrong: Feed =
            serde_json::from_str(r#"{"external": [{"metric": "queue_depth", "value": "many"}]}"#).unwrap();
        assert_eq!(wrong.check().unwrap_err(), "\"many\" is no quantity; write 20 or 1500m");
    }
}
