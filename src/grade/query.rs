//! What a check needs to see, as a value. Equal queries of several checks are fetched once.

use std::{fmt, time::Duration};

use breakfix_lab::check::{Account, Action, Caller, Grant, ImageOf, Leg, Owner, Request};
use serde::{Deserialize, Serialize};

/// One thing to fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a handful of queries a check, and round trips are few")]
pub enum Query {
    /// Every object of a kind. Kubernetes: in this namespace (ignored for cluster-scoped kinds). Docker: every container, network or
    /// volume that is the lab's by label or name or was made since the lab opened, as `inspect` shows it. ECS: every one of the lab's
    /// system, as `describe` shows it, with `Name` and what else `aws.rs` names. A kind that the API does
    /// not serve at all is an empty list, for there can be none; a list that is refused is a failure. -> `Fetched::Objects`
    Objects { kind: String, namespace: Option<String> },
    /// What the learner's work folder declares of a kind; a document without a namespace is in the lab's. A file that cannot be read declares
    /// nothing. -> `Fetched::Objects`
    Declared { kind: String, namespace: String },
    /// Requests sent by a probe. -> `Fetched::Exchanges`
    Requests { from: Caller, request: Request, times: u32, timeout: Duration, control: Option<String> },
    /// Two requests in a row that share a nonce. -> `Fetched::RoundTrip`
    RoundTrip { write: Leg, read: Leg },
    /// What the engine said of the containers that bore this name, since the trigger (or since the check began). -> `Fetched::Events`
    Events { container: String },
    /// What an account may do: a review and the real call for each action, in this order. -> `Fetched::Permits`
    Access { account: Account, actions: Vec<Action> },
    /// What the API says to requests that are never carried out: the documents of a file, created. -> `Fetched::Admission`
    DryCreate { file: String, account: Option<Account> },
    /// The same for the eviction of a workload's first pod. -> `Fetched::Admission`
    DryEvict { of: Owner, account: Option<Account> },
    /// The logs of a workload's running pods, of each container's present run. -> `Fetched::Logs`
    Logs { of: Owner, container: Option<String> },
    /// What policies say of a role (AWS), one an action, in this order. -> `Fetched::Decisions`
    Decisions { role: String, grants: Vec<Grant> },
    /// What is in an image. -> `Fetched::Image`
    Image { of: ImageOf },
    /// Where these texts are in an image, in any of the usual spellings. -> `Fetched::Traces`
    Traces { of: ImageOf, texts: Vec<String> },
    /// What runs in a container, as a process in its PID namespace sees it. -> `Fetched::Processes`
    Processes { container: String },
    /// What stands at a path in a container. -> `Fetched::File`
    File { container: String, path: String },
}

impl fmt::Display for Query {
    /// For people: `list Pod in shop`, `GET http://shop/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects { kind, namespace: Some(namespace) } => write!(f, "list {kind} in {namespace}"),
            Self::Declared { kind, .. } => write!(f, "read what the work folder declares of {kind}"),
            Self::Objects { kind, namespace: None } => write!(f, "list {kind}"),
            Self::Requests { request, .. } => write!(f, "{} {}", request.method.as_str(), request.url),
            Self::RoundTrip { write, read } => {
                let (write, read) = (&write.request, &read.request);
                write!(f, "{} {}, then {} {}", write.method.as_str(), write.url, read.method.as_str(), read.url)
            }
            Self::Image { of } => write!(f, "look into {}", said(of)),
            // The texts may be secrets.
            Self::Traces { of, .. } => write!(f, "search {}", said(of)),
            Self::Processes { container } => write!(f, "processes of container {container}"),
            Self::File { container, path } => write!(f, "{path} of container {container}"),
            Self::Events { container } => write!(f, "events of container {container}"),
            Self::Access { account, .. } => write!(f, "rights of ServiceAccount {}", account.name),
            Self::DryCreate { file, .. } => write!(f, "dry run of {file}"),
            Self::DryEvict { of, .. } => write!(f, "dry run of an eviction from {} {}", of.kind, of.name),
            Self::Decisions { role, .. } => write!(f, "rights of role {role}"),
            Self::Logs { of, .. } => write!(f, "logs of {} {}", of.kind, of.name),
        }
    }
}

/// An image in words.
pub(crate) fn said(of: &ImageOf) -> String {
    match (&of.container, &of.name, &of.rebuilt) {
        (Some(container), _, _) => format!("the image of container {container}"),
        (None, Some(name), _) => format!("the image {name}"),
        (None, None, Some(_)) => "the image that was built from the work folder".to_owned(),
        (None, None, None) => "no image".to_owned(),
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
