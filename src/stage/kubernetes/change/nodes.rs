//! `evict`, `cordon`, `uncordon`, `drain`: maintenance, as kubectl does it, and back again.

use std::time::Duration;

use breakfix_lab::change::{Evict, Nodes};
use serde_json::{Value, json};

use super::noted;
use crate::{
    journal::Undo,
    kubernetes::{
        api::{Api, PatchKind},
        asking::evict,
        object,
        probe::is_of_probes,
        resource::{self, Resource},
        target::KubeTarget,
        trouble::Trouble,
        wait::Wait,
    },
    target::{Cause, TargetError},
};

/// How long a drain may take: what a budget refuses is asked for again until then.
const DRAINED: Duration = Duration::from_secs(120);
/// The mark of a pod that the node made from a file of its own; kubectl leaves these alone.
const MIRROR: &str = "kubernetes.io/config.mirror";

impl KubeTarget {
    /// Evicts pods of a workload, each once. A budget's refusal is an answer.
    pub(super) async fn evict_some(&self, eviction: &Evict) -> Result<(), TargetError> {
        let owner = &eviction.owned_by;
        let what = format!("evict a pod of {} {}", owner.kind, owner.name);
        let api = &*self.api().await?;
        let mut pods = self.running_pods(owner).await.map_err(|trouble| self.cannot(&what, trouble))?;
        if pods.is_empty() {
            return Err(TargetError::new(Cause::Denied, format!("{what}: no pod runs")));
        }
        pods.truncate(eviction.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
        for pod in &pods {
            match evict(api, pod, false).await {
                Err(trouble) if is_budget(&trouble) => {
                    return Err(TargetError::new(Cause::Denied, what).because(trouble));
                }
                done => done.map_err(|trouble| self.cannot(&what, trouble))?,
            }
        }
        Ok(())
    }

    pub(super) async fn cordon(&self, nodes: &Nodes, undo: &dyn Undo) -> Result<(), TargetError> {
        let chosen = self.nodes(nodes).await?;
        self.close(&chosen, undo).await
    }

    pub(super) async fn uncordon(&self, nodes: &Nodes) -> Result<(), TargetError> {
        for node in self.nodes(nodes).await? {
            self.set_unschedulable(object::name(&node), false).await?;
        }
        Ok(())
    }

    /// Closes the nodes, then evicts what runs there. DaemonSets' pods and nodes' own stay; our probes are in nobody's way.
    pub(super) async fn drain(&self, nodes: &Nodes, undo: &dyn Undo) -> Result<(), TargetError> {
        let chosen = self.nodes(nodes).await?;
        self.close(&chosen, undo).await?;
        let api = &*self.api().await?;
        let pods = self.known_resource(None, "Pod").await?;
        let mut wait = Wait::up_to(DRAINED);
        for node in &chosen {
            let name = object::name(node);
            let what = format!("drain node {name}");
            let asked = loop {
                let on_node = pods_on(api, &pods, name).await.map_err(|trouble| self.cannot(&what, trouble))?;
                let mut refused = None;
                for pod in on_node.iter().filter(|pod| !object::is_going(pod)) {
                    match evict(api, pod, false).await {
                        Err(trouble) if is_budget(&trouble) => refused = Some(trouble),
                        Err(trouble) if trouble.is_not_found() => {}
                        done => done.map_err(|trouble| self.cannot(&what, trouble))?,
                    }
                }
                match refused {
                    None => break on_node,
                    Some(trouble) if !wait.next(self.host.as_ref()).await? => {
                        let what = format!("{what}: after {} s there still are pods on it", DRAINED.as_secs());
                        return Err(TargetError::new(Cause::Denied, what).because(trouble));
                    }
                    Some(_) => {}
                }
            };
            self.await_moved(api, &pods, &asked, &mut wait, &what).await?;
        }
        Ok(())
    }

    async fn await_moved(
        &self,
        api: &Api,
        pods: &Resource,
        asked: &[Value],
        wait: &mut Wait,
        what: &str,
    ) -> Result<(), TargetError> {
        for pod in asked {
            loop {
                let now = api.get(pods, object::namespace(pod), object::name(pod)).await;
                let now = now.map_err(|trouble| self.cannot(what, trouble))?;
                if now.is_none_or(|now| object::uid(&now) != object::uid(pod)) {
                    break;
                }
                if !wait.next(self.host.as_ref()).await? {
                    let why = format!("{what}: pod {} does not end", object::name(pod));
                    return Err(TargetError::new(Cause::Denied, why));
                }
            }
        }
        Ok(())
    }

    /// Cordons those that are open, each noted first.
    async fn close(&self, nodes: &[Value], undo: &dyn Undo) -> Result<(), TargetError> {
        if !self.host.allows_cluster_scoped() {
            return Err(TargetError::new(Cause::Refused, "cordon a node of this cluster").hint(
                "Allow it with `--allow-cluster-scoped`, or open the lab on `--target sim` or `--target kind`.",
            ));
        }
        for node in nodes.iter().filter(|node| !is_closed(node)) {
            noted(undo, json!({"uncordon": object::name(node)}))?;
            self.set_unschedulable(object::name(node), true).await?;
        }
        Ok(())
    }

    /// As `kubectl cordon` and `kubectl uncordon` do it.
    pub(super) async fn set_unschedulable(&self, name: &str, closed: bool) -> Result<(), TargetError> {
        let resource = self.known_resource(None, "Node").await?;
        let body = json!({"spec": {"unschedulable": if closed { json!(true) } else { Value::Null }}});
        let done = self.api().await?.patch(&resource, None, name, None, PatchKind::Strategic, &body).await;
        let word = if closed { "cordon" } else { "uncordon" };
        done.map(drop).map_err(|trouble| self.cannot(format!("{word} node {name}"), trouble))
    }

    /// The nodes that are meant just now, by name. None is an error: a change that hits nothing is not made.
    pub(in crate::kubernetes) async fn nodes(&self, nodes: &Nodes) -> Result<Vec<Value>, TargetError> {
        let what = "find the nodes";
        let api = &*self.api().await?;
        let resource = self.known_resource(None, "Node").await?;
        let query = if nodes.labels.is_empty() {
            String::new()
        } else {
            format!("labelSelector={}", resource::selector(&nodes.labels))
        };
        let (_, mut chosen) = api.list(&resource, None, &query).await.map_err(|trouble| self.cannot(what, trouble))?;
        if let Some(name) = &nodes.name {
            chosen.retain(|node| object::name(node) == name);
        }
        if let Some(owner) = &nodes.running {
            let pods = self.running_pods(owner).await.map_err(|trouble| self.cannot(what, trouble))?;
            let runs =
                |node: &Value| pods.iter().any(|pod| object::text(pod, "/spec/nodeName") == Some(object::name(node)));
            chosen.retain(runs);
        }
        chosen.sort_by(|a, b| object::name(a).cmp(object::name(b)));
        chosen.truncate(nodes.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
        if chosen.is_empty() {
            return Err(TargetError::new(Cause::Denied, format!("{what}: there is none")));
        }
        Ok(chosen)
    }
}

fn is_budget(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Said { code: 429, .. })
}

fn is_closed(node: &Value) -> bool {
    node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false)
}

