//! One test a recorded scenario.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_sim::StoreEventKind;
use breakfix_sim_kube::kind;
use serde_json::Value;

use super::{digest, record::Record};
use crate::world::{SPACE, World};

/// A record and the same on the simulator.
struct Pair {
    record: Record,
    world: World,
    /// Every write to a pod, by name.
    pods: BTreeMap<String, Vec<Value>>,
    deployments: BTreeMap<String, Vec<Value>>,
    /// Every write to an object of another kind, by collection and name.
    others: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
    seen: u64,
}

impl Pair {
    /// Feeds the record's manifests and lets so much time pass.
    fn play(scenario: &str, seconds: u64) -> Option<Self> {
        let record = Record::find(scenario)?;
        let world = World::new();
        let seen = world.cluster.store.revision();
        let mut pair =
            Self { record, world, pods: BTreeMap::new(), deployments: BTreeMap::new(), others: BTreeMap::new(), seen };
        for manifest in pair.record.manifests() {
            pair.apply(manifest);
        }
        pair.run(seconds);
        Some(pair)
    }

    fn apply(&mut self, manifest: Value) {
        let kind = kind::by_kind(manifest["apiVersion"].as_str().unwrap(), manifest["kind"].as_str().unwrap()).unwrap();
        self.world.create(kind, SPACE, manifest);
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.world.run_millis(250);
            self.look();
        }
    }

    fn look(&mut self) {
        let fresh: Vec<_> = self.world.cluster.store.since(self.seen).unwrap().cloned().collect();
        for event in fresh {
            self.seen = event.revision;
            if &*event.key.namespace != SPACE || event.kind == StoreEventKind::Deleted {
                continue;
            }
            let list = match &*event.key.collection {
                "pods" => &mut self.pods,
                "deployments.apps" => &mut self.deployments,
                other => self.others.entry(other.to_owned()).or_default(),
            };
            list.entry(event.key.name.to_string()).or_default().push(Value::clone(&event.object));
        }
    }

    /// The digests of one pod's states, equal neighbours once, on both sides.
    fn states(&self, front: &str) -> (Vec<String>, Vec<String>) {
        let watched = self.record.watched("watch.jsonl");
        (sequence(&watched, front, digest::pod), sequence(&self.pods, front, digest::pod))
    }

    fn deployment_states(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let watched = self.record.watched("watch-deployments.jsonl");
        (sequence(&watched, name, digest::deployment), sequence(&self.deployments, name, digest::deployment))
    }

    /// The digests of an object of another kind, equal neighbours once, on both sides.
    fn other_states(&self, collection: &str, file: &str, name: &str) -> (Vec<String>, Vec<String>) {
        let none = BTreeMap::new();
        let ours = self.others.get(collection).unwrap_or(&none);
        (sequence(&self.record.watched(file), name, digest::deployment), sequence(ours, name, digest::deployment))
    }

    /// The events of both sides that the other does not have.
    fn differing_events(&self, ignored: &[&str]) -> (Vec<String>, Vec<String>) {
        let keep = |event: &String| !ignored.iter().any(|ignored| event.contains(ignored));
        let real: BTreeSet<String> = self.record.events().iter().map(digest::event).filter(keep).collect();
        let ours = self.world.cluster.list(&kind::EVENT, Some(SPACE));
        let ours: BTreeSet<String> = ours.map(|event| digest::event(event)).filter(keep).collect();
        (real.difference(&ours).cloned().collect(), ours.difference(&real).cloned().collect())
    }

    fn same_events(&self, ignored: &[&str]) {
        let (missing, surplus) = self.differing_events(ignored);
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "events of the record that are missing:\n{}\nevents that the record has not:\n{}",
            missing.join("\n"),
            surplus.join("\n")
        );
    }
}

fn sequence(states: &BTreeMap<String, Vec<Value>>, front: &str, digest: fn(&Value) -> String) -> Vec<String> {
    let (_, states) = states
        .iter()
        .find(|(name, _)| *name == front || digest::plain(name) == front)
        .unwrap_or_else(|| panic!("no object {front} among {:?}", states.keys().collect::<Vec<_>>()));
    let mut lines: Vec<String> = states.iter().map(digest).collect();
    lines.dedup();
    lines
}

