//! A cluster under test: made, fed, moved on, asked.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use breakfix_sim_kube::{
    Cluster, Config, Kind,
    api::verbs::{Actor, Part},
    bootstrap, kind,
    network::{self, Source},
};
use breakfix_workload::{Request, Response};
use serde_json::{Value, json};

use crate::invariants;

/// The namespace of most scenarios.
pub const SPACE: &str = "shop";
pub const WEB: &str = "registry.example/shop/web:1.4";

/// A cluster with two workers and the namespace `shop`.
pub struct World {
    pub cluster: Cluster,
    memory: invariants::Memory,
}

impl World {
    pub fn new() -> Self {
        Self::with_seed(7)
    }

    pub fn with_seed(seed: u64) -> Self {
        let images: BTreeSet<String> =
            [WEB, "registry.example/shop/web:1.5", "registry.example/shop/db:1.4", "lab/box:1", "lab/box:2"]
                .map(str::to_owned)
                .into();
        let config = Config { seed, date: "2026-11-21T11:07:30Z".parse().unwrap(), workers: 2, images };
        let cluster = bootstrap(config).expect("the cluster's own objects are fine");
        let mut world = Self { cluster, memory: invariants::Memory::default() };
        world.create(&kind::NAMESPACE, "", json!({"metadata": {"name": SPACE}}));
        world.run(1);
        world
    }

    pub fn admin() -> Actor {
        Actor { user: "kubernetes-admin".into(), manager: "kubectl".into() }
    }

    pub fn create(&mut self, kind: &'static Kind, namespace: &str, body: Value) -> Value {
        self.cluster.create(kind, namespace, body, &Self::admin()).expect("the object is valid")
    }

    /// Lets so many seconds pass.
    pub fn run(&mut self, seconds: u64) {
        self.run_millis(seconds * 1000);
    }

    pub fn run_millis(&mut self, millis: u64) {
        let until = self.cluster.now() + Duration::from_millis(millis);
        self.cluster.tell_controllers();
        while let Some(due) = self.cluster.next_due().filter(|due| *due <= until) {
            self.cluster.advance(due);
            invariants::check(&self.cluster, &mut self.memory);
        }
        self.cluster.advance(until);
    }

    /// Lets time pass until something holds; the seconds it took.
    pub fn until(&mut self, seconds_max: u64, what: &str, mut holds: impl FnMut(&Cluster) -> bool) -> f64 {
        let began = self.cluster.now();
        for _ in 0..seconds_max * 20 {
            if holds(&self.cluster) {
                return (self.cluster.now() - began).as_secs_f64();
            }
            self.run_millis(50);
        }
        panic!("{what}: not within {seconds_max} s\n{}", self.scene());
    }

    pub fn get(&self, kind: &'static Kind, name: &str) -> Arc<Value> {
        self.cluster.get(kind, SPACE, name).expect("it is there")
    }

    pub fn edit(&mut self, kind: &'static Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        self.cluster.update(kind, SPACE, name, Part::Main, &Self::admin(), edit).expect("the change is valid");
    }

    /// Pods of the namespace.
    pub fn pods(&self) -> Vec<Arc<Value>> {
        self.cluster.list(&kind::POD, Some(SPACE)).cloned().collect()
    }

    /// Pods whose names begin like this.
    pub fn pods_of(&self, front: &str) -> Vec<Arc<Value>> {
        self.pods().into_iter().filter(|pod| pod["metadata"]["name"].as_str().unwrap().starts_with(front)).collect()
    }

    /// Events of the namespace as `reason object xCOUNT: message`, in the order of their first time.
    pub fn events(&self) -> Vec<String> {
        let mut events: Vec<&Arc<Value>> = self.cluster.list(&kind::EVENT, Some(SPACE)).collect();
        events.sort_by_key(|event| event["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap());
        events
            .iter()
            .map(|event| {
                format!(
                    "{} {}/{} x{}: {}",
                    event["reason"].as_str().unwrap(),
                    event["involvedObject"]["kind"].as_str().unwrap(),
                    event["involvedObject"]["name"].as_str().unwrap(),
                    event["count"],
                    event["message"].as_str().unwrap(),
                )
            })
            .collect()
    }

    /// One request from a pod.
    pub fn get_from(&mut self, pod: &Value, url: &str) -> Result<Response, String> {
        let from = Source::Pod(pod["metadata"]["uid"].as_str().unwrap().to_owned());
        let request = Request { method: "GET".into(), ..Request::default() };
        let answered = network::http(&mut self.cluster, &from, url, &request, Duration::from_secs(2));
        answered.outcome.map_err(|error| error.word().to_owned())
    }

    /// A pod that waits to be used as a caller.
    pub fn caller(&mut self) -> Arc<Value> {
        self.create(
            &kind::POD,
            SPACE,
            json!({"metadata": {"name": "caller", "labels": {"app": "caller"}}, "spec": {"containers": [
                {"name": "main", "image": WEB, "command": ["sleep", "infinity"]}]}}),
        );
        self.run(4);
        self.get(&kind::POD, "caller")
    }

    /// What is there, for failures.
    pub fn scene(&self) -> String {
        let pods: Vec<String> = self
            .pods()
            .iter()
            .map(|pod| format!("{} {}", pod["metadata"]["name"], pod["status"]["containerStatuses"]))
            .collect();
        format!("{}\n{}", pods.join("\n"), self.events().join("\n"))
    }
}

/// The condition's status, `-` where there is none.
pub fn condition<'a>(object: &'a Value, name: &str) -> &'a str {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == name)
        .and_then(|condition| condition["status"].as_str())
        .unwrap_or("-")
}

pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready") == "True"
}

/// A Deployment of one container.
pub fn deployment(name: &str, replicas: u64, container: Value) -> Value {
    let mut container = container;
    container["name"] = json!(name);
    if container.get("image").is_none() {
        container["image"] = json!(WEB);
    }
    json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    })
}

/// A Service that selects by `app`.
pub fn service(name: &str, app: &str, port: u64, target: Value) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"name": "http", "port": port, "targetPort": target}]},
    })
}
