//! What a DaemonSet says of itself (`updateDaemonSetStatus`).

use std::{sync::Arc, time::Duration};

use breakfix_sim::Key;
use serde_json::{Map, Value, json};

use super::{KEEPER, NAME, nodes, pods, rolling};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{pod_control::older, pod_state, queue::enqueue},
    kind,
    object::{name, namespace, set},
};

pub(super) fn write(cluster: &mut Cluster, key: &Key, hash: &str) -> Result<(), Status> {
    let Some(daemon_set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let by_node = pods::by_node(cluster, &daemon_set)?;
    let all: Vec<Arc<Value>> = cluster.list(&kind::NODE, None).cloned().collect();
    let today = cluster.clock.today();
    let mut wake: Option<Duration> = None;
    let (mut desired, mut current, mut misplaced, mut ready, mut updated, mut available) = (0, 0, 0, 0, 0, 0);
    for node in &all {
        let mut pods = by_node.get(name(node)).cloned().unwrap_or_default();
        if !nodes::wish(&daemon_set, node).run {
            misplaced += i64::from(!pods.is_empty());
            continue;
        }
        desired += 1;
        pods.sort_by(|left, right| older(left, right));
        let Some(pod) = pods.first() else { continue };
        current += 1;
        ready += i64::from(pod_state::is_ready(pod));
        updated += i64::from(pods::is_updated(&daemon_set, pod, hash));
        match pod_state::available(pod, rolling::min_ready(&daemon_set), today) {
            Ok(()) => available += 1,
            Err(left) => wake = [wake, left].into_iter().flatten().min(),
        }
    }
    // Four numbers are always there; the others are left out at zero, as Go leaves them out.
    let mut status = Map::new();
    status.insert("currentNumberScheduled".into(), json!(current));
    status.insert("desiredNumberScheduled".into(), json!(desired));
    status.insert("numberMisscheduled".into(), json!(misplaced));
    status.insert("numberReady".into(), json!(ready));
    for (field, count) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", available),
        ("numberUnavailable", desired - available),
    ] {
        if count != 0 {
            status.insert(field.to_owned(), json!(count));
        }
    }
    if let Some(generation) = daemon_set["metadata"].get("generation") {
        status.insert("observedGeneration".into(), generation.clone());
    }
    if let Some(count) = daemon_set["status"].get("collisionCount") {
        status.insert("collisionCount".into(), count.clone());
    }
    let status = Value::Object(status);
    if daemon_set.get("status") != Some(&status) {
        let space = namespace(&daemon_set).to_owned();
        cluster.update(&kind::DAEMON_SET, &space, name(&daemon_set), Part::Status, &KEEPER.actor(), |object| {
            set(object, "/status", status);
        })?;
    }
    if let Some(wake) = wake {
        enqueue(cluster, NAME, key, wake);
    }
    Ok(())
}