/// The first so many states are the same, states with these words left aside.
fn same_but_for(states: (Vec<String>, Vec<String>), count: usize, words: &str) {
    let without = |states: Vec<String>| -> Vec<String> {
        let mut states: Vec<String> = states.into_iter().filter(|state| !state.contains(words)).collect();
        states.dedup();
        states
    };
    same_beginning((without(states.0), without(states.1)), count);
}

/// The first so many states are the same.
fn same_beginning(states: (Vec<String>, Vec<String>), count: usize) {
    let (real, ours) = states;
    for at in 0..count {
        let (real_state, our_state) = (real.get(at), ours.get(at));
        assert_eq!(
            our_state,
            real_state,
            "state {at} differs\nrecorded:\n{}\nsimulated:\n{}",
            real.join("\n"),
            ours.join("\n")
        );
    }
}

#[test]
fn healthy_deployment() {
    let Some(pair) = Pair::play("healthy-deployment", 12) else { return };
    pair.same_events(&[]);
    same_beginning(pair.states("web"), 6);
    let (real, ours) = pair.deployment_states("web");
    assert_eq!(real.last(), ours.last());
}

#[test]
fn crash_loop() {
    let Some(pair) = Pair::play("crash-loop", 160) else { return };
    pair.same_events(&[]);
    // The record was made on a busy machine: whether a run of a few milliseconds is seen running is a matter of luck.
    same_but_for(pair.states("app"), 9, "app:running");
}

#[test]
fn wrong_image_tag() {
    let Some(pair) = Pair::play("wrong-image-tag", 112) else { return };
    pair.same_events(&[]);
    // `no-tag-digest` is left out: the recorder's machine was so busy that two writes became one.
    for pod in ["web", "never", "invalid-name", "nohost", "private"] {
        same_beginning(pair.states(pod), 5);
    }
    same_beginning(pair.states("web"), 11);
}

#[test]
fn missing_config_map() {
    let Some(pair) = Pair::play("missing-configmap-envfrom", 32) else { return };
    pair.same_events(&["Created", "Started"]);
    same_beginning(pair.states("app"), 5);
}

#[test]
fn missing_key() {
    let Some(pair) = Pair::play("missing-configmap-key", 31) else { return };
    pair.same_events(&[]);
    same_beginning(pair.states("app"), 5);
    same_beginning(pair.states("secret-key"), 5);
}

#[test]
fn program_not_found() {
    let Some(pair) = Pair::play("exec-not-found", 40) else { return };
    pair.same_events(&["bad-format"]);
    for pod in ["not-found", "not-in-path", "not-executable", "is-dir", "bad-workdir", "bad-user"] {
        same_beginning(pair.states(pod), 5);
    }
}

#[test]
fn init_crash() {
    let Some(pair) = Pair::play("init-crash", 105) else { return };
    pair.same_events(&[]);
    same_but_for(pair.states("app"), 8, "migrate:running");
    same_but_for(pair.states("never"), 6, "migrate:running");
}

#[test]
fn readiness_failing() {
    let Some(pair) = Pair::play("readiness-failing", 13) else { return };
    // The recorder saw the first questions before the server listened.
    pair.same_events(&["not yet", "/healthz"]);
    for pod in ["web", "refused", "execp", "tcp"] {
        same_beginning(pair.states(pod), 5);
    }
}

#[test]
fn liveness_failing() {
    let Some(pair) = Pair::play("liveness-failing", 48) else { return };
    pair.same_events(&[]);
    same_beginning(pair.states("web"), 8);
    same_beginning(pair.states("stubborn"), 7);
}

#[test]
fn unschedulable() {
    for scenario in ["unschedulable-cpu", "node-selector-miss", "anti-affinity-unsatisfied", "pvc-missing"] {
        let Some(pair) = Pair::play(scenario, 10) else { return };
        pair.same_events(&[]);
    }
}

/// Which object the scheduler saw first was a matter of the recorder's moments.
#[test]
fn a_claim_without_its_class() {
    let Some(pair) = Pair::play("pvc-no-storageclass", 33) else { return };
    pair.same_events(&["not found. not found"]);
}

/// The recorded class has another provisioner, one that is part of the control plane; where the volume comes from differs, the rest does not.
#[test]
fn a_claim_that_is_bound() {
    let Some(mut pair) = Pair::play("pvc-bound", 8) else { return };
    let manifest = pair.record.document("pod.yaml");
    pair.apply(manifest);
    pair.run(12);
    pair.same_events(&["rovision"]);
    same_beginning(pair.states("app"), 5);
    let volume = pair.world.cluster.list(&kind::PERSISTENT_VOLUME, None).next().unwrap();
    assert_eq!((&volume["status"]["phase"], &volume["spec"]["claimRef"]["name"]), (&"Bound".into(), &"data".into()));
}

