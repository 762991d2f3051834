//! What a schema cannot say about one check or change: "exactly one of", "not empty", words of the other platform.
//!
//! These are errors wherever a lab is read, since nobody could carry such a lab out.

use crate::{
    Change, Check, LoadedLab,
    change::{Delete, Nodes, Outage, Patch, With, Write},
    check::{Access, DryRun, Endpoints, Http, Policy, Request},
    compose, document,
    lab::Platform,
    load::{WORK, work_texts},
    problem::Problem,
    suggest, visit,
};

/// Adds what is wrong with the lab's checks and changes, each for itself.
pub(crate) fn check(loaded: &LoadedLab, problems: &mut Vec<Problem>) {
    let file = loaded.source.shown("lab.yaml");
    let mut report = |steps: &[String], fault: Fault| {
        let problem = Problem::error("format", &file, loaded.place_of(steps), fault.message);
        problems.push(if fault.help.is_empty() { problem } else { problem.help(fault.help) });
    };
    for (steps, check) in visit::checks(&loaded.lab) {
        for fault in faults_of_check(check, loaded.platform()) {
            report(&steps, fault);
        }
        if let Check::DryRun(DryRun { create: Some(path), .. }) = check
            && let Some(fault) = missing_file(path, loaded)
        {
            report(&steps, fault);
        }
        if let Check::Objects(objects) = check
            && objects.lists.values().any(|list| list.declared)
            && !has_work(loaded)
        {
            let help = "put what is declared into `work/`, as YAML files";
            report(&steps, fault("`declared` has no work folder to look into", help));
        }
        if let Some(name) = remembered(check).filter(|name| !loaded.lab.remember.contains_key(*name)) {
            let known: Vec<&str> = loaded.lab.remember.keys().map(String::as_str).collect();
            let help = suggest::help(name, &known).unwrap_or_else(|| "write it under `remember`".to_owned());
            report(&steps, fault(format!("nothing is remembered as `{name}`"), help));
        }
    }
    for (steps, change) in visit::changes(&loaded.lab) {
        for fault in faults_of_change(change, loaded) {
            report(&steps, fault);
        }
    }
}

/// What a check compares with what was remembered.
fn remembered(check: &Check) -> Option<&String> {
    match check {
        Check::Http(Http { body: Some(body), .. }) => body.remembered.as_ref(),
        _ => None,
    }
}

/// The same for a house rule, which belongs to no lab.
pub(crate) fn check_rule(check: &Check, platform: Platform, report: &mut dyn FnMut(String, String)) {
    for fault in faults_of_check(check, platform) {
        report(fault.message, fault.help);
    }
    for part in visit::parts(check) {
        check_rule(part, platform, report);
    }
}

struct Fault {
    message: String,
    help: String,
}

fn fault(message: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault { message: message.into(), help: help.into() }
}

