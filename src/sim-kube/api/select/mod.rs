//! Selectors: which objects a request means.

pub mod label;
