use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::*;
use crate::docker::endpoint::{Address, Origin};

#[test]
fn versions_compare_as_numbers() {
    assert!(numbers("1.9").unwrap() < numbers("1.41").unwrap());
    assert_eq!(numbers("1.41").unwrap().min(API_MAX), (1, 41));
    assert_eq!(numbers("1.53").unwrap().min(API_MAX), API_MAX);
    assert_eq!(numbers("1"), None);
}

#[test]
fn filters_are_escaped() {
    assert_eq!(escaped(r#"{"type":["a b"]}"#), "%7B%22type%22%3A%5B%22a%20b%22%5D%7D");
}

#[test]
fn what_an_engine_leaves_open_gets_a_hint() {
    let said = "write /var/lib/docker/tmp/a: no space left on device";
    assert!(answer_hint(said).is_some_and(|hint| hint.contains("docker system df")));
    assert!(answer_hint("network with name shop already exists").is_some_and(|hint| hint.contains("rename")));
    for gone in
        ["No such image: registry.example/shop/web:1.9", "get shop-data: no such volume", "network shop not found"]
    {
        assert!(answer_hint(gone).is_some_and(|hint| hint.contains("Try again")), "{gone}");
    }
    assert_eq!(answer_hint("OCI runtime create failed: exec: no such file"), None);
}

#[test]
fn a_clock_that_differs_is_noticed() {
    assert_eq!(ahead("Sat, 21 Nov 2020 13:24:00 GMT").signum(), -1);
    assert_eq!(ahead("nonsense"), SignedDuration::ZERO);
}

#[test]
fn a_clock_is_measured_against_the_middle_of_the_question() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (before, after) = (at("2026-03-01T10:00:00Z"), at("2026-03-01T10:00:00.2Z"));
    assert_eq!(exactly_ahead(before, at("2026-03-01T10:00:00.15Z"), after), SignedDuration::ZERO);
    assert_eq!(exactly_ahead(before, at("2026-03-01T10:00:01.1Z"), after), SignedDuration::from_secs(1));
    assert_eq!(exactly_ahead(before, at("2026-03-01T09:59:59.1Z"), after), SignedDuration::from_secs(-1));
}

/// A fake engine: answers `/_ping` as Engine 20.10 does, and everything else with `answer`; `None` says nothing for ever.
async fn fake(folder: &std::path::Path, answer: Option<&'static str>) -> Endpoint {
    let path = folder.join("engine.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer));
        }
    });
    Endpoint { address: Address::Unix(path), tls: None, origin: Origin::Usual }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Option<&'static str>) {
    let mut asked = vec![0; 4096];
    let read = stream.read(&mut asked).await.unwrap_or(0);
    let ping = asked[..read].starts_with(b"GET /_ping");
    let answer =
        if ping { Some("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK") } else { answer };
    match answer {
        Some(text) => {
            drop(stream.write_all(text.as_bytes()).await);
            drop(stream.shutdown().await);
        }
        None => std::future::pending().await,
    }
}

async fn asked(answer: Option<&'static str>) -> Result<Value, TargetError> {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(fake(folder.path(), answer).await, Duration::from_millis(300)).await.unwrap();
    engine.get("/containers/json").await.map_err(|error| engine.trouble("list the containers", error))
}

#[tokio::test]
async fn an_engine_that_is_slow_wrong_or_refuses_is_told_apart() {
    let cause = async |answer| asked(answer).await.map_err(|error| (error.cause, error.chain()));
    assert_eq!(cause(Some("HTTP/1.1 200 OK\r\n\r\n[]")).await, Ok(Value::Array(Vec::new())));
    assert_eq!(cause(None).await.unwrap_err().0, Cause::Slow);
    assert_eq!(cause(Some("HTTP/1.1 200 OK\r\n\r\n<html>")).await.unwrap_err().0, Cause::Answered);
    assert_eq!(cause(Some("")).await.unwrap_err().0, Cause::Unreachable);
    let refused = "HTTP/1.1 500 Oops\r\n\r\n{\"message\":\"disk is full\"}";
    assert_eq!(cause(Some(refused)).await, Err((Cause::Answered, "list the containers: disk is full".to_owned())));
    let error = asked(Some("HTTP/1.1 502 Bad\r\n\r\nproxy")).await.unwrap_err();
    assert!(error.chain().ends_with("502 Bad Gateway: proxy"), "{}", error.chain());
}

