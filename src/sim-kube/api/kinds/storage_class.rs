//! Storage classes (`pkg/apis/storage/v1/defaults.go`, `ValidateStorageClass`).

use serde_json::Value;

use super::{PLAIN, Rules, defaults::default};
use crate::{
    Cluster,
    api::check::{At, Problems, label},
    kind::STORAGE_CLASS,
    object::text,
};

/// Marks the class of claims that name none. The key has dots and a slash, so no pointer reaches it.
const MARKS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

pub static RULES: Rules = Rules {
    defaults: |object| {
        default(object, "/reclaimPolicy", "Delete");
        default(object, "/volumeBindingMode", "Immediate");
    },
    validate,
    validate_update,
    ..PLAIN
};

/// The class of claims that name none: of several the youngest, then by name (`GetDefaultClass`).
pub(super) fn default_class(cluster: &Cluster) -> Option<String> {
    let mut marked: Vec<_> = cluster
        .list(&STORAGE_CLASS, None)
        .filter(|class| {
            let notes = class.pointer("/metadata/annotations").unwrap_or(&Value::Null);
            MARKS.iter().any(|mark| notes.get(mark).is_some_and(|value| value == "true"))
        })
        .map(|class| (text(class, "/metadata/creationTimestamp").to_owned(), text(class, "/metadata/name").to_owned()))
        .collect();
    marked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    marked.into_iter().next().map(|(_, name)| name)
}

fn validate(object: &Value, problems: &mut Problems) {
    let provisioner = text(object, "/provisioner");
    let at = At::new("provisioner");
    if provisioner.is_empty() {
        problems.required(&at, "");
    } else {
        for problem in label::qualified_name(&provisioner.to_lowercase()) {
            problems.invalid(&at, provisioner, problem);
        }
    }
    let policy = text(object, "/reclaimPolicy");
    if !["Delete", "Retain"].contains(&policy) {
        problems.not_supported(&At::new("reclaimPolicy"), policy, &["Delete", "Retain"]);
    }
    let mode = text(object, "/volumeBindingMode");
    let modes = ["Immediate", "WaitForFirstConsumer"];
    if !modes.contains(&mode) {
        problems.not_supported(&At::new("volumeBindingMode"), mode, &modes);
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    for member in ["parameters", "provisioner", "reclaimPolicy"] {
        if new.get(member) != old.get(member) {
            problems.forbidden(&At::new(member), format!("updates to {member} are forbidden."));
        }
    }
    if new.get("volumeBindingMode") != old.get("volumeBindingMode") {
        let mode = text(new, "/volumeBindingMode");
        problems.invalid(&At::new("volumeBindingMode"), mode, "field is immutable");
    }
}
