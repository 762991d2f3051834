//! May they: the decision on one act.

use super::{Attributes, User, policies::Binding, rules::Rule};
use crate::Cluster;

/// A decision and what there is to say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub is_allowed: bool,
    /// Which binding allows it, or which role could not be found; empty where there is nothing to say.
    pub reason: String,
}

/// Whether a user may do something. Members of `system:masters` may do everything; for everybody else roles and bindings decide
/// (`plugin/pkg/auth/authorizer/rbac/rbac.go`).
pub fn authorize(cluster: &mut Cluster, user: &User, asked: &Attributes) -> Decision {
    if user.is_master() {
        return Decision { is_allowed: true, reason: String::new() };
    }
    let mut errors = Vec::new();
    for binding in bindings(cluster, user, &asked.namespace) {
        match &binding.granted {
            Ok(rules) if rules.iter().any(|rule| rule.allows(asked)) => {
                return Decision { is_allowed: true, reason: binding.reason(user) };
            }
            Ok(_) => {}
            Err(error) => errors.push(error.clone()),
        }
    }
    let reason = if errors.is_empty() { String::new() } else { format!("RBAC: {}", together(&errors)) };
    Decision { is_allowed: false, reason }
}

/// Every rule that means a user in a namespace, and what could not be found on the way.
pub(super) fn rules_of(cluster: &mut Cluster, user: &User, namespace: &str) -> (Vec<Rule>, Vec<String>) {
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for binding in bindings(cluster, user, namespace) {
        match &binding.granted {
            Ok(granted) => rules.extend(granted.iter().cloned()),
            Err(error) => errors.push(error.clone()),
        }
    }
    (rules, errors)
}

fn bindings<'a>(cluster: &'a mut Cluster, user: &'a User, namespace: &'a str) -> impl Iterator<Item = &'a Binding> {
    cluster.access.policies.refresh(&cluster.store);
    cluster.access.policies.of(user, namespace)
}

/// Several errors as Go's `errors.Aggregate` words them: each once.
pub fn together(errors: &[String]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for error in errors {
        if !once.contains(&error.as_str()) {
            once.push(error);
        }
    }
    match once.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}
