//! The engine's API, as JSON in and JSON out.
//!
//! Values stay as the engine wrote them: what a check sees is what `docker inspect` shows, on every version of every engine.
//! A typed client would drop what its version of the API does not know, and refuse what another engine writes differently.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    connection::connect,
    endpoint::{Address, Endpoint},
};
use crate::target::{Cause, TargetError};

/// How long an engine may take for an ordinary answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The newest API that is spoken: later ones leave out fields that labs look at (`NetworkSettings.IPAddress`).
const API_MAX: (u32, u32) = (1, 51);
/// Before this, answers lack fields that breakfix needs (2016).
const API_MIN: (u32, u32) = (1, 25);
/// No answer of an engine is longer than this, in bytes.
const ANSWER_MAX: usize = 64 << 20;

/// A spoken-to engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) endpoint: Endpoint,
    /// `1.41`.
    pub(super) version: String,
    /// What to add to this machine's clock to get the engine's.
    pub(super) ahead: SignedDuration,
    /// How long it may take for an ordinary answer.
    pub(super) patience: Duration,
    /// As `ahead`, to the millisecond; asked for when it is first needed.
    exactly_ahead: OnceCell<SignedDuration>,
}

/// Why the engine gave no good answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    #[error("{source}")]
    Unreachable { source: io::Error },
    #[error("no answer within {} seconds", after.as_secs())]
    Slow { after: Duration },
    #[error("{message}")]
    Answered { status: StatusCode, message: String },
    #[error("what came back is not what an engine says: {source}")]
    Garbled { source: Box<dyn std::error::Error + Send + Sync> },
}

impl EngineError {
    /// The engine said that there is no such thing.
    pub(super) fn is_missing(&self) -> bool {
        self.is(StatusCode::NOT_FOUND)
    }

    pub(super) fn is(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Answered { status, .. } if *status == wanted)
    }

    /// The engine's own words, where it said any.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Answered { message, .. } => message,
            _ => "",
        }
    }
}

/// One question.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// With its query, without the version: `/containers/json?all=1`.
    pub(super) path: &'a str,
    pub(super) body: Bytes,
    pub(super) kind: &'static str,
    pub(super) patience: Duration,
}

impl Engine {
    /// Speaks to the engine and agrees on a version.
    ///
    /// # Errors
    /// Nobody answers, or the engine is too old.
    pub(super) async fn open(endpoint: Endpoint, patience: Duration) -> Result<Self, TargetError> {
        let mut engine = Self {
            endpoint,
            version: String::new(),
            ahead: SignedDuration::ZERO,
            patience,
            exactly_ahead: OnceCell::new(),
        };
        let what = format!("speak to the Docker engine at {}", engine.endpoint.address);
        let ask = Ask { method: Method::GET, path: "/_ping", body: Bytes::new(), kind: "", patience };
        let (head, _) = engine.send(&ask).await.map_err(|error| engine.trouble(what.clone(), error))?;
        let named = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let theirs = named("api-version").and_then(numbers).ok_or_else(|| {
            TargetError::new(Cause::Missing, what.clone())
                .hint("Something answers there, but it does not say which version of Docker's API it speaks.")
        })?;
        if theirs < API_MIN {
            let hint = "The engine is too old for breakfix; it needs Docker 1.13 or newer.";
            return Err(TargetError::new(Cause::Missing, what).hint(hint));
        }
        let (major, minor) = theirs.min(API_MAX);
        engine.version = format!("{major}.{minor}");
        engine.ahead = named("date").map_or(SignedDuration::ZERO, ahead);
        Ok(engine)
    }

