//! Logs of containers, and the words in which kubelet has none (`validateContainerLogStatus`).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{exec, run::Run};
use crate::{
    Cluster, Status, kind,
    object::{entries, name, text, uid},
};

/// What of a log is wanted, as the query of `pods/log` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The run before.
    pub previous: bool,
    /// The last lines.
    pub tail: Option<usize>,
    /// Lines since then.
    pub since: Option<Duration>,
    pub since_time: Option<Timestamp>,
    /// Each line begins with its time.
    pub timestamps: bool,
    pub limit_bytes: Option<usize>,
}

/// A container's log. A name that is empty means the only container.
///
/// # Errors
/// A [`Status`] in the API's and kubelet's words.
pub fn logs(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
    options: &LogOptions,
) -> Result<String, Status> {
    let object = cluster.get(&kind::POD, namespace, pod)?;
    let container = which(&object, container)?;
    let node = text(&object, "/spec/nodeName");
    if node.is_empty() {
        // Nothing has been written where nothing runs.
        return Ok(String::new());
    }
    if cluster.store.get(&kind::NODE.key("", node)).is_none() {
        return Err(Status { code: 404, ..Status::not_found(&kind::POD, node) });
    }
    let id = wanted_id(&object, &container, options.previous)?;
    if let Some(why) = super::machine::unreachable(cluster, node) {
        let ip = why.trim_start_matches("dial tcp ").split(": ").next().unwrap_or("").to_owned();
        let url = format!("https://{ip}/containerLogs/{namespace}/{pod}/{container}");
        return Err(Status::new(500, "", format!("Get \"{url}\": {why}")));
    }
    let held = cluster.nodes.pods.get(uid(&object)).and_then(|pod| pod.containers.get(&container));
    let runs = held.into_iter().flat_map(|held| [held.run.as_ref(), held.previous.as_ref()]);
    match runs.flatten().find(|run| format!("containerd://{}", run.id) == id) {
        Some(run) => Ok(written(cluster, run, options)),
        // The runtime has removed it; kubelet says so in the log itself.
        None => Ok(format!("unable to retrieve container logs for {id}")),
    }
}

/// The container that is meant.
pub(super) fn which(pod: &Value, container: &str) -> Result<String, Status> {
    let all: Vec<&str> = entries(pod, "/spec/containers").iter().map(|container| text(container, "/name")).collect();
    if container.is_empty() {
        if let [only] = all.as_slice() {
            return Ok((*only).to_owned());
        }
        let inits: Vec<&str> =
            entries(pod, "/spec/initContainers").iter().map(|container| text(container, "/name")).collect();
        let inits = if inits.is_empty() {
            String::new()
        } else {
            format!(" or one of the init containers: [{}]", inits.join(" "))
        };
        return Err(Status::bad_request(format!(
            "a container name must be specified for pod {}, choose one of: [{}]{inits}",
            name(pod),
            all.join(" ")
        )));
    }
    if exec::exists(pod, container) {
        return Ok(container.to_owned());
    }
    Err(Status::bad_request(format!("container {container} is not valid for pod {}", name(pod))))
}

/// The id of the run whose log is wanted, as the pod's status tells it.
pub(super) fn wanted_id(pod: &Value, container: &str, previous: bool) -> Result<String, Status> {
    let pod_name = name(pod);
    let status = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
        .into_iter()
        .flat_map(|list| pod["status"][list].as_array().into_iter().flatten())
        .find(|status| text(status, "/name") == container);
    let Some(status) = status else {
        return Err(Status::bad_request(format!("container \"{container}\" in pod \"{pod_name}\" is not available")));
    };
    let last = text(status, "/lastState/terminated/containerID");
    if previous {
        if last.is_empty() {
            return Err(Status::bad_request(format!(
                "previous terminated container \"{container}\" in pod \"{pod_name}\" not found"
            )));
        }
        return Ok(last.to_owned());
    }
    if status.pointer("/state/running").is_some() {
        return Ok(text(status, "/containerID").to_owned());
    }
    let ended = text(status, "/state/terminated/containerID");
    if !ended.is_empty() {
        return Ok(ended.to_owned());
    }
    if !last.is_empty() {
        return Ok(last.to_owned());
    }
    let why = match text(status, "/state/waiting/reason") {
        "ErrImagePull" => "trying and failing to pull image".to_owned(),
        "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
        "" => "waiting".to_owned(),
        reason => return Err(waiting(container, pod_name, reason)),
    };
    Err(Status::bad_request(format!("container \"{container}\" in pod \"{pod_name}\" is waiting to start: {why}")))
}

fn waiting(container: &str, pod: &str, reason: &str) -> Status {
    Status::bad_request(format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {reason}"))
}

fn written(cluster: &Cluster, run: &Run, options: &LogOptions) -> String {
    let now = cluster.now();
    let since = options.since.map(|since| cluster.clock.today().checked_sub(since).unwrap_or(Timestamp::MIN));
    let since = since.into_iter().chain(options.since_time).max();
    let lines: Vec<_> =
        run.log.until(now).filter(|line| since.is_none_or(|since| cluster.clock.date(line.at) >= since)).collect();
    let skipped = options.tail.map_or(0, |tail| lines.len().saturating_sub(tail));
    let mut out = String::new();
    for line in lines.into_iter().skip(skipped) {
        if options.timestamps {
            out.push_str(&format!("{} ", cluster.clock.date(line.at).strftime("%Y-%m-%dT%H:%M:%S.%9fZ")));
        }
        out.push_str(&line.text);
        out.push('\n');
    }
    if let Some(limit) = options.limit_bytes {
        let mut limit = limit.min(out.len());
        while !out.is_char_boundary(limit) {
            limit -= 1;
        }
        out.truncate(limit);
    }
    out
}
