//! The machines behind the nodes: commands on them, their zones, and all of it as it was once the session is over.

use std::{path::PathBuf, time::Duration};

use breakfix_lab::{change::NodeCommand, lab::Capability};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    api::{Api, PatchKind},
    capabilities::is_schedulable,
    change::noted,
    object,
    resource::Resource,
    target::KubeTarget,
    wait::Wait,
};
use crate::{
    home::{HomeError, make_private, read_json, write_json},
    journal::Undo,
    target::{Cause, NodeOutput, TargetError},
};

/// How long nodes may take until they are ready again.
const READY: Duration = Duration::from_secs(120);
/// The label that says which zone a node is in.
const ZONE: &str = "topology.kubernetes.io/zone";
/// Where a node keeps the zone that it had: what a session set is found again by this alone.
const ZONE_BEFORE: &str = "breakfix.dev/zone-before";

/// A command that makes a node what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Undoing {
    node: String,
    command: Vec<String>,
}

impl KubeTarget {
    /// Runs a command on one machine.
    pub(super) async fn run_on(&self, node: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
        let api = &*self.api().await?;
        let Some(machines) = self.host.machines(api).await? else {
            return Err(TargetError::new(Cause::Missing, "run a command on a node: nobody gets to the nodes here")
                .hint("Open the lab on `--target sim` or `--target kind`."));
        };
        if !machines.iter().any(|machine| machine == node) {
            return Err(TargetError::new(Cause::Refused, format!("run a command on `{node}`: there is no such node"))
                .hint(format!("There are {}.", machines.join(", "))));
        }
        self.host.on_machine(api, node, command).await
    }

    /// Runs a lab's command on the nodes that it means. What takes it back is on disk first.
    pub(super) async fn command_nodes(&self, change: &NodeCommand, undo: &dyn Undo) -> Result<(), TargetError> {
        for node in self.nodes(&change.nodes).await? {
            let name = object::name(&node);
            if !change.undo.is_empty() {
                noted(undo, json!({"node": name, "command": change.undo}))?;
                self.keep(Undoing { node: name.to_owned(), command: change.undo.clone() })?;
            }
            succeeded(name, &change.command, &self.run_on(name, &change.command).await?)?;
        }
        Ok(())
    }

    /// Undoes one command, from a note of the journal.
    pub(super) async fn take_back(&self, note: &Value) -> Result<(), TargetError> {
        let undoing = serde_json::from_value::<Undoing>(note.clone());
        let undoing =
            undoing.map_err(|error| TargetError::new(Cause::Local, "read a note of the journal").because(error))?;
        succeeded(&undoing.node, &undoing.command, &self.run_on(&undoing.node, &undoing.command).await?)
    }

    fn undo_file(&self) -> PathBuf {
        self.place.folder.join("machines-before.json")
    }

    fn keep(&self, undoing: Undoing) -> Result<(), TargetError> {
        let mut all = self.kept()?;
        if !all.contains(&undoing) {
            all.push(undoing);
        }
        let written = make_private(&self.place.folder).and_then(|()| write_json(&self.undo_file(), &all));
        written.map_err(|error| self.trouble_with_file(error))
    }

    fn kept(&self) -> Result<Vec<Undoing>, TargetError> {
        let kept: Option<Vec<Undoing>> = read_json(&self.undo_file()).map_err(|error| self.trouble_with_file(error))?;
        Ok(kept.unwrap_or_default())
    }

    fn trouble_with_file(&self, error: HomeError) -> TargetError {
        TargetError::new(Cause::Local, format!("use {}", self.undo_file().display())).because(error)
    }

