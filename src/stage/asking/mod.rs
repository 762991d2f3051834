//! What a probe is told and what it says, on whichever platform it runs: the workload's tool `get`, one call for all requests of a query.
//!
//! Pure; starting a probe and running the tool in it is a target's.

mod line;
mod run;

pub(crate) use run::{Run, filled, with_host};
