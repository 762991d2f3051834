//! The target `sim`: breakfix's own simulator, as a process of its own (`detached`) or inside this one (`local`).

mod detached;
mod local;

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use breakfix_sim_kube::{Cluster, Config, bootstrap::bootstrap};
use http::Method;
use jiff::Timestamp;
use serde_json::json;

pub(crate) use detached::{SimHost, close_simulator, serve_simulator};
pub(crate) use local::LocalSimHost;

use crate::{
    kubernetes::{api::Api, probe},
    target::{Cause, TargetError},
};

/// Nodes that ordinary pods run on: what labs about several nodes need.
const WORKERS: u32 = 2;

/// A new cluster that knows the lab's images.
fn new_cluster(seed: u64, date: Timestamp, images: &[String]) -> Result<Cluster, TargetError> {
    let mut cluster = bootstrapped(seed, date)?;
    cluster.config.images = images.iter().cloned().chain([probe::IMAGE.to_owned()]).collect();
    Ok(cluster)
}

/// A cluster before any lab. The last one is kept and copied: a proof opens the same one many times over, and equal seed and
/// date make equal clusters.
fn bootstrapped(seed: u64, date: Timestamp) -> Result<Cluster, TargetError> {
    static LAST: Mutex<Option<Cluster>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = last.as_ref().filter(|last| last.config.seed == seed && last.config.date == date) {
        return Ok(cluster.clone());
    }
    let cluster = bootstrap(Config { seed, date, workers: WORKERS, images: BTreeSet::new() })
        .map_err(|status| TargetError::new(Cause::Local, "begin a simulated cluster").because(status))?;
    *last = Some(cluster.clone());
    Ok(cluster)
}

/// Makes image references known to the nodes.
async fn provide_images(api: &Api, images: &[String]) -> Result<(), TargetError> {
    let done = api.send(Method::POST, "/breakfix/images", Some(("application/json", &json!({"images": images})))).await;
    done.map(drop).map_err(|trouble| trouble.on("make images known to the simulator"))
}

/// Milliseconds of a time, rounded up: a step must not become none.
fn millis(time: Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000)
}
