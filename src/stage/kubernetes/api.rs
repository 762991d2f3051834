//! The API server, as the few requests that a target makes. Every request ends within a limit; every answer is checked for its form.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use breakfix_sim_kube::serve::local::{AsDocument, Document};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    resource::{Resource, escape},
    trouble::Trouble,
};

/// The name under which writes appear in `managedFields`.
const MANAGER: &str = "breakfix";
/// Entries of one page of a list.
const PAGE: usize = 500;
/// How much of an answer that makes no sense is quoted.
const QUOTED_CHARS: usize = 120;

/// The time of a system whose `Date` header is another's.
pub(crate) type SystemClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Requests under way at a time: each needs a connection of its own, and a handshake costs more than several answers.
const AT_ONCE: usize = 4;

/// A client and its patience.
pub(crate) struct Api {
    client: Client,
    patience: Duration,
    clock: Option<SystemClock>,
    turns: Semaphore,
    /// What a request says it comes from, where that is not the connection's to say.
    token: Option<http::HeaderValue>,
    /// Built-in kinds that turned out not to be served: no cluster begins to serve one while a command runs.
    unserved: Mutex<BTreeSet<Resource>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The system's own time, where it says so; by the `Date` header to whole seconds.
    pub(crate) at: Option<Timestamp>,
    pub(crate) body: Value,
}

/// How a patch is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Merge,
    Strategic,
    Json,
}

impl PatchKind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Json => "application/json-patch+json",
        }
    }
}

impl Api {
    /// Without a clock the server's `Date` header tells its time.
    pub(crate) fn new(client: Client, patience: Duration, clock: Option<SystemClock>) -> Self {
        Self { client, patience, clock, turns: Semaphore::new(AT_ONCE), token: None, unserved: Mutex::default() }
    }

