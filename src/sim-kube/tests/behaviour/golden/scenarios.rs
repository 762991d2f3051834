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
    seen: u64,
}

impl Pair {
    /// Feeds the record's manifests and lets so much time pass.
    fn play(scenario: &str, seconds: u64) -> Option<Self> {
        let record = Record::find(scenario)?;
        let world = World::new();
        let seen = world.cluster.store.revision();
        let mut pair = Self { record, world, pods: BTreeMap::new(), deployments: BTreeMap::new(), seen };
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
                _ => continue,
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
