//! A small system to judge in tests: the shop of the labs, as both APIs show it.

use std::{collections::BTreeMap, time::Duration};

use breakfix_lab::{Platform, check::Check};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Baseline, Exchange, Failure, Fetched, Judge, Moved, Observation, Outcome, Permit, Query, Verdict, View,
    query::Scope,
};

pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What a check is judged against. Lists that nobody set are empty.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) platform: Platform,
    pub(crate) answers: BTreeMap<Query, Result<Fetched, Failure>>,
    pub(crate) baseline: Baseline,
    pub(crate) triggered: Option<Timestamp>,
    pub(crate) moved: Moved,
}

impl World {
    pub(crate) fn kubernetes() -> Self {
        let baseline = Baseline::empty(at(NOW));
        Self {
            platform: Platform::Kubernetes,
            answers: BTreeMap::new(),
            baseline,
            triggered: None,
            moved: Moved::default(),
        }
    }

    pub(crate) fn docker() -> Self {
        Self { platform: Platform::Docker, ..Self::kubernetes() }
    }

    pub(crate) fn ecs() -> Self {
        Self { platform: Platform::Ecs, ..Self::kubernetes() }
    }

    pub(crate) fn scope(&self) -> Scope {
        let namespace = match self.platform {
            Platform::Kubernetes => "shop".to_owned(),
            Platform::Docker | Platform::Ecs => String::new(),
        };
        Scope { namespace }
    }

    fn objects(&self, kind: &str) -> Query {
        let namespace = (self.platform == Platform::Kubernetes).then(|| "shop".to_owned());
        Query::Objects { kind: kind.to_owned(), namespace }
    }

    /// The API lists these.
    pub(crate) fn with(mut self, kind: &str, objects: impl IntoIterator<Item = Value>) -> Self {
        self.answers.insert(self.objects(kind), Ok(Fetched::Objects(objects.into_iter().collect())));
        self
    }

    /// The API refuses to list this kind.
    pub(crate) fn failing(mut self, kind: &str) -> Self {
        let failure =
            Failure { what: format!("list {kind}"), why: "500 etcd is away".into(), hint: Some("try again".into()) };
        self.answers.insert(self.objects(kind), Err(failure));
        self
    }

    pub(crate) fn answering(mut self, query: Query, fetched: Fetched) -> Self {
        self.answers.insert(query, Ok(fetched));
        self
    }

    /// These were there when the lab was handed over.
    pub(crate) fn from(mut self, kind: &str, objects: impl IntoIterator<Item = Value>) -> Self {
        self.baseline.objects.insert(kind.to_owned(), objects.into_iter().collect());
        self
    }

    pub(crate) fn observation(&self, check: &dyn Judge) -> Observation {
        let mut answers = self.answers.clone();
        for query in check.queries(self.platform, &self.scope()) {
            if matches!(query, Query::Objects { .. }) {
                answers.entry(query).or_insert_with(|| Ok(Fetched::Objects(Vec::new())));
            }
        }
        Observation { at: at(NOW), answers }
    }

    pub(crate) fn judge(&self, check: &dyn Judge) -> Verdict {
        self.judge_of(check, &self.observation(check))
    }

    pub(crate) fn judge_of(&self, check: &dyn Judge, observation: &Observation) -> Verdict {
        let scope = self.scope();
        check.judge(&View {
            platform: self.platform,
            scope: &scope,
            observation,
            baseline: &self.baseline,
            triggered: self.triggered,
            moved: self.moved,
        })
    }
}

/// A check as a lab writes it.
pub(crate) fn check(yaml: Value) -> Check {
    serde_json::from_value(yaml).unwrap()
}

#[track_caller]
pub(crate) fn assert_met(verdict: &Verdict) {
    assert!(verdict.is_met(), "{verdict:#?}");
}

/// Not met, and the reason says this.
#[track_caller]
pub(crate) fn assert_not_met(verdict: &Verdict, part: &str) {
    assert!(verdict.is_not_met(), "{verdict:#?}");
    let text = format!("{} | {:?}", verdict.reason().unwrap(), verdict.evidence());
    assert!(text.contains(part), "{part:?} is not in {text}");
}

#[track_caller]
pub(crate) fn assert_unknown(verdict: &Verdict, part: &str) {
    assert!(verdict.is_unknown(), "{verdict:#?}");
    assert!(verdict.reason().unwrap().contains(part), "{part:?} is not in {verdict:?}");
}

/// The value with some of it replaced (a merge patch).
pub(crate) fn but(mut value: Value, patch: Value) -> Value {
    merge(&mut value, patch);
    value
}

