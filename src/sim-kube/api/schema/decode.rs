//! From JSON to the API's own form of it, as a round trip through the Go types would do: wrong types are refused, unknown fields found,
//! empty values dropped where the type says `omitempty`, and shown where it does not.

use base64::Engine as _;
use serde_json::{Map, Value};

use super::{
    Field, Shape, Type,
    value::{go_duration, quantity_text, timestamp},
};

/// An object in the API's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub object: Value,
    /// Paths of fields that the type does not have: `spec.template.spec.containers[0].imagePullPolcy`.
    pub unknown: Vec<String>,
}

/// Why a JSON value is not of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value of another JSON type.
    Type {
        /// `string`, `number`, `number 1.5`, `bool`, `object`, `array`.
        found: &'static str,
        /// The found number's text, where a number does not fit.
        literal: Option<String>,
        /// The innermost struct and the JSON path: `DeploymentSpec.spec.replicas`.
        field: String,
        /// The Go type wanted.
        wanted: String,
    },
    /// A text that its type cannot read; Go's own words.
    Text(String),
}

impl Fault {
    /// As `encoding/json` words it.
    pub fn as_json(&self) -> String {
        match self {
            Self::Type { found, literal, field, wanted } => {
                let literal = literal.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
                if field.is_empty() {
                    format!("json: cannot unmarshal {found}{literal} into Go value of type {wanted}")
                } else {
                    format!("json: cannot unmarshal {found}{literal} into Go struct field {field} of type {wanted}")
                }
            }
            Self::Text(text) => text.clone(),
        }
    }

