//! Bytes in JSON: as the text they mostly are, in base64 otherwise.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes that a client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Encoded { base64: String },
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Form::Encoded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Text(text) => text.into(),
            Form::Encoded { base64 } => STANDARD.decode(base64).map_err(D::Error::custom)?.into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_other_bytes_come_back() {
        for (bytes, written) in [(&b"{\"a\": 1}"[..], r#""{\"a\": 1}""#), (&[0xff, 0x00], r#"{"base64":"/wA="}"#)] {
            let blob = Blob(Bytes::from_static(bytes));
            let text = serde_json::to_string(&blob).unwrap();
            assert_eq!(text, written);
            assert_eq!(serde_json::from_str::<Blob>(&text).unwrap(), blob);
        }
    }
}
