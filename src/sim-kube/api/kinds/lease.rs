//! Leases (`ValidateLeaseSpec`).

use super::{PLAIN, Rules};
use crate::{
    api::check::{At, Problems},
    object::number,
};

pub static RULES: Rules = Rules { validate, ..PLAIN };

fn validate(object: &serde_json::Value, problems: &mut Problems) {
    let at = At::new("spec");
    if let Some(seconds) = number(object, "/spec/leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        problems.invalid(&at.child("leaseDurationSeconds"), seconds, "must be greater than 0");
    }
    if let Some(count) = number(object, "/spec/leaseTransitions").filter(|count| *count < 0) {
        problems.invalid(&at.child("leaseTransitions"), count, "must be greater than or equal to 0");
    }
}
