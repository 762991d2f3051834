//! Requests from the learner's own machine: what a browser on it would get.

use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};

use breakfix_grade::{Exchange, Outcome};
use bytes::Bytes;
use http::{Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::Instant};

use crate::asking::Run;

/// How much of a body is read, in bytes.
const BODY_MAX: usize = 1 << 20;

/// Sends the requests of a run, one after another, each over a connection of its own.
pub(super) async fn send(run: &Run<'_>) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    for url in &run.urls {
        for _ in 0..run.times {
            exchanges.push(one(run, url, false).await);
        }
    }
    if let Some(control) = run.control {
        let reached = matches!(one(run, control, true).await.outcome, Outcome::Answered { .. });
        for exchange in &mut exchanges {
            exchange.control_reached = Some(reached);
        }
    }
    exchanges
}

/// One request. A control is a plain GET.
async fn one(run: &Run<'_>, url: &str, control: bool) -> Exchange {
    let began = Instant::now();
    let outcome = tokio::time::timeout(run.timeout, exchange(run, url, control)).await;
    let (outcome, address) = match outcome {
        Ok(Ok((outcome, address))) => (outcome, Some(address)),
        Ok(Err(outcome)) => (outcome, None),
        Err(_) => (Outcome::TimedOut, None),
    };
    Exchange { url: url.to_owned(), outcome, took: began.elapsed(), address, control_reached: None }
}

/// An answer and who gave it. The error is an outcome too: the way out at the first thing that went wrong.
async fn exchange(run: &Run<'_>, url: &str, control: bool) -> Result<(Outcome, SocketAddr), Outcome> {
    // A URL that cannot be read names nothing that could be reached.
    let uri: Uri = url.parse().map_err(|_| Outcome::NameUnknown)?;
    let host = uri.host().ok_or(Outcome::NameUnknown)?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let address = (host.as_str(), uri.port_u16().unwrap_or(80));
    let found = tokio::net::lookup_host(address).await.map_err(|error| of_lookup(&error))?;
    let mut last = Outcome::NameUnknown;
    for address in found {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok((speak(run, &uri, stream, control).await?, address)),
            Err(error) => last = of_connect(&error),
        }
    }
    Err(last)
}

async fn speak(run: &Run<'_>, uri: &Uri, stream: TcpStream, control: bool) -> Result<Outcome, Outcome> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| Outcome::Reset)?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let target = uri.path_and_query().map_or("/", |it| it.as_str());
        let method = if control { "GET" } else { run.request.method.as_str() };
        let mut request = http::Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, authority)
            .header(header::USER_AGENT, "get")
            .header(header::CONNECTION, "close");
        if !control {
            for (name, value) in &run.request.headers {
                request = request.header(name, value);
            }
        }
        let body = run.request.body.clone().filter(|_| !control).unwrap_or_default();
        // A header that cannot be sent: as if nobody had been there.
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| Outcome::Reset)?;
        let answer = sender.send_request(request).await.map_err(|_| Outcome::Reset)?;
        let (head, body) = answer.into_parts();
        let body = beginning(body).await?;
        let headers: BTreeMap<String, String> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Outcome::Answered { status: head.status.as_u16(), headers, body })
    };
    let answer = answer.await;
    connection.abort();
    answer
}

/// A body up to [`BODY_MAX`]; what is longer is cut.
async fn beginning(mut body: hyper::body::Incoming) -> Result<Vec<u8>, Outcome> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Outcome::Reset)?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| &data[..]));
        if bytes.len() >= BODY_MAX {
            bytes.truncate(BODY_MAX);
            break;
        }
    }
    Ok(bytes)
}

fn of_connect(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Outcome::Refused,
        // No way there: as silent to the caller as a network that says nothing.
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Outcome::TimedOut
        }
        _ => Outcome::Reset,
    }
}

/// The resolver's errors have no kinds of their own; `EAI_AGAIN` is the one that says "no usable answer".
fn of_lookup(error: &io::Error) -> Outcome {
    let text = error.to_string();
    if text.contains("emporary failure") || text.contains("Try again") {
        Outcome::NameUnanswered
    } else {
        Outcome::NameUnknown
    }
}

/// How long one answer of a round trip, or to a change's request, may take.
pub(super) const LEG: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use breakfix_lab::check::Request;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A server that answers each connection with these bytes and closes it; `None` says nothing for ever.
    async fn server(answer: Option<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/page?x=1", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 1024];
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                match answer {
                    Some(text) => {
                        let text = text.replace("ECHO", &String::from_utf8_lossy(&buffer[..read]).replace("\r\n", "|"));
                        drop(stream.write_all(text.as_bytes()).await);
                    }
                    None => std::future::pending().await,
                }
            }
        });
        url
    }

    async fn ask(url: &str, control: Option<&str>) -> Exchange {
        let request: Request =
            serde_json::from_str(r#"{"url":"","method":"POST","body":"b","headers":{"X-A":"1"}}"#).unwrap();
        let timeout = Duration::from_millis(300);
        let run = Run { request: &request, urls: vec![url.to_owned()], times: 1, timeout, control };
        send(&run).await.remove(0)
    }

    #[tokio::test]
    async fn an_answer_comes_back_whole_and_the_request_arrives_whole() {
        let url = server(Some("HTTP/1.1 201 Created\r\nX-B: 2\r\n\r\nECHO")).await;
        let answer = ask(&url, None).await;
        assert!(url.contains(&answer.address.unwrap().to_string()));
        let Outcome::Answered { status, headers, body } = answer.outcome else { panic!() };
        assert_eq!((status, headers["x-b"].as_str()), (201, "2"));
        assert!(body.starts_with("POST /page?x=1 HTTP/1.1|") && body.ends_with("||b"), "{body}");
        assert!(body.contains("x-a: 1|"), "{body}");
    }

    #[tokio::test]
    async fn refused_reset_and_silence_are_told_apart() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask(&format!("http://{closed}/"), None).await.outcome, Outcome::Refused);
        assert_eq!(ask(&server(Some("")).await, None).await.outcome, Outcome::Reset);
        assert_eq!(
            ask(&server(Some("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")).await, None).await.outcome,
            Outcome::Reset
        );
        let silent = ask(&server(None).await, None).await;
        assert_eq!(silent.outcome, Outcome::TimedOut);
        assert!(silent.took >= Duration::from_millis(300));
        assert_eq!(
            ask("http://no-such-name.invalid/", None).await.outcome.clone(),
            ask("not a url", None).await.outcome
        );
    }

    #[tokio::test]
    async fn the_control_is_asked_too() {
        let (good, silent) = (server(Some("HTTP/1.1 404 No\r\n\r\n")).await, server(None).await);
        assert_eq!(ask(&silent, Some(&good)).await.control_reached, Some(true));
        assert_eq!(ask(&good, Some(&silent)).await.control_reached, Some(false));
        assert_eq!(ask(&good, None).await.control_reached, None);
    }
}
