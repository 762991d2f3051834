//! What is asked of policies: who wants to do what with which resource, and everything that conditions may look at.

use std::collections::BTreeMap;

/// The values of condition keys; a key is found in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, Vec<String>>);

impl Keys {
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.set_all(key, vec![value.into()]);
    }

    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }

    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Keys {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        let mut keys = Self::default();
        for (key, value) in pairs {
            keys.set(key, value);
        }
        keys
    }
}

/// Whom a `Principal` element may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A user, by ARN.
    User { account: String, arn: String },
    /// A session of a role: its own ARN, and the role's.
    Session { account: String, arn: String, role: String },
    /// An AWS service by its name: `ecs-tasks.amazonaws.com`.
    Service(String),
    /// Somebody with a token of this identity provider (its ARN).
    Federated(String),
}

impl Principal {
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { account, .. } | Self::Session { account, .. } => Some(account),
            Self::Service(_) | Self::Federated(_) => None,
        }
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    pub principal: Option<&'a Principal>,
    pub action: &'a str,
    pub resource: &'a str,
    pub keys: &'a Keys,
}
