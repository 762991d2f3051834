//! `proxy` over HTTP: an input like any other, answered when the simulation's time for it has passed.

use std::{sync::Arc, time::Duration};

use breakfix_sim::listen::Body;
use breakfix_workload::Response as Answered;
use http::{HeaderMap, Response};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{host::Host, input::Act, seam::Answer, service::whole};
use crate::{Cluster, Status, api::is_handed_on, api::stream::ProxySpec, network};

/// A request to somebody behind the API server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProxyCall {
    pub spec: ProxySpec,
}

impl Act<Cluster> for ProxyCall {
    type Outcome = (Result<Answered, Status>, Duration);

    fn act(&self, cluster: &mut Cluster) -> Self::Outcome {
        network::proxied(cluster, &self.spec)
    }
}

/// Makes the request and hands back its answer.
///
/// # Errors
/// Nobody answered; in the API server's words.
pub async fn answer(host: &Arc<Host>, mut spec: ProxySpec, headers: &HeaderMap) -> Result<Response<Body>, Status> {
    for (name, value) in headers {
        if is_handed_on(name.as_str())
            && let Ok(value) = value.to_str()
        {
            spec.headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    let (outcome, took) = host.act(ProxyCall { spec })?;
    let wait = host.wait_for(took);
    if !wait.is_zero() {
        sleep(wait).await;
    }
    let Answered { status, headers, body } = outcome?;
    let headers = headers.into_iter().filter(|(name, _)| !matches!(name.as_str(), "connection" | "content-length"));
    Ok(whole(Answer::Whole { status, headers: headers.collect(), body: body.into() }))
}