fn faults_of_check(check: &Check, platform: Platform) -> Vec<Fault> {
    let mut faults = Vec::new();
    let word = visit::check_word(check);
    let only: &[Platform] = match check {
        Check::Endpoints(_) | Check::RolledOut(_) | Check::Access(_) | Check::DryRun(_) | Check::Restarts(_) => {
            &[Platform::Kubernetes]
        }
        Check::Logs(_) => &[Platform::Kubernetes, Platform::Ecs],
        Check::Events(_) | Check::Published(_) | Check::Image(_) | Check::Processes(_) | Check::File(_) => {
            &[Platform::Docker]
        }
        Check::Steady(_) | Check::Targets(_) | Check::Policy(_) => &[Platform::Ecs],
        _ => &[],
    };
    faults.extend(wrong_platform(word, only, platform));
    let empty = |list: &str| fault(format!("`{word}` has an empty `{list}`"), "it would say nothing");
    match check {
        Check::All(parts) | Check::Any(parts) | Check::None(parts) if parts.is_empty() => {
            faults.push(fault(format!("`{word}` is empty"), "it would say nothing; write at least one check"));
        }
        Check::Http(http) => faults.extend(http_faults(http)),
        Check::RoundTrip(trip) => {
            faults.extend(request_fault(&trip.write.request));
            faults.extend(request_fault(&trip.read.request));
            let said = [Some(&trip.write.request.url), trip.write.request.body.as_ref()];
            if !said.iter().flatten().any(|text| text.contains("${nonce}")) {
                let help = "without it an old answer would do: put `${nonce}` into its url or body";
                faults.push(fault("`write` does not say `${nonce}`", help));
            }
        }
        Check::Endpoints(endpoints) => faults.extend(endpoints_fault(endpoints)),
        Check::Field(field) => {
            faults.extend(unknown_kind(&field.kind, platform));
            if field.owned_by.is_some() && (field.kind != instance(platform) || field.name.is_some()) {
                let help = format!("write `kind: {}` and leave `name` out", instance(platform));
                faults.push(fault("`owned_by` chooses what runs for a workload", help));
            }
        }
        Check::Access(access) => faults.extend(access_faults(access)),
        Check::DryRun(dry) if dry.create.is_some() == dry.evict.is_some() => {
            faults.push(fault("`dry_run` needs exactly one of `create` and `evict`", "say what is tried"));
        }
        Check::DryRun(dry) if dry.refused.as_ref().is_some_and(|said| said.trim().is_empty()) => {
            faults.push(fault(
                "`refused` says nothing",
                "write a part of the refusal, so that another one does not count",
            ));
        }
        Check::Objects(objects) if objects.lists.is_empty() => faults.push(empty("lists")),
        Check::Objects(objects) => {
            let both = objects.lists.iter().find(|(_, list)| list.owned_by.is_some() && list.declared);
            faults.extend(both.map(|(name, _)| {
                fault(format!("`{name}`: what is declared belongs to nobody yet"), "leave `owned_by` or `declared` out")
            }));
            if platform == Platform::Docker && objects.lists.values().any(|list| list.owned_by.is_some()) {
                faults.push(fault("nothing owns anything on Docker", "leave `owned_by` out; `labels` choose"));
            }
            let one = instance(platform);
            let wrong = objects.lists.iter().find(|(_, list)| list.owned_by.is_some() && list.kind != one);
            faults.extend(wrong.map(|(name, _)| {
                fault(
                    format!("`owned_by` of `{name}` chooses what runs for a workload"),
                    format!("write `kind: {one}`"),
                )
            }));
        }
        Check::Logs(logs) if logs.contains.is_none() && logs.lacks.is_none() => {
            faults.push(fault("`logs` asks for nothing", "write `contains` or `lacks`"));
        }
        Check::Identity(identity) if identity.kinds.is_empty() => faults.push(empty("kinds")),
        Check::Unchanged(unchanged) if unchanged.kinds.is_empty() => faults.push(empty("kinds")),
        Check::Unchanged(unchanged) if unchanged.fields.is_empty() => faults.push(empty("fields")),
        Check::ScaleKept(kept) if kept.kinds.is_empty() => faults.push(empty("kinds")),
        Check::Events(events) if events.none.is_empty() && events.ended.is_none() => faults.push(empty("none")),
        Check::Events(events) if events.ended.as_ref().is_some_and(|it| it.codes.is_empty()) => {
            faults.push(empty("codes"));
        }
        Check::Policy(policy) => faults.extend(policy_faults(policy)),
        Check::Published(published) if published.only_on.is_empty() => faults.push(empty("only_on")),
        _ => {}
    }
    let kinds = match check {
        Check::Identity(identity) => identity.kinds.as_slice(),
        Check::Unchanged(unchanged) => unchanged.kinds.as_slice(),
        Check::ScaleKept(kept) => kept.kinds.as_slice(),
        _ => &[],
    };
    faults.extend(kinds.iter().filter_map(|kind| unknown_kind(kind, platform)));
    faults
}

