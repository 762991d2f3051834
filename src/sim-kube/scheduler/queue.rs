//! The pods that wait for a node: whose turn it is, who waits for a change, who for the end of a back-off.
//!
//! As `pkg/scheduler/backend/queue`: a pod that found no node is tried again when something changed, at the earliest after its back-off
//! (1 s, doubled with each try, 10 s at most); after five minutes without a change it is tried all the same.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::{Key, SimTime};
use serde::{Deserialize, Serialize};

use crate::{Cluster, event::Event};

const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
const BACK_OFF_MAX: Duration = Duration::from_secs(10);
/// `DefaultPodMaxInUnschedulablePodsDuration`.
const PATIENCE: Duration = Duration::from_secs(300);

/// The scheduler's queue.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Waiting {
    #[serde(with = "as_list")]
    pods: BTreeMap<Key, Entry>,
    next: u64,
    /// When the scheduler looks next.
    armed: Option<SimTime>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    /// The pod's priority: the highest is first.
    priority: i64,
    /// Among equals: first come, first served.
    number: u64,
    tries: u32,
    /// Not before this moment.
    due: SimTime,
    /// The end of the back-off after the last try.
    rested: SimTime,
    blocked: Blocked,
}

/// What the last try failed for: what may help it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Blocked {
    /// Its volumes: only claims, volumes, classes and nodes change anything.
    Volumes,
    #[default]
    Otherwise,
}

/// A new pod, or one whose spec changed.
pub(super) fn admit(cluster: &mut Cluster, key: &Key, priority: i64, lag: Duration) {
    let now = cluster.now();
    let waiting = &mut cluster.scheduler.queue;
    let number = waiting.next;
    let fresh = Entry { priority, number, tries: 0, due: now + lag, rested: now, blocked: Blocked::default() };
    let entry = waiting.pods.entry(key.clone()).or_insert(fresh);
    entry.due = entry.due.min(entry.rested.max(now + lag));
    waiting.next += 1;
    arm(cluster);
}

/// Something changed that may help any of them.
pub(super) fn wake_all(cluster: &mut Cluster) {
    let now = cluster.now();
    for entry in cluster.scheduler.queue.pods.values_mut() {
        entry.due = entry.due.min(entry.rested.max(now));
    }
    arm(cluster);
}

/// The pods that wait.
pub(super) fn waiting(cluster: &Cluster) -> impl Iterator<Item = &Key> {
    cluster.scheduler.queue.pods.keys()
}

/// Something changed that may help these.
pub(super) fn wake(cluster: &mut Cluster, concerned: &[Key]) {
    let now = cluster.now();
    let waiting = cluster.scheduler.queue.pods.iter_mut();
    for (_, entry) in waiting.filter(|(key, _)| concerned.contains(key)) {
        entry.due = entry.due.min(entry.rested.max(now));
    }
    arm(cluster);
}

/// A pod has gone: that helps everybody whom the others held up.
pub(super) fn wake_for_room(cluster: &mut Cluster) {
    let now = cluster.now();
    for entry in cluster.scheduler.queue.pods.values_mut().filter(|entry| entry.blocked != Blocked::Volumes) {
        entry.due = entry.due.min(entry.rested.max(now));
    }
    arm(cluster);
}

/// Something changed that may help those whom volumes held up: all of them, or those of which `concerns` holds.
pub(super) fn wake_for_volumes(cluster: &mut Cluster, concerns: impl Fn(&Key) -> bool) {
    let now = cluster.now();
    let waiting = cluster.scheduler.queue.pods.iter_mut();
    for (_, entry) in waiting.filter(|(key, entry)| entry.blocked == Blocked::Volumes && concerns(key)) {
        entry.due = entry.due.min(entry.rested.max(now));
    }
    arm(cluster);
}

/// The next pod whose turn has come.
pub(super) fn next(cluster: &mut Cluster) -> Option<Key> {
    let now = cluster.now();
    cluster.scheduler.queue.armed = None;
    let due = cluster.scheduler.queue.pods.iter().filter(|(_, entry)| entry.due <= now);
    due.min_by_key(|(_, entry)| (std::cmp::Reverse(entry.priority), entry.number)).map(|(key, _)| key.clone())
}

/// The pod needs no node any more.
pub(super) fn done(cluster: &mut Cluster, key: &Key) {
    cluster.scheduler.queue.pods.remove(key);
}

/// The pod found no node: it waits for a change.
pub(super) fn park(cluster: &mut Cluster, key: &Key, blocked: Blocked) {
    let now = cluster.now();
    if let Some(entry) = cluster.scheduler.queue.pods.get_mut(key) {
        let rest = BACK_OFF_FIRST.saturating_mul(2_u32.saturating_pow(entry.tries.min(10))).min(BACK_OFF_MAX);
        entry.tries += 1;
        entry.rested = now + rest;
        entry.due = now + PATIENCE;
        entry.blocked = blocked;
    }
}

/// Queues the next look, if anybody waits.
pub(super) fn arm(cluster: &mut Cluster) {
    let Some(due) = cluster.scheduler.queue.pods.values().map(|entry| entry.due).min() else { return };
    if cluster.scheduler.queue.armed.is_none_or(|armed| due < armed) {
        cluster.scheduler.queue.armed = Some(due);
        let due = due.max(cluster.now());
        cluster.queue.push(due, Event::Schedule);
    }
}

/// JSON has no maps keyed by structs.
mod as_list {
    use std::collections::BTreeMap;

    use breakfix_sim::Key;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Entry;

    pub fn serialize<S: Serializer>(pods: &BTreeMap<Key, Entry>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(pods.iter())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Entry>, D::Error> {
        Ok(Vec::<(Key, Entry)>::deserialize(deserializer)?.into_iter().collect())
    }
}
