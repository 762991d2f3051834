//! A store behind HTTP: what an API server does with objects, and whatever else a test wants it to answer.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::{
    kubernetes::{api::Api, belongings::tests::place, host::Host, object, target::KubeTarget},
    target::{Place, Reach, TargetError},
};

/// What a rule answers with.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// This status and text.
    Text(u16, String),
    /// Nothing for longer than anybody waits.
    Silence,
}

impl Reply {
    /// A refusal in the API's form.
    pub(super) fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message});
        Self::Text(code, body.to_string())
    }
}

/// The server's state.
#[derive(Default)]
pub(super) struct Server {
    /// By path.
    pub(super) objects: BTreeMap<String, Value>,
    /// For requests whose `METHOD path?query` contains the text, the last rule first.
    rules: Vec<(String, Reply)>,
    /// Every request, as `METHOD path?query`.
    pub(super) log: Vec<String>,
    counter: u32,
    /// Time that was let pass.
    pub(super) passed: Duration,
}

/// A handle that tests and the client share.
#[derive(Clone, Default)]
pub(super) struct Fake(pub(super) Arc<Mutex<Server>>);

impl Fake {
    /// With the kinds that the tests use.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Answers requests that contain the text in this way.
    pub(super) fn rule(&self, text: &str, reply: Reply) -> &Self {
        self.0.lock().unwrap().rules.push((text.to_owned(), reply));
        self
    }

    /// Puts an object into the store; its path's last part is its name.
    pub(super) fn put(&self, path: &str, mut object: Value) -> &Self {
        let mut server = self.0.lock().unwrap();
        server.counter += 1;
        let name = path.rsplit('/').next().unwrap_or_default();
        object::set(&mut object, &["metadata", "name"], json!(name));
        if let Some((_, rest)) = path.split_once("/namespaces/")
            && let Some((namespace, _)) = rest.split_once('/')
        {
            object::set(&mut object, &["metadata", "namespace"], json!(namespace));
        }
        if object::uid(&object).is_none() {
            object::set(&mut object, &["metadata", "uid"], json!(format!("uid-{}", server.counter)));
        }
        server.objects.insert(path.to_owned(), object);
        self
    }

    pub(super) fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    /// The requests that changed something.
    pub(super) fn writes(&self) -> Vec<String> {
        let log = self.0.lock().unwrap().log.clone();
        log.into_iter().filter(|line| !line.starts_with("GET")).collect()
    }

    pub(super) fn target(&self, place: Place) -> KubeTarget {
        KubeTarget::new(Box::new(FakeHost(self.clone(), false)), place).with_patience(Duration::from_millis(200))
    }

    /// On a cluster of breakfix's own.
    pub(super) fn own_target(&self, place: Place) -> KubeTarget {
        KubeTarget::new(Box::new(FakeHost(self.clone(), true)), place).with_patience(Duration::from_millis(200))
    }

    /// For a lab without documents in namespace `shop`.
    pub(super) fn bare_target(&self) -> KubeTarget {
        self.target(place(Vec::new()))
    }

    fn client(&self) -> kube::Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            async move { Ok::<_, Infallible>(fake.answer(request).await) }
        });
        kube::Client::new(service, "default")
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let line = format!("{} {}", head.method, head.uri);
        let rule = {
            let mut server = self.0.lock().unwrap();
            server.log.push(line.clone());
            server.rules.iter().rev().find(|(text, _)| line.contains(text)).map(|(_, reply)| reply.clone())
        };
        let (code, text) = match rule {
            Some(Reply::Silence) => std::future::pending().await,
            Some(Reply::Text(code, text)) => (code, text),
            None => self.0.lock().unwrap().store(&head.method, head.uri.path(), head.uri.query(), body),
        };
        Response::builder()
            .status(StatusCode::from_u16(code).unwrap())
            .header("date", "Mon, 05 Jan 2026 09:00:10 GMT")
            .body(Body::from(text.into_bytes()))
            .unwrap()
    }
}

