//! Roles and bindings, read once and found by subject. Read anew only after a write to one of them.

use std::{collections::BTreeMap, sync::Arc};

use breakfix_sim::Store;
use serde_json::Value;

use super::{User, rules::Rule, subject::Subject};
use crate::object::{entries, text};

/// Where roles and bindings lie in the store.
pub const ROLES: &str = "roles.rbac.authorization.k8s.io";
pub const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";
pub const ROLE_BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";
pub const CLUSTER_ROLE_BINDINGS: &str = "clusterrolebindings.rbac.authorization.k8s.io";

/// The rules of a role, or why there are none: what an informer's lister says of a role that is not there.
pub type Granted = Result<Arc<[Rule]>, String>;

/// One binding and what it grants.
#[derive(Clone, Debug)]
pub struct Binding {
    /// `ClusterRoleBinding "x"`, `RoleBinding "x/shop"`: as a reason for an answer names it.
    name: String,
    /// `ClusterRole "view"`.
    role: String,
    subjects: Vec<Subject>,
    pub granted: Granted,
}

impl Binding {
    /// Why a user has what the binding grants (`rbac/validation/rule.go`, `roleBindingDescriber`).
    pub fn reason(&self, user: &User) -> String {
        let subject = self.subjects.iter().find(|subject| subject.is(user));
        let to = subject.map(|subject| subject.shown.as_str()).unwrap_or_default();
        format!("RBAC: allowed by {} of {} to {to}", self.name, self.role)
    }
}

/// The bindings of one scope.
#[derive(Clone, Debug, Default)]
struct Scope {
    bindings: Vec<Binding>,
    /// Places in `bindings` by the subject's key.
    by_subject: BTreeMap<String, Vec<usize>>,
}

impl Scope {
    fn add(&mut self, binding: Binding) {
        for subject in &binding.subjects {
            let places = self.by_subject.entry(subject.key.clone()).or_default();
            if places.last() != Some(&self.bindings.len()) {
                places.push(self.bindings.len());
            }
        }
        self.bindings.push(binding);
    }

    /// The bindings that mean a user, in their order.
    fn of(&self, user: &User) -> impl Iterator<Item = &Binding> {
        let mut places: Vec<usize> =
            Subject::keys(user).filter_map(|key| self.by_subject.get(&key)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.bindings.get(place))
    }
}

/// Every binding with its rules, as of one revision of the store. A copy costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// The last write that has been looked at; 0 before the first look.
    revision: u64,
    known: Arc<Known>,
}

#[derive(Debug, Default)]
struct Known {
    cluster: Scope,
    namespaces: BTreeMap<String, Scope>,
}

impl Policies {
    /// Reads everything anew if a role or binding has been written since the last look.
    pub fn refresh(&mut self, store: &Store) {
        let now = store.revision();
        if self.revision == now {
            return;
        }
        let stale = self.revision == 0
            || store
                .since(self.revision)
                .map_or(true, |mut events| events.any(|event| is_policy(&event.key.collection)));
        if stale {
            self.known = Arc::new(Known::read(store));
        }
        self.revision = now;
    }

    /// The bindings that mean a user: those of the cluster, then those of the namespace, if one is meant.
    pub fn of(&self, user: &User, namespace: &str) -> impl Iterator<Item = &Binding> {
        let here = self.known.namespaces.get(namespace).filter(|_| !namespace.is_empty());
        self.known.cluster.of(user).chain(here.into_iter().flat_map(move |scope| scope.of(user).collect::<Vec<_>>()))
    }
}

impl Known {
    fn read(store: &Store) -> Self {
        let mut known = Self::default();
        for (_, binding) in store.list(CLUSTER_ROLE_BINDINGS, None) {
            known.cluster.add(read_binding(store, binding, ""));
        }
        for (key, binding) in store.list(ROLE_BINDINGS, None) {
            let scope = known.namespaces.entry(key.namespace.to_string()).or_default();
            scope.add(read_binding(store, binding, &key.namespace));
        }
        known
    }
}

fn is_policy(collection: &str) -> bool {
    [ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS].contains(&collection)
}

fn read_binding(store: &Store, binding: &Value, namespace: &str) -> Binding {
    let name = text(binding, "/metadata/name");
    let name = if namespace.is_empty() {
        format!("ClusterRoleBinding {name:?}")
    } else {
        format!("RoleBinding \"{name}/{namespace}\"")
    };
    let (kind, role) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name"));
    let subjects = entries(binding, "/subjects").iter();
    Binding {
        name,
        role: format!("{kind} {role:?}"),
        subjects: subjects.filter_map(|subject| Subject::read(subject, namespace)).collect(),
        granted: role_rules(store, kind, role, namespace),
    }
}

/// The rules of the role that a binding in this namespace (empty: the cluster's) refers to.
pub fn role_rules(store: &Store, kind: &str, name: &str, namespace: &str) -> Granted {
    let (collection, place, resource) = match kind {
        "Role" => (ROLES, namespace, "role"),
        "ClusterRole" => (CLUSTER_ROLES, "", "clusterrole"),
        other => return Err(format!("unsupported role reference kind: {other:?}")),
    };
    match store.get(&breakfix_sim::Key::new(collection, place, name)) {
        Some(role) => Ok(Rule::read_all(role).into()),
        None => Err(format!("{resource}.rbac.authorization.k8s.io {name:?} not found")),
    }
}
