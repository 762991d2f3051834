//! Probes and lifecycle hooks: handlers and their numbers.

use serde_json::Value;

use super::defaults::{default, default_number};
use crate::{
    api::check::{At, Problems, name},
    object::{entries, number, text},
};

/// Fills in a probe.
pub(super) fn defaults(probe: &mut Value) {
    default_number(probe, "/timeoutSeconds", 1);
    default_number(probe, "/periodSeconds", 10);
    default_number(probe, "/successThreshold", 1);
    default_number(probe, "/failureThreshold", 3);
    handler_defaults(probe);
    if probe.get("grpc").is_some_and(Value::is_object) && probe.pointer("/grpc/service").is_none_or(Value::is_null) {
        crate::object::set(probe, "/grpc/service", Value::from(""));
    }
}

/// Fills in a handler.
pub(super) fn handler_defaults(handler: &mut Value) {
    if handler.get("httpGet").is_some_and(Value::is_object) {
        default(handler, "/httpGet/path", "/");
        default(handler, "/httpGet/scheme", "HTTP");
    }
}

/// Checks a probe.
pub(super) fn validate(probe: &Value, which: &str, at: &At, problems: &mut Problems) {
    validate_handler(probe, at, problems);
    for member in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        problems.not_negative(&at.child(member), number(probe, &format!("/{member}")));
    }
    let success = number(probe, "/successThreshold").unwrap_or(1);
    if which != "readinessProbe" && success != 1 {
        problems.invalid(&at.child("successThreshold"), success, "must be 1");
    }
}

/// Checks a handler: one, and complete.
pub(super) fn validate_handler(handler: &Value, at: &At, problems: &mut Problems) {
    let mut given = 0;
    for kind in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let Some(found) = handler.get(kind).filter(|found| !found.is_null()) else { continue };
        given += 1;
        let at = at.child(kind);
        if given > 1 {
            problems.forbidden(&at, "may not specify more than 1 handler type");
            continue;
        }
        match kind {
            "exec" if entries(found, "/command").is_empty() => problems.required(&at.child("command"), ""),
            "httpGet" => {
                if text(found, "/path").is_empty() {
                    problems.required(&at.child("path"), "");
                }
                port(found.get("port"), &at.child("port"), problems);
                super::pod_spec::one_of(found, "scheme", &["HTTP", "HTTPS"], &at, problems);
            }
            "tcpSocket" => port(found.get("port"), &at.child("port"), problems),
            "grpc" => problems.port(&at.child("port"), number(found, "/port").unwrap_or(0)),
            _ => {}
        }
    }
    if given == 0 {
        problems.required(at, "must specify a handler type");
    }
}

fn port(port: Option<&Value>, at: &At, problems: &mut Problems) {
    match port {
        Some(Value::String(text)) => {
            for problem in name::port_name(text) {
                problems.invalid(at, text.as_str(), problem);
            }
        }
        other => problems.port(at, other.and_then(Value::as_i64).unwrap_or(0)),
    }
}
