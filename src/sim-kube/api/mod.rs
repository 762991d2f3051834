//! What an API server does with a request.
//!
//! `verbs` is the one door to the store: requests over the wire, controllers and nodes all change objects through it, so defaults,
//! validation, generations and finalizers hold for everybody.

pub mod verbs;
