//! Who set which field: `metadata.managedFields`, and server-side apply, which rests on it (structured-merge-diff).
//!
//! `set` is a set of fields and its JSON form, `walk` compares, merges and prunes objects along the types' table, `entries` reads and writes
//! managedFields, `track` keeps them when an object is created or changed, `apply` merges what a manager wants.

pub mod apply;
pub mod entries;
mod merge;
pub mod set;
pub mod track;
mod validate;
pub mod walk;

#[cfg(test)]
mod tests;
