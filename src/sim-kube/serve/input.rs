//! Everything that can be handed to a cluster and change it: what the log on disk is made of.
//!
//! Each is a value that can be done again: doing the same inputs at the same moments makes the same cluster.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_sim::serve::safely;
pub use breakfix_sim::serve::world::Act;
use serde::{Deserialize, Serialize};

use super::{blob::Blob, call::Call, dates, exec_run::ExecRun, proxy::ProxyCall, seam, typed::Typed};
use crate::{
    Cluster, Status,
    access::{self, Trust, User},
    node::machine,
};

/// One input, as it is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Input {
    Request(Request),
    ExecRun(ExecRun),
    Call(Call),
    ProxyCall(ProxyCall),
    Typed(Typed),
    ShiftDates(ShiftDates),
    AddImages(AddImages),
    FeedMetrics(FeedMetrics),
    OnMachine(OnMachine),
    Trust(Trust),
}

impl Input {
    /// Does it again, after a restart. A panic is survived as it was the first time.
    pub fn replay(&self, cluster: &mut Cluster) {
        let _ = match self {
            Self::Request(request) => safely::run(cluster, |cluster| drop(request.act(cluster))),
            Self::ExecRun(run) => safely::run(cluster, |cluster| drop(run.act(cluster))),
            Self::Call(call) => safely::run(cluster, |cluster| drop(call.act(cluster))),
            Self::ProxyCall(call) => safely::run(cluster, |cluster| drop(call.act(cluster))),
            Self::Typed(typed) => safely::run(cluster, |cluster| drop(typed.act(cluster))),
            Self::ShiftDates(shift) => safely::run(cluster, |cluster| shift.act(cluster)),
            Self::AddImages(images) => safely::run(cluster, |cluster| images.act(cluster)),
            Self::FeedMetrics(feed) => safely::run(cluster, |cluster| feed.act(cluster)),
            Self::OnMachine(command) => safely::run(cluster, |cluster| drop(command.act(cluster))),
            Self::Trust(trust) => safely::run(cluster, |cluster| trust.act(cluster)),
        };
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    pub user: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Vec<String>>,
}

impl From<User> for Asker {
    fn from(user: User) -> Self {
        let User { name, uid, groups, extra } = user;
        Self { user: name, groups, uid, extra }
    }
}

impl From<Asker> for User {
    fn from(asker: Asker) -> Self {
        let Asker { user, groups, uid, extra } = asker;
        Self { name: user, uid, groups, extra }
    }
}

/// A request to the API, as it came over the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Names in lower case; only those that an answer depends on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub body: Blob,
    #[serde(flatten)]
    pub asker: Asker,
}

fn is_empty(blob: &Blob) -> bool {
    blob.0.is_empty()
}

impl Request {
    /// Whether the request, by its method, changes nothing.
    pub fn only_reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

impl Request {
    /// Whether the request is for somebody behind the API server: nothing happens before it is carried out, by whatever method it comes.
    pub fn is_proxied(&self) -> bool {
        let segments: Vec<&str> = self.path.split('/').skip(1).collect();
        matches!(
            segments.as_slice(),
            ["api", "v1", "namespaces", _, "pods" | "services", _, "proxy", ..]
                | ["api", "v1", "nodes", _, "proxy", ..]
        )
    }
}

impl Act<Cluster> for Request {
    type Outcome = seam::Answer;

    fn act(&self, cluster: &mut Cluster) -> seam::Answer {
        seam::handle(cluster, self)
    }
}

/// Moves the simulation's date, and every date already written down, by whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftDates {
    pub seconds: i64,
}

impl Act<Cluster> for ShiftDates {
    type Outcome = ();

    fn act(&self, cluster: &mut Cluster) {
        cluster.clock.shift_date(self.seconds.saturating_mul(1_000));
        dates::shift(&mut cluster.store, self.seconds);
    }
}

/// A command on a node's machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnMachine {
    pub node: String,
    pub command: Vec<String>,
}

impl Act<Cluster> for OnMachine {
    type Outcome = Result<machine::NodeResult, Status>;

    fn act(&self, cluster: &mut Cluster) -> Self::Outcome {
        machine::command(cluster, &self.node, &self.command)
    }
}

/// Makes image references known to the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddImages {
    pub images: BTreeSet<String>,
}

impl Act<Cluster> for AddImages {
    type Outcome = ();

    fn act(&self, cluster: &mut Cluster) {
        cluster.config.images.extend(self.images.iter().cloned());
    }
}

/// Tells the cluster what its metrics servers would have measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMetrics {
    pub feed: crate::metrics::Feed,
}

impl Act<Cluster> for FeedMetrics {
    type Outcome = ();

    fn act(&self, cluster: &mut Cluster) {
        self.feed.tell(cluster);
    }
}

/// Hands the cluster its keys.
impl Act<Cluster> for Trust {
    type Outcome = ();

    fn act(&self, cluster: &mut Cluster) {
        access::trust(cluster, self);
    }
}

macro_rules! inputs {
    ($($name:ident),*) => {
        $(impl From<$name> for Input {
            fn from(input: $name) -> Self {
                Self::$name(input)
            }
        })*
    };
}
inputs!(Request, ExecRun, Call, ProxyCall, Typed, ShiftDates, AddImages, FeedMetrics, OnMachine, Trust);
