//! A cloud behind a door: sockets, the clock, the disk and the process. Everything else in this crate is a model without any of them.
//!
//! [`service`] answers HTTP requests: the API (`api`), the load balancers (`balancer`), what only its keeper may ask (`control`).
//! [`server`] puts that on two ports of this machine, [`local`] into the same process for `lab test`. [`process`] is the detached process
//! that a session's simulator is. What is common to all simulators is in `breakfix_sim::serve`.
//!
//! A session's folder: `snapshot.json` and `log.jsonl` (the cloud, mode 0600: the operator's key is in it), `serve.json` (how to serve
//! it), and for its process `lock`, `ready.json`, `serve.log`.

pub mod api;
pub mod balancer;
pub mod control;
pub mod error;
pub mod http;
pub mod ids;
pub mod input;
pub mod local;
pub mod probe;
pub mod process;
pub mod server;
pub mod service;
pub mod settings;
pub mod throttle;

/// A cloud and what drives it.
pub type Host = breakfix_sim::serve::host::Host<crate::Cloud>;

#[cfg(test)]
mod tests;
