//! What an API server does with a request.
//!
//! `verbs` is the one door to the store: requests over the wire, controllers and nodes all change objects through it, so defaults,
//! validation, generations and finalizers hold for everybody. `handle` answers HTTP requests with it.

pub mod check;
pub mod conversion;
#[cfg(test)]
mod golden;
pub mod handle;
pub mod http;
pub mod kinds;
#[cfg(test)]
mod laws;
pub mod managed;
pub mod openapi;
pub mod patch;
pub mod protobuf;
pub mod quantity;
pub mod schema;
pub mod select;
pub mod stream;
pub mod table;
pub mod verbs;
pub mod watch;
pub mod write;

pub use handle::{ApiRequest, ApiResponse, Reply, User, handle};
