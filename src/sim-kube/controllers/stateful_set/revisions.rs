//! The templates a StatefulSet has had (`getStatefulSetRevisions`, `truncateHistory`).

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{KEEPER, View, identity};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{history, template_hash},
    kind,
    object::{name, namespace, number, set, text},
};

/// The label that carries a revision's hash; pods name the revision itself.
const HASH: &str = "controller.kubernetes.io/hash";

/// The revision that most pods have, and the one they should have.
pub(super) struct Found {
    pub(super) current: Arc<Value>,
    pub(super) update: Arc<Value>,
}

/// The set's revisions, the oldest first.
pub(super) fn list(cluster: &mut Cluster, set_object: &Value) -> Result<Vec<Arc<Value>>, Status> {
    history::list(cluster, KEEPER.kind, set_object, KEEPER.account)
}

/// Finds or makes the revision of the present template. `None` where its hash is another template's; the collision is counted then.
pub(super) fn find(cluster: &mut Cluster, set_object: &Value, all: &[Arc<Value>]) -> Result<Option<Found>, Status> {
    let patch = history::patch_of(set_object);
    let next = all.last().map_or(0, |newest| history::number_of(newest)) + 1;
    let equal = all.iter().rev().find(|revision| history::holds(revision, &patch));
    let update = match (equal, all.last()) {
        (Some(equal), Some(newest)) if name(equal) == name(newest) => Arc::clone(newest),
        // Back to an earlier template: its revision is the newest again.
        (Some(equal), _) => history::renumber(cluster, equal, next, KEEPER.account)?,
        (None, _) => match make(cluster, set_object, &patch, next)? {
            Some(made) => made,
            None => return Ok(None),
        },
    };
    let current = text(set_object, "/status/currentRevision");
    let current = all.iter().find(|revision| name(revision) == current).unwrap_or(&update).clone();
    Ok(Some(Found { current, update }))
}

fn make(cluster: &mut Cluster, set_object: &Value, patch: &Value, next: i64) -> Result<Option<Arc<Value>>, Status> {
    let collisions = number(set_object, "/status/collisionCount").unwrap_or(0);
    let mut text = patch.to_string();
    if collisions > 0 {
        text.push_str(&collisions.to_string());
    }
    let hash = template_hash::of_text(&text);
    let new = history::New { kind: KEEPER.kind, owner: set_object, label: HASH, hash: &hash, number: next };
    if let Some(made) = history::create(cluster, &new, KEEPER.account)? {
        return Ok(Some(made));
    }
    let space = namespace(set_object).to_owned();
    cluster.update(&kind::STATEFUL_SET, &space, name(set_object), Part::Status, &KEEPER.actor(), |object| {
        set(object, "/status/collisionCount", json!(collisions + 1));
    })?;
    Ok(None)
}

/// Keeps `revisionHistoryLimit` revisions beside those in use.
pub(super) fn clean_up(
    cluster: &mut Cluster,
    view: &View<'_>,
    pods: &[Arc<Value>],
    all: &[Arc<Value>],
) -> Result<(), Status> {
    let live: BTreeSet<&str> =
        pods.iter().map(|pod| identity::revision(pod)).chain([name(view.current), name(view.update)]).collect();
    let limit = usize::try_from(number(view.set, "/spec/revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
    let dead: Vec<&Arc<Value>> = all.iter().filter(|revision| !live.contains(name(revision))).collect();
    for revision in dead.iter().take(dead.len().saturating_sub(limit)) {
        history::delete(cluster, revision, KEEPER.account)?;
    }
    Ok(())
}
