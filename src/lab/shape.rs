//! What a schema cannot say about one check or change: "exactly one of", "not empty", words of the other platform.
//!
//! These are errors wherever a lab is read, since nobody could carry such a lab out.

use crate::{
    Change, Check, LoadedLab,
    change::{Delete, Patch},
    check::{Endpoints, Http, Request},
    document::DOCKER_KINDS,
    lab::Platform,
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
    }
    for (steps, change) in visit::changes(&loaded.lab) {
        for fault in faults_of_change(change, loaded) {
            report(&steps, fault);
        }
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
    let only = match check {
        Check::Endpoints(_) | Check::RolledOut(_) => Some(Platform::Kubernetes),
        Check::Events(_) | Check::Published(_) => Some(Platform::Docker),
        _ => None,
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
        Check::Field(field) => faults.extend(unknown_kind(&field.kind, platform)),
        Check::Identity(identity) if identity.kinds.is_empty() => faults.push(empty("kinds")),
        Check::Unchanged(unchanged) if unchanged.kinds.is_empty() => faults.push(empty("kinds")),
        Check::Unchanged(unchanged) if unchanged.fields.is_empty() => faults.push(empty("fields")),
        Check::ScaleKept(kept) if kept.kinds.is_empty() => faults.push(empty("kinds")),
        Check::Events(events) if events.none.is_empty() => faults.push(empty("none")),
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
    let only = match change {
        Change::Scale(_) => Some(Platform::Kubernetes),
        Change::Recreate(_) | Change::Start(_) | Change::Stop(_) => Some(Platform::Docker),
        _ => None,
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
        Change::Request(load) => faults.extend(request_fault(&load.request)),
        Change::Scale(_) | Change::Recreate(_) | Change::Wait(_) => {}
    }
    faults
}

fn wrong_platform(word: &str, only: Option<Platform>, platform: Platform) -> Option<Fault> {
    let only = only.filter(|only| *only != platform)?;
    let message = format!("`{word}` is a word for {} labs", only.as_str());
    Some(fault(message, format!("this is a lab for {}", platform.as_str())))
}

fn unknown_kind(kind: &str, platform: Platform) -> Option<Fault> {
    let known = platform != Platform::Docker || DOCKER_KINDS.contains(&kind);
    (!known)
        .then(|| fault(format!("Docker has no kind `{kind}`"), suggest::help(kind, &DOCKER_KINDS).unwrap_or_default()))
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
    if patch.strategic.is_some() && loaded.platform() != Platform::Kubernetes {
        return Some(fault("only Kubernetes knows strategic merge patches", "write `merge`"));
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
        if http.status.is_some() || http.body.is_some() || http.answered_by.is_some() {
            let help = "leave `status`, `body` and `answered_by` out";
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
    if http.body.as_ref().is_some_and(|body| body.contains.is_none() && body.lacks.is_none()) {
        faults.push(fault("`body` asks for nothing", "write `contains` or `lacks`"));
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
