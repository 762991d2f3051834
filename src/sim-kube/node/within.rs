//! Work inside a running container, and a container's run: what `serve/` needs where input comes bit by bit and output goes on.

use std::time::Duration;

use super::{
    exec,
    executable::{self, Found},
    logs,
    run::{self, Inside, Run, rearm},
};
use crate::{
    Cluster, Status, kind,
    object::{text, uid},
};

/// Does something as a new process of a container with this command line; `work` gets the process's surroundings and its working
/// directory. Nothing is done, and none is returned, where the program is a file that the kernel cannot run. The second value is the
/// time it took.
///
/// # Errors
/// A [`Status`] in kubelet's words: no such pod or container, not running, or no such program.
pub fn within<T>(
    cluster: &mut Cluster,
    (namespace, pod, container): (&str, &str, &str),
    argv: &[String],
    work: impl FnOnce(&mut Inside<'_>, &str) -> T,
) -> Result<(Option<T>, Duration), Status> {
    let (id, container, number) = exec::running(cluster, namespace, pod, container)?;
    let run = cluster.nodes.pods.get(&id).and_then(|pod| pod.run(&container, number));
    let cwd = run.map_or_else(|| "/".to_owned(), |run| run.cwd.clone());
    let mut inside = Inside::beside(cluster, &id, &container, number, argv);
    let first = argv.first().map_or("", String::as_str);
    let done = match executable::find_as(&mut inside, first, &cwd) {
        Ok(Found::Workload) => Some(work(&mut inside, &cwd)),
        Ok(Found::BadFormat) => None,
        Err(why) => return Err(exec::cannot_start(inside.cluster, &why)),
    };
    let took = inside.lead;
    rearm(cluster, &id, &container, number);
    Ok((done, took))
}

/// The run of a container that its log is of: the present or last one, or the one before. None where the runtime has removed it.
///
/// # Errors
/// A [`Status`] in kubelet's words: there is no log.
pub fn container_run<'a>(
    cluster: &'a Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
    previous: bool,
) -> Result<Option<&'a Run>, Status> {
    let object = cluster.get(&kind::POD, namespace, pod)?;
    let container = logs::which(&object, container)?;
    if text(&object, "/spec/nodeName").is_empty() {
        return Ok(None);
    }
    let id = logs::wanted_id(&object, &container, previous)?;
    let held = cluster.nodes.pods.get(uid(&object)).and_then(|pod| pod.containers.get(&container));
    let mut runs = held.into_iter().flat_map(|held| [held.run.as_ref(), held.previous.as_ref()]).flatten();
    Ok(runs.find(|run| id.strip_prefix("containerd://") == Some(run.id.as_str())))
}

/// Hands input to a container's main process. `ends`: nothing follows. The time it takes to work on it.
///
/// # Errors
/// A [`Status`] in kubelet's words: no such pod or container, or not running.
pub fn feed(
    cluster: &mut Cluster,
    (namespace, pod, container): (&str, &str, &str),
    bytes: &[u8],
    ends: bool,
) -> Result<Duration, Status> {
    let (id, container, number) = exec::running(cluster, namespace, pod, container)?;
    Ok(run::feed(cluster, &id, &container, number, bytes, ends))
}

/// What a shell that is a container's main process shows before its next line; none where the main process is something else.
///
/// # Errors
/// As [`feed`].
pub fn console_prompt(
    cluster: &mut Cluster,
    (namespace, pod, container): (&str, &str, &str),
) -> Result<Option<String>, Status> {
    let (id, container, number) = exec::running(cluster, namespace, pod, container)?;
    Ok(run::prompt(cluster, &id, &container, number))
}
