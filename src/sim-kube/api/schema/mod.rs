//! The API's types as data: what fields an object has, how lists merge, which number a field has in protobuf.
//!
//! One table (`data/types.txt`) serves strict decoding, protobuf, strategic merge, server-side apply, managedFields and OpenAPI, so that
//! they cannot disagree. It holds facts only; what a field *means* is `kinds/`.

pub mod decode;
mod read;
pub mod value;

use std::{collections::BTreeMap, sync::LazyLock};

pub use decode::{Decoded, Fault, decode};

static TABLE: LazyLock<BTreeMap<&'static str, Type>> =
    LazyLock::new(|| read::table(include_str!("../../data/types.txt")));

static ENUMERATIONS: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> =
    LazyLock::new(|| read::enumerations(include_str!("../../data/types.txt")));

/// The values that a text of this type can have, if it is an enumeration.
pub fn enumeration(shape: &Shape) -> Option<&'static [&'static str]> {
    let Shape::Text(name) = shape else { return None };
    ENUMERATIONS.get(name).map(Vec::as_slice)
}

/// The type of this name (`io.k8s.api.core.v1.Pod`), if the table has it.
pub fn find(name: &str) -> Option<&'static Type> {
    TABLE.get(name).or_else(|| crate::custom::find_type(name))
}

/// Every type, by name.
pub fn all() -> impl Iterator<Item = &'static Type> {
    TABLE.values()
}

/// One message of the API.
#[derive(Debug)]
pub struct Type {
    pub name: &'static str,
    /// Whether it has `apiVersion` and `kind`.
    pub root: bool,
    /// Whether it is owned and merged as a whole (`+structType=atomic`).
    pub atomic: bool,
    /// Its JSON fields, those of inlined types included, in the table's order.
    pub fields: Vec<Field>,
    /// Types whose fields appear in this one's JSON but lie in a message of their own in protobuf: (number, type).
    pub inline: Vec<(u32, &'static str)>,
    /// How many of its own fields stand before the inlined ones in the Go struct.
    pub inline_after: usize,
    by_name: BTreeMap<&'static str, usize>,
}

impl Type {
    /// A type of these fields.
    pub fn made(name: &'static str, root: bool, atomic: bool, fields: Vec<Field>) -> Self {
        let by_name = fields.iter().enumerate().map(|(index, field)| (field.name, index)).collect();
        Self { name, root, atomic, fields, inline: Vec::new(), inline_after: 0, by_name }
    }

    /// The field of this JSON name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).and_then(|index| self.fields.get(*index))
    }

    /// The name within its package: `PodSpec`.
    pub fn short(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its name in Go, where it is not the JSON name with a capital.
    pub go: Option<&'static str>,
    /// Its number in protobuf; 0 where it comes from an inlined type.
    pub number: u32,
    pub shape: Shape,
    /// A Go pointer: absent and zero are different things.
    pub pointer: bool,
    /// No `omitempty`: shown even when empty.
    pub always: bool,
    /// `omitzero`: not even an empty struct or time is shown.
    pub omit_zero: bool,
    /// Whether the published schema requires it.
    pub required: bool,
    pub list: ListType,
    /// An atomic map or struct, by a marker on the field.
    pub atomic: bool,
    /// Strategic merge: lists (and the keys of a struct) are merged rather than replaced.
    pub merge: bool,
    /// Strategic merge: the member that identifies a list's entries.
    pub merge_key: Option<&'static str>,
    /// Strategic merge: the patch's keys are the only ones that stay.
    pub retain_keys: bool,
    /// The schema's default, as JSON.
    pub default: Option<&'static str>,
}

/// What server-side apply makes of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListType {
    /// Replaced as a whole.
    Atomic,
    /// Entries are values.
    Set,
    /// Entries are found by these members.
    Map(Vec<&'static str>),
}

/// What a JSON value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text; with the Go name of its type and the group before it (`string`, `core.v1.PullPolicy`).
    Text(&'static str),
    Bool,
    Int32,
    Int64,
    Double,
    /// Base64 in JSON.
    Bytes,
    /// RFC 3339 with seconds.
    Time,
    /// RFC 3339 with microseconds.
    MicroTime,
    /// Go's `1h2m3s`.
    Duration,
    Quantity,
    IntOrString,
    /// Any JSON.
    Raw,
    /// `fieldsV1`: any JSON.
    Fields,
    Object(&'static str),
    List(Box<Shape>),
    Map(Box<Shape>),
}

impl Shape {
    /// The type, where this is an object.
    pub fn object(&self) -> Option<&'static Type> {
        match self {
            Self::Object(name) => find(name),
            _ => None,
        }
    }

    /// What a list or map holds.
    pub fn inner(&self) -> Option<&Shape> {
        match self {
            Self::List(inner) | Self::Map(inner) => Some(inner),
            _ => None,
        }
    }

    /// What Go calls it in decoding errors: `int32`, `v1.PodSpec`, `[]v1.Container`.
    pub fn go_name(&self) -> String {
        match self {
            Self::Text(name) => match name.split_once('.') {
                Some((_, rest)) if rest.contains('.') => rest.to_owned(),
                _ => (*name).to_owned(),
            },
            Self::Bool => "bool".to_owned(),
            Self::Int32 => "int32".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Double => "float64".to_owned(),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Time => "v1.Time".to_owned(),
            Self::MicroTime => "v1.MicroTime".to_owned(),
            Self::Duration => "v1.Duration".to_owned(),
            Self::Quantity => "resource.Quantity".to_owned(),
            Self::IntOrString => "intstr.IntOrString".to_owned(),
            Self::Raw => "runtime.RawExtension".to_owned(),
            Self::Fields => "v1.FieldsV1".to_owned(),
            Self::Object(name) => {
                let mut parts = name.rsplit('.');
                let short = parts.next().unwrap_or(name);
                format!("{}.{short}", parts.next().unwrap_or("v1"))
            }
            Self::List(inner) => format!("[]{}", inner.go_name()),
            Self::Map(inner) => format!("map[string]{}", inner.go_name()),
        }
    }
}

#[cfg(test)]
mod tests;
