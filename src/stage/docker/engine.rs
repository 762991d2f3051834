//! The engine's API: spoken through bollard, and as plain JSON where its models would lose something.
//!
//! The rule of what goes which way, in one place:
//!
//! - What breakfix asks for itself (greeting, lists, events, exec, starting, stopping, removing, images, networks) goes through bollard.
//! - What a check or a lab's author looks at (`inspect` of containers, images and networks, the list of volumes) stays as the engine
//!   wrote it: a model drops what its version of the API does not know (`NetworkSettings.IPAddress`, an image's old `Config` fields), makes
//!   no difference between null and absent, and refuses the whole answer for one word of another engine's.
//! - What is sent from a lab's document goes through bollard's model if the model keeps all of it ([`whole`]); else as it was written, so that
//!   the engine, and not a missing field, decides.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bollard::{ClientVersion, Docker, errors::Error};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{endpoint::Endpoint, podman, way::Way};
use crate::target::{Cause, TargetError};

/// How long an engine may take for an ordinary answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The newest API that is spoken: later ones leave out fields that labs look at (`NetworkSettings.IPAddress`).
const API_MAX: (u32, u32) = (1, 51);
/// Before this, answers lack fields that breakfix needs (2016).
const API_MIN: (u32, u32) = (1, 25);
/// Seconds that bollard itself waits for the beginning of an answer: [`Engine::within`] is stricter.
const FOR_EVER: u64 = 24 * 60 * 60;
/// How Podman says that others share a container's namespaces, and that it therefore stays.
pub(super) const DEPENDENT: &str = "has dependent containers";
/// No answer that is read as JSON is longer than this, in bytes.
const ANSWER_MAX: usize = 64 << 20;

/// A spoken-to engine.
#[derive(Debug)]
pub(super) struct Engine {
    /// Typed questions. They wait for ever: ask them through [`Engine::ask`] or [`Engine::within`].
    pub(super) docker: Docker,
    way: Way,
    pub(super) endpoint: Endpoint,
    /// `1.41`.
    pub(super) version: String,
    /// What to add to this machine's clock to get the engine's.
    pub(super) ahead: SignedDuration,
    /// How long it may take for an ordinary answer.
    pub(super) patience: Duration,
    /// Ids of the helpers that were made through this value.
    helpers: Mutex<BTreeSet<String>>,
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

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                let status = StatusCode::from_u16(status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let message = if message.trim().is_empty() { status.to_string() } else { message.trim().to_owned() };
                Self::Answered { status, message }
            }
            // The status of a stream is sent before its work is done; what goes wrong later stands in the stream.
            Error::DockerStreamError { error } => {
                Self::Answered { status: StatusCode::INTERNAL_SERVER_ERROR, message: error }
            }
            Error::IOError { err } => Self::Unreachable { source: err },
            Error::HyperResponseError { err } => Self::Unreachable { source: io::Error::other(err) },
            other => Self::Garbled { source: other.into() },
        }
    }
}

impl Engine {
    /// Speaks to the engine and agrees on a version.
    ///
    /// # Errors
    /// Nobody answers, or the engine is too old.
    pub(super) async fn open(endpoint: Endpoint, patience: Duration) -> Result<Self, TargetError> {
        let way = Way::to(endpoint.clone());
        let what = format!("speak to the Docker engine at {}", endpoint.address);
        let local = |error: Error| TargetError::new(Cause::Local, what.clone()).because(error);
        let docker = client(&way, API_MAX).map_err(local)?;
        let mut engine = Self {
            docker,
            way,
            endpoint,
            version: String::new(),
            ahead: SignedDuration::ZERO,
            patience,
            helpers: Mutex::default(),
            exactly_ahead: OnceCell::new(),
        };
        engine.ask(engine.docker.ping()).await.map_err(|error| engine.trouble(what.clone(), error))?;
        let greeting = engine.way.greeting();
        // `negotiate_version` asks `/version`, for which an engine starts two programs: twenty times as long.
        let theirs = greeting.version.as_deref().and_then(numbers).ok_or_else(|| {
            TargetError::new(Cause::Missing, what.clone())
                .hint("Something answers there, but it does not say which version of Docker's API it speaks.")
        })?;
        if theirs < API_MIN {
            let hint = "The engine is too old for breakfix; it needs Docker 1.13 or newer.";
            return Err(TargetError::new(Cause::Missing, what).hint(hint));
        }
        let agreed = theirs.min(API_MAX);
        engine.version = format!("{}.{}", agreed.0, agreed.1);
        engine.ahead = greeting.date.as_deref().map_or(SignedDuration::ZERO, ahead);
        engine.way.agree(&engine.version);
        engine.docker = client(&engine.way, agreed).map_err(local)?;
        Ok(engine)
    }

