//! A real cluster's records: what it was given, and what its pods and events then said.
//!
//! The records are not part of the project; where they are absent the tests say so and pass. Programs of the recorded image are put in
//! terms of the workload. Compared are the sequences of states and the sets of events, never times, ids or addresses.

mod digest;
mod record;
mod scenarios;