    /// Makes the nodes what they were: commands taken back, kubelets at work, zones gone. Pods of a silent node would never end.
    pub(super) async fn mend_machines(&self, api: &Api) -> Result<(), TargetError> {
        self.take_zones_back(api).await?;
        let kept = self.kept()?;
        if kept.is_empty() && !self.place.requires.contains(&Capability::NodeAccess) {
            return Ok(());
        }
        let Some(machines) = self.host.machines(api).await? else { return Ok(()) };
        for machine in &machines {
            self.host.wake(machine).await?;
        }
        for undoing in kept.iter().rev() {
            // It may have been taken back already, and then may say so by its exit code.
            self.run_on(&undoing.node, &undoing.command).await?;
        }
        let restart = ["systemctl", "restart", "kubelet"].map(str::to_owned);
        let quiet = quiet(&machines, &self.all(api, "Node").await?);
        for machine in &quiet {
            succeeded(machine, &restart, &self.run_on(machine, &restart).await?)?;
        }
        let mut wait = Wait::up_to(READY);
        while let Some(machine) = self::quiet(&machines, &self.all(api, "Node").await?).first() {
            if !wait.next(self.host.as_ref()).await? {
                let what = format!("bring node {machine} back: it does not become ready");
                return Err(TargetError::new(Cause::Slow, what)
                    .hint(format!("`breakfix node {machine} systemctl status kubelet` may say why.")));
            }
        }
        match std::fs::remove_file(self.undo_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let what = format!("remove {}", self.undo_file().display());
                Err(TargetError::new(Cause::Local, what).because(error))
            }
            _ => Ok(()),
        }
    }

    /// Spreads the nodes that take ordinary pods over the lab's zones.
    pub(super) async fn set_zones(&self, api: &Api) -> Result<(), TargetError> {
        let zones = &self.place.zones;
        if zones.is_empty() {
            return Ok(());
        }
        if !self.host.allows_cluster_scoped() {
            return Err(TargetError::new(Cause::Refused, "set the zones of this cluster's nodes").hint(
                "Allow it with `--allow-cluster-scoped`, or open the lab on `--target sim` or `--target kind`.",
            ));
        }
        let mut nodes = self.all(api, "Node").await?;
        nodes.retain(is_schedulable);
        nodes.sort_by(|a, b| object::name(a).cmp(object::name(b)));
        for (node, zone) in nodes.iter().zip(zones.iter().cycle()) {
            let before = match object::text(node, &format!("/metadata/annotations/{}", pointer(ZONE_BEFORE))) {
                Some(before) => before.to_owned(),
                None => object::label(node, ZONE).unwrap_or_default().to_owned(),
            };
            let metadata = json!({"labels": {(ZONE): zone}, "annotations": {(ZONE_BEFORE): before}});
            self.edit_node(api, object::name(node), &json!({"metadata": metadata})).await?;
        }
        Ok(())
    }

    async fn take_zones_back(&self, api: &Api) -> Result<(), TargetError> {
        if self.place.zones.is_empty() {
            return Ok(());
        }
        for node in self.all(api, "Node").await? {
            let at = format!("/metadata/annotations/{}", pointer(ZONE_BEFORE));
            let Some(before) = object::text(&node, &at) else { continue };
            let before = if before.is_empty() { Value::Null } else { json!(before) };
            let labels = Map::from_iter([(ZONE.to_owned(), before)]);
            let metadata = json!({"labels": labels, "annotations": {(ZONE_BEFORE): null}});
            self.edit_node(api, object::name(&node), &json!({"metadata": metadata})).await?;
        }
        Ok(())
    }

    async fn edit_node(&self, api: &Api, node: &str, patch: &Value) -> Result<(), TargetError> {
        let Some(nodes) = Resource::built_in(None, "Node") else { return Ok(()) };
        let done = api.patch(&nodes, None, node, None, PatchKind::Merge, patch).await;
        done.map(drop).map_err(|trouble| self.cannot(format!("set the zone of node {node}"), trouble))
    }
}

/// A key as a part of a JSON pointer.
fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The machines whose nodes are missing, not ready, or still carry the taints of a node that is not.
fn quiet(machines: &[String], nodes: &[Value]) -> Vec<String> {
    let is_well = |machine: &&String| {
        let Some(node) = nodes.iter().find(|node| object::name(node) == machine.as_str()) else { return false };
        let ready = object::is_ready(node);
        let shunned = object::list(node, "/spec/taints").iter().any(|taint| {
            matches!(
                object::text(taint, "/key"),
                Some("node.kubernetes.io/unreachable" | "node.kubernetes.io/not-ready")
            )
        });
        ready && !shunned
    };
    machines.iter().filter(|machine| !is_well(machine)).cloned().collect()
}

/// A command that failed is trouble of the lab's: whoever wrote it expected it to work.
fn succeeded(node: &str, command: &[String], output: &NodeOutput) -> Result<(), TargetError> {
    if output.exit == 0 {
        return Ok(());
    }
    let said = [output.stderr.trim(), output.stdout.trim()].into_iter().find(|text| !text.is_empty());
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    let what = format!("run `{}` on node {node} (exit code {}){said}", command.join(" "), output.exit);
    Err(TargetError::new(Cause::Answered, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_well_when_its_node_is_ready_and_nobody_shuns_it() {
        let node = |name: &str, ready: &str, taints: Value| json!({"metadata": {"name": name}, "spec": {"taints": taints}, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        let shunned = json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]);
        let own = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
        let nodes = [
            node("a", "True", json!([])),
            node("b", "Unknown", json!([])),
            node("c", "True", shunned),
            node("d", "True", own),
        ];
        let machines = ["a", "b", "c", "d", "gone"].map(str::to_owned);
        assert_eq!(quiet(&machines, &nodes), ["b", "c", "gone"]);
    }

    #[test]
    fn a_command_that_fails_says_what_it_said() {
        let output = NodeOutput { stdout: String::new(), stderr: "no such unit\n".into(), exit: 5 };
        let error = succeeded("w1", &["systemctl".into(), "stop".into()], &output).unwrap_err();
        assert_eq!(error.what, "run `systemctl stop` on node w1 (exit code 5): no such unit");
    }
}
