//! The lab format: what a `lab.yaml` may say, how it is read, and what is wrong with one.
//!
//! Knows no network, no clock and no target. `check/` holds the words of a check, one file a word;
//! their judging lives in `breakfix-grade`, their fetching in `breakfix-stage`.

pub mod catalogue;
pub mod change;
pub mod check;
pub mod lab;
pub mod span;

pub use catalogue::{Catalogue, LabSource};
pub use change::Change;
pub use check::Check;
pub use lab::{Lab, Platform};
pub use span::Span;
