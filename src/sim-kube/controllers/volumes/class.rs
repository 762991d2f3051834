//! What a claim's storage class says.

use std::sync::Arc;

use breakfix_sim::Store;
use serde_json::Value;

use super::annotation;
use crate::{
    kind,
    object::{is_deleting, text},
};

/// The old way to name a class, on claims and on volumes.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const IS_DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
const IS_DEFAULT_BETA: &str = "storageclass.beta.kubernetes.io/is-default-class";

/// The provisioner of classes whose volumes are made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Provisioners that were part of Kubernetes, and the drivers that have taken their place (`csi-translation-lib`).
const MOVED: [(&str, &str); 7] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/azure-file", "file.csi.azure.com"),
    ("kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/portworx-volume", "pxd.portworx.com"),
    ("kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
];

/// The class that a claim or a volume names; empty for none.
pub fn name_of(object: &Value) -> &str {
    match annotation(object, BETA_CLASS) {
        "" => text(object, "/spec/storageClassName"),
        class => class,
    }
}

/// Whether a claim says nothing about its class: not even that it wants none.
pub fn is_unsaid(claim: &Value) -> bool {
    annotation(claim, BETA_CLASS).is_empty() && !claim["spec"]["storageClassName"].is_string()
}

/// The class of this name.
pub fn find<'a>(store: &'a Store, name: &str) -> Option<&'a Arc<Value>> {
    store.get(&kind::STORAGE_CLASS.key("", name)).filter(|_| !name.is_empty())
}

/// The class that claims get which name none: of several the newest, and by name among those of one second.
pub fn default(store: &Store) -> Option<&Arc<Value>> {
    store
        .list(kind::STORAGE_CLASS.collection, None)
        .map(|(_, class)| class)
        .filter(|class| {
            !is_deleting(class) && [IS_DEFAULT, IS_DEFAULT_BETA].into_iter().any(|key| annotation(class, key) == "true")
        })
        .min_by_key(|class| std::cmp::Reverse(text(class, "/metadata/creationTimestamp").to_owned()))
}

/// Whether a claim's volume is chosen together with its pod's node. A class that is not there delays nothing.
pub fn is_delayed(store: &Store, claim: &Value) -> bool {
    find(store, name_of(claim)).is_some_and(|class| text(class, "/volumeBindingMode") == "WaitForFirstConsumer")
}

/// Who makes the volumes of a class, under the present name; nobody for the names of Kubernetes that no part of it has any more.
pub fn provisioner(class: &Value) -> Result<&str, String> {
    let own = text(class, "/provisioner");
    match MOVED.iter().find(|(old, _)| *old == own) {
        Some((_, new)) => Ok(new),
        None if own.starts_with("kubernetes.io/") => Err(format!("no volume plugin matched name: {own}")),
        None => Ok(own),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_provisioner_is_called_by_its_new_name_and_a_lost_one_is_nobody() {
        let of = |name: &str| provisioner(&json!({"provisioner": name})).map(str::to_owned);
        assert_eq!(of("kubernetes.io/aws-ebs").as_deref(), Ok("ebs.csi.aws.com"));
        assert_eq!(of("rancher.io/local-path").as_deref(), Ok("rancher.io/local-path"));
        assert_eq!(of(NO_PROVISIONER), Err("no volume plugin matched name: kubernetes.io/no-provisioner".to_owned()));
    }

    #[test]
    fn a_claim_that_wants_no_class_has_said_so() {
        assert!(is_unsaid(&json!({"spec": {}})));
        assert!(!is_unsaid(&json!({"spec": {"storageClassName": ""}})));
        assert!(!is_unsaid(&json!({"metadata": {"annotations": {BETA_CLASS: "slow"}}, "spec": {}})));
    }

    /// Documented: of several default classes the newest counts.
    #[test]
    fn the_newest_default_class_is_the_default() {
        let mut store = Store::new(10);
        for (name, time, is_default) in [("old", "01", "true"), ("new", "02", "true"), ("plain", "03", "false")] {
            let class = json!({"metadata": {
                "name": name, "creationTimestamp": format!("2026-11-{time}T00:00:00Z"), "annotations": {IS_DEFAULT: is_default}}});
            store.put(kind::STORAGE_CLASS.key("", name), class);
        }
        assert_eq!(default(&store).map(|class| crate::object::name(class)), Some("new"));
    }
}
