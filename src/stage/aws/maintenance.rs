//! What befalls machines, zones and capacity: drained, ended, lost; and put right when the objective is over.

use std::collections::BTreeMap;

use breakfix_lab::{
    change::{self, Nodes},
    check::Owner,
};
use breakfix_sim_aws::services::outage::Outage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{api::Api, resolve::Known, target::AwsTarget, trouble::Trouble};
use crate::{
    journal::Undo,
    target::{Cause, TargetError},
};

/// What the journal holds of a change that has to be taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Note {
    Outage(Outage),
    /// A machine that is drained, by its id.
    Drained(String),
}

impl AwsTarget {
    /// Lets something of the provider's fail.
    pub(super) async fn fail(&self, api: &Api, outage: &change::Outage, undo: &dyn Undo) -> Result<(), TargetError> {
        let outages = match outage {
            change::Outage::Zone(zone) => vec![Outage::Zone(zone.clone())],
            change::Outage::Capacity(provider) => vec![Outage::Capacity(provider.clone())],
            change::Outage::Agents(nodes) => {
                let machines = self.chosen_machines(api, nodes).await?;
                machines.iter().map(|it| Outage::Agent(text(it, "ec2InstanceId").to_owned())).collect()
            }
        };
        for outage in outages {
            noted(undo, &Note::Outage(outage.clone()))?;
            self.host.outage(&outage, false).await?;
        }
        Ok(())
    }

    /// Sets machines to DRAINING: their services' tasks move, as the services' deployment configurations allow.
    pub(super) async fn drain(&self, api: &Api, nodes: &Nodes, undo: &dyn Undo) -> Result<(), TargetError> {
        for machine in &self.chosen_machines(api, nodes).await? {
            noted(undo, &Note::Drained(text(machine, "Name").to_owned()))?;
            self.set_status(api, machine, "DRAINING")
                .await
                .map_err(|trouble| self.cannot("drain a machine", trouble))?;
        }
        Ok(())
    }

    /// The machines that are meant; one at least.
    async fn chosen_machines(&self, api: &Api, nodes: &Nodes) -> Result<Vec<Value>, TargetError> {
        let what = "find the machines";
        let mut known = Known::default();
        let mut chosen = match &nodes.running {
            Some(owner) => self.machines_of(api, &mut known, "ContainerInstance", owner).await?,
            None => known.list(api, "ContainerInstance").await.map_err(|trouble| self.cannot(what, trouble))?.to_vec(),
        };
        if let Some(name) = &nodes.name {
            chosen.retain(|it| text(it, "Name") == name);
        }
        chosen.retain(|it| nodes.labels.iter().all(|(key, value)| attribute(it, key) == Some(value.as_str())));
        chosen.truncate(nodes.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
        if chosen.is_empty() {
            return Err(TargetError::new(Cause::Denied, format!("{what}: there is none")));
        }
        Ok(chosen)
    }

    async fn set_status(&self, api: &Api, machine: &Value, status: &str) -> Result<(), Trouble> {
        match super::kind::find("ContainerInstance") {
            Some(kind) => kind.update(api, machine, &json!({"status": status})).await,
            None => Ok(()),
        }
    }

    /// Takes back what a note says was done.
    pub(super) async fn put_right(&self, note: &Value) -> Result<(), TargetError> {
        let note = serde_json::from_value::<Note>(note.clone());
        match note.map_err(|error| TargetError::new(Cause::Local, "read a note of the journal").because(error))? {
            Note::Outage(outage) => self.host.outage(&outage, true).await,
            Note::Drained(name) => {
                let api = &*self.api().await?;
                let cannot = |trouble: Trouble| self.cannot("open a machine again", trouble);
                // A machine that has ended meanwhile needs nothing.
                match Known::default().object(api, "ContainerInstance", &name).await.map_err(cannot)? {
                    Some(machine) => self.set_status(api, &machine, "ACTIVE").await.map_err(cannot),
                    None => Ok(()),
                }
            }
        }
    }

    /// What belongs to a service: its tasks, or the machines on which these run.
    pub(super) async fn belonging(
        &self,
        api: &Api,
        known: &mut Known,
        kind: &str,
        owner: &Owner,
    ) -> Result<Vec<Value>, TargetError> {
        match kind {
            "Instance" | "ContainerInstance" => self.machines_of(api, known, kind, owner).await,
            _ => self.owned(api, known, owner).await,
        }
    }

    /// The machines on which a service's tasks run, those with the most of them first.
    async fn machines_of(
        &self,
        api: &Api,
        known: &mut Known,
        kind: &str,
        owner: &Owner,
    ) -> Result<Vec<Value>, TargetError> {
        let what = format!("find the machines of {} {}", owner.kind, owner.name);
        let tasks = self.owned(api, known, owner).await?;
        let mut load: BTreeMap<&str, usize> = BTreeMap::new();
        for task in &tasks {
            *load.entry(text(task, "containerInstanceArn")).or_default() += 1;
        }
        let members =
            known.list(api, "ContainerInstance").await.map_err(|trouble| self.cannot(&what, trouble))?.to_vec();
        let mut ranked: Vec<(usize, &Value)> =
            members.iter().filter_map(|it| Some((*load.get(text(it, "containerInstanceArn"))?, it))).collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| text(a.1, "Name").cmp(text(b.1, "Name"))));
        if kind == "ContainerInstance" {
            return Ok(ranked.into_iter().map(|(_, it)| it.clone()).collect());
        }
        let all = known.list(api, kind).await.map_err(|trouble| self.cannot(&what, trouble))?;
        let machine = |id: &str| all.iter().find(|it| text(it, "InstanceId") == id).cloned();
        Ok(ranked.into_iter().filter_map(|(_, it)| machine(text(it, "ec2InstanceId"))).collect())
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or("")
}

/// An attribute of a container instance: `ecs.availability-zone`.
fn attribute<'a>(machine: &'a Value, name: &str) -> Option<&'a str> {
    let all = machine.get("attributes").and_then(Value::as_array)?;
    all.iter().find(|it| text(it, "name") == name).map(|it| text(it, "value"))
}

/// On disk before the change is made.
fn noted(undo: &dyn Undo, note: &Note) -> Result<(), TargetError> {
    let failed = |error: &dyn std::fmt::Display| {
        TargetError::new(Cause::Local, format!("note in the journal what takes a change back: {error}"))
    };
    let note = serde_json::to_value(note).map_err(|error| failed(&error))?;
    undo.note(note).map_err(|error| failed(&error))
}
