//! The lab format: what a `lab.yaml` may say, how it is read, and what is wrong with one.
//!
//! The way of a lab: a [`Catalogue`] finds its folder ([`LabSource`]: bytes, digest), [`LabSource::values`] chooses the
//! values of its parameters, [`LabSource::load_with`] reads it into a [`LoadedLab`] (types, documents, safeguards, debrief).
//! What is wrong is a list of [`Problem`]s, all at once, each with its place. [`lint::lint`] adds the rules for labs that ship.
//!
//! Knows no network, no clock and no target; files are read only in `source` and `catalogue`. `check/` holds the words of a
//! check, one file a word; their judging lives in `breakfix-grade`, their fetching in `breakfix-stage`.

pub mod base;
pub mod catalogue;
pub mod change;
pub mod check;
pub mod compose;
mod decode;
pub mod document;
pub mod ecs;
pub mod embedded;
mod fill;
pub mod house;
pub mod lab;
pub mod lint;
pub mod live;
pub mod load;
pub mod loaded;
mod members;
mod needs;
pub mod problem;
pub mod schema;
mod shape;
pub mod source;
pub mod span;
pub mod suggest;
pub mod template;
pub mod values;
pub mod visit;
mod words;
pub mod yaml;

pub use catalogue::{Catalogue, CatalogueError};
pub use change::Change;
pub use check::Check;
pub use document::Document;
pub use lab::{Lab, Platform};
pub use load::Loading;
pub use loaded::LoadedLab;
pub use problem::{Place, Problem, Problems};
pub use source::LabSource;
pub use span::Span;
pub use values::Values;