    /// The engine's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.at(Timestamp::now())
    }

    /// The engine's clock, near enough to compare with the times of its events.
    pub(super) async fn exactly_now(&self) -> Timestamp {
        let ahead = self.exactly_ahead.get_or_init(|| async {
            let before = Timestamp::now();
            let info = self.get("/info").await.unwrap_or_default();
            let theirs = info.get("SystemTime").and_then(Value::as_str).and_then(|text| text.parse().ok());
            theirs.map_or(self.ahead, |theirs| exactly_ahead(before, theirs, Timestamp::now()))
        });
        let ahead = *ahead.await;
        let now = Timestamp::now();
        now.checked_add(ahead).unwrap_or(now)
    }

    /// A moment of this machine's clock on the engine's.
    pub(super) fn at(&self, local: Timestamp) -> Timestamp {
        local.checked_add(self.ahead).unwrap_or(local)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, EngineError> {
        self.call(Method::GET, path, None, self.patience).await
    }

    /// `None` where there is no such thing.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, EngineError> {
        match self.get(path).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, EngineError> {
        self.call(Method::POST, path, body, self.patience).await
    }

    /// Deletes; gone already is fine.
    pub(super) async fn delete(&self, path: &str) -> Result<(), EngineError> {
        match self.call(Method::DELETE, path, None, self.patience).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_missing() => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Value, EngineError> {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| EngineError::Garbled { source: error.into() })?,
            None => Vec::new(),
        };
        let kind = if body.is_empty() { "" } else { "application/json" };
        let (_, answer) = self.send(&Ask { method, path, body: body.into(), kind, patience }).await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).map_err(|error| EngineError::Garbled { source: error.into() })
    }

    /// Sends, and reads the whole answer.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<(http::response::Parts, Bytes), EngineError> {
        let whole = tokio::time::timeout(ask.patience, self.exchange(ask)).await;
        let (head, body) = whole.map_err(|_| EngineError::Slow { after: ask.patience })??;
        if head.status.is_success() || head.status == StatusCode::NOT_MODIFIED {
            return Ok((head, body));
        }
        let said = serde_json::from_slice::<Value>(&body).ok();
        let said = said.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str).map(str::to_owned);
        let message = said.unwrap_or_else(|| format!("{}: {}", head.status, String::from_utf8_lossy(&body).trim()));
        Err(EngineError::Answered { status: head.status, message })
    }

    async fn exchange(&self, ask: &Ask<'_>) -> Result<(http::response::Parts, Bytes), EngineError> {
        let unreachable = |source| EngineError::Unreachable { source };
        let stream = connect(&self.endpoint).await.map_err(unreachable)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(cut_short)?;
        let connection = tokio::spawn(connection);
        let host = match &self.endpoint.address {
            Address::Unix(_) => "docker".to_owned(),
            Address::Tcp { host, port } => format!("{host}:{port}"),
        };
        let prefix = if self.version.is_empty() { String::new() } else { format!("/v{}", self.version) };
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(format!("{prefix}{}", ask.path))
            .header(header::HOST, host)
            .header(header::USER_AGENT, concat!("breakfix/", env!("CARGO_PKG_VERSION")));
        if !ask.kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, ask.kind);
        }
        let request =
            request.body(Full::new(ask.body.clone())).map_err(|error| EngineError::Garbled { source: error.into() })?;
        let answer = async {
            let answer = sender.send_request(request).await.map_err(cut_short)?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await;
            Ok((head, body.map_err(|source| EngineError::Garbled { source })?.to_bytes()))
        };
        let answer = answer.await;
        connection.abort();
        answer
    }

    /// A target's error, with what to try.
    pub(super) fn trouble(&self, what: impl Into<String>, error: EngineError) -> TargetError {
        let at = &self.endpoint.address;
        let trouble = |cause| TargetError::new(cause, what);
        match error {
            EngineError::Unreachable { source } => {
                let hint = match source.kind() {
                    io::ErrorKind::PermissionDenied => format!(
                        "You may not use {at}. Add yourself to the group that owns it (`sudo usermod -aG docker $USER`, then log in again), or use a rootless engine."
                    ),
                    _ => format!(
                        "Is the Docker engine running? breakfix looked for it at {at}; DOCKER_HOST names another one."
                    ),
                };
                trouble(Cause::Unreachable).hint(hint).because(source)
            }
            error @ EngineError::Slow { .. } => trouble(Cause::Slow)
                .hint("The engine is busy or hangs: does `docker ps` answer? Try again, or restart the engine.")
                .because(error),
            error @ (EngineError::Answered { .. } | EngineError::Garbled { .. }) => {
                trouble(Cause::Answered).because(error)
            }
        }
    }
}

fn cut_short(error: hyper::Error) -> EngineError {
    EngineError::Unreachable { source: io::Error::other(error) }
}

/// `1.41`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// How far the engine's clock is ahead, from the `Date` of an answer that has just come. Whole seconds: less is the header's own grain.
fn ahead(date: &str) -> SignedDuration {
    let Ok(theirs) = jiff::fmt::rfc2822::parse(date) else { return SignedDuration::ZERO };
    let ahead = theirs.timestamp().duration_since(Timestamp::now());
    if ahead.abs() < SignedDuration::from_secs(2) { SignedDuration::ZERO } else { ahead }
}

/// How far a clock is ahead that showed `theirs` at some moment between the other two. Nothing if it may be the same clock.
fn exactly_ahead(before: Timestamp, theirs: Timestamp, after: Timestamp) -> SignedDuration {
    if (before..=after).contains(&theirs) {
        return SignedDuration::ZERO;
    }
    let middle = before.checked_add(after.duration_since(before) / 2).unwrap_or(before);
    theirs.duration_since(middle)
}

/// A query's value with everything escaped that is not a letter, a digit or one of `-._~`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests;