/// The same troubles through bollard, which has words of its own for them.
#[tokio::test]
async fn a_typed_question_tells_the_same_troubles_apart() {
    async fn asked(answer: Option<&'static str>) -> Result<usize, TargetError> {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(fake(folder.path(), answer).await, Duration::from_millis(300)).await.unwrap();
        let answer = engine.ask(engine.docker.list_networks(None)).await;
        answer.map(|list| list.len()).map_err(|error| engine.trouble("list the networks", error))
    }
    let cause = async |answer| asked(answer).await.map_err(|error| (error.cause, error.chain()));
    assert_eq!(cause(Some("HTTP/1.1 200 OK\r\n\r\n[{\"Name\":\"a\",\"News\":1}]")).await, Ok(1));
    assert_eq!(cause(None).await.unwrap_err().0, Cause::Slow);
    assert_eq!(cause(Some("HTTP/1.1 200 OK\r\n\r\n<html>")).await.unwrap_err().0, Cause::Answered);
    assert_eq!(cause(Some("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[")).await.unwrap_err().0, Cause::Unreachable);
    assert_eq!(cause(Some("")).await.unwrap_err().0, Cause::Unreachable);
    let refused = "HTTP/1.1 500 Oops\r\n\r\n{\"message\":\"disk is full\"}";
    assert_eq!(cause(Some(refused)).await, Err((Cause::Answered, "list the networks: disk is full".to_owned())));
    assert_eq!(asked(Some("HTTP/1.1 502 Bad\r\n\r\nproxy")).await.unwrap_err().chain(), "list the networks: proxy");
}

#[test]
fn a_model_that_would_lose_something_is_not_used() {
    use bollard::models::ContainerCreateBody;
    use serde_json::json;
    let kept = |body: Value| whole::<ContainerCreateBody>(&body).is_some();
    assert!(kept(json!({
        "Image": "web:1", "Env": ["A=1"], "ExposedPorts": {"80/tcp": {}}, "Healthcheck": null,
        "HostConfig": {"Memory": 134_217_728, "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "1"}]}},
    })));
    assert!(!kept(json!({"Image": "web:1", "HostConfig": {"KernelMemory": 1}})), "a field of old engines");
    assert!(!kept(json!({"Image": "web:1", "Entrypoint": "/workload"})), "a text where the model wants a list");
    assert!(!kept(json!({"HostConfig": {"RestartPolicy": {"Name": "sometimes"}}})), "a word that the model refuses");
}

#[tokio::test]
async fn no_engine_says_where_it_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let address = Address::Unix(folder.path().join("none.sock"));
    let endpoint = Endpoint { address, tls: None, origin: Origin::Usual };
    let error = Engine::open(endpoint, PATIENCE).await.unwrap_err();
    assert_eq!(error.cause, Cause::Unreachable);
    assert!(error.hints[0].contains("none.sock"), "{:?}", error.hints);
}

#[tokio::test]
async fn an_engine_is_spoken_to_over_tls_with_a_certificate_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for (name, text) in [("ca.pem", &certificate), ("cert.pem", &certificate), ("key.pem", &key)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![made.cert.der().clone()],
            rustls::pki_types::PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(serve(stream, Some("HTTP/1.1 200 OK\r\n\r\n[]")));
            }
        }
    });
    let address = Address::Tcp { host: "localhost".into(), port };
    let endpoint = Endpoint { address, tls: Some(folder.path().to_owned()), origin: Origin::Variable };
    let engine = Engine::open(endpoint.clone(), PATIENCE).await.unwrap();
    assert_eq!(engine.get("/networks").await.unwrap(), Value::Array(Vec::new()));
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    assert_eq!(Engine::open(endpoint.clone(), PATIENCE).await.unwrap_err().cause, Cause::Unreachable);
    std::fs::remove_file(folder.path().join("ca.pem")).unwrap();
    let error = Engine::open(endpoint, PATIENCE).await.unwrap_err();
    assert!(error.chain().contains("ca.pem"), "{}", error.chain());
}

#[test]
fn what_buildkit_says_last_is_its_verdict() {
    let trace = r#"{"id":"moby.buildkit.trace","aux":"Co0B"}"#;
    let done = format!("{trace}\n{{\"id\":\"moby.image.id\",\"aux\":{{\"ID\":\"sha256:1\"}}}}\n");
    assert_eq!(built_by_buildkit(StatusCode::OK, &done), Ok(()));
    let failed = format!("{trace}\n{{\"errorDetail\":{{\"message\":\"no such file\"}},\"error\":\"no such file\"}}\n");
    assert_eq!(built_by_buildkit(StatusCode::OK, &failed), Err("no such file".to_owned()));
    let refused = r#"{"message":"no build session"}"#;
    assert_eq!(built_by_buildkit(StatusCode::BAD_REQUEST, refused), Err("no build session".to_owned()));
    assert_eq!(built_by_buildkit(StatusCode::BAD_GATEWAY, "x"), Err("502 Bad Gateway: x".to_owned()));
}
