//! EndpointSlices.

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems},
    object::{entries, text},
};

pub static RULES: Rules = Rules {
    defaults: |object| {
        for port in each(object, "/ports") {
            if port.get("name").is_none_or(Value::is_null) {
                crate::object::set(port, "/name", json!(""));
            }
            default(port, "/protocol", "TCP");
        }
    },
    validate,
    validate_update: |new, old, problems| {
        if text(new, "/addressType") != text(old, "/addressType") {
            problems.invalid(&At::new("addressType"), text(new, "/addressType"), "field is immutable");
        }
    },
    counts: |new, old| {
        let strip = |object: &Value| {
            let mut object = object.clone();
            crate::object::unset(&mut object, "/metadata");
            object
        };
        strip(new) != strip(old)
    },
    ..PLAIN
};

fn validate(object: &Value, problems: &mut Problems) {
    let kinds = ["FQDN", "IPv4", "IPv6"];
    let kind = text(object, "/addressType");
    if kind.is_empty() {
        problems.required(&At::new("addressType"), "");
    } else if !kinds.contains(&kind) {
        problems.not_supported(&At::new("addressType"), kind, &kinds);
    }
    for (index, endpoint) in entries(object, "/endpoints").iter().enumerate() {
        if entries(endpoint, "/addresses").is_empty() {
            problems.required(&At::new("endpoints").index(index).child("addresses"), "must contain at least 1 address");
        }
    }
}
