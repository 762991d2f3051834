//! The states of a pod's containers (`convertToAPIContainerStatuses`).

use serde_json::{Map, Value, json};

use crate::{
    Cluster,
    node::{
        ids, image,
        pod_run::{Past, PodRun, Stage},
        probe,
        run::Run,
        spec::{self, Role},
    },
    object::{entries, text, truth},
};

/// The lists of a pod's status.
pub(super) struct Lists {
    init: Vec<Value>,
    main: Vec<Value>,
    ephemeral: Vec<Value>,
}

impl Lists {
    /// The status of a container.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        [&self.init, &self.main, &self.ephemeral].into_iter().flatten().find(|status| text(status, "/name") == name)
    }

    pub(super) fn init(&self) -> &[Value] {
        &self.init
    }

    pub(super) fn main(&self) -> &[Value] {
        &self.main
    }

    pub(super) fn into_fields(self) -> [(&'static str, Vec<Value>); 3] {
        [
            ("initContainerStatuses", self.init),
            ("containerStatuses", self.main),
            ("ephemeralContainerStatuses", self.ephemeral),
        ]
    }
}

pub(super) fn all(cluster: &Cluster, pod: &PodRun) -> Lists {
    let mut lists = Lists { init: Vec::new(), main: Vec::new(), ephemeral: Vec::new() };
    for (role, definition) in spec::containers(&pod.pod) {
        let status = one(cluster, pod, role, definition);
        match role {
            Role::Init | Role::Sidecar => lists.init.push(status),
            Role::Main => lists.main.push(status),
            Role::Ephemeral => lists.ephemeral.push(status),
        }
    }
    lists
}

/// The `terminated` part of a run that is over.
fn terminated(cluster: &Cluster, past: &Past) -> Value {
    let started = match past.started {
        Some(started) => cluster.date(started),
        None => "1970-01-01T00:00:00Z".to_owned(),
    };
    let mut state = json!({
        "containerID": format!("containerd://{}", past.id),
        "exitCode": past.ended.code,
        "finishedAt": cluster.date(past.ended.at),
        "reason": past.ended.reason,
        "startedAt": started,
    });
    if !past.ended.message.is_empty() {
        state["message"] = json!(past.ended.message);
    }
    state
}

fn one(cluster: &Cluster, pod: &PodRun, role: Role, definition: &Value) -> Value {
    let name = text(definition, "/name");
    let held = pod.containers.get(name);
    let run = held.and_then(|held| held.run.as_ref());
    let mut state = state(cluster, pod, run);
    let mut last = held.and_then(|held| held.last.as_ref()).map(|past| terminated(cluster, past));
    if let Some(reason) = pod.reasons.get(name).filter(|_| is_to_start(pod, role, name, run)) {
        if let Some(ended) = state.get("terminated") {
            last = Some(ended.clone());
        }
        let mut waiting = json!({"reason": reason.reason});
        if !reason.message.is_empty() {
            waiting["message"] = json!(reason.message);
        }
        state = json!({"waiting": waiting});
    }
    let is_running = state.get("running").is_some();
    let started = is_running && probe::has_started(pod, name);
    let ready = match role {
        // An init container is ready once it is through.
        Role::Init => state.pointer("/terminated/exitCode").and_then(Value::as_i64) == Some(0),
        Role::Ephemeral => false,
        _ => started && probe::is_ready(pod, name) && pod.stage != Stage::Over,
    };
    let mut status = Map::new();
    status.insert("name".to_owned(), json!(name));
    status.insert("state".to_owned(), state);
    status.insert("lastState".to_owned(), last.map_or_else(|| json!({}), |last| json!({"terminated": last})));
    status.insert("ready".to_owned(), json!(ready));
    status.insert("restartCount".to_owned(), json!(run.map_or(0, |run| run.number)));
    status.insert("started".to_owned(), json!(started));
    describe(&mut status, definition, run);
    Value::Object(status)
}

fn state(cluster: &Cluster, pod: &PodRun, run: Option<&Run>) -> Value {
    if let Some(past) = run.and_then(Past::of) {
        return json!({"terminated": terminated(cluster, &past)});
    }
    match run {
        Some(run) if run.started.is_some() => {
            json!({"running": {"startedAt": run.started.map(|started| cluster.date(started))}})
        }
        _ => {
            let has_inits = !entries(&pod.pod, "/spec/initContainers").is_empty();
            json!({"waiting": {"reason": if has_inits { "PodInitializing" } else { "ContainerCreating" }}})
        }
    }
}

/// Whether the next step would start the container (`ShouldContainerBeRestarted`): then what hindered the last one is what it waits for.
fn is_to_start(pod: &PodRun, role: Role, name: &str, run: Option<&Run>) -> bool {
    if pod.stage != Stage::Living {
        return false;
    }
    match run {
        None => true,
        Some(run) => match &run.ended {
            Some(ended) if role == Role::Init && ended.code == 0 => false,
            Some(ended) => spec::is_restarted(&pod.pod, name, ended.code),
            None => !run.is_running(),
        },
    }
}

/// Image, resources, user, mounts.
fn describe(status: &mut Map<String, Value>, definition: &Value, run: Option<&Run>) {
    let reference = text(definition, "/image");
    match run {
        Some(run) => {
            let full = image::full(&run.image);
            status.insert("image".to_owned(), json!(full));
            status.insert("imageID".to_owned(), json!(ids::image_id(&full)));
            status.insert("containerID".to_owned(), json!(format!("containerd://{}", run.id)));
            let resources = definition.get("resources").cloned().unwrap_or_else(|| json!({}));
            if let Some(requests) = resources.get("requests") {
                status.insert("allocatedResources".to_owned(), requests.clone());
            }
            status.insert("resources".to_owned(), resources);
            let user = json!({"gid": run.user.gid, "supplementalGroups": run.user.groups, "uid": run.user.uid});
            status.insert("user".to_owned(), json!({"linux": user}));
        }
        None => {
            status.insert("image".to_owned(), json!(reference));
            status.insert("imageID".to_owned(), json!(""));
        }
    }
    let mounts: Vec<Value> = entries(definition, "/volumeMounts").iter().map(mount).collect();
    if !mounts.is_empty() {
        status.insert("volumeMounts".to_owned(), Value::Array(mounts));
    }
}

fn mount(mount: &Value) -> Value {
    let mut shown = json!({"mountPath": text(mount, "/mountPath"), "name": text(mount, "/name")});
    if truth(mount, "/readOnly") {
        shown["readOnly"] = json!(true);
        shown["recursiveReadOnly"] = json!("Disabled");
    }
    shown
}
