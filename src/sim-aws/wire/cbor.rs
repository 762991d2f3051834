//! CBOR (RFC 8949) as far as `smithy-rpc-v2-cbor` uses it: JSON's values, byte strings (base64 in a [`Value`]) and dates (tag 1, epoch
//! seconds in a [`Value`]).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Number, Value};

use super::{
    malformed::Malformed,
    model::{Kind, Model, Shape},
};

const DEPTH_MAX: usize = 64;
/// Major types (RFC 8949, section 3.1).
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;
/// The argument that stands for "until a break".
const OPEN: u8 = 31;
const BREAK: u8 = 0xff;

/// The value of these bytes.
///
/// # Errors
/// They are not one value.
pub fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(broken()) }
}

fn broken() -> Malformed {
    Malformed::Syntax("The request is not well-formed CBOR.".to_owned())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or_else(broken)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: u64) -> Result<&[u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| broken())?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(broken)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The number after a head; `None` for an open end.
    fn argument(&mut self, small: u8) -> Result<Option<u64>, Malformed> {
        let width = match small {
            0..=23 => return Ok(Some(u64::from(small))),
            24..=27 => 1_u64 << (small - 24),
            OPEN => return Ok(None),
            _ => return Err(broken()),
        };
        Ok(Some(self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))))
    }

    fn ends(&mut self) -> bool {
        if self.rest.first() == Some(&BREAK) {
            self.rest = self.rest.get(1..).unwrap_or_default();
            return true;
        }
        false
    }

    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        let head = self.byte()?;
        let (major, small) = (head >> 5, head & 31);
        if major == SIMPLE {
            return self.simple(small);
        }
        let argument = self.argument(small)?;
        Ok(match (major, argument) {
            (0, Some(number)) => number.into(),
            (1, Some(number)) => i64::try_from(number).map_err(|_| broken())?.saturating_neg().saturating_sub(1).into(),
            (2 | TEXT, argument) => self.string(major, argument)?,
            (LIST, argument) => {
                let mut list = Vec::new();
                while !self.done(argument, list.len()) {
                    list.push(self.value(depth + 1)?);
                }
                Value::Array(list)
            }
            (MAP, argument) => {
                let (mut map, mut count) = (Map::new(), 0);
                while !self.done(argument, count) {
                    let Value::String(key) = self.value(depth + 1)? else { return Err(broken()) };
                    map.insert(key, self.value(depth + 1)?);
                    count += 1;
                }
                Value::Object(map)
            }
            // A date is its epoch seconds; other tags only comment on what follows.
            (TAG, Some(_)) => self.value(depth + 1)?,
            _ => return Err(broken()),
        })
    }

    fn done(&mut self, length: Option<u64>, have: usize) -> bool {
        match length {
            Some(length) => have as u64 >= length,
            None => self.ends(),
        }
    }

    fn string(&mut self, major: u8, length: Option<u64>) -> Result<Value, Malformed> {
        let mut bytes = Vec::new();
        match length {
            Some(length) => bytes.extend_from_slice(self.take(length)?),
            None => {
                while !self.ends() {
                    let head = self.byte()?;
                    let length = self.argument(head & 31)?.filter(|_| head >> 5 == major).ok_or_else(broken)?;
                    bytes.extend_from_slice(self.take(length)?);
                }
            }
        }
        if major == TEXT {
            return String::from_utf8(bytes).map(Value::String).map_err(|_| broken());
        }
        Ok(STANDARD.encode(bytes).into())
    }

    fn simple(&mut self, small: u8) -> Result<Value, Malformed> {
        let float = |value: f64| Number::from_f64(value).map_or(Value::Null, Value::Number);
        Ok(match small {
            20 => false.into(),
            21 => true.into(),
            22 | 23 => Value::Null,
            25 => {
                let half = self.take(2)?.iter().fold(0, |value, byte| value << 8 | u16::from(*byte));
                float(half_float(half))
            }
            26 => float(f64::from(f32::from_be_bytes(self.take(4)?.try_into().map_err(|_| broken())?))),
            27 => float(f64::from_be_bytes(self.take(8)?.try_into().map_err(|_| broken())?)),
            _ => return Err(broken()),
        })
    }
}

/// RFC 8949, appendix D.
fn half_float(half: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(half >> 10 & 31), f64::from(half & 0x3ff));
    let value = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if half & 0x8000 == 0 { value } else { -value }
}

