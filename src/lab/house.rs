//! House rules: the safeguards that every lab of a platform has (`labs/<platform>/house.yaml`).
//!
//! A rule is asked only about kinds that the lab's system holds: what is not there cannot be damaged. A lab
//! lifts a rule, or a part of one, with its reason.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Change, Check, LoadedLab,
    base::Bases,
    decode::decode,
    lab::{ApiVersion, Exception, Lift, Platform, Safeguard},
    problem::Problem,
    schema, shape, suggest, yaml,
};

/// One `house.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseFile {
    /// The version of this format: `breakfix.dev/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    pub kind: HouseKind,
    pub platform: Platform,
    /// Safeguards of every lab of the platform that does not lift them.
    pub rules: Vec<Safeguard>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HouseKind {
    HouseRules,
}

/// What lies beside the labs for all of them, not yet read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HouseTexts {
    /// The house rules of each platform.
    pub rules: BTreeMap<Platform, HouseText>,
    /// The systems that labs share.
    pub bases: Bases,
}

/// A file for many labs as bytes, and how messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseText {
    pub shown: String,
    pub bytes: Cow<'static, [u8]>,
}

impl HouseText {
    /// The rules of the file, with its problems.
    pub fn read(&self, platform: Platform) -> (Vec<Safeguard>, Vec<Problem>) {
        let (page, mut problems) = yaml::read(&self.shown, &self.bytes);
        let Some(node) = page.documents.first() else { return (Vec::new(), problems) };
        let Some(file) = decode::<HouseFile>(&self.shown, node, schema::house(), &mut problems) else {
            return (Vec::new(), problems);
        };
        if file.platform != platform {
            let message =
                format!("these rules are for {}, the folder is for {}", file.platform.as_str(), platform.as_str());
            problems.push(Problem::error("house", &self.shown, node.place_of(&["platform"]), message));
        }
        let mut names = BTreeSet::new();
        for (index, rule) in file.rules.iter().enumerate() {
            let index = index.to_string();
            if !names.insert(rule.name.as_str()) {
                let place = node.place_of(&["rules", &index, "name"]);
                problems.push(Problem::error(
                    "house",
                    &self.shown,
                    place,
                    format!("two rules are called `{}`", rule.name),
                ));
            }
            shape::check_rule(&rule.check, platform, &mut |message, help| {
                let place = node.place_of(&["rules", &index, "check"]);
                problems.push(Problem::error("house", &self.shown, place, message).help(help));
            });
        }
        (file.rules, problems)
    }
}

/// Gives a lab the safeguards that hold in it.
pub(crate) fn apply(loaded: &mut LoadedLab, problems: &mut Vec<Problem>) {
    let file = loaded.source.shown("lab.yaml");
    let mut rules = match loaded.source.houses().rules.get(&loaded.platform()) {
        Some(text) => {
            let (rules, found) = text.read(loaded.platform());
            problems.extend(found);
            rules
        }
        None => Vec::new(),
    };
    for (index, lift) in loaded.lab.lift.iter().enumerate() {
        if let Err(refusal) = lift_rule(lift, &mut rules) {
            let place = loaded.place_of(&["lift", &index.to_string(), refusal.key]);
            let mut problem = Problem::error("house", &file, place, refusal.message);
            problem.help = refusal.help;
            problems.push(problem);
        }
    }
    for (index, own) in loaded.lab.safeguards.iter().enumerate() {
        if rules.iter().any(|rule| rule.name == own.name) {
            let place = loaded.place_of(&["safeguards", &index.to_string(), "name"]);
            let message = format!("`{}` is the name of a house rule", own.name);
            problems.push(Problem::error("house", &file, place, message).help("lift the rule, or choose another name"));
        }
    }
    let kinds = kinds_of(loaded);
    let rules = rules.into_iter().filter_map(|rule| Some(Safeguard { check: about(rule.check, &kinds)?, ..rule }));
    loaded.safeguards = rules.chain(loaded.lab.safeguards.iter().cloned()).collect();
}

