//! Admission that the cluster's own objects ask for: webhooks, and policies in CEL. Nothing in here changes an object.
//!
//! As on a server, webhooks that may change an object are called before it is checked, policies and webhooks that may refuse it afterwards.

pub mod conditions;
mod matching;
pub mod policy;
mod review;
mod webhook;

pub use review::Review;

use crate::{Cluster, Status};

/// Calls the webhooks that may change the object.
///
/// # Errors
/// A refusal in the API's words.
pub fn mutate(cluster: &Cluster, review: &Review<'_>) -> Result<(), Status> {
    webhook::mutate(cluster, review)
}

/// Asks the policies, then the webhooks that may refuse. What policies warn of goes to the client.
///
/// # Errors
/// A refusal in the API's words.
pub fn validate(cluster: &Cluster, review: &Review<'_>, warnings: &mut Vec<String>) -> Result<(), Status> {
    policy::validate(cluster, review, warnings)?;
    webhook::validate(cluster, review)
}

#[cfg(test)]
mod tests;
