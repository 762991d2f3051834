//! What the pod of an ordinal is called and looks like (`stateful_set_utils.go`).

use serde_json::{Value, json};

use super::{KEEPER, View, claims};
use crate::{
    controllers::{history, history::REVISION_HASH, pod_control::label},
    object::{name, number, set, text},
};

const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The ordinal in a pod's name, if it is one of this set's.
pub(super) fn ordinal(set: &str, pod: &str) -> Option<i64> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// The first ordinal (`spec.ordinals.start`).
pub(super) fn start(set: &Value) -> i64 {
    number(set, "/spec/ordinals/start").unwrap_or(0)
}

/// The template of a pod is that of its revision.
pub(super) fn revision(pod: &Value) -> &str {
    label(pod, REVISION_HASH)
}

/// The pod of an ordinal, not made yet: below the partition of the current revision, else of the one that the set moves to.
pub(super) fn pod(view: &View<'_>, ordinal: i64) -> Value {
    let set_object = view.set;
    let partition = number(set_object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    let is_rolling = text(set_object, "/spec/updateStrategy/type") != "OnDelete";
    let is_kept = is_rolling && ordinal < start(set_object) + partition;
    let revision = if is_kept { view.current } else { view.update };
    let own = format!("{}-{ordinal}", name(set_object));
    let mut pod = KEEPER.pod(set_object, &history::template_of(revision));
    set(&mut pod, "/metadata/name", json!(own));
    name_labels(&mut pod, &own, ordinal);
    let mut labels = pod["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(REVISION_HASH.to_owned(), json!(name(revision)));
    set(&mut pod, "/metadata/labels", Value::Object(labels));
    set(&mut pod, "/spec/hostname", json!(own));
    let service = text(set_object, "/spec/serviceName");
    if !service.is_empty() {
        set(&mut pod, "/spec/subdomain", json!(service));
    }
    claims::mount(set_object, &mut pod, ordinal);
    pod
}

/// Whether a pod carries the labels of its place.
pub(super) fn matches(pod: &Value, ordinal: i64) -> bool {
    label(pod, POD_NAME) == name(pod) && label(pod, POD_INDEX) == ordinal.to_string()
}

/// Writes the labels of a pod's place.
pub(super) fn name_labels(pod: &mut Value, own: &str, ordinal: i64) {
    let mut labels = pod["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(POD_NAME.to_owned(), json!(own));
    labels.insert(POD_INDEX.to_owned(), json!(ordinal.to_string()));
    set(pod, "/metadata/labels", Value::Object(labels));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_ordinal() {
        assert_eq!(ordinal("web", "web-3"), Some(3));
        assert_eq!(ordinal("web", "web-db-3"), None);
        assert_eq!(ordinal("web", "web-x"), None);
        assert_eq!(ordinal("web", "web-"), None);
        assert_eq!(ordinal("web", "other-1"), None);
    }
}