impl Server {
    fn store(&mut self, method: &Method, path: &str, query: Option<&str>, body: Value) -> (u16, String) {
        let not_found = || {
            let message = format!("{path} not found");
            (404, json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": message}).to_string())
        };
        match *method {
            Method::POST => {
                let path = format!("{path}/{}", object::name(&body));
                if self.objects.contains_key(&path) {
                    let body =
                        json!({"kind": "Status", "code": 409, "reason": "AlreadyExists", "message": "already exists"});
                    return (409, body.to_string());
                }
                (201, self.keep(path, body).to_string())
            }
            Method::PUT => (200, self.keep(path.to_owned(), body).to_string()),
            Method::PATCH => {
                // A subresource is a field of the object here.
                let path = path.trim_end_matches("/scale");
                let Some(mut found) = self.objects.get(path).cloned() else { return not_found() };
                merge(&mut found, &body);
                (200, self.keep(path.to_owned(), found).to_string())
            }
            Method::DELETE => match self.objects.remove(path) {
                Some(gone) => {
                    let uid = object::uid(&gone).unwrap_or_default().to_owned();
                    self.collect(&uid);
                    (200, gone.to_string())
                }
                None => not_found(),
            },
            _ => match self.objects.get(path) {
                Some(found) => (200, found.to_string()),
                None if is_collection(path) => (200, self.list(path, query).to_string()),
                None => not_found(),
            },
        }
    }

    fn keep(&mut self, path: String, mut object: Value) -> Value {
        self.counter += 1;
        if object::uid(&object).is_none() {
            object::set(&mut object, &["metadata", "uid"], json!(format!("uid-{}", self.counter)));
        }
        object::set(&mut object, &["metadata", "resourceVersion"], json!(self.counter.to_string()));
        if path.starts_with("/api/v1/namespaces/") && path.matches('/').count() == 4 {
            let account = json!({"metadata": {"name": "default", "uid": format!("{path}-sa")}});
            self.objects.insert(format!("{path}/serviceaccounts/default"), account);
        }
        self.objects.insert(path, object.clone());
        object
    }

    /// The garbage collector, at once.
    fn collect(&mut self, uid: &str) {
        let owned: Vec<String> = self
            .objects
            .iter()
            .filter(|(_, object)| object::owners(object).any(|owner| owner == uid))
            .map(|(path, _)| path.clone())
            .collect();
        for path in owned {
            if let Some(gone) = self.objects.remove(&path) {
                let uid = object::uid(&gone).unwrap_or_default().to_owned();
                self.collect(&uid);
            }
        }
    }

    fn list(&self, path: &str, query: Option<&str>) -> Value {
        let wanted = query.and_then(|query| query.split("labelSelector=").nth(1)).map(|text| text.replace("%3D", "="));
        let wanted = wanted.map(|text| text.split('&').next().unwrap_or_default().replace("%2F", "/"));
        let matches = |object: &Value| {
            wanted
                .as_deref()
                .and_then(|text| text.split_once('='))
                .is_none_or(|(key, value)| object::label(object, key) == Some(value))
        };
        let (root, plural) = path.rsplit_once('/').unwrap();
        let items: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(key, object)| {
                let Some(rest) = key.strip_prefix(root) else { return false };
                let here = rest.strip_prefix(&format!("/{plural}/")).is_some_and(|rest| !rest.contains('/'));
                // Without a namespace: in all of them.
                let anywhere = !path.contains("/namespaces/")
                    && rest.starts_with("/namespaces/")
                    && rest.split('/').nth(3) == Some(plural)
                    && rest.split('/').count() == 5;
                (here || anywhere) && matches(object)
            })
            .map(|(_, object)| object)
            .collect();
        json!({"kind": "SomeList", "metadata": {}, "items": items})
    }
}

/// `/api/v1/pods`, `/apis/apps/v1/namespaces/shop/deployments`: an even number of steps behind the version, plus one.
fn is_collection(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let behind = match parts.first() {
        Some(&"api") => parts.len() - 2,
        _ => parts.len().saturating_sub(3),
    };
    behind % 2 == 1
}

/// RFC 7386.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().map(|map| map.remove(key));
        } else {
            let mut inner = into.get(key).cloned().unwrap_or(Value::Null);
            merge(&mut inner, value);
            object::set(into, &[key], inner);
        }
    }
}

/// A host whose time is made up.
struct FakeHost(Fake, bool);

#[async_trait]
impl Host for FakeHost {
    async fn connect(&self) -> Result<kube::Client, TargetError> {
        Ok(self.0.client())
    }

    async fn provide_images(&self, _api: &Api, _images: &[String]) -> Result<(), TargetError> {
        Ok(())
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        self.0.0.lock().unwrap().passed += time;
        Ok(())
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        Ok(Reach::default())
    }

    fn owns_cluster(&self) -> bool {
        self.1
    }

    fn when_unreachable(&self) -> String {
        "Is the fake up?".to_owned()
    }

    fn skips_time(&self) -> bool {
        true
    }
}
