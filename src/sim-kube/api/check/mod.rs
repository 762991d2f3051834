//! What every kind's validation is made of: problems at a field path, in the API's words, and the rules for names and labels.

pub mod label;
pub mod metadata;
pub mod name;
pub mod problem;

pub use problem::{At, Problems};