    /// Waits for changes that were asked for and that nobody has waited for.
    pub(super) async fn settled(&self) {
        self.way.settled(self.patience).await;
    }

    /// A typed question, with the usual patience.
    pub(super) async fn ask<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, EngineError> {
        self.within(self.patience, answer).await
    }

    /// A typed question that may take this long, its whole answer included.
    pub(super) async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, EngineError> {
        match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer.map_err(EngineError::from),
            Err(_) => Err(EngineError::Slow { after: patience }),
        }
    }

    /// Ids of the probes and placeholders that were made here.
    pub(super) fn helpers(&self) -> BTreeSet<String> {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn add_helper(&self, id: &str) {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }

    /// The engine's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.at(Timestamp::now())
    }

    /// The engine's clock, near enough to compare with the times of its events.
    pub(super) async fn exactly_now(&self) -> Timestamp {
        let ahead = self.exactly_ahead.get_or_init(|| async {
            let before = Timestamp::now();
            let info = self.ask(self.docker.info()).await.ok();
            let theirs = info.and_then(|info| info.system_time).and_then(|text| text.parse().ok());
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

    /// Whether it is Podman, which speaks Docker's API with some words of its own.
    pub(super) fn is_podman(&self) -> bool {
        self.way.greeting().is_podman
    }

    /// An answer as the engine wrote it; Podman's inspection of a container in Docker's words.
    pub(super) async fn get(&self, path: &str) -> Result<Value, EngineError> {
        let mut answer = self.call(Method::GET, path, None).await?;
        if self.is_podman() && path.starts_with("/containers/") && path.ends_with("/json") {
            podman::translated(&mut answer);
        }
        Ok(answer)
    }

    /// Builds with BuildKit, which reads a context from the request too; nothing is asked back then. bollard wants a session for it.
    pub(super) async fn build_by_buildkit(
        &self,
        query: &[(&str, String)],
        context: Bytes,
        patience: Duration,
    ) -> Result<(), EngineError> {
        let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        let path = format!("/build?version=2&{}", query.join("&"));
        let exchange = self.exchange(Method::POST, &path, "application/x-tar", context);
        let answer = tokio::time::timeout(patience, exchange).await;
        let (status, answer) = answer.map_err(|_| EngineError::Slow { after: patience })??;
        match built_by_buildkit(status, &String::from_utf8_lossy(&answer)) {
            Ok(()) => Ok(()),
            Err(message) => Err(EngineError::Answered { status, message }),
        }
    }

    /// `None` where there is no such thing.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, EngineError> {
        found(self.get(path).await)
    }

    /// A body as it is written.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, EngineError> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, EngineError> {
        let garbled = |error: serde_json::Error| EngineError::Garbled { source: error.into() };
        let body = body.map(serde_json::to_vec).transpose().map_err(garbled)?.unwrap_or_default();
        let exchange =
            tokio::time::timeout(self.patience, self.exchange(method, path, "application/json", body.into())).await;
        let (status, answer) = exchange.map_err(|_| EngineError::Slow { after: self.patience })??;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return if answer.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&answer).map_err(garbled) };
        }
        let said = serde_json::from_slice::<Value>(&answer).ok();
        let said = said.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str).map(str::to_owned);
        let message = said.unwrap_or_else(|| format!("{status}: {}", String::from_utf8_lossy(&answer).trim()));
        Err(EngineError::Answered { status, message })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), EngineError> {
        let mut request = Request::builder().method(method).uri(path);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request = request.body(Full::new(body)).map_err(|error| EngineError::Garbled { source: error.into() })?;
        let answer = self.way.send(request).await.map_err(|source| EngineError::Unreachable { source })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_MAX).collect().await;
        Ok((head.status, body.map_err(|source| EngineError::Garbled { source })?.to_bytes()))
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
                let hint = answer_hint(error.words());
                let trouble = trouble(Cause::Answered).because(error);
                match hint {
                    Some(hint) => trouble.hint(hint),
                    None => trouble,
                }
            }
        }
    }
}

