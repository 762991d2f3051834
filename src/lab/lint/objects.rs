//! Objects that checks and changes name: each is in the system, or made by a change.

use std::collections::BTreeSet;

use super::{Lint, Rule};
use crate::{
    Change, Check, LoadedLab,
    change::Outage,
    check::{Account, Caller, Owner, Request},
    document,
    lab::{Exception, Platform},
    suggest, visit,
};

pub(super) const RULE: Rule = Rule {
    name: "objects",
    why: "a name that nothing bears makes a check that is never met, or a change that cannot be made",
    whole: true,
    check,
};

/// An object that something names.
struct Named<'a> {
    kind: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
}

fn check(lint: &mut Lint<'_>) {
    let lab = lint.lab;
    if lab.platform() == Platform::Kubernetes && lab.namespace().is_none() {
        // Every object would be missed; the rule `documents` says why.
        return;
    }
    let held = held(lab);
    for (steps, check) in visit::checks(&lab.lab) {
        for named in named_by_check(check) {
            look_up(lint, &held, &steps, &named);
        }
    }
    for (steps, change) in visit::changes(&lab.lab) {
        for named in named_by_change(change, lab.platform()) {
            look_up(lint, &held, &steps, &named);
        }
    }
    for (index, lift) in lab.lab.lift.iter().enumerate() {
        for (number, exception) in lift.except.iter().enumerate() {
            let steps = ["lift".to_owned(), index.to_string(), "except".to_owned(), number.to_string()];
            for named in named_by_exceptions(std::slice::from_ref(exception)) {
                look_up(lint, &held, &steps, &named);
            }
        }
    }
}

/// Kind, name and namespace of every object that the lab has at some time. The namespace is empty where there is none.
type Held<'a> = BTreeSet<(&'a str, &'a str, &'a str)>;

fn held(lab: &LoadedLab) -> Held<'_> {
    let own = lab.namespace().unwrap_or_default();
    let documents = lab.documents.iter().chain(lab.files.values().flatten());
    // An ECS lab's images are objects of their repositories.
    let images = lab.lab.images.iter().filter(|_| lab.platform() == Platform::Ecs);
    let images = images.filter_map(|image| Some(("Image", image.split_once('/')?.1, own)));
    documents
        .map(|document| {
            let namespace = document.namespace.as_deref().unwrap_or(own);
            (document.kind.as_str(), document.name.as_str(), namespace)
        })
        .chain(images)
        .collect()
}

fn look_up(lint: &mut Lint<'_>, held: &Held<'_>, steps: &[String], named: &Named<'_>) {
    if document::unknown_kind(lint.lab.platform(), named.kind).is_some() {
        // No lab of the platform has such objects; the reading has said so.
        return;
    }
    let own = lint.lab.namespace().unwrap_or_default();
    let namespace = named.namespace.unwrap_or(own);
    let is_it = |(kind, name, place): &(&str, &str, &str)| {
        *kind == named.kind
            && *name == named.name
            && (*place == namespace || named.namespace.is_none() && place.is_empty())
    };
    if held.iter().any(is_it) || derived(held, named) || built_in(lint.lab.platform(), named) {
        return;
    }
    let elsewhere = held.iter().find(|(kind, name, _)| *kind == named.kind && *name == named.name);
    let same_kind: Vec<&str> = held.iter().filter(|(kind, ..)| *kind == named.kind).map(|(_, name, _)| *name).collect();
    let place = named.namespace.map(|namespace| format!(" in `{namespace}`")).unwrap_or_default();
    let message = format!("the lab has no {} `{}`{place}", named.kind, named.name);
    let help = match elsewhere {
        Some((.., "")) => "the one in system/ has no namespace".to_owned(),
        Some((.., place)) => format!("there is one in the namespace `{place}`"),
        None => suggest::help(named.name, &same_kind).unwrap_or_else(|| {
            let kinds: BTreeSet<&str> = held.iter().map(|(kind, ..)| *kind).collect();
            let kinds: Vec<&str> = kinds.into_iter().collect();
            suggest::nearest(named.kind, kinds.iter().copied())
                .filter(|kind| *kind != named.kind)
                .map_or_else(|| "write it to system/".to_owned(), |kind| format!("did you mean the kind `{kind}`?"))
        }),
    };
    lint.error(steps, message, help);
}

