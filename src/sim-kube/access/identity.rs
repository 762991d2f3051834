//! Who somebody is.

use std::collections::BTreeMap;

/// The group that may do everything, whatever roles and bindings say (`user.SystemPrivilegedGroup`).
pub const MASTERS: &str = "system:masters";
/// The group of everybody who has shown who they are.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The user and the group of everybody else.
pub const ANONYMOUS: &str = "system:anonymous";
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group of every service account; the groups of those of one namespace begin with it.
pub const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const NODE: &str = "system:node:";

/// Somebody who asks, or who is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    pub name: String,
    /// Empty where nobody gave one; a service account's is that of its object.
    pub uid: String,
    pub groups: Vec<String>,
    /// What the authenticator knows besides: the pod of a token, the certificate's digest.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user of these groups, and no more known of them.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Self { name: name.to_owned(), groups, ..Self::default() }
    }

    /// The administrator whom no role and no binding can shut out.
    pub fn admin() -> Self {
        Self::new("kubernetes-admin", &[MASTERS, AUTHENTICATED])
    }

    /// Whoever shows nothing.
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS, &[UNAUTHENTICATED])
    }

    /// A service account.
    pub fn service_account(namespace: &str, name: &str, uid: &str) -> Self {
        let mut groups = service_account_groups(namespace);
        groups.push(AUTHENTICATED.to_owned());
        Self { name: service_account_name(namespace, name), uid: uid.to_owned(), groups, ..Self::default() }
    }

    /// Whether everything is allowed, without a look at any role.
    pub fn is_master(&self) -> bool {
        self.is_in(MASTERS)
    }

    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Adds a group, once.
    pub fn join(&mut self, group: &str) {
        if !self.is_in(group) {
            self.groups.push(group.to_owned());
        }
    }
}

/// A service account's user name.
pub fn service_account_name(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT}{namespace}:{name}")
}

/// The groups that come with being a service account of a namespace.
pub fn service_account_groups(namespace: &str) -> Vec<String> {
    vec![SERVICE_ACCOUNTS.to_owned(), format!("{SERVICE_ACCOUNTS}:{namespace}")]
}

/// Namespace and name of the service account that a user name stands for.
pub fn split_service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// The node that a user name stands for.
pub fn split_node(user: &str) -> Option<&str> {
    user.strip_prefix(NODE).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_s_name_is_taken_apart_only_where_it_is_one() {
        assert_eq!(split_service_account("system:serviceaccount:shop:web"), Some(("shop", "web")));
        for other in ["jane", "system:serviceaccount:shop", "system:serviceaccount::web", "system:serviceaccount:a:b:c"]
        {
            assert_eq!(split_service_account(other), None, "{other}");
        }
        assert_eq!(split_node("system:node:worker"), Some("worker"));
    }

    #[test]
    fn a_group_is_joined_once() {
        let mut user = User::service_account("shop", "web", "1");
        user.join(AUTHENTICATED);
        assert_eq!(user.groups, ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]);
    }
}
