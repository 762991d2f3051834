//! All checks and changes of a lab with the path that leads to each in `lab.yaml`.

use crate::{Change, Check, Lab};

/// Keys and indexes from the root of `lab.yaml`.
pub type Steps = Vec<String>;

/// Every check, the parts of composed ones and those that a change awaits included.
pub fn checks(lab: &Lab) -> Vec<(Steps, &Check)> {
    let mut found = Vec::new();
    for (index, objective) in lab.objectives.iter().enumerate() {
        if let Some(guard) = &objective.guard {
            add_check(steps(&["objectives"], index, &["guard"]), guard, &mut found);
        }
        if let Some(during) = &objective.during {
            add_check(steps(&["objectives"], index, &["during"]), during, &mut found);
        }
        add_check(steps(&["objectives"], index, &["check"]), &objective.check, &mut found);
    }
    for (path, change) in changes(lab) {
        if let Change::Await(awaited) = change {
            let path = path.into_iter().chain(["await", "check"].map(str::to_owned)).collect();
            add_check(path, &awaited.check, &mut found);
        }
    }
    for (index, safeguard) in lab.safeguards.iter().enumerate() {
        add_check(steps(&["safeguards"], index, &["check"]), &safeguard.check, &mut found);
    }
    for (index, step) in lab.steps.iter().enumerate() {
        if let Some(check) = &step.check {
            add_check(steps(&["steps"], index, &["check"]), check, &mut found);
        }
    }
    found
}

/// Every change: of the fault, the triggers and the controls; those inside a `with` after the `with`.
pub fn changes(lab: &Lab) -> Vec<(Steps, &Change)> {
    let fault = lab.fault.iter().enumerate().map(|(index, change)| (steps(&["fault"], index, &[]), change));
    let triggers = lab.objectives.iter().enumerate().flat_map(|(number, objective)| {
        let list = steps(&["objectives"], number, &["trigger"]);
        objective.trigger.iter().enumerate().map(move |(index, change)| (with(&list, index), change))
    });
    let controls = lab.controls.iter().flat_map(|(name, changes)| {
        let list = vec!["controls".to_owned(), name.clone()];
        changes.iter().enumerate().map(move |(index, change)| (with(&list, index), change))
    });
    fault.chain(triggers).chain(controls).flat_map(|(path, change)| unfolded(path, change)).collect()
}

/// A change, and those inside it.
fn unfolded(path: Steps, change: &Change) -> Vec<(Steps, &Change)> {
    let inside: &[Change] = match change {
        Change::With(with) => &with.changes,
        _ => &[],
    };
    let list: Steps = path.iter().cloned().chain(["with".to_owned(), "changes".to_owned()]).collect();
    let inside: Vec<_> =
        inside.iter().enumerate().flat_map(|(index, change)| unfolded(with(&list, index), change)).collect();
    [(path, change)].into_iter().chain(inside).collect()
}

/// The parts of a composed check; none for any other.
pub fn parts(check: &Check) -> &[Check] {
    match check {
        Check::All(parts) | Check::Any(parts) | Check::None(parts) => parts,
        _ => &[],
    }
}

/// Whether a check only joins others.
pub fn is_composed(check: &Check) -> bool {
    matches!(check, Check::All(_) | Check::Any(_) | Check::None(_))
}

/// The word that a check is written with.
pub fn check_word(check: &Check) -> &'static str {
    match check {
        Check::All(_) => "all",
        Check::Any(_) => "any",
        Check::None(_) => "none",
        Check::Http(_) => "http",
        Check::RoundTrip(_) => "round_trip",
        Check::Endpoints(_) => "endpoints",
        Check::RolledOut(_) => "rolled_out",
        Check::Field(_) => "field",
        Check::Identity(_) => "identity",
        Check::Unchanged(_) => "unchanged",
        Check::ScaleKept(_) => "scale_kept",
        Check::NoNewPower(_) => "no_new_power",
        Check::Events(_) => "events",
        Check::Published(_) => "published",
        Check::Access(_) => "access",
        Check::DryRun(_) => "dry_run",
        Check::Restarts(_) => "restarts",
        Check::Objects(_) => "objects",
        Check::Logs(_) => "logs",
        Check::Image(_) => "image",
        Check::Processes(_) => "processes",
        Check::File(_) => "file",
        Check::Steady(_) => "steady",
        Check::Targets(_) => "targets",
        Check::Policy(_) => "policy",
    }
}

/// The word that a change is written with.
pub fn change_word(change: &Change) -> &'static str {
    match change {
        Change::Apply(_) => "apply",
        Change::Patch(_) => "patch",
        Change::Delete(_) => "delete",
        Change::Scale(_) => "scale",
        Change::Restart(_) => "restart",
        Change::Recreate(_) => "recreate",
        Change::Start(_) => "start",
        Change::Stop(_) => "stop",
        Change::Tag(_) => "tag",
        Change::Write(_) => "write",
        Change::Build(_) => "build",
        Change::Rebuild(_) => "rebuild",
        Change::Up(_) => "up",
        Change::Request(_) => "request",
        Change::Wait(_) => "wait",
        Change::Await(_) => "await",
        Change::Evict(_) => "evict",
        Change::Cordon(_) => "cordon",
        Change::Uncordon(_) => "uncordon",
        Change::Drain(_) => "drain",
        Change::CreateJob(_) => "create_job",
        Change::Node(_) => "node",
        Change::Outage(_) => "outage",
        Change::Sync(_) => "sync",
        Change::With(_) => "with",
    }
}

fn add_check<'a>(path: Steps, check: &'a Check, found: &mut Vec<(Steps, &'a Check)>) {
    let word = check_word(check);
    found.push((path.clone(), check));
    for (index, part) in parts(check).iter().enumerate() {
        let mut path = path.clone();
        path.push(word.to_owned());
        add_check(with(&path, index), part, found);
    }
}

fn steps(before: &[&str], index: usize, after: &[&str]) -> Steps {
    let index = index.to_string();
    before.iter().chain([&index.as_str()]).chain(after).map(|step| (*step).to_owned()).collect()
}

fn with(path: &[String], index: usize) -> Steps {
    path.iter().cloned().chain([index.to_string()]).collect()
}