fn faults_of_change(change: &Change, loaded: &LoadedLab) -> Vec<Fault> {
    let mut faults = Vec::new();
    let platform = loaded.platform();
    let only: &[Platform] = match change {
        Change::Scale(_) => &[Platform::Kubernetes, Platform::Ecs],
        Change::Outage(_) => &[Platform::Ecs],
        Change::Drain(_) => &[Platform::Kubernetes, Platform::Ecs],
        Change::Evict(_)
        | Change::Cordon(_)
        | Change::Uncordon(_)
        | Change::Node(_)
        | Change::Sync(_)
        | Change::CreateJob(_) => &[Platform::Kubernetes],
        Change::Recreate(_)
        | Change::Start(_)
        | Change::Stop(_)
        | Change::Tag(_)
        | Change::Build(_)
        | Change::Rebuild(_)
        | Change::Up(_) => &[Platform::Docker],
        _ => &[],
    };
    faults.extend(wrong_platform(visit::change_word(change), only, platform));
    match change {
        Change::Apply(path) => faults.extend(missing_file(path, loaded)),
        Change::Patch(patch) => {
            faults.extend(unknown_kind(&patch.kind, platform));
            faults.extend(patch_fault(patch, loaded));
        }
        Change::Delete(delete) => {
            faults.extend(unknown_kind(&delete.kind, platform));
            faults.extend(delete_fault(delete));
        }
        Change::Restart(object) | Change::Start(object) | Change::Stop(object) => {
            faults.extend(unknown_kind(&object.kind, platform));
        }
        Change::Request(load) => {
            faults.extend(request_fault(&load.request));
            if load.count.is_some() && load.request.each.is_none() {
                faults.push(fault("`count` counts the instances of `each`", "write `each`, or `times` for requests"));
            }
        }
        Change::Cordon(nodes) | Change::Uncordon(nodes) | Change::Drain(nodes) => faults.extend(nodes_fault(nodes)),
        Change::Node(node) => {
            faults.extend(nodes_fault(&node.nodes));
            if node.command.is_empty() {
                faults.push(fault(
                    "`command` is empty",
                    "write the program and its arguments: `[systemctl, stop, kubelet]`",
                ));
            }
        }
        Change::Outage(Outage::Agents(nodes)) => faults.extend(nodes_fault(nodes)),
        Change::Sync(_) if !has_work(loaded) => {
            faults.push(fault("`sync` has no work folder", "put what is declared into `work/`, as YAML files"));
        }
        Change::Up(_) if !has_compose(loaded) => {
            faults.push(fault("`up` has no Compose file", "put `compose.yaml` into `work/`"));
        }
        Change::Scale(_)
        | Change::Up(_)
        | Change::Recreate(_)
        | Change::Wait(_)
        | Change::Await(_)
        | Change::Evict(_)
        | Change::CreateJob(_)
        | Change::Outage(_)
        | Change::Sync(_)
        | Change::Tag(_)
        | Change::Build(_) => {}
        Change::Write(write) => faults.extend(write_fault(write, loaded)),
        Change::Rebuild(rebuild) => faults.extend(rebuild.write.iter().filter_map(|write| write_fault(write, loaded))),
        Change::With(with) => faults.extend(with_faults(with, platform)),
    }
    faults
}

fn write_fault(write: &Write, loaded: &LoadedLab) -> Option<Fault> {
    let said = [write.text.is_some(), write.from.is_some(), !write.edits.is_empty(), write.remove]
        .into_iter()
        .filter(|it| *it)
        .count();
    if said != 1 {
        return Some(fault(
            format!("`write` of {} needs `text`, `from`, `edits` or `remove`", write.path),
            "exactly one of the four",
        ));
    }
    if !is_inside(&write.path) {
        return Some(fault(format!("{} is not a path within the work folder", write.path), "as `src/page.txt`"));
    }
    let from = write.from.as_deref()?;
    (!loaded.texts.contains_key(from)).then(|| {
        let known: Vec<&str> = loaded.texts.keys().map(String::as_str).collect();
        fault(format!("there is no file {from}"), suggest::help(from, &known).unwrap_or_default())
    })
}

fn nodes_fault(nodes: &Nodes) -> Option<Fault> {
    let given = [nodes.name.is_some(), !nodes.labels.is_empty(), nodes.running.is_some()];
    let help = "names of nodes differ from target to target: `running` and `labels` travel better";
    (given.iter().filter(|given| **given).count() != 1)
        .then(|| fault("exactly one of `name`, `labels` and `running` says which nodes", help))
}

/// Whether the lab lays out a folder for the learner to work in.
fn has_compose(loaded: &LoadedLab) -> bool {
    compose::is_in(&work_texts(&loaded.texts))
}

