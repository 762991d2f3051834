//! What the kernel lets a process do beyond its user's rights (`capabilities(7)`), from a container's security context.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::object::{entries, truth};

/// What containerd gives a container that asks for nothing.
const DEFAULT: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Reading and writing past the permission bits.
const OVERRIDE: &str = "DAC_OVERRIDE";

/// The capabilities that a container's processes may have at all, without `CAP_`; `ALL` stands for every one.
pub(super) fn bounding(definition: &Value) -> BTreeSet<String> {
    if truth(definition, "/securityContext/privileged") {
        return BTreeSet::from(["ALL".to_owned()]);
    }
    let listed = |field: &str| -> Vec<String> {
        let list = entries(definition, &format!("/securityContext/capabilities/{field}")).iter();
        list.filter_map(Value::as_str).map(plain).collect()
    };
    let (add, drop) = (listed("add"), listed("drop"));
    let mut set: BTreeSet<String> =
        if drop.iter().any(|name| name == "ALL") { BTreeSet::new() } else { DEFAULT.map(str::to_owned).into() };
    for name in &drop {
        set.remove(name);
    }
    // What is added counts last.
    set.extend(add);
    set
}

fn plain(name: &str) -> String {
    let upper = name.to_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
}

/// Whether the superuser of a container reads and writes whatever the permission bits say.
pub(super) fn overrides_permissions(definition: &Value) -> bool {
    let set = bounding(definition);
    set.contains("ALL") || set.contains(OVERRIDE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(capabilities: Value) -> Value {
        json!({"securityContext": {"capabilities": capabilities}})
    }

    /// Documented in containerd's `oci` package: drops come first, then what is added.
    #[test]
    fn what_is_dropped_is_gone_unless_it_is_added() {
        assert!(overrides_permissions(&json!({})));
        assert!(!overrides_permissions(&with(json!({"drop": ["ALL"]}))));
        assert!(!overrides_permissions(&with(json!({"drop": ["CAP_DAC_OVERRIDE"]}))));
        assert!(overrides_permissions(&with(json!({"drop": ["ALL"], "add": ["DAC_OVERRIDE"]}))));
        assert!(overrides_permissions(&json!({"securityContext": {"privileged": true}})));
    }
}