/// The bytes of an answer: dates and byte strings are known by the model.
pub fn write(model: &Model, kind: Kind, value: &Value, out: &mut Vec<u8>) {
    match (kind, value) {
        (Kind::Date(_), value) => {
            head(TAG, 1, out);
            write(model, Kind::Number, value, out);
        }
        (Kind::Bytes, Value::String(text)) => {
            let bytes = STANDARD.decode(text).unwrap_or_default();
            head(2, bytes.len() as u64, out);
            out.extend_from_slice(&bytes);
        }
        (Kind::Number, Value::Number(number)) => {
            out.push(0xfb);
            out.extend_from_slice(&number.as_f64().unwrap_or_default().to_be_bytes());
        }
        (_, Value::Null) => out.push(0xf6),
        (_, Value::Bool(flag)) => out.push(if *flag { 0xf5 } else { 0xf4 }),
        (_, Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => head(0, number, out),
            (None, Some(number)) => head(1, number.unsigned_abs() - 1, out),
            (None, None) => write(model, Kind::Number, value, out),
        },
        (_, Value::String(text)) => {
            head(TEXT, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        (kind, Value::Array(values)) => {
            let of = match named(model, kind) {
                Some(Shape::List { of, .. }) => *of,
                _ => Kind::Anything,
            };
            head(LIST, values.len() as u64, out);
            values.iter().for_each(|value| write(model, of, value, out));
        }
        (kind, Value::Object(values)) => {
            head(MAP, values.len() as u64, out);
            for (name, value) in values {
                write(model, Kind::Text, &Value::String(name.clone()), out);
                let of = match named(model, kind) {
                    Some(Shape::Structure(members)) => {
                        members.iter().find(|member| member.name == name).map(|member| member.of)
                    }
                    Some(Shape::Map { of, .. }) => Some(*of),
                    _ => None,
                };
                write(model, of.unwrap_or(Kind::Anything), value, out);
            }
        }
    }
}

fn named(model: &Model, kind: Kind) -> Option<&Shape> {
    match kind {
        Kind::Shape(name) => model.shapes.get(name),
        _ => None,
    }
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let bytes = argument.to_be_bytes();
    let first = major << 5;
    match argument {
        0..=23 => out.push(first | bytes[7]),
        24..=0xff => out.extend_from_slice(&[first | 24, bytes[7]]),
        0x100..=0xffff => {
            out.push(first | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(first | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(first | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_read() {
        // RFC 8949, appendix A.
        let cases: [(&[u8], Value); 9] = [
            (&[0x19, 0x03, 0xe8], json!(1000)),
            (&[0x38, 0x63], json!(-100)),
            (&[0xf9, 0x3c, 0x00], json!(1.0)),
            (&[0xf9, 0xc4, 0x00], json!(-4.0)),
            (&[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], json!(1.1)),
            (&[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0], json!(1_363_896_240)),
            (&[0xa2, 0x61, 0x61, 0x01, 0x61, 0x62, 0x82, 0x02, 0x03], json!({"a": 1, "b": [2, 3]})),
            (&[0xbf, 0x61, 0x61, 0x9f, 0x01, 0xff, 0xff], json!({"a": [1]})),
            (&[0x7f, 0x65, b's', b't', b'r', b'e', b'a', 0x64, b'm', b'i', b'n', b'g', 0xff], json!("streaming")),
        ];
        for (bytes, value) in cases {
            assert_eq!(read(bytes).unwrap(), value, "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({"a": [1, -1, 300, -70_000, 1.5, true, null], "b": {"c": "d"}, "n": 5_000_000_000_u64});
        let mut bytes = Vec::new();
        write(&Model::default(), Kind::Anything, &value, &mut bytes);
        assert_eq!(read(&bytes).unwrap(), value);
    }

    #[test]
    fn nothing_malformed_is_more_than_an_error() {
        let deep = [vec![0x81; 100_000], vec![0x01]].concat();
        let long = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for bytes in [&[][..], &deep, &long, &[0x5b, 0x7f], &[0x61, 0xff], &[0x01, 0x01], &[0xff], &[0xa1, 0x01, 0x01]]
        {
            assert!(read(bytes).is_err());
        }
        let mut bytes = vec![0; 3];
        for seed in 0..=u32::from(u16::MAX) {
            bytes.copy_from_slice(&(seed * 251).to_be_bytes()[1..]);
            let _ = read(&bytes);
        }
    }
}
