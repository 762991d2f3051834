//! One HTTP request into a pod, past the cluster's network: what a forwarded port carries. An input like any other.

use std::{collections::BTreeMap, time::Duration};

use breakfix_workload::{CallError, Request, Response};
use serde::{Deserialize, Serialize};

use super::{blob::Blob, input::Act, inside};
use crate::Cluster;

/// A request to a port of a pod, from the pod's own point of view (`localhost`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub namespace: String,
    pub pod: String,
    pub port: u16,
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: Blob,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Called {
    pub answer: Result<Response, CallError>,
    /// How long it took.
    pub took: Duration,
}

impl Call {
    pub fn new(namespace: &str, pod: &str, port: u16, request: Request) -> Self {
        let Request { method, target, headers, body } = request;
        let (namespace, pod, body) = (namespace.to_owned(), pod.to_owned(), Blob(body.into()));
        Self { namespace, pod, port, method, target, headers, body }
    }

    pub fn request(&self) -> Request {
        Request {
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            body: self.body.0.to_vec(),
        }
    }
}

impl Act<Cluster> for Call {
    type Outcome = Called;

    fn act(&self, cluster: &mut Cluster) -> Called {
        inside::call(cluster, self)
    }
}
