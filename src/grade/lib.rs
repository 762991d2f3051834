//! Grading: pure functions from an observation to a verdict, and from verdicts to a score.
//!
//! Nothing here sends, waits or reads a clock. `breakfix-stage` asks a check for its [`Query`]s, fetches them, and hands the
//! [`Observation`] back; the same observation always gets the same verdict.

pub mod baseline;
pub mod judge;
pub mod observation;
pub mod query;
pub mod report;
pub mod score;
pub mod verdict;

pub use baseline::Baseline;
pub use judge::{Judge, View};
pub use observation::{Exchange, Failure, Fetched, Observation, Outcome};
pub use query::Query;
pub use report::Report;
pub use verdict::{Evidence, Verdict};
