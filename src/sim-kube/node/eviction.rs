//! A node that runs short of memory, and pods that fill more of its disk than they may: kubelet ends some to save the others
//! (`pkg/kubelet/eviction`).
//!
//! The thresholds are a stock kubelet's: below 100Mi of free memory the node is under pressure, and stays so for five minutes after that.
//! kubelet looks every ten seconds; here it looks when a program has come to hold more, at the moment at which the real one would.

use std::{cmp::Reverse, time::Duration};

use breakfix_sim::{Key, SimTime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    kubelet, machine,
    pod_run::{PodRun, Reason, Stage},
    run, spec,
};
use crate::{
    Cluster, Status,
    api::{
        quantity::Quantity,
        verbs::{Actor, Part},
    },
    controllers::{
        Controller,
        events::{self, Note, Source},
        queue::enqueue,
    },
    kind,
    object::{entries, number, set, text},
};

/// Kubelet's eviction manager, in the row of the controllers.
pub const CONTROLLER: Controller = Controller { name: NAME, told: |_, _| {}, reconcile };

const NAME: &str = "kubelet-eviction";
/// `evictionMonitoringPeriod`.
const PERIOD: u64 = 10_000;
/// How often the sizes of volumes are taken (`VolumeStatsAggPeriod`).
const VOLUMES_PERIOD: u64 = 60_000;
/// `evictionHard`, `memory.available`.
const THRESHOLD: u64 = 100 << 20;
/// `evictionPressureTransitionPeriod`.
const TRANSITION: Duration = Duration::from_secs(300);
/// `immediateEvictionGracePeriodSeconds`.
const GRACE: Duration = Duration::from_secs(1);
/// How long it waits for a pod that it has ended before it looks for another one, and how often it asks (`podCleanupTimeout`).
const CLEAN_UP: Duration = Duration::from_secs(30);
const CLEAN_UP_LOOK: Duration = Duration::from_secs(1);
/// What a node's own programs hold: kubelet, the runtime, the system.
pub const SYSTEM_BYTES: u64 = 420 << 20;
/// A program that holds less does not bring a node into trouble by itself.
const MUCH: u64 = 64 << 20;
/// Pods of this priority and above are the cluster's own (`SystemCriticalPriority`).
const CRITICAL: i64 = 2_000_000_000;

/// What kubelet knows of its node's shortage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// When there was too little memory last, while the node counts as short of it.
    last: Option<SimTime>,
    /// The pod that was ended, and since when it has been waited for.
    victim: Option<(String, SimTime)>,
}

impl Shortage {
    /// Whether the node counts as short of memory.
    pub fn is_pressed(&self) -> bool {
        self.last.is_some()
    }
}

/// The words in which a pod is turned away from a node that is short of memory: one that has not said how much it needs.
pub(super) fn refuses(cluster: &Cluster, node: &str, pod: &Value) -> Option<String> {
    let pressed = cluster.nodes.machines.get(node).is_some_and(|machine| machine.shortage.is_pressed());
    let tolerates = entries(pod, "/spec/tolerations").iter().any(|toleration| {
        let key = text(toleration, "/key");
        (key == "node.kubernetes.io/memory-pressure" || (key.is_empty() && text(toleration, "/operator") == "Exists"))
            && matches!(text(toleration, "/effect"), "" | "NoSchedule")
    });
    let is_refused = pressed && text(pod, "/status/qosClass") == "BestEffort" && !tolerates && !is_critical(pod);
    is_refused.then(|| "The node had condition: [MemoryPressure]. ".to_owned())
}

/// A program of a pod has moved on: a look is due where it has come to hold much, or where its pod may fill only so much of the disk.
pub(super) fn moved(cluster: &mut Cluster, id: &str, container: &str) {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get(id).filter(|pod| pod.stage == Stage::Living) else { return };
    let node = pod.node.clone();
    let holds_much = run::held_bytes(cluster, id, container, now).is_some_and(|held| held >= MUCH);
    let fills = pod.verdict.is_none().then(|| too_full(pod)).flatten();
    let pressed = holds_much && available(cluster, &node).is_some_and(|left| left < THRESHOLD);
    let period = match fills {
        Some(Full { is_volume: true, .. }) if !pressed => VOLUMES_PERIOD,
        _ => PERIOD,
    };
    if pressed || fills.is_some() {
        look(cluster, &node, period);
    }
}

/// Queues kubelet's next look.
fn look(cluster: &mut Cluster, node: &str, period: u64) {
    // Nodes do not look at the same moment.
    let offset = node.bytes().fold(3_u64, |sum, byte| (sum * 31 + u64::from(byte)) % period);
    let now = cluster.now().0;
    let next = now + period - (now + period - offset) % period;
    let delay = SimTime(next) - cluster.now();
    enqueue(cluster, NAME, &kind::NODE.key("", node), delay);
}

