//! `/breakfix/…`: what the simulator can be told that no cloud can. For whoever shows the operator's secret in `x-breakfix-operator`.
//!
//! | request | does |
//! | --- | --- |
//! | `GET info` | says that this is a simulator, which, and what time it is there |
//! | `POST advance?ms=N` | moves its clock on by N milliseconds at once |
//! | `POST call`, body `{"service", "operation", "input", "caller"}` | one call, as the operator or as the caller's ARN, without a signature |
//! | `POST ask`, body a [`Probe`] | one request from inside a VPC, and what came of it |
//! | `POST images`, body `{"images": […]}` | makes image references known to the registries |
//! | `POST outage`, body `{"outage": {"zone": "a"}, {"capacity": "FARGATE_SPOT"} or {"agent": "i-…"}, "is_over"}` | lets a zone, capacity or a machine's agent fail, or brings it back |
//! | `POST throttle?requests=N&service=S` | refuses the next N requests, of one service or of any |
//! | `POST shutdown` | saves the cloud and ends the process |

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    api,
    input::{AddImages, Fail},
    probe::Probe,
    service::Service,
};
use crate::{
    AwsError, Call, Caller,
    services::iam,
    wire::{Request, Response, message::pairs},
};

/// The header that opens the door.
pub const HEADER: &str = "x-breakfix-operator";

/// No more than a month is skipped at a time: a slip of a unit should not keep anybody waiting for years of health checks.
const SKIP_MS_MAX: u64 = 31 * 24 * 3_600 * 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Images {
    images: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    service: String,
    operation: String,
    #[serde(default)]
    input: Map<String, Value>,
    /// An ARN.
    caller: Option<String>,
}

/// Answers `verb`.
pub fn answer(service: &Service, verb: &str, request: &Request) -> Response {
    match carry_out(service, verb, request) {
        Ok(value) => json_of(200, &value),
        Err(error) => json_of(error.status, &json!({"error": error})),
    }
}

fn json_of(status: u16, value: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status, headers, body: value.to_string().into_bytes() }
}

fn carry_out(service: &Service, verb: &str, request: &Request) -> Result<Value, AwsError> {
    let operator = service.look(|cloud| cloud.config.operator.secret_access_key.clone())?;
    if request.header(HEADER) != Some(operator.as_str()) {
        return Err(AwsError::new("Forbidden", "the simulator takes orders from its operator only").status(403));
    }
    let query = pairs(&request.query);
    let asked = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (request.method.as_str(), verb) {
        ("GET", "info") => info(service),
        ("POST", "advance") => {
            service.host.skip(span(asked("ms"))?);
            info(service)
        }
        ("POST", "call") => call(service, read(&request.body)?),
        ("POST", "ask") => {
            let told = service.host.act(read::<Probe>(&request.body)?);
            let told = told.map_err(|refused| wrong(&refused.to_string()).status(500))??;
            Ok(json!(told))
        }
        ("POST", "images") => {
            let Images { images } = read(&request.body)?;
            service.host.act(AddImages { images }).map_err(|refused| wrong(&refused.to_string()).status(500))?;
            info(service)
        }
        ("POST", "outage") => {
            let fail: Fail = read(&request.body)?;
            service.host.act(fail).map_err(|refused| wrong(&refused.to_string()).status(500))??;
            info(service)
        }
        ("POST", "throttle") => {
            let requests = asked("requests").and_then(|count| count.parse().ok());
            let requests = requests.ok_or_else(|| wrong("expected ?requests=NUMBER"))?;
            service.throttle.set(asked("service"), requests);
            Ok(json!({"requests": requests}))
        }
        ("POST", "shutdown") => {
            service.stop.send_replace(true);
            Ok(json!({"ending": true}))
        }
        (method, _) => Err(wrong(&format!("the simulator knows no {method} /breakfix/{verb}")).status(404)),
    }
}

fn call(service: &Service, asked: Asked) -> Result<Value, AwsError> {
    let caller = match asked.caller {
        Some(arn) => Caller { arn },
        None => service.look(|cloud| iam::operator(&cloud.config))?,
    };
    let input = Value::Object(asked.input);
    api::hand_in(&service.host, Call { service: asked.service, operation: asked.operation, input, caller })
}

fn info(service: &Service) -> Result<Value, AwsError> {
    let mut info = service.look(|cloud| {
        json!({
            "simulator": true,
            "version": env!("CARGO_PKG_VERSION"),
            "now": cloud.clock.today().to_string(),
            "elapsedMs": cloud.now().0,
            "seed": cloud.config.seed,
            "account": cloud.config.account,
            "region": cloud.config.region,
        })
    })?;
    info["pid"] = std::process::id().into();
    info["ports"] = service.ports().into();
    Ok(info)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body).map_err(|error| wrong(&format!("the body is not as expected: {error}")))
}

fn wrong(what: &str) -> AwsError {
    AwsError::new("BadRequest", what)
}

fn span(millis: Option<&str>) -> Result<Duration, AwsError> {
    match millis.and_then(|millis| millis.parse::<u64>().ok()) {
        Some(millis) if millis <= SKIP_MS_MAX => Ok(Duration::from_millis(millis)),
        Some(_) => Err(wrong(&format!("at most {SKIP_MS_MAX} ms are skipped at once"))),
        None => Err(wrong("expected ?ms=NUMBER, the milliseconds to skip")),
    }
}
