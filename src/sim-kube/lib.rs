//! The Kubernetes simulator: a control plane, its nodes and their network, in one value that is driven from outside.
//!
//! [`Cluster`] is the whole of it. It is deterministic: time comes in by [`Cluster::advance`], requests by the verbs of `api/`, chance from
//! its seed. `serve/` puts it behind TLS for `kubectl`; tests and `lab test` call it in process. It knows Kubernetes and nothing of labs.
//!
//! Folders: `api/` what an API server does with a request; `controllers/`, `scheduler/`, `node/` what a cluster does with objects, each a
//! function from state and event to changes and later events; `network/` who can reach whom.

pub mod api;
pub mod bootstrap;
pub mod cluster;
pub mod controllers;
pub mod date;
pub mod event;
pub mod kind;
pub mod network;
pub mod node;
pub mod object;
pub mod scheduler;
pub mod serve;
pub mod status;

pub use bootstrap::bootstrap;
pub use cluster::{Cluster, Config};
pub use kind::Kind;
pub use status::Status;
