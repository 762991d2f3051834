//! A request in, an answer out: everything of the HTTP API but the sockets.
//!
//! [`handle`] is pure but for the cluster it changes. What goes on for longer, a watch or a stream, is answered with a description of it
//! that `serve/` carries out.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use super::{
    http::{self, route::Route},
    stream::StreamSpec,
    verbs::Actor,
    watch::WatchSpec,
};
pub use crate::access::User;
use crate::{
    Cluster, Status,
    access::{self, Attributes},
};

/// The largest body that is read, in bytes (`--max-request-bytes` of a stock server).
pub const BODY_MAX: usize = 3 * 1024 * 1024;

/// One request.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// As in the request line, without the query: `/api/v1/namespaces/shop/pods`.
    pub path: String,
    /// Decoded, in order; a key may come more than once.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub user: User,
}

impl ApiRequest {
    /// The first value of a query key.
    pub fn param(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Whether a query key stands for yes.
    pub fn flag(&self, key: &str) -> bool {
        self.param(key).is_some_and(|value| matches!(value, "1" | "t" | "T" | "true" | "True" | "TRUE"))
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Who acts: the user, under the field manager that the query or else the client's name gives.
    pub fn actor(&self) -> Actor {
        let agent = self.header("user-agent").split('/').next().unwrap_or("");
        let manager = self.param("fieldManager").filter(|name| !name.is_empty()).unwrap_or(agent);
        let manager = if manager.is_empty() { "unknown" } else { manager };
        Actor { user: self.user.name.clone(), manager: manager.to_owned() }
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub enum ApiResponse {
    /// A whole answer.
    Reply(Reply),
    /// Events, until the client or a time limit ends them.
    Watch(WatchSpec),
    /// exec, attach, port-forward, or a log that is followed.
    Stream(StreamSpec),
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    /// Beside `content-type`: `warning`, `retry-after`.
    pub headers: Vec<(&'static str, String)>,
    pub body: Content,
}

/// What a reply holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text, or whatever else the content type says.
    Bytes(Vec<u8>),
    /// JSON that has yet to be written down: whoever asks from inside the process takes it as it is.
    Document(Value),
}

impl Content {
    /// As it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Document(value) => {
                let mut text = value.to_string();
                text.push('\n');
                text.into_bytes()
            }
        }
    }
}

/// Answers a request.
///
/// In an API server's order: in whose name, whether they may, and only then whether there is such a thing.
pub fn handle(cluster: &mut Cluster, request: &ApiRequest) -> ApiResponse {
    let request = match admitted(cluster, request) {
        Ok(request) => request,
        Err(status) => return ApiResponse::Reply(http::reply::unwelcome(request, &status)),
    };
    let request = request.as_ref();
    let answer = if request.body.len() > BODY_MAX {
        Err(Status::too_large())
    } else {
        match Route::of(&request.path, &crate::custom::kinds(cluster)) {
            Route::Page(page) => return ApiResponse::Reply(http::pages::answer(cluster, request, &page)),
            Route::Nowhere => return ApiResponse::Reply(http::reply::not_found()),
            Route::NoResource => Err(Status::no_such_resource()),
            Route::Resource(target) if crate::metrics::is_absent(cluster, target.kind.group()) => {
                return ApiResponse::Reply(http::reply::not_found());
            }
            Route::Resource(target) => http::resource::answer(cluster, request, &target),
        }
    };
    match answer {
        Ok(response) => response,
        Err(status) => ApiResponse::Reply(http::reply::refusal(request, &status)),
    }
}

/// The request as the one who may make it: under the name that it is made in.
fn admitted<'a>(cluster: &mut Cluster, request: &'a ApiRequest) -> Result<Cow<'a, ApiRequest>, Status> {
    let asked = Attributes::of(request);
    let request = match access::impersonate(cluster, &request.user, request, &asked)? {
        Some(user) => Cow::Owned(ApiRequest { user, ..request.clone() }),
        None => Cow::Borrowed(request),
    };
    let decision = access::authorize(cluster, &request.user, &asked);
    if decision.is_allowed { Ok(request) } else { Err(access::forbidden(&request.user, &asked, &decision.reason)) }
}

#[cfg(test)]
mod any_body;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;
