//! What nobody means to send, and what somebody sends on purpose: the answer is the API's own, it comes soon, and the cluster lives on.
//!
//! `asking` is a cluster under test and its requests. `bodies`, `conflicts`, `past` and `masses` are cases that can be named; `fuzz` makes
//! thousands that cannot, out of `corpus/`.

mod asking;
mod bodies;
mod conflicts;
mod fuzz;
mod masses;
mod past;
