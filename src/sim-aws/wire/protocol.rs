//! The protocols, and which of them a request speaks.

use super::{message::Request, model::Model};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The operation in `X-Amz-Target`, JSON both ways.
    Json,
    /// A form in, XML out.
    Query,
    /// The same with other names.
    Ec2,
    /// The operation in method and path, JSON both ways.
    Rest,
    /// The operation in the path, CBOR both ways.
    Cbor,
}

impl Protocol {
    /// What a request speaks; a service may know several.
    pub fn of(request: &Request, model: Option<&Model>) -> Self {
        if request.header("smithy-protocol") == Some("rpc-v2-cbor") {
            return Self::Cbor;
        }
        if request.header("x-amz-target").is_some() {
            return Self::Json;
        }
        match model.map(|model| model.protocol) {
            Some("ec2") => Self::Ec2,
            Some("rest-json") => Self::Rest,
            Some("query" | "smithy-rpc-v2-cbor") => Self::Query,
            Some(_) => Self::Json,
            // A service that is not simulated: whatever its clients send they can read.
            None => match request.header("content-type") {
                Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => Self::Query,
                _ => Self::Json,
            },
        }
    }
}
