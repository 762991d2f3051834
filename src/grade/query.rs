//! What a check needs to see, as a value. Equal queries of several checks are fetched once.

use std::{fmt, time::Duration};

use breakfix_lab::check::{Caller, Leg, Owner, Request};
use serde::{Deserialize, Serialize};

/// One thing to fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a handful of queries a check, and round trips are few")]
pub enum Query {
    /// Every object of a kind. Kubernetes: in this namespace (ignored for cluster-scoped kinds). Docker: every container, network or
    /// volume that is the lab's by label or name or was made since the lab opened, as `inspect` shows it. A kind that the API does
    /// not serve at all is an empty list, for there can be none; a list that is refused is a failure. -> `Fetched::Objects`
    Objects { kind: String, namespace: Option<String> },
    /// Requests sent by a probe. -> `Fetched::Exchanges`
    Requests { from: Caller, request: Request, times: u32, timeout: Duration, control: Option<String> },
    /// Two requests in a row that share a nonce. -> `Fetched::RoundTrip`
    RoundTrip { write: Leg, read: Leg },
    /// What the engine said of the containers that bore this name, since the trigger (or since the check began). -> `Fetched::Events`
    Events { container: String },
}

impl fmt::Display for Query {
    /// For people: `list Pod in shop`, `GET http://shop/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects { kind, namespace: Some(namespace) } => write!(f, "list {kind} in {namespace}"),
            Self::Objects { kind, namespace: None } => write!(f, "list {kind}"),
            Self::Requests { request, .. } => write!(f, "{} {}", request.method.as_str(), request.url),
            Self::RoundTrip { write, read } => {
                let (write, read) = (&write.request, &read.request);
                write!(f, "{} {}, then {} {}", write.method.as_str(), write.url, read.method.as_str(), read.url)
            }
            Self::Events { container } => write!(f, "events of container {container}"),
        }
    }
}

/// Where a check looks when it names no namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The lab's own namespace (Kubernetes); empty for Docker.
    pub namespace: String,
}

impl Scope {
    /// The namespace a check means.
    pub fn namespace<'a>(&'a self, named: Option<&'a str>) -> &'a str {
        named.unwrap_or(&self.namespace)
    }

    /// The namespace an owner means.
    pub fn owner_namespace<'a>(&'a self, owner: &'a Owner) -> &'a str {
        self.namespace(owner.namespace.as_deref())
    }
}
