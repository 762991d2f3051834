//! The target: a system that a lab runs on, as the few things a session needs of it.

mod changes;
mod error;
mod name;
mod place;

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use breakfix_grade::{Baseline, Observation, Query};
use breakfix_lab::{Change, Document, lab::Capability};
use jiff::Timestamp;

use crate::journal::Undo;
pub(crate) use changes::Pauses;
pub use changes::{Changes, Happened, Polled, coalesced, drained};
pub(crate) use error::causes;
pub use error::{Cause, TargetError};
pub use name::TargetName;
pub use place::Place;

/// Where a lab runs. An implementation carries out and fetches; it never judges.
///
/// Everything it makes carries the session's labels (`breakfix.dev/session`), and [`Target::clear`] finds it again by
/// them alone, so that a crash at any moment leaves nothing that cannot be found.
#[async_trait]
pub trait Target: Send + Sync {
    /// What this target can do, probed, not assumed.
    async fn capabilities(&self) -> Result<BTreeSet<Capability>, TargetError>;

    /// What already bears a name that the lab needs and is not this session's. Not empty: the lab is not opened.
    async fn clashes(&self, documents: &[Document]) -> Result<Vec<String>, TargetError>;

    /// Creates the documents in their order, labelled. One that this session created before is replaced.
    async fn create(&self, documents: &[Document]) -> Result<(), TargetError>;

    /// Deletes these documents' objects and what they own, and waits until they are gone. Gone already is fine.
    async fn delete(&self, documents: &[Document]) -> Result<(), TargetError>;

    /// Carries out one change. `undo` is told, before the first mutation, what a crash in the middle would need.
    async fn change(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError>;

    /// Puts right what a change that was cut short left behind, from what it told `undo`.
    async fn repair(&self, note: &serde_json::Value) -> Result<(), TargetError>;

    /// Fetches the answers. A query that cannot be answered is a failure in the observation, not an error.
    /// `since`: when the trigger was pulled, or the check began.
    async fn observe(&self, queries: &BTreeSet<Query>, since: Timestamp) -> Observation;

    /// Every object of the lab as the API returns it.
    async fn baseline(&self) -> Result<Baseline, TargetError>;

    /// The lab is open, and the system the learner's from here on: one that was built inside this process gets a process of its own.
    async fn hand_over(&self) -> Result<(), TargetError> {
        Ok(())
    }

    /// Whether there is a system at all: one that is breakfix's own is gone if its files are. Not asked over any network.
    fn is_there(&self) -> bool {
        true
    }

    /// Lets time pass: a real target waits, a simulator moves its clock on.
    async fn pass(&self, time: Duration) -> Result<(), TargetError>;

    /// The system's own time: what its events are stamped with.
    async fn today(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The date of the target's time zero, where it has one: it changes by as much as the target moves its dates, which a simulator does
    /// after time was skipped, so that its date stays the wall's.
    async fn epoch(&self) -> Option<Timestamp> {
        None
    }

    /// A word that nobody can know beforehand: letters and digits.
    fn nonce(&self) -> String {
        random_word()
    }

    /// Whether [`Target::pass`] moves a clock of the target's own instead of waiting.
    fn skips_time(&self) -> bool {
        false
    }

    /// A way back to the whole system as it is now, its time included, where that is exact and costs next to nothing: on a simulator inside
    /// this process. To be asked for while no check is under way.
    fn way_back(&self) -> Option<WayBack> {
        None
    }

    /// Runs a command on a node itself, as somebody who is logged in there.
    async fn on_node(&self, node: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
        let what = format!("run `{}` on `{node}`: there are no nodes here", command.join(" "));
        Err(TargetError::new(Cause::Refused, what).hint("Only Kubernetes labs have nodes."))
    }

    /// Removes everything of this session, what the learner added to the lab included, and this alone.
    async fn clear(&self) -> Result<(), TargetError>;

    /// Removes its probes; called at the end of each check run.
    async fn rest(&self) {}

    /// Tells of what happens to the lab, as the system's own API tells it: watching needs no questions. A target whose API has no
    /// stream is looked at every two seconds.
    fn changes(&self) -> Box<dyn Changes + '_> {
        Box::new(Polled)
    }

    /// One line for each thing that exists on the target and could be residue, sorted. Equal before `start` and after `stop`.
    async fn inventory(&self) -> Result<Vec<String>, TargetError>;

    /// The variables a learner's tools need (`KUBECONFIG`, `DOCKER_HOST`), and lines that say how to reach the system.
    async fn reach(&self) -> Result<Reach, TargetError>;
}

/// Brings a system back to the moment it was made at, as often as it is called.
pub type WayBack = Box<dyn Fn() + Send + Sync>;

/// Sixteen hexadecimal digits from the system's random source, by way of the standard library's hash keys.
pub(crate) fn random_word() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// What a command on a node left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NodeOutput {
    pub stdout: String,
    pub stderr: String,
    /// Its exit code; 128 and the signal's number where one ended it.
    pub exit: i32,
}

/// How a learner reaches the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reach {
    /// Environment variables for `breakfix env` and `breakfix shell`.
    pub env: std::collections::BTreeMap<String, String>,
    /// Plain sentences: "`kubectl get pods` shows the shop".
    pub notes: Vec<String>,
}

/// The date of a simulator's time zero, from what its control endpoint says of its clock.
pub(crate) fn epoch_of(info: &serde_json::Value) -> Option<Timestamp> {
    let now: Timestamp = info.get("now")?.as_str()?.parse().ok()?;
    let elapsed = i64::try_from(info.get("elapsedMs")?.as_u64()?).ok()?;
    now.checked_sub(jiff::SignedDuration::from_millis(elapsed)).ok()
}
