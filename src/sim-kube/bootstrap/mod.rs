//! A cluster as it is found after `kind create cluster`: nodes, the first namespaces, the API's own Service, the cluster's DNS.
//!
//! It lives through its first minutes before it is handed over, so that everything is Ready and has an age.

mod ingress;
mod names;
pub(crate) mod nodes;
mod priority_classes;
mod roles;
mod storage;
mod system;

use std::time::Duration;

use breakfix_sim::{Clock, SimTime};
use jiff::SignedDuration;
use serde_json::{Value, json};

pub use ingress::add_ingress_controller;
pub use names::node_names;

use crate::{
    Cluster, Config, Kind, Status, api::verbs::Actor, controllers::volumes::LOCAL_PATH_SPACE, kind, node::registration,
};

/// How old the cluster is when it is handed over.
const AGE: Duration = Duration::from_secs(12 * 60);

/// A cluster that has settled; its present is the configuration's date.
///
/// # Errors
/// The API refused an object of its own, which would be an error of this crate.
pub fn bootstrap(config: Config) -> Result<Cluster, Status> {
    let born = SignedDuration::try_from(AGE).ok().and_then(|age| config.date.checked_sub(age).ok());
    let mut cluster = Cluster::empty(config);
    cluster.clock = Clock::starting_at(born.unwrap_or(cluster.config.date));
    for namespace in ["default", "kube-node-lease", "kube-public", "kube-system", LOCAL_PATH_SPACE] {
        create(&mut cluster, &kind::NAMESPACE, "", json!({"metadata": {"name": namespace}}))?;
    }
    roles::create_all(&mut cluster)?;
    priority_classes::create_all(&mut cluster)?;
    for node in node_names(cluster.config.workers) {
        registration::register(&mut cluster, &node)?;
    }
    registration::elect(&mut cluster)?;
    // Pods need their service account, which a controller makes.
    cluster.advance(SimTime(2_000));
    system::create_all(&mut cluster)?;
    storage::create_all(&mut cluster)?;
    cluster.advance(SimTime(u64::try_from(AGE.as_millis()).unwrap_or(0)));
    Ok(cluster)
}

fn create(cluster: &mut Cluster, kind: &'static Kind, namespace: &str, body: Value) -> Result<Value, Status> {
    cluster.create(kind, namespace, body, &Actor::system("kubeadm"))
}
