//! What a lab asks of its target beyond the API itself: what follows from what it is made of, and what it has to say.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Change, Check, LoadedLab,
    check::Caller,
    lab::{Capability, Platform},
    visit,
};

/// The member of a Repository with its images' platforms, by tag.
const PLATFORMS: &str = "Platforms";
/// The workload's variable with the parameters that it reads with its task role.
const PARAMETERS: &str = "PARAMETERS";

impl LoadedLab {
    /// What a target must be able to do for the lab to be shown and graded there: what `requires` says, and what goes without saying.
    pub fn needs(&self) -> BTreeSet<Capability> {
        let said = self.lab.requires.iter().copied();
        said.chain(implied(self)).collect()
    }
}

/// What nobody has to write: no service without its tasks, no `policy` without somebody who decides it.
fn implied(lab: &LoadedLab) -> Vec<Capability> {
    if lab.platform() != Platform::Ecs {
        return Vec::new();
    }
    let has = |kind: &str| lab.documents.iter().any(|document| document.kind == kind);
    let asks_for_rights = visit::checks(&lab.lab).iter().any(|(_, check)| matches!(check, Check::Policy(_)));
    [
        (has("Service"), Capability::RunningTasks),
        (has("TargetGroup"), Capability::TargetHealth),
        (asks_for_rights, Capability::PolicySimulation),
    ]
    .into_iter()
    .filter_map(|(is_needed, capability)| is_needed.then_some(capability))
    .collect()
}

/// What an ECS lab has to say under `requires`, each with what makes it necessary.
pub(crate) fn to_be_said(lab: &LoadedLab) -> Vec<(Capability, &'static str)> {
    let fails = visit::changes(&lab.lab).into_iter().any(|(_, change)| matches!(change, Change::Outage(_)));
    let inside = callers(lab).into_iter().any(|caller| caller.subnet.is_some());
    let elsewhere = lab.documents.iter().any(|it| it.kind == "Repository" && has_several_platforms(&it.body));
    let reads = lab.documents.iter().any(|it| it.kind == "TaskDefinition" && reads_parameters(&it.body));
    [
        (fails, Capability::Outages, "something of the provider's fails in the lab"),
        (inside, Capability::NetworkProbe, "somebody asks from inside the lab's network"),
        (elsewhere, Capability::MultiArch, "an image is to be had for several platforms"),
        (reads, Capability::TaskCredentials, "a program reads parameters with its task role"),
    ]
    .into_iter()
    .filter_map(|(is_needed, capability, why)| is_needed.then_some((capability, why)))
    .collect()
}

/// Whoever sends a request in the lab.
fn callers(lab: &LoadedLab) -> Vec<&Caller> {
    let checks = visit::checks(&lab.lab).into_iter().flat_map(|(_, check)| match check {
        Check::Http(http) => vec![&http.from],
        Check::RoundTrip(round) => vec![&round.write.from, &round.read.from],
        _ => Vec::new(),
    });
    let changes = visit::changes(&lab.lab).into_iter().filter_map(|(_, change)| match change {
        Change::Request(load) => Some(&load.from),
        _ => None,
    });
    checks.chain(changes).chain(lab.lab.remember.values().map(|it| &it.from)).collect()
}

fn has_several_platforms(repository: &Value) -> bool {
    let by_tag = repository.get(PLATFORMS).and_then(Value::as_object);
    let all: BTreeSet<&str> = by_tag
        .into_iter()
        .flat_map(|tags| tags.values())
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    all.len() > 1
}

fn reads_parameters(definition: &Value) -> bool {
    let containers = definition.get("containerDefinitions").and_then(Value::as_array);
    let variables = containers.into_iter().flatten().filter_map(|it| it.get("environment")).filter_map(Value::as_array);
    variables.flatten().any(|it| it.get("name").and_then(Value::as_str) == Some(PARAMETERS))
}
