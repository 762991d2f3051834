//! A pod as the checks look at it, and the words they share.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::object::{entries, text};

/// The lists of containers, in the order in which they are visited.
pub const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A pod, or the template of one.
#[derive(Clone, Copy)]
pub struct Pod<'a> {
    pub metadata: &'a Value,
    pub spec: &'a Value,
}

impl<'a> Pod<'a> {
    pub fn containers(self) -> impl Iterator<Item = &'a Value> {
        LISTS.into_iter().flat_map(move |list| entries(self.spec, &format!("/{list}")))
    }

    /// Containers for which something holds, by name.
    pub fn containers_where(self, holds: impl Fn(&Value) -> bool) -> Vec<&'a str> {
        self.containers().filter(|container| holds(container)).map(|container| text(container, "/name")).collect()
    }

    /// A member of the pod's security context.
    pub fn own(self, member: &str) -> Option<&'a Value> {
        present(self.spec.pointer(&format!("/securityContext/{member}")))
    }

    pub fn is_windows(self) -> bool {
        text(self.spec, "/os/name") == "windows"
    }

    /// Whether root in the pod is nobody on the node (`hostUsers: false`).
    pub fn has_own_users(self) -> bool {
        self.spec.get("hostUsers") == Some(&Value::Bool(false))
    }
}

/// A member of a container's security context.
pub fn of<'a>(container: &'a Value, member: &str) -> Option<&'a Value> {
    present(container.pointer(&format!("/securityContext/{member}")))
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// `container "a"`, `containers "a", "b"`.
pub fn containers(names: &[&str]) -> String {
    format!("{} {}", plural("container", names.len()), quoted(names))
}

/// `pod and containers "a", "b"`: who sets something that must not be set.
pub fn setters(pod: bool, names: &[&str]) -> Option<String> {
    let pod = pod.then(|| "pod".to_owned());
    let names = (!names.is_empty()).then(|| containers(names));
    let both: Vec<_> = pod.into_iter().chain(names).collect();
    (!both.is_empty()).then(|| both.join(" and "))
}

/// `"a", "b"`.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// The same of a set.
pub fn quoted_set(names: &BTreeSet<String>) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

pub fn plural(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// The verb of so many: `uses`, `use`.
pub fn uses(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}
