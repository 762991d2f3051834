//! Grading: pure functions from an observation to a verdict, and from verdicts to a score.
//!
//! Nothing here sends, waits or reads a clock. `breakfix-stage` asks a [`Plan`] what comes next, does it, and hands the
//! [`Observation`] back; the same observations always get the same verdicts.
//!
//! One file a word of the check vocabulary: the judging of `http` is in `http.rs`. To add a word: its YAML type in `breakfix-lab`, a
//! file here with `impl Judge`, a line in `judge.rs`, its fixtures.

mod access;
mod answerer;
mod answers;
mod aws;
pub mod baseline;
mod case;
mod composition;
mod dry_run;
mod endpoints;
mod events;
mod expression;
mod faults;
pub mod field;
mod file;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod golden;
mod http;
pub mod identity;
mod image;
pub mod judge;
mod logs;
mod no_new_power;
mod object;
mod objects;
pub mod observation;
mod path;
pub mod plan;
pub mod pods;
mod policy;
mod processes;
mod published;
pub mod quantity;
pub mod query;
pub mod question;
pub mod report;
mod restarts;
mod rolled_out;
mod round_trip;
mod scale_kept;
pub mod score;
mod steady;
mod targets;
mod unchanged;
pub mod verdict;

pub use baseline::Baseline;
pub use faults::faults_of;
pub use judge::{Judge, Moved, View};
pub use observation::{Admission, Decision, Exchange, Failure, Fetched, Log, Observation, Outcome, Permit};
pub use path::Path;
pub use plan::{Answer, Case, Doing, Plan, Step, Unpulled};
pub use query::Query;
pub use report::Report;
pub use verdict::{Evidence, Verdict};
