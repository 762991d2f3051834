//! The controllers' work queue: one entry an object, the earliest moment counts, failures are tried again ever more slowly.
//!
//! As client-go's rate-limiting queue (`util/workqueue/default_rate_limiters.go`): 5 ms, doubled at each failure, 1000 s at most.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::{Key, SimTime, queue::Ticket};
use serde::{Deserialize, Serialize};

use crate::{Cluster, event::Event};

const RETRY_FIRST: Duration = Duration::from_millis(5);
const RETRY_MAX: Duration = Duration::from_secs(1000);

/// What is queued, and how often each object has failed in a row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkQueue {
    queued: BTreeMap<String, (SimTime, Ticket)>,
    failures: BTreeMap<String, u32>,
    /// How many steps each controller has made in this process: for those who measure.
    #[serde(skip)]
    pub(super) steps: BTreeMap<String, u64>,
}

/// Queues an object for a controller in `delay`; if it is queued already, the earlier moment counts.
pub fn enqueue(cluster: &mut Cluster, controller: &'static str, key: &Key, delay: Duration) {
    let id = id(controller, key);
    let due = cluster.now() + delay;
    if let Some((queued, ticket)) = cluster.controllers.queue.queued.get(&id).copied() {
        if queued <= due {
            return;
        }
        cluster.queue.cancel(ticket);
    }
    let event = Event::Reconcile { controller: controller.to_owned(), key: key.clone() };
    let ticket = cluster.queue.push(due, event);
    cluster.controllers.queue.queued.insert(id, (due, ticket));
}

/// A queued object's turn has come.
pub(super) fn started(cluster: &mut Cluster, controller: &str, key: &Key) {
    let queue = &mut cluster.controllers.queue;
    queue.queued.remove(&id(controller, key));
    match queue.steps.get_mut(controller) {
        Some(steps) => *steps += 1,
        None => drop(queue.steps.insert(controller.to_owned(), 1)),
    }
}

/// A step went well: the next failure counts as the first.
pub(super) fn forget(cluster: &mut Cluster, controller: &str, key: &Key) {
    cluster.controllers.queue.failures.remove(&id(controller, key));
}

/// A step failed: the object is looked at again later.
pub fn retry(cluster: &mut Cluster, controller: &'static str, key: &Key) {
    let failures = cluster.controllers.queue.failures.entry(id(controller, key)).or_insert(0);
    let delay = retry_delay(*failures);
    *failures = failures.saturating_add(1);
    enqueue(cluster, controller, key, delay);
}

/// How long to wait after this many earlier failures.
fn retry_delay(failures: u32) -> Duration {
    RETRY_FIRST.saturating_mul(2_u32.saturating_pow(failures.min(31))).min(RETRY_MAX)
}

fn id(controller: &str, key: &Key) -> String {
    format!("{controller} {} {} {}", key.collection, key.namespace, key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured on a 1.36 cluster: retries after about 41, 82, 164, 328, 655 and 1310 s since the first failure.
    #[test]
    fn retries_come_when_a_real_controller_makes_them() {
        let mut since = Duration::ZERO;
        let moments: Vec<u64> = (0..20)
            .map(|failures| {
                since += retry_delay(failures);
                since.as_secs()
            })
            .collect();
        for measured in [40, 81, 163, 327, 655, 1310] {
            assert!(moments.contains(&measured), "{measured} s is not among {moments:?}");
        }
    }
}