/// Memory that is left on a node, in bytes.
fn available(cluster: &Cluster, node: &str) -> Option<u64> {
    let object = cluster.store.get(&kind::NODE.key("", node))?;
    let capacity = Quantity::parse(text(object, "/status/capacity/memory")).ok()?;
    let here = cluster.nodes.pods.values().filter(|pod| pod.node == node);
    let used: u64 = here.map(|pod| held(cluster, pod)).sum();
    Some(u64::try_from(capacity.units()).unwrap_or(0).saturating_sub(used + SYSTEM_BYTES))
}

/// What a pod's containers hold together.
fn held(cluster: &Cluster, pod: &PodRun) -> u64 {
    let now = cluster.now();
    pod.running().filter_map(|(name, _)| run::held_bytes(cluster, &pod.uid, name, now)).sum()
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let node: &str = &key.name;
    if !machine::has_kubelet(cluster, node) {
        return Ok(());
    }
    let now = cluster.now();
    if let Some((victim, since)) = cluster.nodes.machines.get(node).and_then(|machine| machine.shortage.victim.clone())
    {
        let goes = cluster.nodes.pods.get(&victim).is_some_and(|pod| pod.stage != Stage::Over);
        if goes && now - since < CLEAN_UP {
            enqueue(cluster, NAME, key, CLEAN_UP_LOOK);
            return Ok(());
        }
        shortage(cluster, node).victim = None;
    }
    let Some(left) = available(cluster, node) else { return Ok(()) };
    let full: Vec<(String, String)> = cluster
        .nodes
        .pods
        .values()
        .filter(|pod| pod.node == node && pod.stage == Stage::Living && pod.verdict.is_none() && !is_critical(&pod.pod))
        .filter_map(|pod| Some((pod.uid.clone(), too_full(pod)?.message)))
        .collect();
    for (id, message) in full {
        evict(cluster, &id, message, false);
    }
    let pressed = cluster.nodes.machines.get(node).and_then(|machine| machine.shortage.last);
    if left < THRESHOLD {
        shortage(cluster, node).last = Some(now);
        tell(cluster, node, true)?;
        reclaim(cluster, node, left);
        return Ok(());
    }
    let Some(last) = pressed else { return Ok(()) };
    let over = last + TRANSITION;
    if now >= over {
        shortage(cluster, node).last = None;
        return tell(cluster, node, false);
    }
    let wait = over - now;
    enqueue(cluster, NAME, key, wait);
    Ok(())
}

fn shortage<'a>(cluster: &'a mut Cluster, node: &str) -> &'a mut Shortage {
    &mut cluster.nodes.machines.entry(node.to_owned()).or_default().shortage
}

/// Ends the first pod in the order of eviction; the next one is for the next look.
fn reclaim(cluster: &mut Cluster, node: &str, left: u64) {
    let now = cluster.now();
    if let Some(object) = cluster.store.get(&kind::NODE.key("", node)).cloned() {
        let note = Note::warning("EvictionThresholdMet", "Attempting to reclaim memory");
        events::record_at(cluster, Source { component: "kubelet", host: node }, &object, "", note);
    }
    let candidates = cluster.nodes.pods.values().filter(|pod| {
        pod.node == node && pod.stage == Stage::Living && pod.verdict.is_none() && pod.running().next().is_some()
    });
    let mut ranked: Vec<(Rank, String)> = candidates.map(|pod| (rank(cluster, pod), pod.uid.clone())).collect();
    ranked.sort();
    for (_, id) in ranked {
        let Some(pod) = cluster.nodes.pods.get(&id).filter(|pod| !is_critical(&pod.pod)) else { continue };
        let message = words(cluster, pod, left);
        evict(cluster, &id, message, true);
        shortage(cluster, node).victim = Some((id, now));
        enqueue(cluster, NAME, &kind::NODE.key("", node), CLEAN_UP_LOOK);
        return;
    }
    look(cluster, node, PERIOD);
}

/// Who goes first: those that hold more than they asked for, the least important, those that hold the most beyond it (`rankMemoryPressure`).
type Rank = (bool, i64, Reverse<i128>, SimTime);

fn rank(cluster: &Cluster, pod: &PodRun) -> Rank {
    let names = spec::containers(&pod.pod).map(|(_, container)| container);
    let requested: u64 = names.map(request).sum();
    let beyond = i128::from(held(cluster, pod)) - i128::from(requested);
    (beyond <= 0, number(&pod.pod, "/spec/priority").unwrap_or(0), Reverse(beyond), pod.seen)
}

/// The memory that a container asks for.
fn request(container: &Value) -> u64 {
    let asked = Quantity::parse(text(container, "/resources/requests/memory")).map_or(0, |asked| asked.units());
    u64::try_from(asked).unwrap_or(0)
}

/// `evictionMessage`.
fn words(cluster: &Cluster, pod: &PodRun, left: u64) -> String {
    let (threshold, left) = (bytes(THRESHOLD), bytes(left));
    let mut words =
        format!("The node was low on resource: memory. Threshold quantity: {threshold}, available: {left}. ");
    for container in entries(&pod.pod, "/spec/containers") {
        let (name, asked) = (text(container, "/name"), request(container));
        let held = run::held_bytes(cluster, &pod.uid, name, cluster.now()).unwrap_or(0);
        if held > asked {
            let (held, asked) = (bytes(held), bytes(asked));
            words.push_str(&format!(
                "Container {name} was using {held}, request is {asked}, has larger consumption of memory. "
            ));
        }
    }
    words
}