fn merge(value: &mut Value, patch: Value) {
    match patch {
        Value::Object(patch) => {
            if !value.is_object() {
                *value = json!({});
            }
            let map = value.as_object_mut().unwrap();
            for (key, patch) in patch {
                if patch.is_null() {
                    map.remove(&key);
                } else {
                    merge(map.entry(key).or_insert(Value::Null), patch);
                }
            }
        }
        patch => *value = patch,
    }
}

fn owner(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true}])
}

/// A Deployment of `replicas`, rolled out.
pub(crate) fn deployment(name: &str, replicas: u32) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 2},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "template": {"spec": {"containers": [{"name": "web", "image": "registry.example/shop/web:1.4", "args": ["serve"]}]}},
        },
        "status": {
            "observedGeneration": 2, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
            "availableReplicas": replicas,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        },
    })
}

/// The ReplicaSet of a Deployment: `shop-a`.
pub(crate) fn replica_set(deployment: &str) -> Value {
    let name = format!("{deployment}-a");
    json!({"metadata": {
        "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "ownerReferences": owner("Deployment", deployment),
    }})
}

/// A Ready pod of a ReplicaSet or of another controller.
pub(crate) fn pod(name: &str, ip: &str, kind: &str, controller: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "ownerReferences": owner(kind, controller),
        },
        "spec": {"containers": [{"name": "web"}]},
        "status": {
            "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "web", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "2026-11-21T11:00:00Z"}},
            }],
        },
    })
}

/// The probe, where it lives in the lab's namespace.
pub(crate) fn probe(ip: &str) -> Value {
    json!({
        "metadata": {"name": "probe-x", "namespace": "shop", "uid": "uid-probe", "labels": {"breakfix.dev/role": "probe"}},
        "spec": {"readinessGates": [{"conditionType": "breakfix.dev/never-an-endpoint"}]},
        "status": {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": "False"}]},
    })
}

/// One slice of a Service with these pods as ready endpoints.
pub(crate) fn slice(service: &str, pods: &[&Value]) -> Value {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|pod| {
            json!({
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": true, "serving": true, "terminating": false},
                "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
            })
        })
        .collect();
    json!({
        "metadata": {
            "name": format!("{service}-x"), "namespace": "shop", "uid": format!("uid-{service}-x"),
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    })
}

/// The Deployment `shop` with three Ready pods.
pub(crate) fn shop() -> World {
    World::kubernetes()
        .with("Deployment", [deployment("shop", 3)])
        .with("ReplicaSet", [replica_set("shop")])
        .with("Pod", shop_pods())
}

pub(crate) fn shop_pods() -> [Value; 3] {
    ["1", "2", "3"].map(|n| pod(&format!("shop-a-{n}"), &format!("10.0.0.{n}"), "ReplicaSet", "shop-a"))
}

/// A running container, as `docker inspect` shows it.
pub(crate) fn container(name: &str) -> Value {
    json!({
        "Id": format!("{name}0123456789abcdef"),
        "Name": format!("/{name}"),
        "Image": "sha256:14",
        "State": {"Status": "running", "Running": true, "Paused": false, "Restarting": false},
        "Config": {
            "Hostname": format!("{name}01234567"), "Image": "registry.example/shop/web:1.4", "Env": ["PORT=8080", "TITLE=shop"],
            "Labels": {"breakfix.dev/lab": "page-not-there"},
        },
        "HostConfig": {"NetworkMode": "shop", "Memory": 268_435_456, "Binds": null, "CapAdd": null, "PidMode": "", "IpcMode": "private"},
        "Mounts": [],
        "NetworkSettings": {"Ports": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}]}},
    })
}

/// An answer of status 200 that names its instance.
pub(crate) fn answered(body: &str, instance: &str) -> Exchange {
    let headers = BTreeMap::from([("X-Workload-Instance".to_owned(), instance.to_owned())]);
    exchange(Outcome::Answered { status: 200, headers, body: body.to_owned() })
}

pub(crate) fn exchange(outcome: Outcome) -> Exchange {
    let address = matches!(outcome, Outcome::Answered { .. }).then(|| ([127, 0, 0, 1], 18080).into());
    Exchange {
        url: "http://shop/".to_owned(),
        outcome,
        took: Duration::from_millis(12),
        address,
        control_reached: None,
    }
}

/// What a review and a call said.
pub(crate) fn permit(review: bool, call: bool) -> Permit {
    Permit { review, call, said: if call { "200".to_owned() } else { "403: cannot".to_owned() } }
}
