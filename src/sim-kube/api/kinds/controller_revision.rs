//! Revisions of StatefulSets and DaemonSets (`ValidateControllerRevision`).

use serde_json::Value;

use super::{PLAIN, Rules};
use crate::{
    api::check::{At, Problems},
    object::number,
};

pub static RULES: Rules = Rules { validate, validate_update, ..PLAIN };

fn validate(object: &Value, problems: &mut Problems) {
    problems.not_negative(&At::new("revision"), number(object, "/revision"));
    if object.get("data").is_none_or(Value::is_null) {
        problems.required(&At::new("data"), "data is mandatory");
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    if new.get("data") != old.get("data") {
        problems.invalid(&At::new("data"), new.get("data").cloned().unwrap_or_default(), "field is immutable");
    }
}