/// An amount as `resource.BinarySI` writes it.
fn bytes(amount: u64) -> String {
    Quantity::parse(&format!("{}Ki", amount / 1024)).map_or_else(|_| amount.to_string(), |amount| amount.to_string())
}

fn is_critical(pod: &Value) -> bool {
    number(pod, "/spec/priority").unwrap_or(0) >= CRITICAL
        || pod["metadata"]["annotations"].get("kubernetes.io/config.mirror").is_some()
}

fn evict(cluster: &mut Cluster, id: &str, message: String, is_for_the_node: bool) {
    kubelet::record(cluster, id, "", Note::warning("Evicted", &message));
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    pod.verdict = Some(Reason { reason: "Evicted".to_owned(), message });
    pod.grace = Some(GRACE);
    pod.is_disrupted = is_for_the_node;
    kubelet::sync_at(cluster, id, now);
}

/// A pod that fills more of the disk than it may.
struct Full {
    message: String,
    /// It is a volume that is full.
    is_volume: bool,
}

/// `localStorageEviction`.
fn too_full(pod: &PodRun) -> Option<Full> {
    let amount = |value: Option<&Value>| -> Option<(u64, String)> {
        let limit = Quantity::parse(value?.as_str()?).ok()?;
        Some((u64::try_from(limit.units()).ok().filter(|limit| *limit > 0)?, limit.to_string()))
    };
    for volume in entries(&pod.pod, "/spec/volumes") {
        let name = text(volume, "/name");
        let Some((limit, shown)) = amount(volume.pointer("/emptyDir/sizeLimit")) else { continue };
        if pod.volumes.get(name).is_some_and(|tree| tree.size() > limit) {
            let message = format!("Usage of EmptyDir volume {name:?} exceeds the limit {shown:?}. ");
            return Some(Full { message, is_volume: true });
        }
    }
    let limited: Vec<(&str, u64)> = entries(&pod.pod, "/spec/containers")
        .iter()
        .filter_map(|container| {
            Some((text(container, "/name"), amount(container.pointer("/resources/limits/ephemeral-storage"))?.0))
        })
        .collect();
    if limited.is_empty() {
        return None;
    }
    let own = |name: &str| {
        let run = pod.containers.get(name).and_then(|container| container.run.as_ref());
        run.map_or(0, |run| run.root.size() + run.log.size())
    };
    let volumes = entries(&pod.pod, "/spec/volumes").iter().filter(|volume| volume.get("emptyDir").is_some());
    let in_volumes: u64 =
        volumes.filter_map(|volume| pod.volumes.get(text(volume, "/name"))).map(|tree| tree.size()).sum();
    let all: u64 = pod.containers.keys().map(|name| own(name)).sum::<u64>() + in_volumes;
    let limit: u64 = limited.iter().map(|(_, limit)| limit).sum();
    if all > limit {
        let limit = bytes(limit);
        let message = format!("Pod ephemeral local storage usage exceeds the total limit of containers {limit}. ");
        return Some(Full { message, is_volume: false });
    }
    let (name, limit) = limited.into_iter().find(|(name, limit)| own(name) > *limit)?;
    let limit = bytes(limit);
    let message = format!("Container {name} exceeded its local ephemeral storage limit {limit:?}. ");
    Some(Full { message, is_volume: false })
}

/// Kubelet tells the node's condition; the taint follows it.
fn tell(cluster: &mut Cluster, node: &str, is_pressed: bool) -> Result<(), Status> {
    let (status, reason, message, event) = if is_pressed {
        (
            "True",
            "KubeletHasInsufficientMemory",
            "kubelet has insufficient memory available",
            "NodeHasInsufficientMemory",
        )
    } else {
        ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", "NodeHasSufficientMemory")
    };
    let Some(object) = cluster.store.get(&kind::NODE.key("", node)).cloned() else { return Ok(()) };
    let own = |condition: &&Value| text(condition, "/type") == "MemoryPressure";
    if entries(&object, "/status/conditions").iter().find(own).is_some_and(|own| text(own, "/status") == status) {
        return Ok(());
    }
    let today = cluster.today();
    let by = Actor { user: format!("system:node:{node}"), manager: "kubelet".into() };
    let edit = |object: &mut Value| {
        let mut conditions = entries(object, "/status/conditions").to_vec();
        for condition in conditions.iter_mut().filter(|condition| text(condition, "/type") == "MemoryPressure") {
            *condition = json!({
                "type": "MemoryPressure",
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": today,
                "lastTransitionTime": today,
            });
        }
        set(object, "/status/conditions", Value::Array(conditions));
    };
    cluster.update(&kind::NODE, "", node, Part::Status, &by, edit)?;
    let words = format!("Node {node} status is now: {event}");
    events::record_at(cluster, Source { component: "kubelet", host: node }, &object, "", Note::normal(event, &words));
    Ok(())
}