/// What a StatefulSet makes: `db-0`, and the claim `data-db-0`; the account that every namespace has.
fn derived(held: &Held<'_>, named: &Named<'_>) -> bool {
    let Some((base, number)) = named.name.rsplit_once('-') else { return false };
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let mut sets = held.iter().filter(|(kind, ..)| *kind == "StatefulSet").map(|(_, name, _)| *name);
    numbered
        && match named.kind {
            "Pod" => sets.any(|set| set == base),
            "PersistentVolumeClaim" => sets.any(|set| base.strip_suffix(set).is_some_and(|rest| rest.ends_with('-'))),
            _ => false,
        }
}

/// What every cluster and every engine has.
fn built_in(platform: Platform, named: &Named<'_>) -> bool {
    match platform {
        Platform::Kubernetes => matches!(
            (named.kind, named.name),
            ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt") | ("Service", "kubernetes")
        ),
        // Tasks come and go; they are named by what they belong to.
        Platform::Ecs => named.kind == "Task",
        Platform::Docker => named.kind == "Network" && matches!(named.name, "bridge" | "host" | "none"),
    }
}

fn named_by_check(check: &Check) -> Vec<Named<'_>> {
    let object = |kind, name, namespace| Named { kind, name, namespace };
    match check {
        Check::Http(http) => {
            let mut named = named_by_request(&http.from, &http.request);
            named.extend(http.answered_by.as_ref().map(owner));
            named
        }
        Check::RoundTrip(trip) => {
            let mut named = named_by_request(&trip.write.from, &trip.write.request);
            named.extend(named_by_request(&trip.read.from, &trip.read.request));
            named
        }
        Check::Endpoints(endpoints) => {
            let mut named = vec![object("Service", &endpoints.service, endpoints.namespace.as_deref())];
            named.extend(endpoints.owned_by.as_ref().map(owner));
            named.extend(endpoints.never.as_ref().map(owner));
            named
        }
        Check::RolledOut(rolled) => vec![object(&rolled.kind, &rolled.name, rolled.namespace.as_deref())],
        Check::Field(field) => {
            let one = field.name.iter().map(|name| object(&field.kind, name, field.namespace.as_deref()));
            one.chain(field.owned_by.as_ref().map(owner)).collect()
        }
        Check::Identity(identity) => {
            let named = identity.kinds.iter().zip(identity.name.iter().cycle());
            let named = named.map(|(kind, name)| object(kind, name, None));
            named.chain(named_by_exceptions(&identity.except)).collect()
        }
        Check::Unchanged(unchanged) => {
            let named = unchanged.kinds.iter().zip(unchanged.name.iter().cycle());
            let named = named.map(|(kind, name)| object(kind, name, unchanged.namespace.as_deref()));
            named.chain(named_by_exceptions(&unchanged.except)).collect()
        }
        Check::ScaleKept(kept) => named_by_exceptions(&kept.except).collect(),
        Check::NoNewPower(power) => named_by_exceptions(&power.except).collect(),
        Check::Events(events) => vec![object("Container", &events.container, None)],
        Check::Published(published) => vec![object("Container", &published.container, None)],
        Check::Access(access) => vec![account(&access.account, Platform::Kubernetes)],
        Check::DryRun(dry) => {
            dry.evict.iter().map(owner).chain(dry.account.iter().map(|it| account(it, Platform::Kubernetes))).collect()
        }
        Check::Restarts(restarts) => vec![object(&restarts.kind, &restarts.name, restarts.namespace.as_deref())],
        Check::Objects(objects) => {
            objects.lists.values().filter_map(|list| list.owned_by.as_ref()).map(owner).collect()
        }
        Check::Logs(logs) => vec![owner(&logs.of)],
        Check::Image(image) => image.of.container.iter().map(|name| object("Container", name, None)).collect(),
        Check::Processes(processes) => vec![object("Container", &processes.container, None)],
        Check::File(file) => vec![object("Container", &file.container, None)],
        Check::Steady(steady) => vec![object("Service", &steady.service, None)],
        Check::Targets(targets) => {
            vec![object("TargetGroup", &targets.group, None), object("Service", &targets.service, None)]
        }
        Check::Policy(policy) => vec![object("Role", &policy.role, None)],
        Check::All(_) | Check::Any(_) | Check::None(_) => Vec::new(),
    }
}

