//! `http`: a fresh probe with the caller's identity asks, and somebody answers (or nobody may).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Owner;
use crate::Span;

/// A request and what must come back.
///
/// ```yaml
/// http: {request: {url: "http://shop/"}, status: 200, body: {contains: "shop 1.4"}, times: 20}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Who asks. Absent: a customer (Kubernetes: a probe pod outside the lab's namespace; Docker: the learner's machine).
    #[serde(default)]
    pub from: Caller,
    pub request: Request,
    /// The status that every answer must have. Default 200. Not used with `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// How many requests; every one must be answered as wanted. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Every answer must be complete within this time. Default 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// The answering program is part of this workload (its instance is named in the `x-workload-instance` header; on Docker it also answers from its own address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Owner>,
    /// Headers that every answer must have, with a value that contains this: `{x-cache: hit}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// So many requests are sent first and their answers not looked at: a cache that must fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u32>,
    /// All answers have the same body: customers see one release, not two.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alike: bool,
    /// How many of the answers say a thing: a canary's share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// 95 of 100 answers are complete within this time (nearest rank).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<Span>,
    /// The negative twin: no answer may come. Silence counts only when the probe reached `control` in the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// A part of the answers, in percent of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// What the body of a counted answer contains.
    pub contains: String,
    /// At least so many percent. Absent: one answer at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// At most so many percent. Default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
}

/// How a negative twin knows that its own probe works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// A URL that the same probe must reach, or the verdict is `unknown`.
    pub control: String,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `http://shop/`. `${nonce}` stands for a value that is new at every check. With `each` the host part is
    /// replaced by each instance's address.
    pub url: String,
    #[serde(default)]
    pub method: Method,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Ask every running instance of this workload at its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Owner>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What the body of an answer must say. Every key given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
    /// Every line that the lab's `remember` of this name got while the system was healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<String>,
}

/// The identity a probe takes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Kubernetes: labels of the probe pod. Only labs in which a NetworkPolicy decides need them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Kubernetes: the probe's namespace. Absent: one of breakfix's own, with the lab's namespace as search domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Kubernetes: the node that the probe runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Kubernetes: one probe on each node that ordinary pods may run on; each sends all the requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_node: bool,
    /// Kubernetes: so many probes, each of which sends all the requests. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<u32>,
    /// Docker: the network that the probe container joins. Absent: the learner's own machine asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// ECS: the Subnet in which the caller stands, with a network interface of its own that only security groups, network ACLs and routes decide
    /// about. Absent: somebody on the internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// ECS, with `subnet`: the security groups that the caller wears. Empty: none of the lab's, a stranger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}
