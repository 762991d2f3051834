//! The way of a request to the engine: one connection each, in the version that was agreed on.
//!
//! What changes something is carried through, also when nobody waits for it any more (another request of the same work was refused, Ctrl-C): an
//! engine may go on with what it was asked for, and whoever clears up then has to know when it is over.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bollard::{BollardRequest, errors::Error};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Method, Request, Response, header};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;

use super::{
    connection::connect,
    endpoint::{Address, Endpoint},
};

/// Requests of this process that change something and have not been answered, by the engine's address. Kept for the process, as those who clear up
/// connect anew.
static UNDER_WAY: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
/// How often is looked whether they are over.
const PAUSE: Duration = Duration::from_millis(10);

/// One of [`UNDER_WAY`], until it is dropped.
struct UnderWay(String);

impl UnderWay {
    fn begin(address: &Address) -> Self {
        let address = address.to_string();
        *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).entry(address.clone()).or_default() += 1;
        Self(address)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.0) {
            *count = count.saturating_sub(1);
        }
    }
}

/// How to get to an engine. Clones share what the engine said.
#[derive(Clone, Debug)]
pub(super) struct Way {
    endpoint: Arc<Endpoint>,
    greeting: Arc<OnceLock<Greeting>>,
    version: Arc<OnceLock<String>>,
}

/// What the head of the first answer says of the engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Greeting {
    /// The newest API that it speaks: `1.41`.
    pub(super) version: Option<String>,
    pub(super) date: Option<String>,
    /// Podman names itself (`Libpod-Api-Version`).
    pub(super) is_podman: bool,
}

impl Way {
    pub(super) fn to(endpoint: Endpoint) -> Self {
        Self { endpoint: Arc::new(endpoint), greeting: Arc::default(), version: Arc::default() }
    }

    pub(super) fn greeting(&self) -> Greeting {
        self.greeting.get().cloned().unwrap_or_default()
    }

    /// From here on every request names this version.
    pub(super) fn agree(&self, version: &str) {
        // Agreed on once; a second time changes nothing.
        drop(self.version.set(version.to_owned()));
    }

    /// Sends, and gives the answer as soon as its head is there.
    ///
    /// # Errors
    /// Nobody is there, or the connection was cut.
    pub(super) async fn send<B>(&self, request: Request<B>) -> io::Result<Response<Incoming>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if [Method::GET, Method::HEAD].contains(request.method()) {
            return self.exchange(request).await;
        }
        let (way, under_way) = (self.clone(), UnderWay::begin(&self.endpoint.address));
        let sent = tokio::spawn(async move {
            let answer = way.exchange(request).await;
            drop(under_way);
            answer
        });
        sent.await.map_err(io::Error::other)?
    }

    /// Waits until every change that this process has asked the engine for was answered, but no longer than this.
    pub(super) async fn settled(&self, patience: Duration) {
        let address = self.endpoint.address.to_string();
        let is_over = || {
            let all = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(&address).is_none_or(|count| *count == 0)
        };
        let over = async {
            while !is_over() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        // Whoever is still under way then will be looked for by the next command.
        drop(tokio::time::timeout(patience, over).await);
    }

    async fn exchange<B>(&self, request: Request<B>) -> io::Result<Response<Incoming>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = connect(&self.endpoint).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends with the answer's body, or with the stream that an exec was upgraded to.
        tokio::spawn(connection.with_upgrades());
        let answer = sender.send_request(self.addressed(request)?).await.map_err(io::Error::other)?;
        self.greeting.get_or_init(|| {
            let said = |name: &str| answer.headers().get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
            let is_podman = said("libpod-api-version").is_some();
            Greeting { version: said("api-version"), date: said("date"), is_podman }
        });
        Ok(answer)
    }

    /// For bollard.
    pub(super) fn transport(
        self,
    ) -> impl Fn(BollardRequest) -> BoxFuture<'static, Result<Response<Incoming>, Error>> + Send + Sync + 'static {
        move |request: BollardRequest| {
            let way = self.clone();
            async move { way.send(request).await.map_err(|err| Error::IOError { err }) }.boxed()
        }
    }

    /// With the version before its path, where it is not there yet, and the headers that an engine wants.
    fn addressed<B>(&self, request: Request<B>) -> io::Result<Request<B>> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |it| it.as_str());
        let versioned = match self.version.get() {
            Some(version) if !path.starts_with("/v1.") => format!("/v{version}{path}"),
            _ => path.to_owned(),
        };
        head.uri = versioned.parse().map_err(io::Error::other)?;
        let host = match &self.endpoint.address {
            Address::Unix(_) => "docker".to_owned(),
            Address::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Address::Tcp { host, port } => format!("{host}:{port}"),
        };
        head.headers.insert(header::HOST, HeaderValue::try_from(host).map_err(io::Error::other)?);
        let agent = concat!("breakfix/", env!("CARGO_PKG_VERSION"));
        head.headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        Ok(Request::from_parts(head, body))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::docker::Origin;

    fn path_of(version: Option<&str>, address: Address, uri: &str) -> (String, String) {
        let way = Way::to(Endpoint { address, tls: None, origin: Origin::Usual });
        if let Some(version) = version {
            way.agree(version);
        }
        let request = way.addressed(Request::builder().uri(uri).body(()).unwrap()).unwrap();
        (request.uri().to_string(), request.headers()["host"].to_str().unwrap().to_owned())
    }

    #[test]
    fn requests_name_the_version_that_was_agreed_on_once() {
        let socket = || Address::Unix("/var/run/docker.sock".into());
        assert_eq!(path_of(None, socket(), "http://docker/_ping"), ("/_ping".into(), "docker".into()));
        let (path, _) = path_of(Some("1.41"), socket(), "http://docker/containers/json?all=1");
        assert_eq!(path, "/v1.41/containers/json?all=1");
        assert_eq!(path_of(Some("1.41"), socket(), "http://docker/v1.41/info").0, "/v1.41/info");
        let tcp = Address::Tcp { host: "::1".into(), port: 2375 };
        assert_eq!(path_of(None, tcp, "/info"), ("/info".into(), "[::1]:2375".into()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_change_that_nobody_waits_for_is_carried_through_and_waited_for_at_the_end() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let slow = Duration::from_millis(300);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    drop(stream.read(&mut [0; 1024]).await);
                    tokio::time::sleep(slow).await;
                    drop(stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await);
                });
            }
        });
        let way = Way::to(Endpoint { address: Address::Unix(socket.clone()), tls: None, origin: Origin::Usual });
        let request = |method: &str| {
            let body = http_body_util::Full::new(Bytes::new());
            Request::builder().method(method).uri("/networks/create").body(body).unwrap()
        };
        let given_up = tokio::time::timeout(Duration::from_millis(50), way.send(request("POST"))).await;
        assert!(given_up.is_err());
        // Whoever clears up has connected anew.
        let other = Way::to(Endpoint { address: Address::Unix(socket), tls: None, origin: Origin::Usual });
        let clock = Instant::now();
        other.settled(Duration::from_secs(10)).await;
        assert!(clock.elapsed() >= Duration::from_millis(200), "{:?}", clock.elapsed());
        // Nobody has to wait for a question.
        assert!(tokio::time::timeout(Duration::from_millis(50), way.send(request("GET"))).await.is_err());
        let clock = Instant::now();
        other.settled(Duration::from_secs(10)).await;
        assert!(clock.elapsed() < Duration::from_millis(100), "{:?}", clock.elapsed());
    }
}
