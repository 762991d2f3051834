//! The life of a session: open, grade, reset, stop, and put right what was cut short.
//!
//! Each step stands in the journal before its first mutation. A command that finds a step without its end finishes or undoes it
//! (`recover`) before it does anything else.

pub(crate) mod edit;
mod error;
mod fault;
pub(crate) mod generic;
mod grading;
mod guide;
mod making;
mod noting;
mod open;
mod prove;
mod recover;
mod reset;
mod rest;
mod stop;
mod talk;

pub use error::LifeError;
pub(crate) use error::is_full;
pub use fault::{Broken, break_system};
pub use grading::{Extent, Graded, Known, grade};
pub use guide::{advance, step_verdicts};
pub use open::{Opened, open};
pub use prove::{Expected, Proof, Scenario, prove};
pub use recover::{Recovered, recover};
pub use reset::reset;
pub use stop::{forget, stop};
pub use talk::{Silent, Talk};
