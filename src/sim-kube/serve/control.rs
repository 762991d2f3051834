//! `/breakfix/…`: what the simulator can be told that no cluster can. For members of `system:masters` only.
//!
//! | request | does |
//! | --- | --- |
//! | `GET info` | says that this is a simulator, which, and what time it is there |
//! | `POST advance?ms=N` | moves its clock on by N milliseconds at once |
//! | `POST images`, body `{"images": […]}` | makes image references known to the nodes |
//! | `POST node`, body `{"node": …, "command": […]}` | runs a command on a node's machine; what it printed, and its exit code |
//! | `POST metrics`, body a `metrics::Feed` | gives it a metrics server, and values to its custom and external metrics APIs |
//! | `POST shutdown` | saves the cluster and ends the process |

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    host::Refused,
    input::{AddImages, Asker, FeedMetrics, OnMachine},
    seam::Answer,
    service::Service,
};
use crate::{Status, access::MASTERS, bootstrap};

/// No more than a month is skipped at a time: a slip of a unit should not keep anybody waiting for years of probes.
const SKIP_MS_MAX: u64 = 31 * 24 * 3_600 * 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Images {
    images: BTreeSet<String>,
}

/// Answers `verb`.
pub fn answer(
    service: &Arc<Service>,
    asker: &Asker,
    method: &Method,
    verb: &str,
    query: Option<&str>,
    body: &[u8],
) -> Answer {
    let done = if asker.groups.iter().any(|group| group == MASTERS) {
        carry_out(service, method, verb, query, body)
    } else {
        Err(Status::new(403, "Forbidden", format!("the simulator takes no orders from user \"{}\"", asker.user)))
    };
    match done {
        Ok(body) => Answer::json(200, body),
        Err(status) => Answer::refusal(&status),
    }
}

fn carry_out(
    service: &Arc<Service>,
    method: &Method,
    verb: &str,
    query: Option<&str>,
    body: &[u8],
) -> Result<Value, Status> {
    match (method.as_str(), verb) {
        ("GET", "info") => info(service),
        ("POST", "advance") => {
            service.host.skip(span(query)?);
            info(service)
        }
        ("POST", "images") => {
            let Images { images } = serde_json::from_slice(body).map_err(|error| {
                Status::new(400, "BadRequest", format!("expected {{\"images\": [\"…\"]}}: {error}"))
            })?;
            service.host.act(AddImages { images })?;
            info(service)
        }
        ("POST", "node") => {
            let command: OnMachine = serde_json::from_slice(body).map_err(|error| {
                Status::new(400, "BadRequest", format!("expected {{\"node\": \"…\", \"command\": [\"…\"]}}: {error}"))
            })?;
            let done = service.host.act(command)??;
            Ok(json!({"stdout": done.stdout, "stderr": done.stderr, "exit": done.exit}))
        }
        ("POST", "metrics") => {
            let feed: crate::metrics::Feed = serde_json::from_slice(body).map_err(|error| {
                Status::new(
                    400,
                    "BadRequest",
                    format!("expected {{\"server\": true, \"custom\": […], \"external\": […]}}: {error}"),
                )
            })?;
            feed.check().map_err(|why| Status::new(400, "BadRequest", why))?;
            service.host.act(FeedMetrics { feed })?;
            info(service)
        }
        ("POST", "shutdown") => {
            service.stop.send_replace(true);
            Ok(json!({"ending": true}))
        }
        _ => Err(Status::new(404, "NotFound", format!("the simulator knows no {method} /breakfix/{verb}"))),
    }
}

fn info(service: &Arc<Service>) -> Result<Value, Status> {
    let (now, today, seed, workers) = service
        .host
        .look(|cluster| (cluster.now(), cluster.clock.today(), cluster.config.seed, cluster.config.workers))
        .map_err(Refused::from)?;
    Ok(json!({
        "simulator": true,
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "now": today.to_string(),
        "elapsedMs": now.0,
        "seed": seed,
        "machines": bootstrap::node_names(workers),
    }))
}

fn span(query: Option<&str>) -> Result<Duration, Status> {
    let millis = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("ms="))
        .and_then(|millis| millis.parse::<u64>().ok());
    match millis {
        Some(millis) if millis <= SKIP_MS_MAX => Ok(Duration::from_millis(millis)),
        Some(_) => Err(Status::new(400, "BadRequest", format!("at most {SKIP_MS_MAX} ms are skipped at once"))),
        None => Err(Status::new(400, "BadRequest", "expected ?ms=NUMBER, the milliseconds to skip")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_of_milliseconds_and_no_eternity() {
        assert_eq!(span(Some("x=1&ms=1500")).unwrap(), Duration::from_millis(1_500));
        for wrong in [None, Some(""), Some("ms="), Some("ms=-1"), Some("ms=5s"), Some("ms=99999999999999")] {
            assert_eq!(span(wrong).unwrap_err().code, 400, "{wrong:?}");
        }
    }
}
