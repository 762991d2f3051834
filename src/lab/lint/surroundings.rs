//! What a lab asks of the world around its system: nodes, zones, contexts. Said in one place, and taken back.

use std::collections::BTreeSet;

use super::{Lint, Rule};
use crate::{
    Change,
    lab::{Capability, Context, Platform},
    needs, visit,
    words::is_kebab,
};

pub(super) const RULE: Rule = Rule {
    name: "surroundings",
    why: "a lab that touches nodes must say so, and leave them as they were; a context is somebody whom the system knows",
    whole: true,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let lab = lint.lab;
    if lab.platform() != Platform::Kubernetes {
        for key in [("zones", lab.lab.zones.is_empty()), ("contexts", lab.lab.contexts.is_empty())] {
            if let (key, false) = key {
                lint.error(&[key], format!("`{key}` is a word for Kubernetes labs"), "leave it out");
            }
        }
        if lab.platform() == Platform::Ecs {
            unsaid(lint);
        }
        return;
    }
    zones(lint);
    node_commands(lint);
    let mut names = BTreeSet::new();
    for (index, context) in lab.lab.contexts.iter().enumerate() {
        let index = index.to_string();
        let at = ["contexts", index.as_str()];
        if !is_kebab(&context.name) {
            lint.error(&at, format!("`{}` is no name for a context", context.name), "lower case, digits and `-`");
        }
        if !names.insert(context.name.as_str()) {
            lint.error(&at, format!("there are two contexts `{}`", context.name), "give each a name of its own");
        }
        if let Some((message, help)) = whose(lint, context) {
            lint.error(&at, message, help);
        }
    }
    if lab.lab.contexts.iter().filter(|context| context.current).count() > 1 {
        lint.error(&["contexts"], "two contexts are `current`", "a learner begins in one");
    }
}

/// What is wrong with whom a context stands for.
fn whose(lint: &Lint<'_>, context: &Context) -> Option<(String, &'static str)> {
    let account = match (&context.account, &context.user) {
        (Some(account), None) => account,
        (None, Some(_)) => return None,
        _ => {
            let message = format!("the context `{}` needs exactly one of `account` and `user`", context.name);
            return Some((message, "an `account` is a ServiceAccount of system/, a `user` is anybody"));
        }
    };
    if !context.groups.is_empty() {
        return Some(("an account's groups are given".to_owned(), "leave `groups` out"));
    }
    let own = lint.lab.namespace();
    let home = account.namespace.as_deref().or(own);
    let is_there = lint.lab.documents.iter().any(|document| {
        let place = document.namespace.as_deref().or(own);
        document.kind == "ServiceAccount" && document.name == account.name && place == home
    });
    (!is_there && account.name != "default")
        .then(|| (format!("the lab has no ServiceAccount `{}`", account.name), "write it to system/"))
}

fn zones(lint: &mut Lint<'_>) {
    let zones = &lint.lab.lab.zones;
    let good = |zone: &String| zone.len() <= 63 && is_kebab(zone);
    if let Some(zone) = zones.iter().find(|zone| !good(zone)) {
        lint.error(&["zones"], format!("`{zone}` is no name for a zone"), "lower case, digits and `-`");
    }
    if !zones.is_empty() && zones.iter().collect::<BTreeSet<_>>().len() < 2 {
        lint.error(&["zones"], "there is one zone", "name two or more");
    }
    if !zones.is_empty() && !lint.lab.lab.requires.contains(&Capability::MultiNode) {
        lint.error(&["requires"], "the lab has zones and does not require `multi-node`", "add it");
    }
}

/// What only some accounts can show or grade has to be said.
fn unsaid(lint: &mut Lint<'_>) {
    for (capability, why) in needs::to_be_said(lint.lab) {
        if !lint.lab.lab.requires.contains(&capability) {
            let what = format!("{why}, and the lab does not require `{}`", capability.as_str());
            lint.error(&["requires"], what, "add it");
        }
    }
}

fn node_commands(lint: &mut Lint<'_>) {
    let lab = &lint.lab.lab;
    let found: Vec<_> = visit::changes(lab)
        .into_iter()
        .filter_map(|(steps, change)| match change {
            Change::Node(node) => Some((steps, node.undo.is_empty())),
            _ => None,
        })
        .collect();
    if !found.is_empty() && !lab.requires.contains(&Capability::NodeAccess) {
        lint.error(&["requires"], "the lab runs commands on nodes and does not require `node-access`", "add it");
    }
    for (steps, is_for_good) in found {
        if is_for_good && steps.first().is_some_and(|first| first != "controls") {
            let help = "write `undo`, the command that makes the node what it was";
            lint.error(&steps, "nothing takes this command back", help);
        }
    }
}
