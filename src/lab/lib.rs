//! The lab format: what a `lab.yaml` may say, how it is read, and what is wrong with one.
//!
//! Knows no network, no clock and no target. `check/` holds the words of a check, one file a word;
//! their judging lives in `breakfix-grade`, their fetching in `breakfix-stage`.

pub mod catalogue;
pub mod change;
pub mod check;
mod decode;
pub mod document;
pub mod embedded;
mod fill;
pub mod house;
pub mod lab;
pub mod lint;
pub mod load;
pub mod loaded;
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
