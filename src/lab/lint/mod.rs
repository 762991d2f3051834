//! The linter: what makes a lab that can be read a lab that may ship.
//!
//! One rule a file, each with its reason. A rule sees one loaded lab and says everything it finds; none of them knows a
//! target. Whether the fault really breaks and the controls really repair is for `lab test` to prove.

mod comments;
mod controls;
mod debrief;
mod documents;
mod fault;
mod files;
mod hints;
mod images;
mod judged;
mod live;
mod names;
mod objects;
mod parameters;
mod points;
mod questions;
mod references;
mod run;
mod safeguards;
mod spoilers;
mod surroundings;
mod terms;
mod texts;
mod triggers;

pub use run::{Judged, Lint, RULES, Rule, lint};

#[cfg(test)]
mod tests;
