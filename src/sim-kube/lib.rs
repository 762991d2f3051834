//! The Kubernetes simulator: a control plane, its nodes and their network, in one value that is driven from outside.
//!
//! [`Cluster`] is the whole of it. It is deterministic: time comes in by [`Cluster::advance`], requests by the verbs of `api/`, chance from
//! its seed. `serve/` puts it behind TLS for `kubectl`; tests and `lab test` call it in process. It knows Kubernetes and nothing of labs.
//!
//! Folders: `api/` what an API server does with a request, `access/` whose it is and whether they may, `admission/` what is refused all the
//! same; `controllers/`, `scheduler/`, `node/` what a cluster does with objects, each a function from state and event to changes and later
//! events; `network/` who can reach whom; `custom/` kinds that the cluster itself defines, `dynamic_admission/` webhooks and policies,
//! `cel/` their expressions.

pub mod access;
pub mod admission;
pub mod api;
pub mod bootstrap;
mod cel;
pub mod cluster;
pub mod controllers;
pub mod cron;
pub mod custom;
pub mod date;
pub mod dynamic_admission;
pub mod event;
pub mod kind;
pub mod limits;
pub mod metrics;
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
