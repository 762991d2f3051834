//! Kubernetes targets: one client, three ways to a cluster (`sim`, `kind`, `context:NAME`).
//!
//! [`target`] holds what is the same everywhere; `host/` the little that differs: how a client is come by, how time passes and how
//! images get to the nodes. Nothing here judges: what is asked and what an answer means is `breakfix-grade`'s.

mod api;
mod baseline;
mod belongings;
mod capabilities;
mod change;
mod clear;
mod create;
mod delete;
mod discovery;
mod host;
mod inventory;
mod object;
mod observe;
mod probe;
mod resource;
mod target;
mod trouble;
mod wait;
