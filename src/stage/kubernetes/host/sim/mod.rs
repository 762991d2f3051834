//! The target `sim`: breakfix's own simulator, as a process of its own (`detached`) or inside this one (`local`).

mod detached;
mod local;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use breakfix_lab::lab::Capability;
use breakfix_sim_kube::{Cluster, Config, bootstrap::bootstrap, serve::local::LocalServer};
use http::Method;
use jiff::Timestamp;
use serde_json::json;

pub(crate) use detached::{SimHost, close_simulator, serve_simulator};
pub(crate) use local::LocalSimHost;

use crate::{
    kubernetes::{
        api::{Api, SystemClock},
        object, probe,
    },
    target::{Cause, NodeOutput, Place, TargetError},
};

/// Nodes that ordinary pods run on: what labs about several nodes need. One that has more zones gets more.
const WORKERS: usize = 2;

/// A new cluster that knows the lab's images and has what the lab requires.
fn new_cluster(seed: u64, date: Timestamp, place: &Place) -> Result<Cluster, TargetError> {
    let workers = u32::try_from(place.zones.len().max(WORKERS)).unwrap_or(u32::MAX);
    let mut cluster = bootstrapped(seed, date, workers)?;
    cluster.config.images = place.images.iter().cloned().chain([probe::IMAGE.to_owned()]).collect();
    if place.requires.contains(&Capability::Metrics) {
        cluster.install_metrics_server();
    }
    Ok(cluster)
}

/// A cluster before any lab. The last one is kept and copied: a proof opens the same one many times over, and equal seed and
/// date make equal clusters.
fn bootstrapped(seed: u64, date: Timestamp, workers: u32) -> Result<Cluster, TargetError> {
    static LAST: Mutex<Option<Cluster>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |last: &&Cluster| (last.config.seed, last.config.date, last.config.workers) == (seed, date, workers);
    if let Some(cluster) = last.as_ref().filter(same) {
        return Ok(cluster.clone());
    }
    let cluster = bootstrap(Config { seed, date, workers, images: BTreeSet::new() })
        .map_err(|status| TargetError::new(Cause::Local, "begin a simulated cluster").because(status))?;
    *last = Some(cluster.clone());
    Ok(cluster)
}

/// The time of a simulator inside this process.
fn clock(server: &LocalServer) -> SystemClock {
    let host = Arc::clone(server.host());
    // A simulator that has failed answers requests with why; its time is nobody's concern then.
    Arc::new(move || host.look(|cluster| cluster.clock.today()).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Makes image references known to the nodes.
async fn provide_images(api: &Api, images: &[String]) -> Result<(), TargetError> {
    let done = api.send(Method::POST, "/breakfix/images", Some(("application/json", &json!({"images": images})))).await;
    done.map(drop).map_err(|trouble| trouble.on("make images known to the simulator"))
}

/// The machines behind the nodes.
async fn machines(api: &Api) -> Result<Vec<String>, TargetError> {
    let told = api.send(Method::GET, "/breakfix/info", None).await;
    let told = told.map_err(|trouble| trouble.on("ask the simulator for its machines"))?;
    let names = object::list(&told.body, "/machines").iter().filter_map(|name| Some(name.as_str()?.to_owned()));
    Ok(names.collect())
}

/// Runs a command on a machine. One that is not simulated is refused, and what is says why.
async fn on_machine(api: &Api, machine: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
    let body = json!({"node": machine, "command": command});
    let what = || format!("run `{}` on {machine}", command.join(" "));
    let done = api.send(Method::POST, "/breakfix/node", Some(("application/json", &body))).await;
    let done = done.map_err(|trouble| trouble.on(what()))?;
    serde_json::from_value(done.body).map_err(|error| TargetError::new(Cause::Answered, what()).because(error))
}

/// Milliseconds of a time, rounded up: a step must not become none.
fn millis(time: Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000)
}
