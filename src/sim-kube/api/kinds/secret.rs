//! Secrets.

use base64::Engine as _;
use serde_json::Value;

use super::{PLAIN, Rules, config_map::immutable, defaults::default};
use crate::{
    api::check::{At, Problems, name},
    object::{members, set, text, unset},
};

pub static RULES: Rules = Rules { defaults, validate, validate_update, ..PLAIN };

/// All values together, in bytes.
const SIZE_MAX: usize = 1024 * 1024;

/// Types that need certain keys.
const NEEDED: [(&str, &[&str]); 4] = [
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
    ("kubernetes.io/dockercfg", &[".dockercfg"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
];

/// `stringData` is for writing only: it goes over into `data`.
fn defaults(object: &mut Value) {
    default(object, "/type", "Opaque");
    let Some(Value::Object(texts)) = unset(object, "/stringData") else { return };
    for (key, value) in texts {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or(""));
        if object.get("data").is_none_or(|data| !data.is_object()) {
            set(object, "/data", Value::Object(serde_json::Map::new()));
        }
        if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
            data.insert(key, Value::from(encoded));
        }
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("data");
    let mut bytes = 0;
    for (key, value) in members(object, "/data") {
        for problem in name::config_map_key(key) {
            problems.invalid(&at.key(key), key.as_str(), problem);
        }
        bytes += value.as_str().unwrap_or("").len() / 4 * 3;
    }
    if bytes > SIZE_MAX {
        problems.too_long(&at, SIZE_MAX);
    }
    for (kind, keys) in NEEDED {
        if text(object, "/type") == kind {
            for key in keys {
                if object.get("data").and_then(|data| data.get(key)).is_none() {
                    problems.required(&at.key(key), "");
                }
            }
        }
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    if new.get("type") != old.get("type") {
        problems.invalid(&At::new("type"), text(new, "/type"), "field is immutable");
    }
    immutable(new, old, &["data"], problems);
}
