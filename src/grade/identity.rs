//! `identity`: the object is still the one that was handed over.
//!
//! Rules: Kubernetes tells objects apart by uid (a name may be used again, a uid never is); Docker has ids for networks, none for
//! volumes (the mark that breakfix puts on one when it makes it stands in: `CreatedAt` changes with the owner of a volume's folder, and on newer
//! engines does not tell a quick successor apart); AWS gives most things an ARN with a random part and the others a time of
//! creation. Docker's containers are always re-created, so that name and image are all there
//! is to keep.

use breakfix_lab::{Platform, check::Identity};
use serde_json::Value;

use crate::{
    Evidence, Judge, Moved, Query, Verdict, View, answers::objects_query, object, query::Scope, unchanged::handed_over,
};

impl Judge for Identity {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        self.kinds.iter().map(|kind| objects_query(platform, scope, kind, None)).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        if self.kinds.is_empty() { vec!["identity needs at least one kind".to_owned()] } else { Vec::new() }
    }
}

fn judge<'a>(check: &'a Identity, view: &View<'a>) -> Result<Verdict, Verdict> {
    let chosen = handed_over(view, &check.kinds, check.name.as_deref(), None, &check.except)?;
    let wanted = format!("the {} that was handed over", check.kinds.join(", "));
    for (kind, before) in &chosen {
        let name = object::name(before);
        let there = view.object(kind, name, None)?;
        let fault = match there {
            None => Some("is gone"),
            Some(now) if object::is_going(now) && !object::is_going(before) => Some("is being deleted"),
            Some(now) => difference(view, kind, before, now)?,
        };
        if let Some(fault) = fault {
            return Ok(Verdict::not_met(
                format!("{kind} {name} {fault}"),
                Evidence::new(wanted, format!("{name} {fault}")).look(view.look_at(kind, name, None, there.is_some())),
            ));
        }
    }
    let found = match chosen.len() {
        0 => "nothing of these kinds was handed over".to_owned(),
        _ => chosen.iter().map(|(kind, it)| format!("{kind} {}", object::name(it))).collect::<Vec<_>>().join(", "),
    };
    Ok(Verdict::met(Evidence::new(wanted, found)))
}

/// What tells the two apart, in words.
fn difference(view: &View<'_>, kind: &str, before: &Value, now: &Value) -> Result<Option<&'static str>, Verdict> {
    let (keys, fault): (&[&[&str]], _) = match (view.platform, kind) {
        (Platform::Kubernetes, _) => (&[&["metadata", "uid"]], "was deleted and made anew"),
        (Platform::Docker, "Container") => (&[&["Image"]], "runs another image"),
        (Platform::Docker, "Volume") => return Ok(volume_difference(before, now)),
        (Platform::Docker, "Image") => (&[&["Id"]], "is another image under the same name"),
        (Platform::Docker, _) => (&[&["Id"]], "was deleted and made anew"),
        (Platform::Ecs, kind) => (aws_keys(kind), "was deleted and made anew"),
    };
    for key in keys {
        match (object::at(before, key), object::at(now, key)) {
            (Some(before), Some(now)) if before == now || is_same_moment(before, now, view.moved) => {}
            (Some(_), Some(_)) => return Ok(Some(fault)),
            // Two absent ids are not the same id.
            _ => return Err(Verdict::unknown(format!("{kind} {} shows no {}", object::name(before), key.join(".")))),
        }
    }
    Ok(None)
}

/// The label that breakfix puts on each volume that it makes, with a value that no other has.
pub const VOLUME_MARK: &str = "breakfix.dev/volume";

/// One that breakfix did not make (an image's own, which has no name but a random one) is told apart by its name.
fn volume_difference(before: &Value, now: &Value) -> Option<&'static str> {
    let same = |path: &[&str]| object::at(before, path) == object::at(now, path);
    if !same(&["Labels", VOLUME_MARK]) || !same(&["Driver"]) {
        return Some("was deleted and made anew");
    }
    (!same(&["Mountpoint"])).then_some("has its data somewhere else")
}

/// Whether two moments (seconds since 1970, as AWS writes them) are one, by how much all dates have been moved back since the first was read.
fn is_same_moment(before: &Value, now: &Value, moved: Moved) -> bool {
    /// Milliseconds are written as fractions, and dates are moved by whole seconds.
    const ROUNDED: f64 = 0.5;
    let (Some(before), Some(now)) = (before.as_f64(), now.as_f64()) else { return false };
    let latest = before - moved.by.as_secs_f64();
    (latest - moved.meanwhile.as_secs_f64() - ROUNDED..=latest + ROUNDED).contains(&now)
}

/// What is new in an object of AWS that was made anew.
fn aws_keys(kind: &str) -> &'static [&'static [&'static str]] {
    match kind {
        "Service" => &[&["createdAt"]],
        "TargetGroup" => &[&["TargetGroupArn"]],
        "LoadBalancer" => &[&["LoadBalancerArn"]],
        "Listener" => &[&["ListenerArn"]],
        "Rule" => &[&["RuleArn"]],
        "Repository" => &[&["createdAt"]],
        "Secret" => &[&["ARN"]],
        "LogGroup" => &[&["creationTime"]],
        "Role" => &[&["RoleId"]],
        "SecurityGroup" => &[&["GroupId"]],
        "Subnet" => &[&["SubnetId"]],
        "Vpc" => &[&["VpcId"]],
        _ => &[&["Arn"]],
    }
}

#[cfg(test)]
mod tests;
