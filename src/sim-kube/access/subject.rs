//! Whom a binding means.

use serde_json::Value;

use super::{User, identity};
use crate::object::text;

/// One subject of a binding.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `user NAME`, `group NAME`: what is looked up. A service account is the user that it acts as.
    pub key: String,
    /// `ServiceAccount "viewer/shop"`: as a reason for an answer names it.
    pub shown: String,
}

impl Subject {
    /// A subject as it stands in a binding of this namespace (empty: the cluster's); none where it means nobody.
    pub fn read(subject: &Value, namespace: &str) -> Option<Self> {
        let (kind, name) = (text(subject, "/kind"), text(subject, "/name"));
        let own = text(subject, "/namespace");
        let (key, shown) = match kind {
            "User" => (user(name), name.to_owned()),
            "Group" => (group(name), name.to_owned()),
            "ServiceAccount" => {
                let place = if own.is_empty() { namespace } else { own };
                if place.is_empty() {
                    return None;
                }
                (user(&identity::service_account_name(place, name)), format!("{name}/{place}"))
            }
            _ => return None,
        };
        Some(Self { key, shown: format!("{kind} {shown:?}") })
    }

    /// Every key under which a user may stand in bindings.
    pub fn keys(of: &User) -> impl Iterator<Item = String> {
        std::iter::once(user(&of.name)).chain(of.groups.iter().map(|name| group(name)))
    }

    /// Whether a user is meant.
    pub fn is(&self, user: &User) -> bool {
        Self::keys(user).any(|key| key == self.key)
    }
}

fn user(name: &str) -> String {
    format!("user {name}")
}

fn group(name: &str) -> String {
    format!("group {name}")
}
