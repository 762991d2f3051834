//! The AWS simulator: one account in one region, as ECS and the services around it see it, in one value that is driven from outside.
//!
//! [`Cloud`] is the whole of it. It is deterministic: time comes in by [`Cloud::advance`], requests by [`Cloud::call`], chance from its seed.
//! `serve/` puts it behind an endpoint for `aws`, Terraform and the SDKs; tests and `lab test` call it in process. It knows AWS and
//! nothing of labs.
//!
//! Folders: `services/` one folder a service, each an API over its own part of the state; `network/` who can reach whom; `tasks/` what a
//! task does, with the workload inside; `wire/` the protocols' bytes; `serve/` sockets, the clock, the disk and the process.

pub mod call;
pub mod cloud;
pub mod error;
pub mod event;
pub mod input;
pub mod moment;
pub mod network;
pub mod serve;
pub mod services;
pub mod tasks;
pub mod wire;

#[cfg(test)]
mod testing;

pub use call::{Call, Caller};
pub use cloud::{Cloud, Config};
pub use error::AwsError;
