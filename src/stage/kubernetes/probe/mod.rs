//! The grader's probes: pods of our own, made when a check first needs one, used by exec, gone when the check is over.
//!
//! Nothing that the learner could have prepared or replaced takes part: the name is new each time, and before each use uid, image and
//! restarts are looked at. A probe that cannot be had is a [`Failure`], never a wrong answer.

mod ask;
mod limits;
mod pod;

use std::{collections::BTreeMap, time::Duration};

use breakfix_grade::Failure;
use breakfix_lab::check::Caller;
use serde_json::{Value, json};

use super::{
    api::Api,
    belongings,
    object::{self, LAB_LABEL, SESSION_LABEL},
    resource::Resource,
    target::KubeTarget,
    trouble::Trouble,
    wait::Wait,
};
pub(crate) use pod::{CONTAINER, IMAGE, is_probe, manifest};

/// How long a probe may take from its creation until it runs.
const READY: Duration = Duration::from_secs(30);

/// The probes of one check.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    by_caller: BTreeMap<Caller, Probe>,
}

impl Probes {
    /// For a system that is no more.
    pub(crate) fn forget(&mut self) {
        self.by_caller.clear();
    }
}

/// A pod that runs and is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) namespace: String,
    pub(crate) name: String,
    uid: String,
    image_id: String,
}

impl KubeTarget {
    /// The caller's probe, made if need be, verified in any case.
    pub(super) async fn probe(&self, caller: &Caller) -> Result<Probe, Failure> {
        if caller.network.is_some() {
            return Err(Failure {
                what: "start a probe".to_owned(),
                why: "a caller's `network` is a word of Docker labs".to_owned(),
                hint: None,
            });
        }
        let api = &*self.api().await.map_err(|error| failure(&error))?;
        let mut probes = self.probes.lock().await;
        if let Some(probe) = probes.by_caller.get(caller) {
            match self.verify(api, probe).await {
                Ok(true) => return Ok(probe.clone()),
                // Deleted, restarted or replaced in the meantime: another one is made.
                Ok(false) => drop(probes.by_caller.remove(caller)),
                Err(trouble) => return Err(trouble.failure(format!("look at the probe in {}", probe.namespace))),
            }
        }
        let probe = self.start_probe(api, caller).await?;
        probes.by_caller.insert(caller.clone(), probe.clone());
        Ok(probe)
    }

    /// All the probes that a caller means: one, so many, or one on each node.
    pub(super) async fn probes(&self, caller: &Caller) -> Result<Vec<Probe>, Failure> {
        let nodes = if caller.every_node { self.ordinary_nodes().await? } else { Vec::new() };
        let mut probes = Vec::new();
        for one in singly(caller, &nodes) {
            probes.push(self.probe(&one).await?);
        }
        Ok(probes)
    }

    /// The names of the nodes that ordinary pods may run on, by name.
    async fn ordinary_nodes(&self) -> Result<Vec<String>, Failure> {
        let api = &*self.api().await.map_err(|error| failure(&error))?;
        let Some(resource) = Resource::built_in(None, "Node") else { return Ok(Vec::new()) };
        let (_, nodes) = api.list(&resource, None, "").await.map_err(|trouble| trouble.failure("list Node"))?;
        let mut names: Vec<String> =
            nodes.iter().filter(|node| is_ordinary(node)).map(|it| object::name(it).to_owned()).collect();
        names.sort();
        Ok(names)
    }

    async fn verify(&self, api: &Api, probe: &Probe) -> Result<bool, Trouble> {
        let Some(pods) = Resource::built_in(None, "Pod") else { return Ok(false) };
        let found = api.get(&pods, Some(&probe.namespace), &probe.name).await?;
        Ok(found.is_some_and(|pod| {
            object::uid(&pod) == Some(&probe.uid)
                && pod::image_id(&pod) == Some(&probe.image_id)
                && matches!(pod::state(&pod), pod::State::Running)
        }))
    }

    async fn start_probe(&self, api: &Api, caller: &Caller) -> Result<Probe, Failure> {
        let own = belongings::probe_namespace(&self.place);
        let namespace = caller.namespace.clone().unwrap_or_else(|| own.clone());
        let what = format!("start a probe in namespace {namespace}");
        let images = [IMAGE.to_owned()];
        self.host.provide_images(api, &images).await.map_err(|error| failure(&error))?;
        if namespace == own {
            self.probe_home(api, &own).await?;
        }
        let Some(pods) = Resource::built_in(None, "Pod") else { return Err(bare(&what, "pods are unknown")) };
        let name = pod::name(&self.host.nonce());
        let mut body = pod::manifest(&self.place, caller, &namespace, &name, self.host.pull_policy());
        self.host.adapt(&mut body);
        let made = match api.create(&pods, Some(&namespace), &body).await {
            Err(trouble) if trouble.is_forbidden() && self.fit_limits(api, &namespace, &mut body).await => {
                api.create(&pods, Some(&namespace), &body).await
            }
            done => done,
        };
        let made = made.map_err(|trouble| trouble.failure(&what))?;
        let uid = object::uid(&made).unwrap_or_default().to_owned();
        let started = self.await_running(api, &pods, &namespace, &name, &what).await;
        match started {
            Ok(image_id) => Ok(Probe { namespace, name, uid, image_id }),
            Err(failure) => {
                // It would stay Pending for the learner to wonder about.
                drop(api.delete(&pods, Some(&namespace), &name, Some(&uid), Some(0)).await);
                Err(failure)
            }
        }
    }

