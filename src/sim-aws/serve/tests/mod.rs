//! A served cloud, asked over HTTP: in this process, on a port, by the aws CLI.

mod doors;
mod record;

use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::local::{LocalServer, local};
use crate::{
    Cloud, testing,
    wire::{Request, Response, sign},
};

/// A served cloud with nothing in it.
pub fn served() -> LocalServer {
    local(Arc::new(Mutex::new(testing::cloud())))
}

/// Who signs, for what region.
pub struct Signer<'a> {
    pub key: &'a str,
    pub secret: &'a str,
    pub token: Option<&'a str>,
    pub region: &'a str,
}

/// The learner, at home.
pub const LEARNER: Signer<'static> =
    Signer { key: "AKIALEARNER", secret: "secret-of-LEARNER", token: None, region: "eu-central-1" };

impl Signer<'_> {
    /// A request of the JSON protocol.
    pub fn json(&self, service: &str, target: &str, body: &str) -> Request {
        let headers = vec![("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        self.sign(service, headers, body)
    }

    /// A request of a query protocol.
    pub fn form(&self, service: &str, body: &str) -> Request {
        self.sign(service, vec![("content-type", "application/x-www-form-urlencoded")], body)
    }

    fn sign<'a>(&'a self, service: &str, mut headers: Vec<(&'a str, &'a str)>, body: &str) -> Request {
        headers.extend([("host", "127.0.0.1"), ("x-amz-date", "20261121T120000Z")]);
        headers.extend(self.token.map(|token| ("x-amz-security-token", token)));
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: body.as_bytes().to_vec(),
        };
        let scope = format!("{}/20261121/{}/{service}/aws4_request", self.key, self.region);
        let header = |signature: &str| {
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}")
        };
        request.headers.push(("authorization".to_owned(), header("?")));
        let signature = sign::read(&request).unwrap().unwrap().signature(self.secret, &request);
        request.headers.last_mut().unwrap().1 = header(&signature);
        request
    }
}

pub fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

pub fn value(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| panic!("not JSON: {}", text(response)))
}

pub fn bytes(cloud: &Cloud) -> String {
    serde_json::to_string(cloud).unwrap()
}