fn has_work(loaded: &LoadedLab) -> bool {
    loaded.texts.keys().any(|path| path.starts_with(WORK))
}

/// Whether a path stays in the folder that it is written in.
fn is_inside(path: &str) -> bool {
    !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\\')
}

fn with_faults(with: &With, platform: Platform) -> Vec<Fault> {
    let mut faults = Vec::new();
    if with.live.is_empty() || with.changes.is_empty() {
        faults.push(fault("`with` needs `live` and `changes`", "without a live value write the changes themselves"));
    }
    if with.changes.iter().any(|change| matches!(change, Change::With(_))) {
        faults.push(fault("`with` stands inside `with`", "write all live values in one"));
    }
    for (name, value) in &with.live {
        faults.extend(unknown_kind(&value.kind, platform));
        faults.extend(value.check_path().err().map(|error| fault(format!("`{name}`: {error}"), "as `/status/podIP`")));
        if value.name.is_some() == value.owned_by.is_some() {
            faults.push(fault(format!("`{name}` needs a `name` or an `owned_by`"), "exactly one of the two"));
        }
        if value.owned_by.is_some() && platform == Platform::Docker {
            faults.push(fault(format!("`{name}`: nothing owns anything on Docker"), "use its `name`"));
        }
    }
    faults
}

/// `only`: the platforms that know the word; empty where all do.
fn wrong_platform(word: &str, only: &[Platform], platform: Platform) -> Option<Fault> {
    if only.is_empty() || only.contains(&platform) {
        return None;
    }
    let known: Vec<&str> = only.iter().map(|only| only.as_str()).collect();
    let message = format!("`{word}` is a word for {} labs", known.join(" and "));
    Some(fault(message, format!("this is a lab for {}", platform.as_str())))
}

fn unknown_kind(kind: &str, platform: Platform) -> Option<Fault> {
    document::unknown_kind(platform, kind).map(|(message, help)| fault(message, help))
}

fn missing_file(path: &str, loaded: &LoadedLab) -> Option<Fault> {
    if loaded.files.contains_key(path) {
        return None;
    }
    if path.starts_with("system/") && loaded.pages.contains_key(path) {
        return Some(fault(format!("`{path}` is the healthy system"), "apply a file of `controls/`"));
    }
    let known: Vec<&str> = loaded.files.keys().map(String::as_str).collect();
    let help = suggest::help(path, &known).unwrap_or_else(|| "write the path from the lab's folder on".to_owned());
    Some(fault(format!("the folder has no YAML file `{path}`"), help))
}

fn patch_fault(patch: &Patch, loaded: &LoadedLab) -> Option<Fault> {
    let given = [patch.merge.is_some(), patch.strategic.is_some(), patch.json.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        return Some(fault("a patch needs exactly one of `merge`, `strategic` and `json`", ""));
    }
    if patch.strategic.is_some() && loaded.platform() == Platform::Docker {
        return Some(fault("Docker knows no strategic merge patches", "write `merge`"));
    }
    if patch.name.is_some() == patch.owned_by.is_some() {
        return Some(fault("a patch needs exactly one of `name` and `owned_by`", "say which object is meant"));
    }
    let bad = patch.json.iter().flatten().find(|operation| {
        let text = |key: &str| operation.get(key).and_then(serde_json::Value::as_str);
        let known = matches!(text("op"), Some("add" | "remove" | "replace" | "move" | "copy" | "test"));
        !known || text("path").is_none_or(|path| !path.is_empty() && !path.starts_with('/'))
    });
    bad.map(|_| {
        fault("an entry of `json` is no JSON patch operation", "write `{op: replace, path: /spec/…, value: …}`")
    })
}

fn delete_fault(delete: &Delete) -> Option<Fault> {
    let given = [delete.name.is_some(), !delete.labels.is_empty(), delete.owned_by.is_some()];
    let help = "what is deleted must be said in one way";
    (given.iter().filter(|given| **given).count() != 1)
        .then(|| fault("a delete needs exactly one of `name`, `labels` and `owned_by`", help))
}

fn endpoints_fault(endpoints: &Endpoints) -> Option<Fault> {
    let asks = endpoints.owned_by.is_some()
        || endpoints.never.is_some()
        || endpoints.ready.is_some()
        || endpoints.at_least.is_some();
    (!asks).then(|| fault("`endpoints` asks for nothing", "write `owned_by`, `never`, `ready` or `at_least`"))
}

