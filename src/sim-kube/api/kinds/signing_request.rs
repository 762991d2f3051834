//! Requests for certificates (`ValidateCertificateSigningRequestCreate`).

use base64::Engine as _;
use serde_json::{Value, json};

use super::{PLAIN, Rules};
use crate::{
    api::check::{At, Problems, name::NameRule},
    object::{entries, number, set, text},
};

pub static RULES: Rules = Rules {
    name: NameRule::PathSegment,
    create: |object| set(object, "/status", json!({})),
    update: |new, old| set(new, "/spec", old.get("spec").cloned().unwrap_or_default()),
    validate,
    ..PLAIN
};

/// The shortest time that a certificate may be asked for, in seconds.
const SHORTEST: i64 = 600;

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    if entries(object, "/spec/usages").is_empty() {
        problems.required(&at.child("usages"), "usages must be provided");
    }
    let request = text(object, "/spec/request");
    let bytes = base64::engine::general_purpose::STANDARD.decode(request).unwrap_or_default();
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        problems.invalid(&at.child("request"), request, "PEM block type must be CERTIFICATE REQUEST");
    }
    let signer = text(object, "/spec/signerName");
    if signer.is_empty() {
        problems.required(&at.child("signerName"), "");
    } else if !signer.contains('/') {
        problems.invalid(
            &at.child("signerName"),
            signer,
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        );
    }
    if let Some(seconds) = number(object, "/spec/expirationSeconds").filter(|seconds| *seconds < SHORTEST) {
        problems.invalid(
            &at.child("expirationSeconds"),
            seconds,
            "may not specify a duration less than 600 seconds (10 minutes)",
        );
    }
}