    /// As apimachinery's unstructured converter words it (patches).
    pub fn as_converter(&self) -> String {
        match self {
            Self::Type { found: "string", wanted, .. } => format!("unrecognized type: {wanted}"),
            Self::Type { found: "number", wanted, literal, .. } => {
                let from =
                    if literal.as_deref().is_some_and(|text| text.contains(['.', 'e'])) { "float64" } else { "int64" };
                format!("cannot convert {from} to {wanted}")
            }
            Self::Type { found: "bool", wanted, .. } => format!("cannot convert bool to {wanted}"),
            Self::Type { found: "object", wanted, .. } => {
                format!("cannot convert map[string]interface {{}} to {wanted}")
            }
            Self::Type { wanted, .. } => format!("cannot restore slice from {wanted}"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Reads a value as an object of this type.
///
/// # Errors
/// The first [`Fault`] met.
pub fn decode(of: &'static Type, value: &Value) -> Result<Decoded, Fault> {
    let mut walk = Walk { unknown: Vec::new(), path: String::new() };
    let object = walk.object(of, value, "")?;
    Ok(Decoded { object, unknown: walk.unknown })
}

/// An object without any content: what the type shows even when empty.
pub fn empty(of: &'static Type) -> Value {
    decode(of, &Value::Object(Map::new())).map_or(Value::Null, |decoded| decoded.object)
}

struct Walk {
    unknown: Vec<String>,
    /// The path without indices, as Go names fields in errors.
    path: String,
}

impl Walk {
    fn object(&mut self, of: &'static Type, value: &Value, at: &str) -> Result<Value, Fault> {
        let Some(given) = value.as_object() else {
            return Err(self.wrong(value, &Shape::Object(of.name), ""));
        };
        let mut out = Map::new();
        for (key, member) in given {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            if of.root && (key == "apiVersion" || key == "kind") {
                match member {
                    Value::String(_) => drop(out.insert(key.clone(), member.clone())),
                    Value::Null => {}
                    other => return Err(self.wrong(other, &Shape::Text("string"), of.short())),
                }
                continue;
            }
            let Some(field) = of.field(key) else {
                self.unknown.push(at);
                continue;
            };
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
            if !member.is_null() {
                let read = self.shape(&field.shape, member, &at, of.short())?;
                out.insert(key.clone(), read);
            }
            self.path.truncate(length);
        }
        for field in &of.fields {
            self.settle(field, &mut out)?;
        }
        Ok(Value::Object(out))
    }

    /// Drops what Go would not show, adds what it would.
    fn settle(&mut self, field: &Field, out: &mut Map<String, Value>) -> Result<(), Fault> {
        let present = out.get(field.name);
        if field.pointer {
            if present.is_none() && field.always {
                out.insert(field.name.to_owned(), Value::Null);
            }
            return Ok(());
        }
        let zero = present.is_none_or(|value| is_zero(&field.shape, value));
        let is_struct = matches!(field.shape, Shape::Object(_));
        if field.omit_zero {
            if zero || (is_struct && present.is_some_and(|value| value.as_object().is_some_and(Map::is_empty))) {
                out.remove(field.name);
            }
        } else if present.is_none() && (field.always || shows_when_empty(&field.shape)) {
            let value = match field.shape.object() {
                Some(inner) => self.object(inner, &Value::Object(Map::new()), "")?,
                None => zero_of(&field.shape),
            };
            out.insert(field.name.to_owned(), value);
        } else if zero && !field.always && !shows_when_empty(&field.shape) {
            out.remove(field.name);
        }
        Ok(())
    }

    fn shape(&mut self, shape: &Shape, value: &Value, at: &str, owner: &str) -> Result<Value, Fault> {
        match (shape, value) {
            (Shape::Object(name), _) => match super::find(name) {
                Some(inner) if value.is_object() => self.object(inner, value, at),
                Some(_) => Err(self.wrong(value, shape, owner)),
                None => Ok(value.clone()),
            },
            (Shape::List(inner), Value::Array(entries)) => {
                let mut out = Vec::with_capacity(entries.len());
                for (index, entry) in entries.iter().enumerate() {
                    out.push(self.entry(inner, entry, &format!("{at}[{index}]"), owner)?);
                }
                Ok(Value::Array(out))
            }
            (Shape::Map(inner), Value::Object(members)) => {
                let mut out = Map::new();
                for (key, member) in members {
                    out.insert(key.clone(), self.entry(inner, member, &format!("{at}.{key}"), owner)?);
                }
                Ok(Value::Object(out))
            }
            _ => self.scalar(shape, value, owner),
        }
    }

    /// An entry of a list or map; null is the zero value there.
    fn entry(&mut self, inner: &Shape, entry: &Value, at: &str, owner: &str) -> Result<Value, Fault> {
        if !entry.is_null() {
            return self.shape(inner, entry, at, owner);
        }
        match inner.object() {
            Some(inner) => self.object(inner, &Value::Object(Map::new()), at),
            None => Ok(zero_of(inner)),
        }
    }

    fn scalar(&self, shape: &Shape, value: &Value, owner: &str) -> Result<Value, Fault> {
        let text_fault = |text: String| Err(Fault::Text(text));
        match (shape, value) {
            (Shape::Text(_), Value::String(_)) | (Shape::Bool, Value::Bool(_)) | (Shape::Raw | Shape::Fields, _) => {
                Ok(value.clone())
            }
            (Shape::Int32 | Shape::Int64, Value::Number(number)) => {
                let whole = number.as_i64().or_else(|| whole_number(number.as_f64()?));
                match whole {
                    Some(whole) if *shape == Shape::Int64 || i32::try_from(whole).is_ok() => Ok(Value::from(whole)),
                    _ => Err(self.wrong(value, shape, owner)),
                }
            }
            (Shape::Double, Value::Number(_)) => Ok(value.clone()),
            (Shape::Bytes, Value::String(text)) => match base64::engine::general_purpose::STANDARD.decode(text) {
                Ok(_) => Ok(value.clone()),
                Err(error) => text_fault(format!("illegal base64 data at input byte {}", base64_offset(text, &error))),
            },
            (Shape::Time | Shape::MicroTime, Value::String(text)) => {
                match timestamp(text, *shape == Shape::MicroTime) {
                    Ok(text) => Ok(Value::String(text)),
                    Err(message) => text_fault(message),
                }
            }
            (Shape::Duration, Value::String(text)) => match go_duration(text) {
                Some(_) => Ok(value.clone()),
                None => text_fault(format!("time: invalid duration {text:?}")),
            },
            (Shape::Quantity, Value::String(text)) => quantity_text(text).map(Value::String).map_err(Fault::Text),
            (Shape::Quantity, Value::Number(number)) => {
                quantity_text(&number.to_string()).map(Value::String).map_err(Fault::Text)
            }
            (Shape::IntOrString, Value::String(_)) => Ok(value.clone()),
            (Shape::IntOrString, Value::Number(number)) => match number.as_i64().and_then(|n| i32::try_from(n).ok()) {
                Some(number) => Ok(Value::from(number)),
                None => Err(wrong_type(value, "int32".to_owned(), String::new())),
            },
            (Shape::IntOrString, _) => Err(wrong_type(value, "int32".to_owned(), String::new())),
            (Shape::Quantity, _) => text_fault(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                    .to_owned(),
            ),
            _ => Err(self.wrong(value, shape, owner)),
        }
    }

    fn wrong(&self, value: &Value, wanted: &Shape, owner: &str) -> Fault {
        let field = match (owner.is_empty(), self.path.is_empty()) {
            (true, true) => String::new(),
            (true, false) => self.path.clone(),
            (false, _) => format!("{owner}.{}", self.path),
        };
        wrong_type(value, wanted.go_name(), field)
    }
}

fn wrong_type(value: &Value, wanted: String, field: String) -> Fault {
    let literal = match value {
        Value::Number(number) if wanted.starts_with("int") => Some(number.to_string()),
        _ => None,
    };
    let found = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Object(_) => "object",
        Value::Array(_) | Value::Null => "array",
    };
    Fault::Type { found, literal, field, wanted }
}

/// Go names the byte of the bad character; for a wrong length, where the decoder gave up.
fn base64_offset(text: &str, error: &base64::DecodeError) -> usize {
    match error {
        base64::DecodeError::InvalidByte(offset, _) | base64::DecodeError::InvalidLastSymbol(offset, _) => *offset,
        _ => text.len(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole_number(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

/// A struct by value, and a time by value, are shown whatever they hold.
fn shows_when_empty(shape: &Shape) -> bool {
    matches!(shape, Shape::Object(_) | Shape::Time | Shape::MicroTime | Shape::IntOrString | Shape::Quantity)
}

fn is_zero(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::Object(_) | Shape::IntOrString, _) => false,
        (_, Value::String(text)) => text.is_empty(),
        (_, Value::Bool(truth)) => !truth,
        (_, Value::Number(number)) => number.as_f64() == Some(0.0),
        (_, Value::Array(entries)) => entries.is_empty(),
        (_, Value::Object(members)) => members.is_empty(),
    }
}

fn zero_of(shape: &Shape) -> Value {
    match shape {
        Shape::Text(_) => Value::from(""),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::Double | Shape::IntOrString => Value::from(0),
        Shape::Quantity | Shape::Duration => Value::from("0"),
        _ => Value::Null,
    }
}
