//! Starting a container: back-off, image, configuration, process (`startContainer` of `kuberuntime_container.go`).

use std::time::Duration;

use breakfix_sim::SimTime;
use serde_json::Value;

use super::{Next, Op, between, hook, notice, notice_soon, record, step};
use crate::{
    Cluster,
    controllers::events::Note,
    node::{
        back_off::{BackOff, go_duration},
        capabilities,
        cpu::Throttle,
        environment, executable, ids, image,
        pod_run::{Past, Pull, Reason, Retry},
        run::{self, Ended, Process, Run},
        spec::{self, Role},
        volumes,
    },
    object::{name, namespace, text, truth},
};

/// The container did not come up: why, and when it is tried again.
fn refuse(cluster: &mut Cluster, id: &str, container: &str, reason: &str, message: &str, retry: Retry) -> Next {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    pod.reasons.insert(container.to_owned(), Reason { reason: reason.to_owned(), message: message.to_owned() });
    if matches!(spec::role(&pod.pod, container), Some(Role::Init)) {
        // The others wait for this one.
        pod.worker.ops.clear();
    }
    step::fail(cluster, id, retry);
    Next::Now
}

fn definition(cluster: &Cluster, id: &str, container: &str) -> Option<Value> {
    cluster.nodes.pods.get(id).and_then(|pod| spec::container(&pod.pod, container)).cloned()
}

/// Sees that the container may start now, and that its image is there.
pub(super) fn image(cluster: &mut Cluster, id: &str, container: &str, exited: Option<SimTime>) -> Next {
    let Some(definition) = definition(cluster, id, container) else { return Next::Now };
    if let Some(next) = exited.and_then(|exited| rest(cluster, id, container, exited)) {
        return next;
    }
    let reference = text(&definition, "/image").to_owned();
    if let Some(why) = image::invalid(&reference) {
        record(cluster, id, container, Note::warning("InspectFailed", &why));
        record(cluster, id, container, Note::warning("Failed", "Error: InvalidImageName"));
        return refuse(cluster, id, container, "InvalidImageName", &why, Retry::Soon);
    }
    let policy = text(&definition, "/imagePullPolicy");
    let is_present = image::is_present(cluster, &reference);
    if is_present && policy != "Always" {
        let message =
            format!("Container image \"{reference}\" already present on machine and can be accessed by the pod");
        record(cluster, id, container, Note::normal("Pulled", &message));
        push(cluster, id, Op::Create { container: container.to_owned() });
        return Next::Now;
    }
    if policy == "Never" {
        let message = format!("Container image \"{reference}\" is not present with pull policy of Never");
        record(cluster, id, container, Note::warning("ErrImageNeverPull", &message));
        record(cluster, id, container, Note::warning("Failed", "Error: ErrImageNeverPull"));
        return refuse(cluster, id, container, "ErrImageNeverPull", &message, Retry::Soon);
    }
    pull(cluster, id, container, &reference)
}

/// The crash loop's back-off: whether the container has to wait.
fn rest(cluster: &mut Cluster, id: &str, container: &str, exited: SimTime) -> Option<Next> {
    let now = cluster.now();
    let pod = cluster.nodes.pods.get_mut(id)?;
    let full_name = format!("{}_{}({id})", name(&pod.pod), namespace(&pod.pod));
    let held = pod.containers.entry(container.to_owned()).or_default();
    let Some(until) = BackOff::until(held.crash.as_ref(), exited, now) else {
        held.crash = Some(BackOff::next(held.crash.as_ref(), exited, now));
        return None;
    };
    let length = held.crash.map(|crash| crash.length).unwrap_or_default();
    let event = format!("Back-off restarting failed container {container} in pod {full_name}");
    record(cluster, id, container, Note::warning("BackOff", &event));
    let message = format!("back-off {} restarting failed container={container} pod={full_name}", go_duration(length));
    Some(refuse(cluster, id, container, "CrashLoopBackOff", &message, Retry::At(until)))
}

fn push(cluster: &mut Cluster, id: &str, op: Op) {
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        pod.worker.ops.push_front(op);
    }
}

fn pull(cluster: &mut Cluster, id: &str, container: &str, reference: &str) -> Next {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    let held = pod.containers.entry(container.to_owned()).or_default();
    let earlier = held.pull.clone().filter(|pull| pull.image == reference);
    if let Some(pull) = &earlier
        && BackOff::until(Some(&pull.back_off), pull.failed, now).is_some()
    {
        let event = format!("Back-off pulling image \"{reference}\"");
        record(cluster, id, container, Note::normal("BackOff", &event));
        record(cluster, id, container, Note::warning("Failed", "Error: ImagePullBackOff"));
        let message = format!("{event}: ErrImagePull: {}", pull.message);
        return refuse(cluster, id, container, "ImagePullBackOff", &message, Retry::Soon);
    }
    record(cluster, id, container, Note::normal("Pulling", &format!("Pulling image \"{reference}\"")));
    push(cluster, id, Op::Pulled { container: container.to_owned() });
    Next::After(between(cluster, 90, 240))
}

