//! Lifecycle hooks: what runs right after a container's start and right before its stop.

use std::{net::SocketAddr, time::Duration};

use breakfix_workload::{Request, Response};
use serde_json::Value;

use super::{Next, Op, record, start, stop};
use crate::{
    Cluster,
    controllers::events::Note,
    network::{self, Caller, Source},
    node::{exec, spec},
    object::{entries, name, namespace, text},
};

/// As long as a hook's request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What became of a hook, and how long it took.
struct Hooked {
    outcome: Result<(), String>,
    took: Duration,
}

fn handler(cluster: &Cluster, id: &str, container: &str, which: &str) -> Option<Value> {
    let pod = cluster.nodes.pods.get(id)?;
    spec::container(&pod.pod, container)?.get("lifecycle")?.get(which).cloned()
}

/// Runs the preStop hook, if there is one; answers how long it took.
pub(super) fn pre_stop(cluster: &mut Cluster, id: &str, container: &str, number: u32) -> Duration {
    let Some(handler) = handler(cluster, id, container, "preStop") else { return Duration::ZERO };
    let hooked = call(cluster, id, container, number, &handler);
    if hooked.outcome.is_err() {
        record(cluster, id, container, Note::warning("FailedPreStopHook", "PreStopHook failed"));
    }
    hooked.took
}

/// Runs the postStart hook, if there is one; a container whose hook fails is stopped again.
pub(super) fn post_start(cluster: &mut Cluster, id: &str, container: &str, number: u32) -> Next {
    let Some(handler) = handler(cluster, id, container, "postStart") else { return Next::After(start::BREATH) };
    let hooked = call(cluster, id, container, number, &handler);
    let Err(why) = hooked.outcome else { return Next::After(hooked.took.max(start::BREATH)) };
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    let grace = spec::grace(&pod.pod);
    let full_name = format!("{}_{}({id})", name(&pod.pod), namespace(&pod.pod));
    let command: Vec<&str> = entries(&handler, "/exec/command").iter().filter_map(Value::as_str).collect();
    let message = if handler.get("exec").is_some() {
        format!(
            "Exec lifecycle hook ([{}]) for Container \"{container}\" in Pod \"{full_name}\" failed - error: {why}",
            command.join(" ")
        )
    } else {
        format!("HTTP lifecycle hook for Container \"{container}\" in Pod \"{full_name}\" failed - error: {why}")
    };
    record(cluster, id, container, Note::warning("FailedPostStartHook", "PostStartHook failed"));
    stop::stop(cluster, id, container, "FailedPostStartHook", grace);
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        pod.worker.ops.push_front(Op::Gone { container: container.to_owned() });
    }
    start::refuse_after_hook(cluster, id, container, &message)
}

fn call(cluster: &mut Cluster, id: &str, container: &str, number: u32, handler: &Value) -> Hooked {
    if handler.get("exec").is_some() {
        let argv: Vec<String> =
            entries(handler, "/exec/command").iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
        let ran = exec::run_inside(cluster, id, container, number, &argv, b"");
        let outcome = match &ran.outcome {
            Ok(0) => Ok(()),
            Ok(code) => {
                let output = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
                Err(format!("command '{}' exited with {code}: {output}, message: {output:?}", argv.join(" ")))
            }
            Err(why) => Err(why.clone()),
        };
        return Hooked { outcome, took: ran.took };
    }
    if let Some(seconds) = handler.pointer("/sleep/seconds").and_then(Value::as_u64) {
        return Hooked { outcome: Ok(()), took: Duration::from_secs(seconds) };
    }
    http(cluster, id, container, &handler["httpGet"])
}

fn http(cluster: &mut Cluster, id: &str, container: &str, action: &Value) -> Hooked {
    let nothing = |why: &str| Hooked { outcome: Err(why.to_owned()), took: Duration::ZERO };
    let Some(pod) = cluster.nodes.pods.get(id) else { return nothing("pod not found") };
    let Some(port) = spec::container(&pod.pod, container)
        .and_then(|definition| crate::node::probe::port(definition, &action["port"]))
    else {
        return nothing("invalid port number");
    };
    let host = match text(action, "/host") {
        "" => pod.address().map(|ip| ip.to_string()).unwrap_or_default(),
        host => host.to_owned(),
    };
    let Ok(ip) = host.parse() else { return nothing("no such host") };
    let node = pod.node.clone();
    let path = text(action, "/path");
    let request = Request::get(if path.is_empty() { "/" } else { path });
    let caller = Caller::new(Source::Node(node));
    let (answer, took) = network::exchange(cluster, &caller, SocketAddr::new(ip, port), &request, TIMEOUT);
    // Any answer will do.
    Hooked { outcome: answer.map(|_: Response| ()).map_err(|error| error.to_string()), took }
}