#[test]
fn sidecar_and_multi() {
    let Some(pair) = Pair::play("sidecar-and-multi", 15) else { return };
    pair.same_events(&["DeadlineExceeded"]);
    same_but_for(pair.states("completed"), 7, "main:running");
    same_but_for(pair.states("failed"), 7, "main:running");
}

#[test]
fn roll_out_stuck() {
    let Some(mut pair) = Pair::play("rollout-stuck", 5) else { return };
    pair.world.edit(&kind::DEPLOYMENT, "web", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/shop/web:2.0.typo".into();
    });
    pair.run(20);
    // FailedMount is the recorder's: its kubelet's cache was slow.
    pair.same_events(&["FailedMount"]);
    let (real, ours) = pair.deployment_states("web");
    assert_eq!(real.first(), ours.first());
    // From the change of the image on, every state is the same.
    let from = |states: &[String]| -> Vec<String> {
        states.iter().skip_while(|state| !state.starts_with("gen=2")).cloned().collect()
    };
    assert_eq!(from(&ours).join("\n"), from(&real).join("\n"));
}

#[test]
fn scale_to_zero() {
    let Some(mut pair) = Pair::play("scale-to-zero", 2) else { return };
    for (replicas, seconds) in [(0, 6), (1, 4), (0, 5)] {
        pair.world.edit(&kind::DEPLOYMENT, "web", |deployment| deployment["spec"]["replicas"] = replicas.into());
        pair.run(seconds);
    }
    pair.same_events(&[]);
    let (real, ours) = pair.deployment_states("web");
    assert_eq!(ours.last(), real.last());
    let ending = |states: &(Vec<String>, Vec<String>)| (states.0.last().cloned(), states.1.last().cloned());
    assert_eq!(pair.world.pods(), []);
    let (real, ours) = ending(&pair.states("web"));
    assert_eq!(ours, real);
}

#[test]
fn delete_with_grace() {
    let Some(mut pair) = Pair::play("delete-grace", 4) else { return };
    let admin = World::admin();
    for pod in ["deaf", "polite", "prestop", "held"] {
        let options = breakfix_sim_kube::api::verbs::DeleteOptions::default();
        pair.world.cluster.delete(&kind::POD, SPACE, pod, &options, &admin).unwrap();
    }
    pair.run(16);
    pair.same_events(&["owned"]);
    let left: Vec<String> =
        pair.world.pods().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    assert!(left.iter().any(|name| name == "held"), "a finalizer holds it");
    assert!(!left.iter().any(|name| ["deaf", "polite", "prestop"].contains(&name.as_str())), "{left:?}");
    // The record begins with the deletion.
    let deleting = |states: (Vec<String>, Vec<String>)| {
        let only = |states: Vec<String>| -> Vec<String> {
            states.into_iter().filter(|state| state.contains("deleting")).collect()
        };
        (only(states.0), only(states.1))
    };
    for pod in ["deaf", "polite", "prestop", "held"] {
        let (real, ours) = deleting(pair.states(pod));
        assert_eq!(ours, real, "{pod}");
    }
}

#[test]
fn daemon_set() {
    let Some(mut pair) = Pair::play("daemonset", 5) else { return };
    pair.world.edit(&kind::DAEMON_SET, "agent", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["env"] = serde_json::json!([{"name": "A", "value": "1"}]);
    });
    pair.run(12);
    pair.same_events(&[]);
    let (real, ours) = pair.other_states("daemonsets.apps", "watch-daemonsets.jsonl", "nowhere");
    assert_eq!(ours, real);
    // From the change on, every state is the same.
    let from = |states: Vec<String>| -> Vec<String> {
        states.into_iter().skip_while(|state| !state.starts_with("gen=2")).collect()
    };
    let (real, ours) = pair.other_states("daemonsets.apps", "watch-daemonsets.jsonl", "agent");
    assert_eq!(ours.first(), real.first());
    assert_eq!(from(ours).join("\n"), from(real).join("\n"));
}