/// What a build by BuildKit came to: a line of JSON for each message, one of which may tell of an error. The rest is its trace.
fn built_by_buildkit(status: StatusCode, answer: &str) -> Result<(), String> {
    let messages = answer.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let said = messages
        .filter_map(|it| {
            let detail = it.pointer("/errorDetail/message").or_else(|| it.get("error")).or_else(|| it.get("message"));
            detail.and_then(Value::as_str).map(str::to_owned)
        })
        .next();
    match said {
        Some(message) => Err(message),
        None if status.is_success() => Ok(()),
        None => Err(format!("{status}: {}", answer.trim())),
    }
}

/// What to try where the engine's own words leave that open.
fn answer_hint(words: &str) -> Option<&'static str> {
    if words.contains("no space left on device") {
        return Some(
            "The engine's disk is full: `docker system df` shows what takes the room. Free some, and try again.",
        );
    }
    if words.contains(DEPENDENT) {
        return Some("Other containers live in its namespaces: remove those first.");
    }
    let lower = words.to_lowercase();
    // "No such image: …", "get shop-data: no such volume", "network shop not found". A file in a container is not the engine's.
    if ["image", "volume", "network", "container"].iter().any(|what| lower.contains(&format!("no such {what}")))
        || (lower.contains("network") && lower.contains("not found"))
    {
        return Some("It is not on the engine, or no longer: somebody else may have removed it just now. Try again.");
    }
    let taken = words.contains("already exists") || words.contains("already in use");
    taken.then_some(
        "Somebody else on this engine has made one of that name: remove or rename it, or wait until they are done.",
    )
}

/// bollard over a way of ours: sockets, TLS and version are the same for both kinds of question.
fn client(way: &Way, (major_version, minor_version): (u32, u32)) -> Result<Docker, Error> {
    let version = ClientVersion { major_version: major_version as usize, minor_version: minor_version as usize };
    Docker::connect_with_custom_transport(way.clone().transport(), Some("http://docker"), FOR_EVER, &version)
}

/// `None` where the engine says that there is no such thing.
pub(super) fn found<T>(answer: Result<T, EngineError>) -> Result<Option<T>, EngineError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A document as bollard's model has it; `None` if the model would lose or change something that is written there.
pub(super) fn whole<T: DeserializeOwned + Serialize>(body: &Value) -> Option<T> {
    let model: T = serde_json::from_value(body.clone()).ok()?;
    let back = serde_json::to_value(&model).ok()?;
    keeps(&back, body).then_some(model)
}

/// Whether everything of `body` is in `back`. Null says nothing.
fn keeps(back: &Value, body: &Value) -> bool {
    match (body, back) {
        (Value::Null, _) => true,
        (Value::Object(body), Value::Object(back)) => {
            body.iter().all(|(key, value)| value.is_null() || back.get(key).is_some_and(|back| keeps(back, value)))
        }
        (Value::Array(body), Value::Array(back)) => {
            body.len() == back.len() && body.iter().zip(back).all(|(body, back)| keeps(back, body))
        }
        (body, back) => body == back,
    }
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
