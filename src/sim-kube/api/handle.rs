//! A request in, an answer out: everything of the HTTP API but the sockets.
//!
//! [`handle`] is pure but for the cluster it changes. What goes on for longer, a watch or a stream, is answered with a description of it
//! that `serve/` carries out.

use std::collections::BTreeMap;

use super::{
    http::{self, route::Route},
    stream::StreamSpec,
    verbs::Actor,
    watch::WatchSpec,
};
use crate::{Cluster, Status};

/// The largest body that is read, in bytes (`--max-request-bytes` of a stock server).
pub const BODY_MAX: usize = 3 * 1024 * 1024;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub groups: Vec<String>,
}

impl User {
    /// The cluster's administrator, as a kubeadm kubeconfig has it.
    pub fn admin() -> Self {
        Self {
            name: "kubernetes-admin".to_owned(),
            groups: vec!["kubeadm:cluster-admins".to_owned(), "system:authenticated".to_owned()],
        }
    }

    /// Whether everything is allowed to this user. Roles and bindings are not modelled: all others are refused everything.
    pub fn is_admin(&self) -> bool {
        self.groups.iter().any(|group| group == "kubeadm:cluster-admins" || group == "system:masters")
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    /// Beside `content-type`: `warning`, `retry-after`.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Answers a request.
pub fn handle(cluster: &mut Cluster, request: &ApiRequest) -> ApiResponse {
    let answer = if request.body.len() > BODY_MAX {
        Err(Status::too_large())
    } else {
        match Route::of(&request.path) {
            Route::Page(page) => return ApiResponse::Reply(http::pages::answer(cluster, request, &page)),
            Route::Nowhere => return ApiResponse::Reply(http::reply::not_found()),
            Route::NoResource => Err(Status::no_such_resource()),
            Route::Resource(target) => http::resource::answer(cluster, request, &target),
        }
    };
    match answer {
        Ok(response) => response,
        Err(status) => ApiResponse::Reply(http::reply::refusal(request, &status)),
    }
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;
