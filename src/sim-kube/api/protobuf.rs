//! Protobuf bodies, which `kubectl create` sends: a generic wire decoder over the types' table.
//!
//! Only reading. Answers are JSON, which every client that sends protobuf takes. A field number that the table does not have is refused,
//! never dropped.

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::schema::{
    Shape, Type,
    value::{micros_text, seconds_text},
};

/// What stands before every protobuf body.
const MAGIC: &[u8] = b"k8s\0";
/// Messages within messages, at most.
const DEPTH_MAX: usize = 64;

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    Magic,
    #[error("unexpected EOF")]
    Short,
    #[error("proto: wrong wireType = {wire} for field {field} of {message}")]
    WireType { message: String, field: u64, wire: u64 },
    #[error("field {field} of {message} is not known to this server")]
    UnknownField { message: String, field: u64 },
    #[error("field {field} of {message} is no UTF-8 text")]
    Text { message: String, field: u64 },
    #[error("messages are nested more than {DEPTH_MAX} deep")]
    Depth,
}

/// What a body says of itself, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub api_version: String,
    pub kind: String,
    raw: &'a [u8],
}

/// Opens the envelope (`runtime.Unknown`).
///
/// # Errors
/// Where the bytes are none.
pub fn open(body: &[u8]) -> Result<Envelope<'_>, WireError> {
    let mut reader = Reader { bytes: body.strip_prefix(MAGIC).ok_or(WireError::Magic)? };
    let mut envelope = Envelope { api_version: String::new(), kind: String::new(), raw: &[] };
    while let Some((field, wire)) = reader.tag()? {
        match (field, reader.value(wire)?) {
            (1, Wire::Bytes(bytes)) => {
                let mut inner = Reader { bytes };
                while let Some((field, wire)) = inner.tag()? {
                    let value = inner.value(wire)?;
                    match (field, value) {
                        (1, Wire::Bytes(bytes)) => envelope.api_version = String::from_utf8_lossy(bytes).into_owned(),
                        (2, Wire::Bytes(bytes)) => envelope.kind = String::from_utf8_lossy(bytes).into_owned(),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => envelope.raw = bytes,
            (3 | 4, Wire::Bytes(_)) => {}
            (field, _) => return Err(WireError::UnknownField { message: "runtime.Unknown".to_owned(), field }),
        }
    }
    Ok(envelope)
}

impl Envelope<'_> {
    /// The object inside, as JSON of this type.
    ///
    /// # Errors
    /// Where it is none.
    pub fn object(&self, of: &'static Type) -> Result<Value, WireError> {
        let mut object = Map::new();
        message(of, self.raw, 0, &mut object)?;
        for (key, value) in [("apiVersion", &self.api_version), ("kind", &self.kind)] {
            if !value.is_empty() {
                object.insert(key.to_owned(), Value::from(value.as_str()));
            }
        }
        Ok(Value::Object(object))
    }
}

/// A value on the wire.
enum Wire<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

impl Wire<'_> {
    fn code(&self) -> u64 {
        match self {
            Self::Number(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Fixed32 => 5,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next field's number and wire type; `None` at the end.
    fn tag(&mut self) -> Result<Option<(u64, u64)>, WireError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        Ok(Some((tag >> 3, tag & 7)))
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.bytes.split_first().ok_or(WireError::Short)?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(WireError::Short)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(length).map_err(|_| WireError::Short)?;
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(WireError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn value(&mut self, wire: u64) -> Result<Wire<'a>, WireError> {
        Ok(match wire {
            0 => Wire::Number(self.varint()?),
            1 => {
                let bytes = self.take(8)?;
                Wire::Fixed64(u64::from_le_bytes(bytes.try_into().map_err(|_| WireError::Short)?))
            }
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Wire::Fixed32
            }
            _ => return Err(WireError::Short),
        })
    }
}

fn message(of: &'static Type, bytes: &[u8], depth: usize, out: &mut Map<String, Value>) -> Result<(), WireError> {
    if depth > DEPTH_MAX {
        return Err(WireError::Depth);
    }
    let mut reader = Reader { bytes };
    while let Some((number, wire)) = reader.tag()? {
        let value = reader.value(wire)?;
        let inline = of.inline.iter().find(|(own, _)| u64::from(*own) == number);
        if let (Some((_, name)), Wire::Bytes(bytes)) = (inline, &value) {
            if let Some(inner) = super::schema::find(name) {
                message(inner, bytes, depth + 1, out)?;
            }
            continue;
        }
        let field = of.fields.iter().find(|field| u64::from(field.number) == number && number > 0);
        let Some(field) = field else {
            return Err(WireError::UnknownField { message: of.name.to_owned(), field: number });
        };
        let place = Place { message: of.name, field: number, depth };
        match &field.shape {
            Shape::List(inner) => {
                let entries = out.entry(field.name.to_owned()).or_insert_with(|| json!([]));
                if let Value::Array(entries) = entries {
                    place.entries(inner, value, entries)?;
                }
            }
            Shape::Map(inner) => {
                let members = out.entry(field.name.to_owned()).or_insert_with(|| json!({}));
                if let Value::Object(members) = members {
                    place.member(inner, value, members)?;
                }
            }
            shape => {
                let value = place.single(shape, value)?;
                out.insert(field.name.to_owned(), value);
            }
        }
    }
    Ok(())
}

/// Where a value stands, for errors.
#[derive(Clone, Copy)]
struct Place {
    message: &'static str,
    field: u64,
    depth: usize,
}

impl Place {
    fn wrong(self, value: &Wire<'_>) -> WireError {
        WireError::WireType { message: self.message.to_owned(), field: self.field, wire: value.code() }
    }

    fn text(self, bytes: &[u8]) -> Result<String, WireError> {
        let bad = || WireError::Text { message: self.message.to_owned(), field: self.field };
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| bad())
    }

    /// One entry of a list, or several numbers packed into one.
    fn entries(self, inner: &Shape, value: Wire<'_>, out: &mut Vec<Value>) -> Result<(), WireError> {
        if let (Shape::Int32 | Shape::Int64 | Shape::Bool, Wire::Bytes(bytes)) = (inner, &value) {
            let mut reader = Reader { bytes };
            while !reader.bytes.is_empty() {
                let number = reader.varint()?;
                out.push(self.single(inner, Wire::Number(number))?);
            }
            return Ok(());
        }
        out.push(self.single(inner, value)?);
        Ok(())
    }

    /// One entry of a map: a message with key and value.
    fn member(self, inner: &Shape, value: Wire<'_>, out: &mut Map<String, Value>) -> Result<(), WireError> {
        let Wire::Bytes(bytes) = value else { return Err(self.wrong(&value)) };
        let mut reader = Reader { bytes };
        let mut key = String::new();
        let mut found = None;
        while let Some((number, wire)) = reader.tag()? {
            match (number, reader.value(wire)?) {
                (1, Wire::Bytes(bytes)) => key = self.text(bytes)?,
                // A list within a map lies in a message of its own.
                (2, Wire::Bytes(bytes)) if matches!(inner, Shape::List(_)) => found = Some(self.items(inner, bytes)?),
                (2, value) => found = Some(self.single(inner, value)?),
                (field, _) => return Err(WireError::UnknownField { message: self.message.to_owned(), field }),
            }
        }
        let empty = match inner {
            Shape::Text(_) | Shape::Bytes => json!(""),
            Shape::Quantity => json!("0"),
            _ => Value::Null,
        };
        out.insert(key, found.unwrap_or(empty));
        Ok(())
    }

    fn items(self, list: &Shape, bytes: &[u8]) -> Result<Value, WireError> {
        let mut reader = Reader { bytes };
        let mut entries = Vec::new();
        while let Some((_, wire)) = reader.tag()? {
            let value = reader.value(wire)?;
            if let Some(inner) = list.inner() {
                self.entries(inner, value, &mut entries)?;
            }
        }
        Ok(Value::Array(entries))
    }

    fn single(self, shape: &Shape, value: Wire<'_>) -> Result<Value, WireError> {
        Ok(match (shape, value) {
            (Shape::Text(_), Wire::Bytes(bytes)) => Value::String(self.text(bytes)?),
            (Shape::Bool, Wire::Number(number)) => Value::Bool(number != 0),
            (Shape::Int32 | Shape::Int64, Wire::Number(number)) => Value::from(number.cast_signed()),
            (Shape::Double, Wire::Fixed64(bits)) => json!(f64::from_bits(bits)),
            (Shape::Bytes, Wire::Bytes(bytes)) => {
                Value::String(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
            (Shape::Object(name), Wire::Bytes(bytes)) => {
                let mut out = Map::new();
                if let Some(inner) = super::schema::find(name) {
                    message(inner, bytes, self.depth + 1, &mut out)?;
                }
                Value::Object(out)
            }
            (Shape::Time | Shape::MicroTime, Wire::Bytes(bytes)) => moment(bytes, *shape == Shape::MicroTime)?,
            (Shape::Quantity, Wire::Bytes(bytes)) => match numbers(bytes)?.1.get(&1) {
                Some(text) => Value::String(self.text(text)?),
                None => json!("0"),
            },
            (Shape::IntOrString, Wire::Bytes(bytes)) => {
                let (numbers, texts) = numbers(bytes)?;
                if numbers.get(&1) == Some(&1) {
                    Value::String(self.text(texts.get(&3).copied().unwrap_or(&[]))?)
                } else {
                    Value::from(numbers.get(&2).copied().unwrap_or(0).cast_signed())
                }
            }
            (Shape::Duration, Wire::Bytes(bytes)) => {
                let nanos = numbers(bytes)?.0.get(&1).copied().unwrap_or(0).cast_signed();
                json!(format!("{nanos}ns"))
            }
            (Shape::Raw | Shape::Fields, Wire::Bytes(bytes)) => {
                let raw = numbers(bytes)?.1.get(&1).copied().unwrap_or(&[]);
                serde_json::from_slice(raw).unwrap_or(Value::Null)
            }
            (_, value) => return Err(self.wrong(&value)),
        })
    }
}

type Parts<'a> = (std::collections::BTreeMap<u64, u64>, std::collections::BTreeMap<u64, &'a [u8]>);

/// A small message's numbers and bytes, by field number.
fn numbers(bytes: &[u8]) -> Result<Parts<'_>, WireError> {
    let mut parts = Parts::default();
    let mut reader = Reader { bytes };
    while let Some((field, wire)) = reader.tag()? {
        match reader.value(wire)? {
            Wire::Number(number) => drop(parts.0.insert(field, number)),
            Wire::Bytes(bytes) => drop(parts.1.insert(field, bytes)),
            _ => {}
        }
    }
    Ok(parts)
}

/// Seconds and nanoseconds; an empty message is no time at all.
fn moment(bytes: &[u8], micros: bool) -> Result<Value, WireError> {
    let parts = numbers(bytes)?.0;
    if parts.is_empty() {
        return Ok(Value::Null);
    }
    let seconds = parts.get(&1).copied().unwrap_or(0).cast_signed();
    let nanos = i32::try_from(parts.get(&2).copied().unwrap_or(0)).unwrap_or(0);
    let Ok(date) = Timestamp::new(seconds, nanos) else { return Ok(Value::Null) };
    Ok(Value::String(if micros { micros_text(date) } else { seconds_text(date) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema::find;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    /// As `kubectl create token --duration=10m` sends it.
    const TOKEN: &str = "6b 38 73 00 0a 28 0a 18 61 75 74 68 65 6e 74 69 63 61 74 69 6f 6e 2e 6b 38 73 2e 69 6f 2f 76 31 \
                         12 0c 54 6f 6b 65 6e 52 65 71 75 65 73 74 12 1d 0a 10 0a 00 12 00 1a 00 22 00 2a 00 32 00 38 00 \
                         42 00 12 03 20 d8 04 1a 04 0a 00 12 00 1a 00 22 00";

    #[test]
    fn a_body_of_kubectls_is_read() {
        let body = bytes(TOKEN);
        let envelope = open(&body).unwrap();
        assert_eq!(
            (envelope.api_version.as_str(), envelope.kind.as_str()),
            ("authentication.k8s.io/v1", "TokenRequest")
        );
        let object = envelope.object(find("io.k8s.api.authentication.v1.TokenRequest").unwrap()).unwrap();
        assert_eq!(object["spec"], json!({"expirationSeconds": 600}));
        assert_eq!(object["metadata"]["creationTimestamp"], Value::Null);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let body = bytes("6b 38 73 00 0a 04 0a 02 76 31 12 03 f8 01 01");
        let refused = open(&body).unwrap().object(find("io.k8s.api.core.v1.ConfigMap").unwrap()).unwrap_err();
        assert_eq!(refused, WireError::UnknownField { message: "io.k8s.api.core.v1.ConfigMap".to_owned(), field: 31 });
    }

    #[test]
    fn maps_and_bytes_are_read() {
        // data: {"a": "b"}; binaryData: {"c": [0xff]}
        let body = bytes("6b 38 73 00 12 0f 12 06 0a 01 61 12 01 62 1a 06 0a 01 63 12 01 ff 00");
        let envelope = open(&body[..body.len() - 1]).unwrap_err();
        assert_eq!(envelope, WireError::Short);
        let body = bytes("6b 38 73 00 12 10 12 06 0a 01 61 12 01 62 1a 06 0a 01 63 12 01 ff");
        let object = open(&body).unwrap().object(find("io.k8s.api.core.v1.ConfigMap").unwrap()).unwrap();
        assert_eq!(object, json!({"data": {"a": "b"}, "binaryData": {"c": "/w=="}}));
    }

    #[test]
    fn cut_bodies_are_refused() {
        let body = bytes(TOKEN);
        for end in 0..body.len() {
            let read = open(&body[..end])
                .and_then(|envelope| envelope.object(find("io.k8s.api.authentication.v1.TokenRequest").unwrap()));
            // A cut between two fields of the envelope is a smaller message, and no fault.
            assert!(read.is_err() || [4, 46, 77, 79].contains(&end), "{end}");
        }
    }
}