#[test]
fn jobs_and_their_limit() {
    let Some(pair) = Pair::play("job-backofflimit", 45) else { return };
    pair.same_events(&[]);
    for job in ["fail", "fail-onfailure", "ok"] {
        // Whether a pod of a few milliseconds is seen ready is a matter of luck.
        let steady = |states: Vec<String>| -> Vec<String> {
            let mut states: Vec<String> = states
                .into_iter()
                .map(|state| state.replace(" ready=1", " ready=0").replace(" ready=2", " ready=0"))
                .collect();
            states.dedup();
            states
        };
        let (real, ours) = pair.other_states("jobs.batch", "watch-jobs.jsonl", job);
        assert_eq!(steady(ours).join("\n"), steady(real).join("\n"), "{job}");
    }
}

#[test]
fn autoscaler_without_metrics() {
    let Some(pair) = Pair::play("hpa-no-metrics", 50) else { return };
    pair.same_events(&[]);
    for name in ["web", "ghost"] {
        let real = pair.record.watched("watch-hpa.jsonl");
        let ours = pair.world.get(&kind::HORIZONTAL_POD_AUTOSCALER, name);
        let strip = |status: &Value| {
            let mut status = status.clone();
            for condition in status["conditions"].as_array_mut().unwrap() {
                condition.as_object_mut().unwrap().remove("lastTransitionTime");
            }
            status
        };
        assert_eq!(strip(&ours["status"]), strip(&real[name].last().unwrap()["status"]), "{name}");
    }
}

#[test]
fn node_not_ready() {
    let Some(mut pair) = Pair::play("node-not-ready", 5) else { return };
    let on = |pods: &BTreeMap<String, Vec<Value>>, node: &str| -> Vec<String> {
        let (_, states) = pods.iter().find(|(_, states)| states.last().unwrap()["spec"]["nodeName"] == node).unwrap();
        let mut lines: Vec<String> = states.iter().map(digest::pod).collect();
        lines.dedup();
        lines
    };
    // From the moment when its node is given up.
    let fallen = |states: Vec<String>| -> Vec<String> {
        states.into_iter().skip_while(|state| !state.contains("Ready=False,ContainersReady=True")).collect()
    };
    let systemctl = |pair: &mut Pair, verb: &str| {
        let argv = ["systemctl", verb, "kubelet"].map(str::to_owned);
        breakfix_sim_kube::node::machine::command(&mut pair.world.cluster, "breakfix-worker2", &argv).unwrap();
    };
    systemctl(&mut pair, "stop");
    pair.run(75);
    pair.same_events(&[]);
    let real = fallen(on(&pair.record.watched("watch.jsonl"), "bed-worker2"));
    let ours = fallen(on(&pair.pods, "breakfix-worker2"));
    assert_eq!(ours.join("\n"), real.join("\n"));
    let node = pair.world.cluster.get(&kind::NODE, "", "breakfix-worker2").unwrap();
    let recorded = pair.record.watched("watch-nodes.jsonl");
    let real = recorded["bed-worker2"].last().unwrap();
    let bare = |node: &Value| -> Vec<(Value, Value, Value, Value)> {
        let list = node["status"]["conditions"].as_array().unwrap();
        let field = |condition: &Value, field: &str| condition[field].clone();
        list.iter()
            .map(|condition| {
                let of = |name| field(condition, name);
                (of("type"), of("status"), of("reason"), of("message"))
            })
            .collect()
    };
    assert_eq!(bare(&node), bare(real));
    let taints = |node: &Value| -> Vec<(Value, Value)> {
        let list = node["spec"]["taints"].as_array().unwrap();
        list.iter().map(|taint| (taint["key"].clone(), taint["effect"].clone())).collect()
    };
    assert_eq!(taints(&node), taints(real));
    // The other side of it: kubelet comes back, finds the pod deleted, and ends it.
    let before = pair.pods.values().map(Vec::len).sum::<usize>();
    systemctl(&mut pair, "start");
    pair.run(10);
    assert!(pair.pods.values().map(Vec::len).sum::<usize>() > before);
    let real = on(&pair.record.watched("watch-fix.jsonl"), "bed-worker2");
    let ours = on(&pair.pods, "breakfix-worker2");
    let ours = ours[ours.len() - real.len() + 1..].join("\n");
    assert_eq!(ours, real[1..].join("\n"));
    let node = pair.world.cluster.get(&kind::NODE, "", "breakfix-worker2").unwrap();
    assert_eq!(node["spec"]["taints"], Value::Null);
}
