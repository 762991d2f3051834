//! Bodies: JSON or YAML to a value.

use serde_json::Value;

use super::go_json;
use crate::{
    Status,
    api::{handle::ApiRequest, protobuf, schema},
};

/// The media type a request names, without parameters.
pub fn content_type(request: &ApiRequest) -> &str {
    request.header("content-type").split(';').next().unwrap_or("").trim()
}

/// Reads a body as an object that is to be of the kind `expected`, which has this schema.
///
/// # Errors
/// 400 or 415 in the API's words.
pub fn read(request: &ApiRequest, expected: &str, schema: &str) -> Result<Value, Status> {
    let value = match content_type(request) {
        "" | "application/json" => json(&request.body, expected)?,
        "application/yaml" => yaml(&request.body, expected)?,
        "application/vnd.kubernetes.protobuf" => wire(&request.body, expected, schema)?,
        _ => return Err(unsupported()),
    };
    if value.is_object() {
        Ok(value)
    } else {
        Err(unreadable(expected, "json: cannot unmarshal into Go value of type struct", &request.body))
    }
}

/// 415 for a body that is no object of a known form.
pub fn unsupported() -> Status {
    Status::new(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, \
         application/vnd.kubernetes.protobuf",
    )
}

fn wire(body: &[u8], expected: &str, schema: &str) -> Result<Value, Status> {
    let of = schema::find(schema).ok_or_else(|| Status::internal(format!("no schema {schema}")))?;
    let cannot = |error: protobuf::WireError| {
        Status::bad_request(format!("the body cannot be handled as a {expected}: {error}"))
    };
    protobuf::open(body).and_then(|envelope| envelope.object(of)).map_err(cannot)
}

fn json(body: &[u8], expected: &str) -> Result<Value, Status> {
    serde_json::from_slice(body).map_err(|error| {
        let why = go_json::complaint(body).unwrap_or_else(|| error.to_string());
        unreadable(expected, &format!("json parse error: {why}"), body)
    })
}

/// Reads a YAML body.
///
/// # Errors
/// 400 in the API's words.
pub fn yaml(body: &[u8], expected: &str) -> Result<Value, Status> {
    let text = std::str::from_utf8(body).map_err(|error| unreadable(expected, &error.to_string(), body))?;
    serde_saphyr::from_str(text)
        .map_err(|error| unreadable(expected, &format!("error converting YAML to JSON: yaml: {error}"), body))
}

fn unreadable(expected: &str, why: &str, body: &[u8]) -> Status {
    let shown: String = String::from_utf8_lossy(body).chars().take(1024).collect();
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {expected}): couldn't get version/kind; {why} ({shown})"
    ))
}
