//! YAML as the labs use it: documents as trees in which every key and value knows its place.
//!
//! The scanning is granit-parser's; what a tree may hold, and the limits, are ours. Nothing here knows what a lab is.

mod node;
mod read;
mod scalar;

pub use node::{Data, Entry, Node};
pub use read::{Comment, Page, read, text_of};