    /// The same with a bearer token at every request.
    #[must_use]
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        let header = http::HeaderValue::try_from(format!("Bearer {token}")).ok();
        self.token = header.map(|mut header| {
            header.set_sensitive(true);
            header
        });
        self
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// One request.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content: Option<(&str, &Value)>,
    ) -> Result<Answer, Trouble> {
        let (mut head, bytes) = self.exchange(method, path, content).await?;
        let at = match &self.clock {
            Some(clock) => Some(clock()),
            None => head.headers.get(http::header::DATE).and_then(|date| date.to_str().ok()).and_then(read_date),
        };
        let body = match head.extensions.remove() {
            // A simulator inside this process: nothing was ever written down.
            Some(Document(body)) => read_document(head.status, path, body)?,
            None => read_body(head.status, path, &bytes)?,
        };
        Ok(Answer { at, body })
    }

    /// A plain text, as `log` answers.
    pub(crate) async fn text(&self, path: &str) -> Result<String, Trouble> {
        let (head, bytes) = self.exchange(Method::GET, path, None).await?;
        if head.status.is_success() {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        let body = match head.extensions.get() {
            Some(Document(body)) => read_document(head.status, path, body.clone()),
            None => read_body(head.status, path, &bytes),
        };
        body.and_then(|body| Err(Trouble::Garbage { why: quote(&body) }))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        content: Option<(&str, &Value)>,
    ) -> Result<(http::response::Parts, Vec<u8>), Trouble> {
        let mut request = Request::builder().method(method).uri(path).header(http::header::ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(http::header::AUTHORIZATION, token);
        }
        let mut bytes = Vec::new();
        if let Some((content_type, body)) = content {
            request = request.header(http::header::CONTENT_TYPE, content_type);
            bytes = serde_json::to_vec(body).map_err(|error| Trouble::Garbage { why: error.to_string() })?;
        }
        // Of use to a simulator inside this process alone.
        request = request.extension(AsDocument);
        let request = request.body(Body::from(bytes)).map_err(|error| Trouble::Garbage { why: error.to_string() })?;
        let exchange = async {
            let response = self.client.send(request).await?;
            let (head, body) = response.into_parts();
            let bytes =
                body.collect().await.map_err(|error| Trouble::Unreachable { why: error.to_string() })?.to_bytes();
            Ok((head, bytes.to_vec()))
        };
        // A closed semaphore would let everybody through; nobody closes it.
        let _turn = self.turns.acquire().await.ok();
        tokio::time::timeout(self.patience, exchange).await.unwrap_or(Err(Trouble::Slow { after: self.patience }))
    }

    /// Every object of a kind; in all namespaces without one. Each has `apiVersion` and `kind`, as `kubectl get -o json` shows them.
    pub(crate) async fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &str,
    ) -> Result<(Option<Timestamp>, Vec<Value>), Trouble> {
        let path = resource.path(namespace, None, None);
        if self.unserved().contains(resource) {
            return Err(Trouble::NotServed { path });
        }
        let (mut items, mut at, mut next) = (Vec::new(), None, String::new());
        loop {
            let more = if query.is_empty() { String::new() } else { format!("&{query}") };
            let answer = self.send(Method::GET, &format!("{path}?limit={PAGE}{more}{next}"), None).await;
            if matches!(answer, Err(Trouble::NotServed { .. })) && resource.is_built_in() {
                self.unserved().insert(resource.clone());
            }
            let Answer { at: when, mut body } = answer?;
            at = at.or(when);
            items.extend(items_of(resource, &mut body)?);
            match body.pointer("/metadata/continue").and_then(Value::as_str).filter(|token| !token.is_empty()) {
                Some(token) => next = format!("&continue={}", escape(token)),
                None => return Ok((at, items)),
            }
        }
    }

    fn unserved(&self) -> MutexGuard<'_, BTreeSet<Resource>> {
        self.unserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object, or the observation that there is none.
    pub(crate) async fn get(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Value>, Trouble> {
        match self.send(Method::GET, &resource.path(namespace, Some(name), None), None).await {
            Ok(answer) => Ok(Some(an_object(answer.body)?)),
            Err(trouble) if trouble.is_not_found() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Creates an object; fields that the API does not know are an error.
    pub(crate) async fn create(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        body: &Value,
    ) -> Result<Value, Trouble> {
        let path = format!("{}?fieldManager={MANAGER}&fieldValidation=Strict", resource.path(namespace, None, None));
        an_object(self.send(Method::POST, &path, Some(("application/json", body))).await?.body)
    }

    /// Replaces an object as a whole.
    pub(crate) async fn replace(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        body: &Value,
    ) -> Result<Value, Trouble> {
        let path = resource.path(namespace, Some(name), None);
        let path = format!("{path}?fieldManager={MANAGER}&fieldValidation=Strict");
        an_object(self.send(Method::PUT, &path, Some(("application/json", body))).await?.body)
    }

    /// Edits an object.
    pub(crate) async fn patch(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        subresource: Option<&str>,
        kind: PatchKind,
        body: &Value,
    ) -> Result<Value, Trouble> {
        let path = format!("{}?fieldManager={MANAGER}", resource.path(namespace, Some(name), subresource));
        an_object(self.send(Method::PATCH, &path, Some((kind.content_type(), body))).await?.body)
    }

    /// Deletes in the background: the object goes first, what it owns follows. `grace`: `None` leaves it to the object.
    /// `uid`: only this very one. Gone already is fine, and so is another one of the same name.
    pub(crate) async fn delete(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        uid: Option<&str>,
        grace: Option<u32>,
    ) -> Result<(), Trouble> {
        let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
        if let Some(seconds) = grace {
            options["gracePeriodSeconds"] = json!(seconds);
        }
        if let Some(uid) = uid {
            options["preconditions"] = json!({"uid": uid});
        }
        let path = resource.path(namespace, Some(name), None);
        match self.send(Method::DELETE, &path, Some(("application/json", &options))).await {
            Ok(_) => Ok(()),
            Err(trouble) if trouble.is_not_found() || trouble.is_conflict() && uid.is_some() => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }
}

/// The objects of a list's page. An answer that is no list is not the observation that there is nothing.
fn items_of(resource: &Resource, body: &mut Value) -> Result<Vec<Value>, Trouble> {
    let is_list = body.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match body.get_mut("items").map(Value::take) {
        Some(Value::Array(mut items)) if is_list => {
            for item in &mut items {
                if let Value::Object(item) = item {
                    item.entry("apiVersion").or_insert_with(|| json!(resource.api_version));
                    item.entry("kind").or_insert_with(|| json!(resource.kind));
                }
            }
            Ok(items)
        }
        // Go writes an empty list without a slice behind it as null.
        Some(Value::Null) if is_list => Ok(Vec::new()),
        _ => Err(Trouble::Garbage {
            why: format!("a list of {} was asked for, this came: {}", resource.plural, quote(body)),
        }),
    }
}

fn an_object(body: Value) -> Result<Value, Trouble> {
    if body.get("metadata").is_some_and(Value::is_object) {
        Ok(body)
    } else {
        Err(Trouble::Garbage { why: format!("an object was expected, this came: {}", quote(&body)) })
    }
}

/// The body of a response as JSON, or the trouble it stands for.
fn read_body(status: StatusCode, path: &str, bytes: &[u8]) -> Result<Value, Trouble> {
    read(status, path, serde_json::from_slice::<Value>(bytes).ok(), &String::from_utf8_lossy(bytes))
}

/// The same for what is JSON already.
fn read_document(status: StatusCode, path: &str, body: Value) -> Result<Value, Trouble> {
    if status.is_success() {
        return Ok(body);
    }
    let text = body.to_string();
    read(status, path, Some(body), &text)
}

fn read(status: StatusCode, path: &str, body: Option<Value>, text: &str) -> Result<Value, Trouble> {
    if status.is_success() {
        return body.ok_or_else(|| Trouble::Garbage { why: format!("{status}, `{}`", shorten(text)) });
    }
    let word =
        |key: &str| body.as_ref().and_then(|body| body.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned();
    if word("kind") == "Status" {
        // A missing kind is said without a name: `details` has none.
        if status == StatusCode::NOT_FOUND && word("message") == "the server could not find the requested resource" {
            return Err(Trouble::NotServed { path: without_query(path) });
        }
        return Err(Trouble::Said { code: status.as_u16(), reason: word("reason"), message: word("message") });
    }
    // kube-apiserver's mux answers a path that nobody serves in these words (k8s.io/apiserver/pkg/server/mux).
    if status == StatusCode::NOT_FOUND && text.trim() == "404 page not found" {
        return Err(Trouble::NotServed { path: without_query(path) });
    }
    let why = format!("{status}, `{}`", shorten(text));
    // Load balancers in front of an API server that is down.
    if matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT) {
        return Err(Trouble::Unreachable { why });
    }
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let reason = if status == StatusCode::FORBIDDEN { "Forbidden" } else { "Unauthorized" };
        return Err(Trouble::Said { code: status.as_u16(), reason: reason.to_owned(), message: why });
    }
    Err(Trouble::Garbage { why })
}

fn without_query(path: &str) -> String {
    path.split('?').next().unwrap_or(path).to_owned()
}

fn quote(body: &Value) -> String {
    format!("`{}`", shorten(&body.to_string()))
}

fn shorten(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= QUOTED_CHARS {
        text.to_owned()
    } else {
        text.chars().take(QUOTED_CHARS).chain(['…']).collect()
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
fn read_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<Value, Trouble> {
        read_body(StatusCode::from_u16(status).unwrap(), "/api/v1/pods?limit=5", body.as_bytes())
    }

    #[test]
    fn only_a_status_says_not_found() {
        let status = r#"{"kind":"Status","reason":"NotFound","message":"pods \"x\" not found","code":404}"#;
        assert!(answered(404, status).unwrap_err().is_not_found());
        assert!(
            matches!(answered(404, "404 page not found\n"), Err(Trouble::NotServed { path }) if path == "/api/v1/pods")
        );
        assert!(matches!(answered(404, "<html>nope</html>"), Err(Trouble::Garbage { .. })));
        assert!(matches!(answered(502, "Bad gateway"), Err(Trouble::Unreachable { .. })));
        assert!(matches!(answered(200, "<html>log in</html>"), Err(Trouble::Garbage { .. })));
        assert!(matches!(answered(403, "no"), Err(Trouble::Said { code: 403, .. })));
    }

    #[test]
    fn what_is_no_list_is_not_an_empty_list() {
        let pods = Resource::built_in(None, "Pod").unwrap();
        for body in [
            json!({}),
            json!({"kind": "PodList"}),
            json!({"items": []}),
            json!([]),
            json!({"kind": "Status", "items": []}),
        ] {
            assert!(matches!(items_of(&pods, &mut body.clone()), Err(Trouble::Garbage { .. })), "{body}");
        }
        assert_eq!(items_of(&pods, &mut json!({"kind": "PodList", "items": null})), Ok(Vec::new()));
        let items = items_of(&pods, &mut json!({"kind": "PodList", "items": [{"metadata": {}}]})).unwrap();
        assert_eq!(items, [json!({"metadata": {}, "apiVersion": "v1", "kind": "Pod"})]);
    }

    #[test]
    fn the_date_of_the_server_is_read() {
        assert_eq!(read_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some("1994-11-06T08:49:37Z".parse().unwrap()));
        assert_eq!(read_date("yesterday"), None);
    }
}
