//! A cluster behind a door: the wire, the clock, the disk and the process. Everything else in this crate is a model without any of them.
//!
//! [`host::Host`] holds the cluster and lets inputs in, one at a time, each written down first; what is the same for every simulator
//! is `breakfix_sim::serve`. [`service`] answers HTTP
//! requests; [`server`] puts that behind TLS for `kubectl`, [`local`] into the same process for `lab test`. [`process`] is the detached
//! process that a session's simulator is. [`seam`] and [`inside`] are the only files that know how the API
//! and the nodes are asked.
//!
//! A session's folder: `snapshot.json` and `log.jsonl` (the cluster), `keys.json` (mode 0600), `serve.json` (how to serve it),
//! `kubeconfig`, and for its process `lock`, `ready.json`, `serve.log`.

pub mod attach;
pub mod blob;
pub mod call;
pub mod control;
pub mod dates;
pub mod error;
pub mod exec;
pub mod exec_run;
pub mod forward;
pub mod host;
pub mod input;
pub mod inside;
pub mod keys;
pub mod kubeconfig;
pub mod local;
pub mod log_tail;
pub mod logs;
pub mod process;
pub mod proxy;
pub mod remote;
pub mod seam;
pub mod server;
pub mod service;
pub mod settings;
pub mod spdy;
pub mod stream_body;
pub mod streams;
pub mod terminal;
pub mod typed;
pub mod watching;

#[cfg(test)]
pub(crate) mod tests;
