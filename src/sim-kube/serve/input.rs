//! Everything that can be handed to a cluster and change it: what the log on disk is made of.
//!
//! Each is a value that can be done again: doing the same inputs at the same moments makes the same cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{blob::Blob, call::Call, dates, exec_run::ExecRun, safely, seam};
use crate::Cluster;

/// Something that is done to a cluster, at its present moment.
pub trait Act: Clone + Into<Input> {
    /// What whoever handed it in is told.
    type Outcome;

    fn act(&self, cluster: &mut Cluster) -> Self::Outcome;
}

/// One input, as it is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Input {
    Request(Request),
    ExecRun(ExecRun),
    Call(Call),
    ShiftDates(ShiftDates),
    AddImages(AddImages),
}

impl Input {
    /// Does it again, after a restart. A panic is survived as it was the first time.
    pub fn replay(&self, cluster: &mut Cluster) {
        let _ = match self {
            Self::Request(request) => safely::run(cluster, |cluster| drop(request.act(cluster))),
            Self::ExecRun(run) => safely::run(cluster, |cluster| drop(run.act(cluster))),
            Self::Call(call) => safely::run(cluster, |cluster| drop(call.act(cluster))),
            Self::ShiftDates(shift) => safely::run(cluster, |cluster| shift.act(cluster)),
            Self::AddImages(images) => safely::run(cluster, |cluster| images.act(cluster)),
        };
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    pub user: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
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

impl Act for Request {
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

impl Act for ShiftDates {
    type Outcome = ();

    fn act(&self, cluster: &mut Cluster) {
        cluster.clock.shift_date(self.seconds.saturating_mul(1_000));
        dates::shift(&mut cluster.store, self.seconds);
    }
}

/// Makes image references known to the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddImages {
    pub images: BTreeSet<String>,
}

impl Act for AddImages {
    type Outcome = ();

    fn act(&self, cluster: &mut Cluster) {
        cluster.config.images.extend(self.images.iter().cloned());
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
inputs!(Request, ExecRun, Call, ShiftDates, AddImages);
