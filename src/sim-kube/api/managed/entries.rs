//! The entries of `metadata.managedFields`.

use serde_json::{Value, json};

use super::set::FieldSet;
use crate::object::{entries, text};

/// One manager's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    pub api_version: String,
    pub subresource: String,
    /// When it last took a field, in RFC 3339.
    pub time: String,
    pub fields: FieldSet,
}

impl Entry {
    /// Whether two entries are the same manager's: an applier is one over all versions.
    pub fn is_same(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == "Apply" || self.api_version == other.api_version)
    }

    /// As conflicts name the manager.
    pub fn shown(&self) -> String {
        let mut shown = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            shown = format!("{shown} with subresource {:?}", self.subresource);
        }
        if self.operation == "Update" {
            shown = format!("{shown} using {}", self.api_version);
        }
        shown
    }
}

/// Reads an object's entries; those that cannot be read are left out.
pub fn read(object: &Value) -> Vec<Entry> {
    entries(object, "/metadata/managedFields").iter().filter_map(one).collect()
}

fn one(entry: &Value) -> Option<Entry> {
    Some(Entry {
        manager: text(entry, "/manager").to_owned(),
        operation: text(entry, "/operation").to_owned(),
        api_version: text(entry, "/apiVersion").to_owned(),
        subresource: text(entry, "/subresource").to_owned(),
        time: text(entry, "/time").to_owned(),
        fields: FieldSet::from_json(entry.get("fieldsV1")?)?,
    })
}

/// Writes entries into an object, in the server's order.
pub fn write(object: &mut Value, mut list: Vec<Entry>) {
    list.retain(|entry| !entry.fields.is_empty());
    list.sort_by(|a, b| {
        let key = |entry: &Entry| {
            (
                entry.operation.clone(),
                entry.time.clone(),
                entry.manager.clone(),
                entry.api_version.clone(),
                entry.subresource.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    if list.is_empty() {
        crate::object::unset(object, "/metadata/managedFields");
        return;
    }
    let list: Vec<_> = list.iter().map(json_of).collect();
    crate::object::set(object, "/metadata/managedFields", Value::Array(list));
}

fn json_of(entry: &Entry) -> Value {
    let mut out = json!({
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields.to_json(),
    });
    if !entry.subresource.is_empty() {
        out["subresource"] = json!(entry.subresource);
    }
    out
}
