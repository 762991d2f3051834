//! What an API server does with a request.
//!
//! `verbs` is the one door to the store: requests over the wire, controllers and nodes all change objects through it, so defaults,
//! validation, generations and finalizers hold for everybody.

pub mod check;
pub mod kinds;
pub mod quantity;
pub mod schema;
pub mod select;
pub mod verbs;
pub mod write;
