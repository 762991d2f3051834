//! Answers: JSON and YAML bodies, refusals, plain pages.

use serde_json::Value;

use super::media::{self, Form};
use crate::{
    Status,
    api::handle::{ApiRequest, Content, Reply},
};

/// A JSON or YAML answer.
pub fn value(request: &ApiRequest, form: Form, status: u16, body: Value) -> Reply {
    match form {
        Form::Json => json(request, status, "application/json", body),
        Form::Yaml => Reply {
            status,
            content_type: "application/yaml".to_owned(),
            headers: Vec::new(),
            body: Content::Bytes(serde_saphyr::to_string(&body).unwrap_or_default().into_bytes()),
        },
    }
}

/// A JSON answer under a content type of its own, indented where a person seems to read.
pub fn json(request: &ApiRequest, status: u16, content_type: &str, body: Value) -> Reply {
    let agent = request.header("user-agent");
    let person = ["curl/", "Wget/", "Mozilla/"].iter().any(|name| agent.starts_with(name));
    let pretty = request.param("pretty").map_or(person, |_| request.flag("pretty"));
    let body = if pretty {
        Content::Bytes(serde_json::to_vec_pretty(&body).unwrap_or_default())
    } else {
        Content::Document(body)
    };
    Reply { status, content_type: content_type.to_owned(), headers: Vec::new(), body }
}

/// A refusal, in the form the client takes.
pub fn refusal(request: &ApiRequest, status: &Status) -> Reply {
    let form = media::accepted(request).map_or(Form::Json, |accepted| accepted.form);
    let mut reply = value(request, form, status.code, status.body());
    if let Some(seconds) = status.details.get("retryAfterSeconds").and_then(Value::as_u64) {
        reply.headers.push(("retry-after", seconds.to_string()));
    }
    reply
}

/// A refusal of whoever asks, before anything of what they ask is looked at.
pub fn unwelcome(request: &ApiRequest, status: &Status) -> Reply {
    let mut reply = refusal(request, status);
    reply.headers.push(("x-content-type-options", "nosniff".to_owned()));
    reply
}

/// A plain text.
pub fn text(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: "text/plain; charset=utf-8".to_owned(),
        headers: vec![("x-content-type-options", "nosniff".to_owned())],
        body: Content::Bytes(body.as_bytes().to_vec()),
    }
}

/// What Go's mux says of a path that it does not know.
pub fn not_found() -> Reply {
    text(404, "404 page not found\n")
}

/// Adds warnings the way the API does (RFC 7234, code 299).
pub fn warn(reply: &mut Reply, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        reply.headers.push(("warning", format!("299 - \"{quoted}\"")));
    }
}

/// A log.
pub fn log(bytes: Vec<u8>) -> Reply {
    Reply { status: 200, content_type: "text/plain".to_owned(), headers: Vec::new(), body: Content::Bytes(bytes) }
}
