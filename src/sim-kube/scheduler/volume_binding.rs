//! Claims and nodes: a pod's claims must be there and bound, or be of a class that waits for the pod's node (`volumebinding`).

use std::sync::Arc;

use serde_json::Value;

use super::{Plugin, Refusal, View, node_affinity};
use crate::{
    controllers::volumes::{BIND_COMPLETED, SELECTED_NODE, annotation, class, matching},
    object::{entries, is_deleting, name, namespace, text},
};

pub struct VolumeBinding;

/// What has to be done about a claim before its pod can be bound to a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A volume that is there is set aside for the claim.
    Take { claim: Arc<Value>, volume: Arc<Value> },
    /// The class's provisioner is told the node.
    Provision { claim: Arc<Value> },
}

impl Plugin for VolumeBinding {
    fn refuse_everywhere(&self, view: &View, pod: &Value) -> Option<String> {
        let mut has_unbound = false;
        for wanted in claims(pod) {
            let Some(claim) = view.claim(namespace(pod), wanted) else {
                return Some(format!("persistentvolumeclaim \"{wanted}\" not found"));
            };
            if text(claim, "/status/phase") == "Lost" {
                let volume = text(claim, "/spec/volumeName");
                return Some(format!(
                    "persistentvolumeclaim \"{wanted}\" bound to non-existent persistentvolume \"{volume}\""
                ));
            }
            if is_deleting(claim) {
                return Some(format!("persistentvolumeclaim \"{wanted}\" is being deleted"));
            }
            has_unbound |= !is_bound(claim) && !waits_for_node(view, claim);
        }
        has_unbound.then(|| "pod has unbound immediate PersistentVolumeClaims".to_owned())
    }

    fn filter(&self, view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        for claim in claims(pod).filter_map(|wanted| view.claim(namespace(pod), wanted)).filter(|claim| is_bound(claim))
        {
            let Some(volume) = view.volumes.iter().find(|volume| name(volume) == text(claim, "/spec/volumeName"))
            else {
                return Some(Refusal::incurable(
                    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
                ));
            };
            if !matching::is_reachable(volume, node) {
                return Some(Refusal::incurable("node(s) didn't match PersistentVolume's node affinity"));
            }
        }
        let refused = steps(view, pod, node).is_none();
        refused.then(|| Refusal::incurable("node(s) didn't find available persistent volumes to bind"))
    }
}

/// A claim for one pod only is taken by one pod only (`volumerestrictions`).
pub struct VolumeRestrictions;

impl Plugin for VolumeRestrictions {
    fn filter(&self, view: &View, pod: &Value, _node: &Value) -> Option<Refusal> {
        let is_exclusive = |wanted: &&str| {
            let claim = view.claim(namespace(pod), wanted);
            claim.is_some_and(|claim| entries(claim, "/spec/accessModes").iter().any(|mode| mode == "ReadWriteOncePod"))
        };
        let taken = claims(pod).filter(is_exclusive).any(|wanted| {
            view.placed
                .iter()
                .any(|other| namespace(other) == namespace(pod) && claims(other).any(|claim| claim == wanted))
        });
        taken.then(|| {
            Refusal::curable(
                "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
            )
        })
    }
}

/// The names of a pod's claims.
pub(super) fn claims(pod: &Value) -> impl Iterator<Item = &str> {
    entries(pod, "/spec/volumes")
        .iter()
        .map(|volume| text(volume, "/persistentVolumeClaim/claimName"))
        .filter(|claim| !claim.is_empty())
}

/// Whether a claim has its volume and both know of it.
pub(super) fn is_bound(claim: &Value) -> bool {
    !text(claim, "/spec/volumeName").is_empty() && !annotation(claim, BIND_COMPLETED).is_empty()
}

fn waits_for_node(view: &View, claim: &Value) -> bool {
    text(claim, "/spec/volumeName").is_empty()
        && view
            .classes
            .get(class::name_of(claim))
            .is_some_and(|class| text(class, "/volumeBindingMode") == "WaitForFirstConsumer")
}

/// What has to be done about the pod's claims for this node; `None` where it cannot be done.
pub(super) fn steps(view: &View, pod: &Value, node: &Value) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    for claim in claims(pod).filter_map(|wanted| view.claim(namespace(pod), wanted)).filter(|claim| !is_bound(claim)) {
        let selected = annotation(claim, SELECTED_NODE);
        if !selected.is_empty() && selected != name(node) {
            return None;
        }
        let free =
            view.volumes.iter().map(AsRef::as_ref).filter(|volume| !taken.iter().any(|taken| taken == name(volume)));
        let found = matching::find(claim, free, Some(node), true).filter(|_| selected.is_empty());
        let found = found.and_then(|found| view.volumes.iter().find(|volume| name(volume) == name(found)));
        if let Some(volume) = found {
            taken.push(name(volume).to_owned());
            steps.push(Step::Take { claim: Arc::clone(claim), volume: Arc::clone(volume) });
            continue;
        }
        let class = view.classes.get(class::name_of(claim))?;
        if matches!(text(class, "/provisioner"), "" | class::NO_PROVISIONER) || !is_allowed(class, node) {
            return None;
        }
        steps.push(Step::Provision { claim: Arc::clone(claim) });
    }
    Some(steps)
}

/// Whether a class may make volumes for this node (`allowedTopologies`).
fn is_allowed(class: &Value, node: &Value) -> bool {
    let terms = entries(class, "/allowedTopologies");
    terms.is_empty()
        || terms.iter().any(|term| node_affinity::labels_fit(entries(term, "/matchLabelExpressions"), node))
}
