//! An answer or a refusal as each protocol puts it.

use serde_json::{Map, Value};

use super::{
    cbor, json,
    message::Response,
    model::{Error, Kind, Model, Operation},
    protocol::Protocol,
    xml::Writer,
};
use crate::AwsError;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The answer of an operation; `id` is the request's.
pub fn answer(protocol: Protocol, model: &Model, operation: &Operation, value: &Value, id: &str) -> Response {
    let kind = operation.output.map_or(Kind::Anything, Kind::Shape);
    let body = match protocol {
        // An operation without an output answers with nothing at all.
        Protocol::Json | Protocol::Rest if operation.output.is_none() => Vec::new(),
        Protocol::Json | Protocol::Rest => json::written(model, kind, value).to_string().into_bytes(),
        Protocol::Cbor => {
            let mut body = Vec::new();
            cbor::write(model, kind, &json::written(model, kind, value), &mut body);
            body
        }
        Protocol::Query => query(model, operation, value, id),
        Protocol::Ec2 => ec2(model, operation, value, id),
    };
    let status = operation.route.map_or(200, |route| route.status);
    whole(protocol, model.json_version, status, body, id)
}

fn query(model: &Model, operation: &Operation, value: &Value, id: &str) -> Vec<u8> {
    let mut writer = Writer::new(model);
    let name = operation.name;
    writer.out.push_str(&format!("<{name}Response xmlns=\"{}\">", model.namespace));
    if let Some(shape) = operation.output {
        writer.element(&format!("{name}Result"), |writer| writer.members(shape, value));
    }
    writer.element("ResponseMetadata", |writer| writer.text("RequestId", id));
    writer.out.push_str(&format!("</{name}Response>"));
    writer.out.into_bytes()
}

fn ec2(model: &Model, operation: &Operation, value: &Value, id: &str) -> Vec<u8> {
    let mut writer = Writer::new(model);
    let name = operation.name;
    writer.out.push_str(&format!("{DECLARATION}<{name}Response xmlns=\"{}/\">", model.namespace));
    writer.text("requestId", id);
    match operation.output {
        Some(shape) => writer.members(shape, value),
        None => writer.text("return", "true"),
    }
    writer.out.push_str(&format!("</{name}Response>"));
    writer.out.into_bytes()
}

/// A refusal. The model knows the status and how the error is called on the wire, where it knows the error.
pub fn refusal(protocol: Protocol, model: Option<&Model>, error: &AwsError, id: &str) -> Response {
    let known = model.and_then(|model| model.error(&error.code));
    let status = match known {
        Some(known) if error.status == 400 => known.status,
        _ => error.status,
    };
    let version = model.map_or("1.1", |model| model.json_version);
    match protocol {
        Protocol::Json | Protocol::Rest | Protocol::Cbor => {
            let code = known.map_or(error.code.as_str(), |known| known.shape);
            let members = members(known, code, error);
            let body = match protocol {
                Protocol::Cbor => {
                    let mut body = Vec::new();
                    cbor::write(&Model::default(), Kind::Anything, &members, &mut body);
                    body
                }
                _ => members.to_string().into_bytes(),
            };
            let mut response = whole(protocol, version, status, body, id);
            response.headers.push(("x-amzn-errortype".to_owned(), code.to_owned()));
            if protocol == Protocol::Cbor {
                let code = known.map_or(error.code.as_str(), |known| known.code);
                response.headers.push(("x-amzn-query-error".to_owned(), format!("{code};{}", side(status))));
            }
            response
        }
        Protocol::Query | Protocol::Ec2 => {
            let code = known.map_or(error.code.as_str(), |known| known.code);
            let empty = Model::default();
            let mut writer = Writer::new(model.unwrap_or(&empty));
            if protocol == Protocol::Ec2 {
                writer.out.push_str(DECLARATION);
                writer.element("Response", |writer| {
                    writer.element("Errors", |writer| {
                        writer.element("Error", |writer| {
                            writer.text("Code", code);
                            writer.text("Message", &error.message);
                        });
                    });
                    writer.text("RequestID", id);
                });
            } else {
                writer.out.push_str(&format!("<ErrorResponse xmlns=\"{}\">", writer.model.namespace));
                writer.element("Error", |writer| {
                    writer.text("Type", side(status));
                    writer.text("Code", code);
                    writer.text("Message", &error.message);
                });
                writer.text("RequestId", id);
                writer.out.push_str("</ErrorResponse>");
            }
            whole(protocol, version, status, writer.out.into_bytes(), id)
        }
    }
}

/// Whose fault an error is.
fn side(status: u16) -> &'static str {
    if status < 500 { "Sender" } else { "Receiver" }
}

fn members(known: Option<&Error>, code: &str, error: &AwsError) -> Value {
    let mut members = Map::new();
    members.insert("__type".to_owned(), code.into());
    if !error.message.is_empty() {
        members.insert(known.map_or("message", |known| known.sentence).to_owned(), error.message.clone().into());
    }
    members.extend(error.more.clone());
    Value::Object(members)
}

fn whole(protocol: Protocol, json_version: &str, status: u16, body: Vec<u8>, id: &str) -> Response {
    let content = match protocol {
        Protocol::Json if json_version == "-" => "application/x-amz-json-1.1".to_owned(),
        Protocol::Json => format!("application/x-amz-json-{json_version}"),
        Protocol::Rest => "application/json".to_owned(),
        Protocol::Cbor => "application/cbor".to_owned(),
        Protocol::Query => "text/xml".to_owned(),
        Protocol::Ec2 => "text/xml;charset=UTF-8".to_owned(),
    };
    let mut headers = vec![("content-type".to_owned(), content), ("x-amzn-requestid".to_owned(), id.to_owned())];
    if protocol == Protocol::Cbor {
        headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
    }
    Response { status, headers, body }
}
