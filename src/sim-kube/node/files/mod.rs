//! Files: trees of them, and what a container sees of several trees mounted into one.

mod bytes;
mod tree;
mod view;

pub use tree::{Entry, EntryKind, Tree};
pub use view::{Mount, View};
