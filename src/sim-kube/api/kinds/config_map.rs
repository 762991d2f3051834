//! ConfigMaps.

use serde_json::Value;

use super::{PLAIN, Rules};
use crate::{
    api::check::{At, Problems, name},
    object::{members, truth},
};

pub static RULES: Rules = Rules { validate, validate_update, ..PLAIN };

/// All values together, in bytes.
const SIZE_MAX: usize = 1024 * 1024;

fn validate(object: &Value, problems: &mut Problems) {
    let mut bytes = 0;
    for field in ["data", "binaryData"] {
        let at = At::new(field);
        for (key, value) in members(object, &format!("/{field}")) {
            for problem in name::config_map_key(key) {
                problems.invalid(&at.key(key), key.as_str(), problem);
            }
            if field == "binaryData" && members(object, "/data").any(|(other, _)| other == key) {
                problems.invalid(&at.key(key), key.as_str(), "duplicate of key present in data");
            }
            bytes += value.as_str().unwrap_or("").len();
        }
    }
    if bytes > SIZE_MAX {
        problems.too_long(&At::new(""), SIZE_MAX);
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    immutable(new, old, &["data", "binaryData"], problems);
}

/// What an `immutable: true` object may not change.
pub(super) fn immutable(new: &Value, old: &Value, fields: &[&str], problems: &mut Problems) {
    if !truth(old, "/immutable") {
        return;
    }
    if !truth(new, "/immutable") {
        problems.forbidden(&At::new("immutable"), "field is immutable when `immutable` is set");
    }
    for field in fields {
        if new.get(field) != old.get(field) {
            problems.forbidden(&At::new(field), "field is immutable when `immutable` is set");
        }
    }
}