    /// Gives a refused probe what the namespace's LimitRanges demand; false where they demand nothing.
    async fn fit_limits(&self, api: &Api, namespace: &str, body: &mut Value) -> bool {
        let Some(ranges) = Resource::built_in(None, "LimitRange") else { return false };
        // Trouble here leaves it at the refusal, which is the answer that matters.
        let Ok((_, ranges)) = api.list(&ranges, Some(namespace), "").await else { return false };
        let Some(resources) = limits::admitted(&ranges) else { return false };
        if let Some(container) = body.pointer_mut("/spec/containers/0") {
            object::set(container, &["resources"], resources);
        }
        true
    }

    /// The namespace of our own, ready for pods.
    async fn probe_home(&self, api: &Api, name: &str) -> Result<(), Failure> {
        let what = format!("make the probes' namespace {name}");
        let Some(namespaces) = Resource::built_in(None, "Namespace") else { return Ok(()) };
        match api.get(&namespaces, None, name).await.map_err(|trouble| trouble.failure(&what))? {
            Some(found) if !object::is_of_session(&found, &self.place.session) => {
                Err(bare(&what, "there is one that is not this session's"))
            }
            Some(found) if object::is_going(&found) => Err(bare(&what, "it is being deleted")),
            Some(_) => self.sweep_probes(api, name).await.map_err(|trouble| trouble.failure(what)),
            None => {
                let labels = json!({SESSION_LABEL: self.place.session, LAB_LABEL: self.place.lab});
                let body =
                    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
                match api.create(&namespaces, None, &body).await {
                    Ok(_) => {}
                    Err(trouble) if trouble.is_already_exists() => {}
                    Err(trouble) => return Err(trouble.failure(what)),
                }
                self.await_namespace(api, name).await.map_err(|error| failure(&error))
            }
        }
    }

    /// Deletes finished probes of earlier commands that were cut short.
    async fn sweep_probes(&self, api: &Api, namespace: &str) -> Result<(), Trouble> {
        let Some(pods) = Resource::built_in(None, "Pod") else { return Ok(()) };
        let (_, found) = api.list(&pods, Some(namespace), "").await?;
        for pod in found.iter().filter(|pod| pod::is_left_over(pod, &self.place.session)) {
            api.delete(&pods, Some(namespace), object::name(pod), object::uid(pod), Some(0)).await?;
        }
        Ok(())
    }

    /// Waits until the probe runs; yields the id of its image.
    async fn await_running(
        &self,
        api: &Api,
        pods: &Resource,
        namespace: &str,
        name: &str,
        what: &str,
    ) -> Result<String, Failure> {
        let mut wait = Wait::up_to(READY);
        loop {
            let found = api.get(pods, Some(namespace), name).await.map_err(|trouble| trouble.failure(what))?;
            let found = found.ok_or_else(|| bare(what, "it was deleted at once"))?;
            let why = match (pod::state(&found), pod::image_id(&found)) {
                (pod::State::Running, Some(image_id)) => return Ok(image_id.to_owned()),
                (pod::State::Running, None) => "its image is not named yet".to_owned(),
                (pod::State::Coming(why), _) => why,
                (pod::State::Lost(why), _) => return Err(bare(what, &why)),
            };
            if !wait.next(self.host.as_ref()).await.map_err(|error| failure(&error))? {
                return Err(bare(what, &format!("it does not run after {} s: {why}", READY.as_secs())));
            }
        }
    }

    /// Deletes the probes of this check, without grace. What cannot be deleted ends by its own deadline.
    pub(super) async fn remove_probes(&self) {
        let probes = std::mem::take(&mut self.probes.lock().await.by_caller);
        let Some(pods) = Resource::built_in(None, "Pod") else { return };
        let Ok(api) = self.api().await else { return };
        let deletions = probes
            .values()
            .map(|probe| api.delete(&pods, Some(&probe.namespace), &probe.name, Some(&probe.uid), Some(0)));
        for done in futures::future::join_all(deletions).await {
            // The pod has a deadline of its own and goes with the session's namespaces; a check's result does not hang on it.
            drop(done);
        }
    }
}

/// A probe of any session's.
pub(super) fn is_of_probes(pod: &Value) -> bool {
    object::label(pod, pod::ROLE_LABEL) == Some(pod::PROBE_ROLE)
}

/// The callers that a caller stands for, each with one probe. The second and every further one of a kind are told apart by their number.
fn singly(caller: &Caller, nodes: &[String]) -> Vec<Caller> {
    let one = Caller { every_node: false, probes: None, ..caller.clone() };
    if caller.every_node {
        return nodes.iter().map(|node| Caller { node: Some(node.clone()), ..one.clone() }).collect();
    }
    let number = |index: u32| (index > 0).then_some(index + 1);
    (0..caller.probes.unwrap_or(1)).map(|index| Caller { probes: number(index), ..one.clone() }).collect()
}

/// Ready, not cordoned, and without a taint that keeps ordinary pods away.
fn is_ordinary(node: &Value) -> bool {
    let ready = object::is_ready(node);
    let closed = node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false);
    let tainted = object::list(node, "/spec/taints")
        .iter()
        .any(|taint| matches!(object::text(taint, "/effect"), Some("NoSchedule" | "NoExecute")));
    ready && !closed && !tainted
}

/// Trouble of ours as a failure to observe.
pub(super) fn failure(error: &crate::target::TargetError) -> Failure {
    let chain = error.chain();
    let why = chain.strip_prefix(&format!("{}: ", error.what)).unwrap_or(&chain).to_owned();
    Failure { what: error.what.clone(), why, hint: error.hints.first().cloned() }
}

pub(super) fn bare(what: &str, why: &str) -> Failure {
    Failure { what: what.to_owned(), why: why.to_owned(), hint: None }
}
