//! The words of a check: what is asked of the system, one file a word.
//!
//! These are the YAML types only. How an answer is judged is in the file of the same name in `breakfix-grade`.

mod access;
mod dry_run;
mod endpoints;
mod events;
mod field;
mod file;
mod http;
mod identity;
mod image;
mod logs;
mod no_new_power;
mod objects;
mod policy;
mod processes;
mod published;
mod restarts;
mod rolled_out;
mod round_trip;
mod scale_kept;
mod steady;
mod targets;
mod unchanged;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access::{Access, Account, Action};
pub use dry_run::DryRun;
pub use endpoints::Endpoints;
pub use events::{Ended, Events};
pub use field::Field;
pub use file::File;
pub use http::{Body, Caller, Http, Method, Refused, Request, Share};
pub use identity::Identity;
pub use image::{Image, ImageOf};
pub use logs::Logs;
pub use no_new_power::NoNewPower;
pub use objects::{List, Objects};
pub use policy::{Grant, Policy};
pub use processes::Processes;
pub use published::Published;
pub use restarts::{Expected, Restarts};
pub use rolled_out::RolledOut;
pub use round_trip::{Leg, RoundTrip};
pub use scale_kept::ScaleKept;
pub use steady::Steady;
pub use targets::Targets;
pub use unchanged::Unchanged;

/// The typed question behind an objective or a safeguard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// Every one of these is met. An empty list is an error.
    All(Vec<Check>),
    /// At least one of these is met: different honest fixes.
    Any(Vec<Check>),
    /// None of these is met; one that could not be checked leaves it open.
    None(Vec<Check>),
    Http(Http),
    RoundTrip(RoundTrip),
    Endpoints(Endpoints),
    RolledOut(RolledOut),
    Field(Field),
    Identity(Identity),
    Unchanged(Unchanged),
    ScaleKept(ScaleKept),
    NoNewPower(NoNewPower),
    Events(Events),
    Published(Published),
    Access(Access),
    DryRun(DryRun),
    Restarts(Restarts),
    Objects(Objects),
    Logs(Logs),
    Image(Image),
    Processes(Processes),
    File(File),
    Steady(Steady),
    Targets(Targets),
    Policy(Policy),
}

/// The workload at the upper end of an owner chain (`Deployment` owns `ReplicaSet` owns `Pod`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    pub kind: String,
    pub name: String,
    /// Defaults to the lab's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}