/// What a drain moves away from a node.
async fn pods_on(api: &Api, pods: &Resource, node: &str) -> Result<Vec<Value>, Trouble> {
    let (_, found) = api.list(pods, None, &format!("fieldSelector=spec.nodeName%3D{}", resource::escape(node))).await?;
    Ok(found.into_iter().filter(is_moved).collect())
}

fn is_moved(pod: &Value) -> bool {
    let owners = object::list(pod, "/metadata/ownerReferences");
    let of_daemon_set = owners.iter().any(|owner| object::text(owner, "/kind") == Some("DaemonSet"));
    let mirror = pod.pointer("/metadata/annotations").is_some_and(|all| all.get(MIRROR).is_some());
    let over = matches!(object::text(pod, "/status/phase"), Some("Succeeded" | "Failed"));
    !(of_daemon_set || mirror || over || is_of_probes(pod))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_leaves_what_would_come_back() {
        let pod = |patch: Value| {
            let mut pod = json!({"metadata": {"name": "web-1"}, "status": {"phase": "Running"}});
            crate::life::edit::merge(&mut pod, &patch);
            pod
        };
        assert!(is_moved(&pod(json!({}))));
        assert!(!is_moved(&pod(json!({"metadata": {"ownerReferences": [{"kind": "DaemonSet"}]}}))));
        assert!(!is_moved(&pod(json!({"metadata": {"annotations": {(MIRROR): "x"}}}))));
        assert!(!is_moved(&pod(json!({"status": {"phase": "Succeeded"}}))));
        assert!(!is_moved(&pod(json!({"metadata": {"labels": {"breakfix.dev/role": "probe"}}}))));
    }
}