/// The registry has answered.
pub(super) fn pulled(cluster: &mut Cluster, id: &str, container: &str) -> Next {
    let Some(definition) = definition(cluster, id, container) else { return Next::Now };
    let now = cluster.now();
    let reference = text(&definition, "/image").to_owned();
    let why = image::pull_failure(&reference);
    if let Some(held) = cluster.nodes.pods.get_mut(id).and_then(|pod| pod.containers.get_mut(container)) {
        let earlier = held.pull.as_ref().filter(|pull| pull.image == reference).map(|pull| pull.back_off);
        let back_off = BackOff::next(earlier.as_ref(), now, now);
        held.pull = Some(Pull { image: reference.clone(), failed: now, back_off, message: why.clone() });
    }
    record(cluster, id, container, Note::warning("Failed", &format!("Failed to pull image \"{reference}\": {why}")));
    record(cluster, id, container, Note::warning("Failed", "Error: ErrImagePull"));
    refuse(cluster, id, container, "ErrImagePull", &why, Retry::Soon)
}

/// Works out how the container is to run, and makes it.
pub(super) fn create(cluster: &mut Cluster, id: &str, container: &str) -> Next {
    let run = match configure(cluster, id, container) {
        Ok(Some(run)) => run,
        Ok(None) => return Next::Now,
        Err(why) => {
            record(cluster, id, container, Note::warning("Failed", &format!("Error: {why}")));
            return refuse(cluster, id, container, "CreateContainerConfigError", &why, Retry::Soon);
        }
    };
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    let held = pod.containers.entry(container.to_owned()).or_default();
    if let Some(mut before) = held.run.replace(run) {
        before.shed();
        held.last = Past::of(&before);
        held.previous = Some(before);
    }
    record(cluster, id, container, Note::normal("Created", "Container created"));
    push(cluster, id, Op::Start { container: container.to_owned() });
    Next::After(between(cluster, 50, 90))
}

/// The run to be; `None` if the container is gone from the spec. An error is the message of CreateContainerConfigError.
fn configure(cluster: &mut Cluster, id: &str, container: &str) -> Result<Option<Run>, String> {
    let Some(definition) = definition(cluster, id, container) else { return Ok(None) };
    let reference = text(&definition, "/image").to_owned();
    let config = image::image_config(&reference);
    let env = environment::build(cluster, id, &definition, &config)?;
    let Some(pod) = cluster.nodes.pods.get(id) else { return Ok(None) };
    let user = executable::user(&pod.pod, &definition)?;
    let number = pod.containers.get(container).and_then(|held| held.run.as_ref()).map_or(0, |run| run.number + 1);
    let argv = executable::argv(&definition, &config, &env);
    let cwd = match text(&definition, "/workingDir") {
        "" => "/".to_owned(),
        cwd => environment::expand(cwd, &env),
    };
    let mounts = volumes::mounts(cluster, id, &definition, &env);
    let is_root_read_only = truth(&definition, "/securityContext/readOnlyRootFilesystem");
    let now = cluster.now();
    let mut root = executable::root(cluster, id, &mounts);
    executable::make_cwd(&mut root, &cwd);
    Ok(Some(Run {
        number,
        id: ids::container_id(&mut cluster.chance),
        definition: reference.clone(),
        image: reference,
        argv,
        env,
        user,
        cwd,
        created: now,
        started: None,
        ended: None,
        process: Process::None,
        log: run::Log::default(),
        root,
        is_root_read_only,
        is_root_bound: !capabilities::overrides_permissions(&definition),
        mounts,
        throttle: Throttle::default(),
        ending: None,
        wake: None,
        stop: None,
    }))
}

/// Starts the process.
pub(super) fn start(cluster: &mut Cluster, id: &str, container: &str) -> Next {
    let found =
        cluster.nodes.pods.get(id).and_then(|pod| pod.containers.get(container)).and_then(|held| held.run.as_ref());
    let Some(number) = found.map(|run| run.number) else { return Next::Now };
    match executable::find(cluster, id, container, number) {
        Err(why) => return not_started(cluster, id, container, number, &why),
        Ok(executable::Found::Workload) => run::boot(cluster, id, container, number),
        Ok(executable::Found::BadFormat) => executable::run_bad_format(cluster, id, container, number),
    }
    record(cluster, id, container, Note::normal("Started", "Container started"));
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        pod.reasons.remove(container);
    }
    notice_soon(cluster, id);
    hook::post_start(cluster, id, container, number)
}

/// The runtime could not start the process: the container counts as ended with 128.
fn not_started(cluster: &mut Cluster, id: &str, container: &str, number: u32, why: &str) -> Next {
    let now = cluster.now();
    let message = format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start \
         container process: {why}"
    );
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        if let Some(run) = pod.run_mut(container, number) {
            let (reason, message) = ("StartError".to_owned(), message.clone());
            run.ended = Some(Ended { at: now, code: 128, reason, message });
        }
        if let Some(held) = pod.containers.get_mut(container) {
            held.previous = None;
        }
    }
    record(cluster, id, container, Note::warning("Failed", &format!("Error: {message}")));
    notice(cluster, id);
    refuse(cluster, id, container, "RunContainerError", &message, Retry::Soon)
}

/// The pod's way to stop a container whose hook failed.
pub(super) fn refuse_after_hook(cluster: &mut Cluster, id: &str, container: &str, message: &str) -> Next {
    refuse(cluster, id, container, "PostStartHookError", message, Retry::Soon)
}

/// A moment after a start.
pub(super) const BREATH: Duration = Duration::from_millis(15);
