//! What tests of this crate begin with.

use std::collections::BTreeSet;

use crate::{Cloud, Config, services::iam::principals::Credentials};

/// An account with nothing in it but the learner's user.
pub fn cloud() -> Cloud {
    Cloud::empty(config())
}

pub fn config() -> Config {
    let key = |name: &str| Credentials {
        access_key_id: format!("AKIA{name}"),
        secret_access_key: format!("secret-of-{name}"),
    };
    Config {
        seed: 1,
        date: "2026-11-21T12:00:00Z".parse().expect("a date"),
        account: "123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        images: BTreeSet::new(),
        learner: key("LEARNER"),
        operator: key("OPERATOR"),
    }
}
