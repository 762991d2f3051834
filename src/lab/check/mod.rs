//! The words of a check: what is asked of the system, one file a word.
//!
//! These are the YAML types only. How an answer is judged is in the file of the same name in `breakfix-grade`.

mod endpoints;
mod events;
mod field;
mod http;
mod identity;
mod no_new_power;
mod published;
mod rolled_out;
mod round_trip;
mod scale_kept;
mod unchanged;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use endpoints::Endpoints;
pub use events::Events;
pub use field::Field;
pub use http::{Body, Caller, Http, Method, Refused, Request};
pub use identity::Identity;
pub use no_new_power::NoNewPower;
pub use published::Published;
pub use rolled_out::RolledOut;
pub use round_trip::{Leg, RoundTrip};
pub use scale_kept::ScaleKept;
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
