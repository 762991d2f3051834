//! The templates a DaemonSet has had (`constructHistory`, `cleanupHistory`).

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{KEEPER, pods};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{
        history::{self, REVISION_HASH},
        pod_control::label,
        template_hash,
    },
    kind,
    object::{name, namespace, number, set, text},
};

/// The revision of the present template, and the others. `None` where its hash is another template's; the collision is counted then.
pub(super) type Found = Option<(Arc<Value>, Vec<Arc<Value>>)>;

pub(super) fn current(cluster: &mut Cluster, daemon_set: &Value) -> Result<Found, Status> {
    let patch = history::patch_of(daemon_set);
    let all = history::list(cluster, KEEPER.kind, daemon_set, KEEPER.account)?;
    let (mut equal, old): (Vec<_>, Vec<_>) = all.into_iter().partition(|revision| history::holds(revision, &patch));
    let next = old.iter().map(|revision| history::number_of(revision)).max().unwrap_or(0) + 1;
    if let Some(newest) = equal.pop() {
        for twin in equal {
            history::delete(cluster, &twin, KEEPER.account)?;
        }
        if history::number_of(&newest) >= next {
            return Ok(Some((newest, old)));
        }
        return Ok(Some((history::renumber(cluster, &newest, next, KEEPER.account)?, old)));
    }
    let collisions = number(daemon_set, "/status/collisionCount").unwrap_or(0);
    let hash = template_hash::of(&daemon_set["spec"]["template"], collisions);
    let new = history::New { kind: KEEPER.kind, owner: daemon_set, label: REVISION_HASH, hash: &hash, number: next };
    if let Some(made) = history::create(cluster, &new, KEEPER.account)? {
        return Ok(Some((made, old)));
    }
    let space = namespace(daemon_set).to_owned();
    cluster.update(&kind::DAEMON_SET, &space, name(daemon_set), Part::Status, &KEEPER.actor(), |object| {
        set(object, "/status/collisionCount", json!(collisions + 1));
    })?;
    Ok(None)
}

/// Keeps `revisionHistoryLimit` old revisions, and those that pods still have.
pub(super) fn clean_up(cluster: &mut Cluster, daemon_set: &Value, old: &[Arc<Value>]) -> Result<(), Status> {
    let limit = number(daemon_set, "/spec/revisionHistoryLimit").unwrap_or(10);
    let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    if surplus == 0 {
        return Ok(());
    }
    let by_node = pods::by_node(cluster, daemon_set)?;
    let live: BTreeSet<String> = by_node.values().flatten().map(|pod| label(pod, REVISION_HASH).to_owned()).collect();
    let mut old = old.to_vec();
    old.sort_by_cached_key(|revision| (history::number_of(revision), text(revision, "/metadata/name").to_owned()));
    let dead: Vec<_> =
        old.iter().filter(|revision| !live.contains(label(revision, REVISION_HASH))).take(surplus).collect();
    for revision in dead {
        history::delete(cluster, revision, KEEPER.account)?;
    }
    Ok(())
}