fn named_by_change(change: &Change, platform: Platform) -> Vec<Named<'_>> {
    let object = |kind, name, namespace| Named { kind, name, namespace };
    match change {
        Change::Patch(patch) => {
            let one = patch.name.as_deref().map(|name| object(&patch.kind, name, patch.namespace.as_deref()));
            let account = patch.account.as_ref().map(|it| account(it, platform));
            one.into_iter().chain(patch.owned_by.as_ref().map(owner)).chain(account).collect()
        }
        Change::Delete(delete) => {
            let one = delete.name.as_deref().map(|name| object(&delete.kind, name, delete.namespace.as_deref()));
            one.into_iter().chain(delete.owned_by.as_ref().map(owner)).collect()
        }
        Change::Scale(scale) => vec![object(&scale.kind, &scale.name, scale.namespace.as_deref())],
        Change::Restart(named) | Change::Start(named) | Change::Stop(named) => {
            vec![object(&named.kind, &named.name, named.namespace.as_deref())]
        }
        Change::Recreate(recreate) => vec![object("Container", &recreate.name, None)],
        Change::Request(load) => named_by_request(&load.from, &load.request),
        Change::Evict(evict) => vec![owner(&evict.owned_by)],
        Change::Cordon(nodes) | Change::Uncordon(nodes) | Change::Drain(nodes) => {
            nodes.running.as_ref().map(owner).into_iter().collect()
        }
        Change::Node(node) => node.nodes.running.as_ref().map(owner).into_iter().collect(),
        Change::CreateJob(job) => vec![object("CronJob", &job.from, job.namespace.as_deref())],
        Change::With(with) => {
            let named = with
                .live
                .values()
                .filter_map(|it| Some(object(&it.kind, it.name.as_deref()?, it.namespace.as_deref())));
            named.chain(with.live.values().filter_map(|it| it.owned_by.as_ref()).map(owner)).collect()
        }
        Change::Outage(Outage::Agents(nodes)) => nodes.running.as_ref().map(owner).into_iter().collect(),
        Change::Apply(_)
        | Change::Outage(_)
        | Change::Sync(_)
        | Change::Tag(_)
        | Change::Write(_)
        | Change::Build(_)
        | Change::Rebuild(_)
        | Change::Up(_)
        | Change::Await(_)
        | Change::Wait(_) => Vec::new(),
    }
}

fn named_by_request<'a>(from: &'a Caller, request: &'a Request) -> Vec<Named<'a>> {
    let named = |kind, name| Named { kind, name, namespace: None };
    let network = from.network.as_deref().map(|name| named("Network", name));
    let subnet = from.subnet.as_deref().map(|name| named("Subnet", name));
    let groups = from.groups.iter().map(|name| named("SecurityGroup", name));
    network.into_iter().chain(subnet).chain(groups).chain(request.each.as_ref().map(owner)).collect()
}

fn named_by_exceptions(exceptions: &[Exception]) -> impl Iterator<Item = Named<'_>> {
    exceptions.iter().filter_map(|exception| {
        Some(Named { kind: &exception.kind, name: exception.name.as_deref()?, namespace: None })
    })
}

fn account(account: &Account, platform: Platform) -> Named<'_> {
    let kind = if platform == Platform::Ecs { "Role" } else { "ServiceAccount" };
    Named { kind, name: &account.name, namespace: account.namespace.as_deref() }
}

fn owner(owner: &Owner) -> Named<'_> {
    Named { kind: &owner.kind, name: &owner.name, namespace: owner.namespace.as_deref() }
}