/// Why a lift does not work.
struct Refusal {
    key: &'static str,
    message: String,
    help: Option<String>,
}

fn lift_rule(lift: &Lift, rules: &mut Vec<Safeguard>) -> Result<(), Refusal> {
    let names: Vec<String> = rules.iter().map(|rule| rule.name.clone()).collect();
    let Some(index) = rules.iter().position(|rule| rule.name == lift.rule) else {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let message = format!("there is no house rule `{}`", lift.rule);
        return Err(Refusal { key: "rule", message, help: suggest::help(&lift.rule, &names) });
    };
    if lift.except.is_empty() {
        rules.remove(index);
        return Ok(());
    }
    for exception in &lift.except {
        let taken = rules.get_mut(index).is_some_and(|rule| except(&mut rule.check, exception));
        if !taken {
            let message =
                format!("the rule `{}` has nothing about a {} that could be left free", lift.rule, exception.kind);
            let help = Some("lift the whole rule (without `except`) and write a safeguard for the rest".to_owned());
            return Err(Refusal { key: "except", message, help });
        }
    }
    Ok(())
}

/// Adds an exception to every part of the check that it is about; whether there was one.
fn except(check: &mut Check, exception: &Exception) -> bool {
    let (kinds, list) = match check {
        Check::All(parts) => {
            // Every part takes it, not only the first that can.
            return parts.iter_mut().filter_map(|part| except(part, exception).then_some(())).count() > 0;
        }
        Check::Identity(identity) => (Some(&identity.kinds), &mut identity.except),
        Check::Unchanged(unchanged) => (Some(&unchanged.kinds), &mut unchanged.except),
        Check::ScaleKept(kept) => (Some(&kept.kinds), &mut kept.except),
        Check::NoNewPower(power) => (None, &mut power.except),
        _ => return false,
    };
    let about = kinds.is_none_or(|kinds| kinds.contains(&exception.kind));
    if about {
        list.push(exception.clone());
    }
    about
}

/// The check, less the kinds that the lab does not have; `None` when nothing is left of it.
fn about(check: Check, kinds: &BTreeSet<String>) -> Option<Check> {
    let held = |list: Vec<String>| -> Vec<String> { list.into_iter().filter(|kind| kinds.contains(kind)).collect() };
    Some(match check {
        Check::All(parts) => {
            let mut parts: Vec<Check> = parts.into_iter().filter_map(|part| about(part, kinds)).collect();
            if parts.len() > 1 { Check::All(parts) } else { parts.pop()? }
        }
        Check::Identity(mut identity) => {
            identity.kinds = held(identity.kinds);
            (!identity.kinds.is_empty()).then_some(Check::Identity(identity))?
        }
        Check::Unchanged(mut unchanged) => {
            unchanged.kinds = held(unchanged.kinds);
            (!unchanged.kinds.is_empty()).then_some(Check::Unchanged(unchanged))?
        }
        Check::ScaleKept(mut kept) => {
            kept.kinds = held(kept.kinds);
            (!kept.kinds.is_empty()).then_some(Check::ScaleKept(kept))?
        }
        Check::Field(field) => kinds.contains(&field.kind).then_some(Check::Field(field))?,
        // Of several lists one will do: the others are what is made of it, or beside it.
        Check::Objects(objects) => {
            objects.lists.values().any(|list| kinds.contains(&list.kind)).then_some(Check::Objects(objects))?
        }
        other => other,
    })
}

/// The kinds of objects that the lab holds when it is handed over.
fn kinds_of(loaded: &LoadedLab) -> BTreeSet<String> {
    let applied = loaded.lab.fault.iter().filter_map(|change| match change {
        Change::Apply(path) => loaded.applied(path),
        _ => None,
    });
    let documents = loaded.documents.iter().chain(applied.flatten());
    let mut kinds: BTreeSet<String> = documents.map(|document| document.kind.clone()).collect();
    // A StatefulSet makes its claims from a template.
    if kinds.contains("StatefulSet") {
        kinds.insert("PersistentVolumeClaim".to_owned());
    }
    kinds
}

#[cfg(test)]
mod tests;