fn http_faults(http: &Http) -> Vec<Fault> {
    let mut faults: Vec<Fault> = request_fault(&http.request).into_iter().collect();
    if let Some(refused) = &http.refused {
        let judged = http.status.is_some() || http.body.is_some() || http.answered_by.is_some();
        let compared = http.share.is_some() || http.p95.is_some() || http.alike || !http.headers.is_empty();
        if judged || compared {
            let help = "leave `status`, `body`, `answered_by` and the like out";
            faults.push(fault("a refused request has no answer to judge", help));
        }
        faults.extend(url_fault(&refused.control));
    }
    if http.status.is_some_and(|status| !(100..600).contains(&status)) {
        faults.push(fault("`status` is no HTTP status", "write a number from 100 to 599"));
    }
    if http.times == Some(0) {
        faults.push(fault("`times` is 0: nothing would be asked", "write 1 or more"));
    }
    if http
        .body
        .as_ref()
        .is_some_and(|body| body.contains.is_none() && body.lacks.is_none() && body.remembered.is_none())
    {
        faults.push(fault("`body` asks for nothing", "write `contains`, `lacks` or `remembered`"));
    }
    if let Some(share) = &http.share {
        let (least, most) = (share.at_least.unwrap_or(0), share.at_most.unwrap_or(100));
        if least > most || most > 100 {
            faults.push(fault("`share` is no range of percent", "write `at_least` and `at_most` from 0 to 100"));
        }
    }
    if http.from.every_node && (http.from.node.is_some() || http.from.probes.is_some()) {
        faults.push(fault("`every_node` decides where the probes are", "leave `node` and `probes` out"));
    }
    if http.from.subnet.is_none() && !http.from.groups.is_empty() {
        faults.push(fault("`groups` are worn by somebody in a subnet", "write `subnet` too"));
    }
    if http.from.probes == Some(0) {
        faults.push(fault("`probes` is 0: nobody would ask", "write 1 or more"));
    }
    faults
}

/// The verbs whose real call can be made without harm.
const VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];

fn access_faults(access: &Access) -> Vec<Fault> {
    let mut faults = Vec::new();
    if access.can.is_empty() && access.cannot.is_empty() {
        faults.push(fault("`access` asks for nothing", "write `can` or `cannot`"));
    }
    for action in access.can.iter().chain(&access.cannot) {
        if !VERBS.contains(&action.verb.as_str()) {
            let help = suggest::help(&action.verb, &VERBS).unwrap_or_else(|| format!("one of {}", VERBS.join(", ")));
            faults.push(fault(format!("`{}` cannot be tried", action.verb), help));
        }
        if action.cluster_wide && action.namespace.is_some() {
            faults.push(fault("`cluster_wide` and `namespace` exclude each other", "leave one out"));
        }
    }
    faults
}

/// What a workload runs as.
fn instance(platform: Platform) -> &'static str {
    match platform {
        Platform::Kubernetes | Platform::Docker => "Pod",
        Platform::Ecs => "Task",
    }
}

fn policy_faults(policy: &Policy) -> Vec<Fault> {
    let mut faults = Vec::new();
    if policy.can.is_empty() && policy.cannot.is_empty() {
        faults.push(fault("`policy` asks for nothing", "write `can` or `cannot`"));
    }
    for grant in policy.can.iter().chain(&policy.cannot) {
        let fits =
            grant.action.split_once(':').is_some_and(|(service, action)| !service.is_empty() && !action.is_empty());
        if !fits || grant.action.contains('*') {
            faults.push(fault(format!("`{}` is not one action", grant.action), "as `ecr:GetAuthorizationToken`"));
        }
    }
    faults
}

fn request_fault(request: &Request) -> Option<Fault> {
    url_fault(&request.url)
}

fn url_fault(url: &str) -> Option<Fault> {
    let host = url.strip_prefix("http://").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let fits = host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace));
    (!fits).then(|| fault(format!("`{url}` is not a URL that a probe can ask"), "write `http://HOST[:PORT]/PATH`"))
}
