//! A request from somewhere in the cluster to a URL, names included.

use std::{net::SocketAddr, time::Duration};

use breakfix_workload::{CallError, Request, Response, Url, fetch};

use super::{Caller, Source, exchange};
use crate::{Cluster, node::Inside};

/// What became of a request, and how long it took on the cluster's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub outcome: Result<Response, CallError>,
    pub took: Duration,
}

/// Sends one request to a URL as `from` would: a pod's names are resolved as its `/etc/resolv.conf` says, a node knows addresses only.
/// The cluster's clock does not move; whoever waits for the answer moves it on by `took`.
pub fn http(cluster: &mut Cluster, from: &Source, url: &str, request: &Request, timeout: Duration) -> Answered {
    let url: Url = match Url::parse(url) {
        Ok(url) => url,
        Err(error) => {
            return Answered { outcome: Err(CallError::Garbled(error.to_string())), took: Duration::ZERO };
        }
    };
    let request = if request.target.is_empty() {
        Request { target: url.target.clone(), ..request.clone() }
    } else {
        request.clone()
    };
    match from {
        Source::Pod(uid) => {
            let run = cluster
                .nodes
                .pods
                .get(uid)
                .and_then(|pod| pod.running().next().map(|(name, run)| (name.clone(), run.number)));
            let Some((container, run)) = run else {
                return Answered { outcome: Err(CallError::Unreachable), took: Duration::ZERO };
            };
            let argv = ["get".to_owned(), url.authority()];
            let mut inside = Inside::beside(cluster, uid, &container, run, &argv);
            let outcome = fetch(&url, &request, timeout, &mut inside).map(|fetched| fetched.response);
            Answered { outcome, took: inside.lead }
        }
        Source::Node(_) => {
            let Ok(ip) = url.host.parse() else {
                return Answered { outcome: Err(CallError::NameUnknown(url.host)), took: Duration::ZERO };
            };
            let caller = Caller::new(from.clone());
            let (outcome, took) = exchange(cluster, &caller, SocketAddr::new(ip, url.port), &request, timeout);
            Answered { outcome, took }
        }
    }
}
