//! The labels on everything that breakfix makes on an engine.

use serde_json::{Map, Value};

use crate::target::Place;

/// Whose session it is.
pub(super) const SESSION: &str = "breakfix.dev/session";
/// Which lab it belongs to.
pub(super) const LAB: &str = "breakfix.dev/lab";
/// What it is for: [`Role`].
pub(super) const ROLE: &str = "breakfix.dev/role";

/// What a thing of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Part of the lab's system.
    Lab,
    /// Sends the grader's requests.
    Probe,
    /// Keeps an address busy while a container is made again.
    Placeholder,
    /// The grader's own build, and a container from it.
    Rebuilt,
}

impl Role {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Probe => "probe",
            Self::Placeholder => "placeholder",
            Self::Rebuilt => "rebuilt",
        }
    }
}

/// The three labels.
pub(super) fn labels(place: &Place, role: Role) -> Map<String, Value> {
    [(SESSION, place.session.as_str()), (LAB, place.lab.as_str()), (ROLE, role.as_str())]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect()
}
