//! One question of a probe: an HTTP request, a connection, a command.

use std::{net::SocketAddr, time::Duration};

use breakfix_workload::{CallError, Request};
use serde_json::Value;

use super::{definition, whole};
use crate::{
    Cluster,
    controllers::events::Note,
    event::{Event, PodStep},
    network::{self, Caller, Source},
    node::{exec, kubelet::record},
    object::{entries, text},
};

/// What came of a question.
struct Answer {
    is_well: bool,
    words: String,
    took: Duration,
}

/// Asks; the answer comes on the event queue, when it takes the time it takes.
pub(super) fn ask(cluster: &mut Cluster, id: &str, container: &str, run: u32, kind: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let Some(probe) = definition(&pod.pod, container, kind).cloned() else { return };
    let timeout = Duration::from_secs(whole(&probe, "/timeoutSeconds", 1).max(1));
    let answer = if probe.get("exec").is_some() {
        command(cluster, id, container, run, &probe["exec"], timeout)
    } else if let Some(action) = probe.get("httpGet") {
        http(cluster, id, container, action, timeout)
    } else if let Some(action) = probe.get("tcpSocket") {
        tcp(cluster, id, container, action, timeout)
    } else if let Some(action) = probe.get("grpc") {
        grpc(cluster, id, container, action, timeout)
    } else {
        Err("missing probe handler".to_owned())
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => {
            let name = format!("{}{}", kind.get(..1).unwrap_or("").to_uppercase(), kind.get(1..).unwrap_or(""));
            let message = format!("{name} probe errored and resulted in unknown state: {why}");
            record(cluster, id, container, Note::warning("Unhealthy", &message));
            return;
        }
    };
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let step = PodStep::Probed {
        container: container.to_owned(),
        run,
        probe: kind.to_owned(),
        is_well: answer.is_well,
        words: answer.words,
    };
    let event = Event::Pod { key: pod.key.clone(), uid: id.to_owned(), step };
    cluster.after(answer.took, event);
}

/// A port by number, or by the name that the container gives it.
pub(crate) fn port(container: &Value, port: &Value) -> Option<u16> {
    match port {
        Value::Number(number) => number.as_u64().and_then(|port| u16::try_from(port).ok()),
        Value::String(name) => entries(container, "/ports")
            .iter()
            .find(|port| text(port, "/name") == name)
            .and_then(|port| port["containerPort"].as_u64())
            .or_else(|| name.parse().ok())
            .and_then(|port| u16::try_from(port).ok()),
        _ => None,
    }
}

/// Where a probe goes: the pod's own address, unless it names another.
fn target(cluster: &Cluster, id: &str, container: &str, action: &Value) -> Result<(SocketAddr, Caller), String> {
    let pod = cluster.nodes.pods.get(id).ok_or("pod not found")?;
    let definition = crate::node::spec::container(&pod.pod, container).ok_or("container not found")?;
    let port = port(definition, &action["port"])
        .ok_or_else(|| format!("invalid port number: {}", action["port"].to_string().trim_matches('"')))?;
    let ip = match text(action, "/host") {
        "" => pod.address().map(std::net::IpAddr::V4),
        host => host.parse().ok(),
    };
    let ip = ip.ok_or("no such host")?;
    Ok((SocketAddr::new(ip, port), Caller::new(Source::Node(pod.node.clone()))))
}

fn http(cluster: &mut Cluster, id: &str, container: &str, action: &Value, timeout: Duration) -> Result<Answer, String> {
    let (to, caller) = target(cluster, id, container, action)?;
    let path = match text(action, "/path") {
        "" => "/",
        path => path,
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let scheme = if text(action, "/scheme") == "HTTPS" { "https" } else { "http" };
    let url = format!("{scheme}://{to}{slash}{path}");
    let mut request = Request::get(&format!("{slash}{path}"))
        .with_header("host", &to.to_string())
        .with_header("user-agent", "kube-probe/1.36")
        .with_header("accept", "*/*");
    for header in entries(action, "/httpHeaders") {
        request = request.with_header(text(header, "/name"), text(header, "/value"));
    }
    let (answer, took) = network::exchange(cluster, &caller, to, &request, timeout);
    let failed = |words: String| Ok(Answer { is_well: false, words, took });
    match answer {
        // The program speaks plain HTTP only.
        Ok(_) if scheme == "https" => failed(format!("Get \"{url}\": http: server gave HTTP response to HTTPS client")),
        Ok(answer) if (200..400).contains(&answer.status) => Ok(Answer { is_well: true, words: String::new(), took }),
        Ok(answer) => failed(format!("HTTP probe failed with statuscode: {}", answer.status)),
        Err(CallError::Refused) => failed(format!("Get \"{url}\": dial tcp {to}: connect: connection refused")),
        Err(CallError::Reset) => failed(format!("Get \"{url}\": EOF")),
        Err(_) => {
            failed(format!("Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"))
        }
    }
}

fn tcp(cluster: &mut Cluster, id: &str, container: &str, action: &Value, timeout: Duration) -> Result<Answer, String> {
    let (to, caller) = target(cluster, id, container, action)?;
    let (outcome, took) = network::connect(cluster, &caller, to, timeout);
    Ok(match outcome {
        Ok(()) => Answer { is_well: true, words: String::new(), took },
        Err(CallError::Refused) => {
            Answer { is_well: false, words: format!("dial tcp {to}: connect: connection refused"), took }
        }
        Err(_) => Answer { is_well: false, words: format!("dial tcp {to}: i/o timeout"), took },
    })
}

/// The program speaks no gRPC: whether it listens or not, no connection comes about, and the probe's time runs out.
fn grpc(cluster: &Cluster, id: &str, container: &str, action: &Value, timeout: Duration) -> Result<Answer, String> {
    let (to, _) = target(cluster, id, container, action)?;
    let words =
        format!("timeout: failed to connect service \"{to}\" within {}s: context deadline exceeded", timeout.as_secs());
    Ok(Answer { is_well: false, words, took: timeout })
}

fn command(
    cluster: &mut Cluster,
    id: &str,
    container: &str,
    run: u32,
    action: &Value,
    timeout: Duration,
) -> Result<Answer, String> {
    let argv: Vec<String> =
        entries(action, "/command").iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
    let ran = exec::run_inside(cluster, id, container, run, &argv, b"");
    let code = ran.outcome.map_err(|why| format!("rpc error: code = Unknown desc = {why}"))?;
    if ran.took > timeout {
        let words = format!("command timed out: \"{}\" timed out after {}s", argv.join(" "), timeout.as_secs());
        return Ok(Answer { is_well: false, words, took: timeout });
    }
    let words = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    Ok(Answer { is_well: code == 0, words, took: ran.took })
}
