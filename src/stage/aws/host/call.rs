//! One HTTP request of ours over the network, told as an observation.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use breakfix_grade::Outcome;
use breakfix_workload::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Asks whoever is at `to` as if it were `host`, and says what came of it and how long it took.
pub(super) async fn ask(to: (&str, u16), host: &str, request: &Request, timeout: Duration) -> (Outcome, Duration) {
    let began = Instant::now();
    let outcome = tokio::time::timeout(timeout, exchange(to, host, request)).await.unwrap_or(Outcome::TimedOut);
    (outcome, began.elapsed())
}

async fn exchange(to: (&str, u16), host: &str, request: &Request) -> Outcome {
    let addresses: Vec<_> = match tokio::net::lookup_host(to).await {
        Ok(addresses) => addresses.collect(),
        Err(_) => return Outcome::NameUnknown,
    };
    if addresses.is_empty() {
        return Outcome::NameUnknown;
    }
    let stream = match TcpStream::connect(addresses.as_slice()).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => return Outcome::TimedOut,
        Err(_) => return Outcome::Refused,
    };
    let Ok((mut sender, connection)) = http1::handshake(TokioIo::new(stream)).await else { return Outcome::Reset };
    let task = tokio::spawn(connection);
    let mut built = http::Request::builder().method(request.method.as_str()).uri(&request.target).header("host", host);
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let Ok(built) = built.body(Full::new(bytes::Bytes::from(request.body.clone()))) else { return Outcome::Reset };
    let answered = async {
        let response = sender.send_request(built).await.ok()?;
        let status = response.status().as_u16();
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers: BTreeMap<String, String> = response.headers().iter().map(text).collect();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some(Outcome::Answered { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    };
    let outcome = answered.await.unwrap_or(Outcome::Reset);
    task.abort();
    outcome
}
