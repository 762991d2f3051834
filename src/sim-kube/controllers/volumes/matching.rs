//! Which volume a claim may have (`FindMatchingVolume` of `component-helpers/storage/volume`).

use serde_json::Value;

use super::{class, is_for_claim};
use crate::{
    api::quantity::Quantity,
    controllers::selector,
    object::{entries, is_deleting, name, text},
    scheduler::node_affinity,
};

/// The volume that fits a claim best: the one that is kept for it, or else the smallest that is large enough, those with the fewest
/// access modes first. With a node, one that this node can reach; without one, a claim whose volume waits for its pod's node gets only
/// what is kept for it.
pub fn find<'a>(
    claim: &Value,
    volumes: impl Iterator<Item = &'a Value> + Clone,
    node: Option<&Value>,
    is_delayed: bool,
) -> Option<&'a Value> {
    let wanted = requested(claim);
    let fits = |volume: &&Value| {
        has_modes(volume, claim)
            && amount(volume.pointer("/spec/capacity/storage")) >= wanted
            && mode(volume) == mode(claim)
            && !is_deleting(volume)
    };
    let is_kept = |volume: &&Value| fits(volume) && is_for_claim(volume, claim);
    if let Some(kept) = volumes.clone().find(is_kept) {
        return node.is_none_or(|node| is_reachable(kept, node)).then_some(kept);
    }
    if node.is_none() && is_delayed {
        return None;
    }
    volumes
        .filter(|volume| {
            fits(volume)
                && !volume.pointer("/spec/claimRef").is_some_and(Value::is_object)
                && text(volume, "/status/phase") == "Available"
                && has_labels(volume, claim)
                && class::name_of(volume) == class::name_of(claim)
                && node.is_none_or(|node| is_reachable(volume, node))
        })
        .min_by_key(|volume| {
            (entries(volume, "/spec/accessModes").len(), amount(volume.pointer("/spec/capacity/storage")), name(volume))
        })
}

/// Why a volume that a claim names is not good enough for it (`checkVolumeSatisfyClaim`).
pub fn refuse(volume: &Value, claim: &Value) -> Option<&'static str> {
    if is_deleting(volume) {
        Some("the volume is marked for deletion")
    } else if amount(volume.pointer("/spec/capacity/storage")) < requested(claim) {
        Some("requested PV is too small")
    } else if class::name_of(volume) != class::name_of(claim) {
        Some("storageClassName does not match")
    } else if mode(volume) != mode(claim) {
        Some("incompatible volumeMode")
    } else if !has_modes(volume, claim) {
        Some("incompatible accessMode")
    } else {
        None
    }
}

/// Whether a node can reach a volume: its node affinity, where it has one.
pub fn is_reachable(volume: &Value, node: &Value) -> bool {
    volume
        .pointer("/spec/nodeAffinity/required")
        .filter(|required| required.is_object())
        .is_none_or(|required| node_affinity::terms_fit(required, node))
}

/// `Filesystem` or `Block`.
pub fn mode(object: &Value) -> &str {
    match text(object, "/spec/volumeMode") {
        "" => "Filesystem",
        mode => mode,
    }
}

/// What a claim asks for, in bytes.
pub fn requested(claim: &Value) -> i64 {
    amount(claim.pointer("/spec/resources/requests/storage"))
}

fn amount(value: Option<&Value>) -> i64 {
    let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    text.and_then(|text| Quantity::parse(&text).ok()).map_or(0, |amount| amount.units())
}

fn has_modes(volume: &Value, claim: &Value) -> bool {
    let offered = entries(volume, "/spec/accessModes");
    entries(claim, "/spec/accessModes").iter().all(|mode| offered.contains(mode))
}

fn has_labels(volume: &Value, claim: &Value) -> bool {
    let wanted = claim.pointer("/spec/selector").filter(|selector| selector.is_object());
    wanted.is_none() || selector::selects(wanted, volume)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn volume(name: &str, size: &str, modes: &[&str]) -> Value {
        json!({"metadata": {"name": name, "labels": {"disk": name}}, "status": {"phase": "Available"},
            "spec": {"capacity": {"storage": size}, "accessModes": modes, "storageClassName": "hand"}})
    }

    fn claim(size: &str) -> Value {
        json!({"metadata": {"name": "data", "namespace": "shop", "uid": "u1"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hand", "resources": {"requests": {"storage": size}}}})
    }

    fn found(claim: &Value, volumes: &[Value]) -> String {
        find(claim, volumes.iter(), None, false).map_or_else(String::new, |volume| name(volume).to_owned())
    }

    /// Documented: the smallest volume that satisfies the claim; it may be larger than asked for.
    #[test]
    fn the_smallest_that_is_large_enough_is_taken() {
        let volumes =
            [volume("a", "10Gi", &["ReadWriteOnce"]), volume("b", "5Gi", &["ReadWriteOnce"]), volume("c", "1Gi", &[])];
        assert_eq!(found(&claim("1Gi"), &volumes), "b", "the small one has not the access mode");
        assert_eq!(found(&claim("6Gi"), &volumes), "a");
        assert_eq!(found(&claim("11Gi"), &volumes), "");
    }

    #[test]
    fn a_volume_that_is_taken_or_of_another_class_or_label_is_none() {
        let mut taken = volume("a", "10Gi", &["ReadWriteOnce"]);
        taken["spec"]["claimRef"] = json!({"name": "other", "namespace": "shop", "uid": "u2"});
        let mut other = volume("b", "10Gi", &["ReadWriteOnce"]);
        other["spec"]["storageClassName"] = json!("slow");
        assert_eq!(found(&claim("1Gi"), &[taken, other.clone()]), "");
        other["spec"]["storageClassName"] = json!("hand");
        let mut choosy = claim("1Gi");
        choosy["spec"]["selector"] = json!({"matchLabels": {"disk": "z"}});
        assert_eq!(found(&choosy, &[other.clone()]), "");
        choosy["spec"]["selector"] = json!({"matchLabels": {"disk": "b"}});
        assert_eq!(found(&choosy, &[other]), "b");
    }

    /// Documented: a volume whose `claimRef` names the claim is kept for it, until a uid says that it was another one of that name.
    #[test]
    fn a_volume_is_kept_for_the_claim_it_names() {
        let mut kept = volume("kept", "10Gi", &["ReadWriteOnce"]);
        kept["spec"]["claimRef"] = json!({"name": "data", "namespace": "shop"});
        let small = volume("small", "1Gi", &["ReadWriteOnce"]);
        assert_eq!(found(&claim("1Gi"), &[small.clone(), kept.clone()]), "kept");
        assert_eq!(find(&claim("1Gi"), [&small].into_iter(), None, true), None, "the scheduler chooses");
        assert!(find(&claim("1Gi"), [&kept].into_iter(), None, true).is_some());
        kept["spec"]["claimRef"]["uid"] = json!("of-an-older-one");
        assert_eq!(found(&claim("1Gi"), &[small, kept]), "small");
    }
}
