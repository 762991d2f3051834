//! Volumes, claims and their classes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, name, wide};
use crate::object::{entries, is_deleting, text, truth};

/// Marks the class of claims that name none. The key has dots and a slash, so no pointer reaches it.
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
/// The class's name in objects older than the field.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub static VOLUME: Layout = Layout {
    columns: &[
        NAME,
        column("Capacity", "The volume's size."),
        column("Access Modes", "The ways in which the volume can be mounted."),
        column("Reclaim Policy", "What becomes of the volume when its claim is gone."),
        column("Status", "The volume's phase."),
        column("Claim", "The claim that the volume is bound to."),
        column("StorageClass", "StorageClass of the pv"),
        column("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
        column("Reason", "Why the volume is in its phase."),
        AGE,
        wide("VolumeMode", "Whether there is a file system on the volume."),
    ],
    cells: volume,
};

pub static CLAIM: Layout = Layout {
    columns: &[
        NAME,
        column("Status", "The claim's phase."),
        column("Volume", "The volume that the claim is bound to."),
        column("Capacity", "The volume's size."),
        column("Access Modes", "The ways in which the volume can be mounted."),
        column("StorageClass", "StorageClass of the pvc"),
        column("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
        AGE,
        wide("VolumeMode", "Whether there is a file system on the volume."),
    ],
    cells: claim,
};

pub static CLASS: Layout = Layout {
    columns: &[
        NAME,
        column("Provisioner", "Who makes the volumes."),
        column("ReclaimPolicy", "What becomes of a volume when its claim is gone."),
        column("VolumeBindingMode", "When volumes are made and bound."),
        column("AllowVolumeExpansion", "Whether volumes can grow."),
        AGE,
    ],
    cells: class,
};

/// Access modes in short, in the order of `GetAccessModesAsString`.
fn modes(object: &Value, pointer: &str) -> String {
    let given = entries(object, pointer);
    let short =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let shown: Vec<&str> =
        short.iter().filter(|(mode, _)| given.iter().any(|other| other == mode)).map(|(_, short)| *short).collect();
    shown.join(",")
}

fn class_of(object: &Value) -> &str {
    let old = object.pointer("/metadata/annotations").and_then(|annotations| annotations.get(OLD_CLASS));
    old.and_then(Value::as_str).unwrap_or_else(|| text(object, "/spec/storageClassName"))
}

fn unset(value: &str) -> Value {
    json!(if value.is_empty() { "<unset>" } else { value })
}

fn mode(object: &Value) -> Value {
    unset(text(object, "/spec/volumeMode"))
}

fn volume(object: &Value, now: Timestamp) -> Vec<Value> {
    let claim = match text(object, "/spec/claimRef/name") {
        "" => String::new(),
        name => format!("{}/{name}", text(object, "/spec/claimRef/namespace")),
    };
    let phase = if is_deleting(object) { "Terminating" } else { text(object, "/status/phase") };
    vec![
        name(object),
        json!(text(object, "/spec/capacity/storage")),
        json!(modes(object, "/spec/accessModes")),
        json!(text(object, "/spec/persistentVolumeReclaimPolicy")),
        json!(phase),
        json!(claim),
        json!(class_of(object)),
        unset(text(object, "/spec/volumeAttributesClassName")),
        json!(text(object, "/status/reason")),
        age(object, now),
        mode(object),
    ]
}

fn claim(object: &Value, now: Timestamp) -> Vec<Value> {
    let bound = !text(object, "/spec/volumeName").is_empty();
    let phase = if is_deleting(object) { "Terminating" } else { text(object, "/status/phase") };
    let class = match text(object, "/status/currentVolumeAttributesClassName") {
        "" => text(object, "/spec/volumeAttributesClassName"),
        class => class,
    };
    vec![
        name(object),
        json!(phase),
        json!(text(object, "/spec/volumeName")),
        json!(if bound { text(object, "/status/capacity/storage") } else { "" }),
        json!(if bound { modes(object, "/status/accessModes") } else { String::new() }),
        json!(class_of(object)),
        unset(class),
        age(object, now),
        mode(object),
    ]
}

fn class(object: &Value, now: Timestamp) -> Vec<Value> {
    let annotations = object.pointer("/metadata/annotations").unwrap_or(&Value::Null);
    let is_default = DEFAULT_CLASS.iter().any(|key| annotations.get(key).is_some_and(|value| value == "true"));
    let own = text(object, "/metadata/name");
    let shown = if is_default { format!("{own} (default)") } else { own.to_owned() };
    let policy = match text(object, "/reclaimPolicy") {
        "" => "Delete",
        policy => policy,
    };
    vec![
        json!(shown),
        json!(text(object, "/provisioner")),
        json!(policy),
        unset(text(object, "/volumeBindingMode")),
        json!(truth(object, "/allowVolumeExpansion")),
        age(object, now),
    ]
}
