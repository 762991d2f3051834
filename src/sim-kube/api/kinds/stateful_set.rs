//! StatefulSets (`pkg/apis/apps/v1/defaults.go`, `ValidateStatefulSet`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules, claim,
    defaults::{default, each},
    template,
};
use crate::{
    api::check::{At, Problems, name::NameRule},
    object::{entries, number, set, text, unset},
};

pub static RULES: Rules = Rules {
    name: NameRule::Label,
    defaults,
    create: |object| set(object, "/status", json!({"replicas": 0})),
    validate,
    validate_update,
    ..PLAIN
};

/// What of the spec may change.
const MUTABLE: [&str; 7] = [
    "replicas",
    "template",
    "updateStrategy",
    "minReadySeconds",
    "ordinals",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
];

fn defaults(object: &mut Value) {
    default(object, "/spec/podManagementPolicy", "OrderedReady");
    default(object, "/spec/updateStrategy/type", "RollingUpdate");
    if text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        default(object, "/spec/updateStrategy/rollingUpdate/partition", 0);
    }
    default(object, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted", "Retain");
    default(object, "/spec/persistentVolumeClaimRetentionPolicy/whenScaled", "Retain");
    default(object, "/spec/replicas", 1);
    default(object, "/spec/revisionHistoryLimit", 10);
    template::defaults(object);
    for template in each(object, "/spec/volumeClaimTemplates") {
        set(template, "/apiVersion", json!("v1"));
        set(template, "/kind", json!("PersistentVolumeClaim"));
        claim::spec_defaults(template);
        default(template, "/status/phase", "Pending");
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let policy = text(object, "/spec/podManagementPolicy");
    if !["OrderedReady", "Parallel"].contains(&policy) {
        problems.invalid(&at.child("podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'");
    }
    strategy(object, &at.child("updateStrategy"), problems);
    for member in ["whenDeleted", "whenScaled"] {
        let retention = "persistentVolumeClaimRetentionPolicy";
        let value = text(object, &format!("/spec/{retention}/{member}"));
        if !["Retain", "Delete"].contains(&value) {
            problems.not_supported(&at.child(retention).child(member), value, &["Retain", "Delete"]);
        }
    }
    for member in ["replicas", "minReadySeconds"] {
        problems.not_negative(&at.child(member), number(object, &format!("/spec/{member}")));
    }
    problems.not_negative(&at.child("ordinals").child("start"), number(object, "/spec/ordinals/start"));
    problems.not_negative(&at.child("revisionHistoryLimit"), number(object, "/spec/revisionHistoryLimit"));
    template::validate(object, "statefulset", problems);
    for (index, claim) in entries(object, "/spec/volumeClaimTemplates").iter().enumerate() {
        claim::validate_spec(claim, &at.child("volumeClaimTemplates").index(index).child("spec"), problems);
    }
}

fn strategy(object: &Value, at: &At, problems: &mut Problems) {
    let rolling = object.pointer("/spec/updateStrategy/rollingUpdate").filter(|rolling| !rolling.is_null());
    match text(object, "/spec/updateStrategy/type") {
        "OnDelete" => {
            if let Some(rolling) = rolling {
                problems.invalid(
                    &at.child("rollingUpdate"),
                    rolling.clone(),
                    "only allowed for updateStrategy 'RollingUpdate'",
                );
            }
        }
        "RollingUpdate" => {
            let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition");
            problems.not_negative(&at.child("rollingUpdate").child("partition"), partition);
        }
        _ => {
            let given = object.pointer("/spec/updateStrategy").cloned().unwrap_or_default();
            problems.invalid(at, given, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    let rest = |object: &Value| {
        let mut spec = object.get("spec").cloned().unwrap_or_default();
        for member in MUTABLE {
            unset(&mut spec, &format!("/{member}"));
        }
        spec
    };
    if rest(new) != rest(old) {
        problems.forbidden(
            &At::new("spec"),
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}
