//! What was fetched from the system at one moment.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Query;

/// Answers to queries, taken at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The system's own time when the first answer came.
    pub at: Timestamp,
    pub answers: BTreeMap<Query, Result<Fetched, Failure>>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    /// The API's own JSON, one value an object. Empty means: observed that there is none.
    Objects(Vec<Value>),
    Exchanges(Vec<Exchange>),
    RoundTrip {
        nonce: String,
        write: Exchange,
        read: Option<Box<Exchange>>,
    },
    /// `{action, time (RFC 3339), container}` in the engine's own words, oldest first.
    Events(Vec<EngineEvent>),
    /// One an action, in the query's order. `None`: the account does not exist.
    Permits(Option<Vec<Permit>>),
    Admission(Admission),
    /// One an action, in the query's order. `None`: the role does not exist.
    Decisions(Option<Vec<Decision>>),
    /// One a pod (a task) and container, by name. Empty: no pod runs.
    Logs(Vec<Log>),
    Image(ImageSeen),
    Traces(Traces),
    /// `None`: the container does not run.
    Processes(Option<Vec<Process>>),
    File(FileSeen),
}

/// What came of searching an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traces {
    /// There is no image, and why.
    Missing(String),
    /// Where a text was found, in words for people: `a layer, in /app/.env`. Empty: nowhere.
    Found(Vec<String>),
}

/// One process of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub uid: u32,
    /// The kernel's letter; `Z`: it has ended and nobody has waited for it.
    pub state: char,
    pub command: String,
}

/// What came of looking at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSeen {
    NoContainer,
    Missing,
    There {
        /// Permission bits.
        mode: u32,
    },
}

/// What is known of one action of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The answer of a SubjectAccessReview that names the account and its groups.
    pub review: bool,
    /// Whether the call itself, with a token of the account's own, got past authorization.
    pub call: bool,
    /// What the API said to the call.
    pub said: String,
}

/// What a policy simulation decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// In the API's words: `implicitDeny`.
    pub said: String,
    /// The resource that was asked about, as the account calls it; `None` where none was named.
    pub on: Option<String>,
}

/// What the API said to a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    Refused {
        /// HTTP status.
        code: u16,
        message: String,
    },
    /// There was nothing to try it with: no pod of the workload runs.
    Nothing,
}

/// What a container has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub pod: String,
    pub text: String,
}

/// What came of looking into an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSeen {
    /// There is none, and why: no such container, the folder does not build.
    Missing(String),
    Content(ImageContent),
}

/// An image, unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageContent {
    /// The configuration's `config`: `Env`, `Cmd`, `Entrypoint` …
    pub config: Value,
    /// The lowest first.
    pub layers: Vec<LayerContent>,
}

/// One layer: what it adds, changes and takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerContent {
    /// Bytes of all its files.
    pub size: u64,
    /// By path from the root, without the leading slash.
    pub entries: BTreeMap<String, LayerEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerEntry {
    Folder {
        mode: u32,
    },
    File {
        mode: u32,
        size: u64,
        digest: String,
    },
    /// A link or a device, in words.
    Other(String),
    /// Hides what lower layers have here.
    Whiteout,
    /// Hides all that lower layers have in this folder.
    Opaque,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEvent {
    pub action: String,
    pub at: Timestamp,
    pub container: String,
    /// Of a `die`: how the program ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
}

/// One request of a probe and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub url: String,
    pub outcome: Outcome,
    pub took: Duration,
    /// From where the answer came, as the probe saw it; `None` where none came, or the probe cannot say.
    pub address: Option<SocketAddr>,
    /// Whether the same probe reached its control target in the same run; `None` where none was asked for.
    pub control_reached: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Answered {
        status: u16,
        headers: BTreeMap<String, String>,
        body: String,
    },
    /// The connection was refused.
    Refused,
    /// The connection was made and then reset or closed without an answer.
    Reset,
    /// No answer within the time allowed.
    TimedOut,
    /// The name does not exist (an NXDOMAIN that was received).
    NameUnknown,
    /// The name service gave no usable answer.
    NameUnanswered,
    /// What the caller would have stood in or worn is there no more: `Subnet visitors`. Nobody could ask.
    CallerGone(String),
}

/// Why something could not be fetched: the API's or the probe's own trouble. Becomes `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{what}: {why}")]
pub struct Failure {
    /// What was being fetched: `list pods in shop`.
    pub what: String,
    /// The error, in the API's words.
    pub why: String,
    /// What to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
