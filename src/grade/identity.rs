//! `identity`: the object is still the one that was handed over.
//!
//! Rules: Kubernetes tells objects apart by uid (a name may be used again, a uid never is); Docker has ids for networks, none for
//! volumes (creation time and mount point stand in), and its containers are always re-created, so that name and image are all there
//! is to keep.

use breakfix_lab::{Platform, check::Identity};
use serde_json::Value;

use crate::{
    Evidence, Judge, Query, Verdict, View, answers::objects_query, object, query::Scope, unchanged::handed_over,
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
        let fault = match view.object(kind, name, None)? {
            None => Some("is gone"),
            Some(now) if object::is_going(now) && !object::is_going(before) => Some("is being deleted"),
            Some(now) => difference(view.platform, kind, before, now)?,
        };
        if let Some(fault) = fault {
            return Ok(Verdict::not_met(
                format!("{kind} {name} {fault}"),
                Evidence::new(wanted, format!("{name} {fault}")),
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
fn difference(platform: Platform, kind: &str, before: &Value, now: &Value) -> Result<Option<&'static str>, Verdict> {
    let (keys, fault): (&[&[&str]], _) = match (platform, kind) {
        (Platform::Kubernetes, _) => (&[&["metadata", "uid"]], "was deleted and made anew"),
        (Platform::Docker, "Container") => (&[&["Image"]], "runs another image"),
        (Platform::Docker, "Volume") => (&[&["CreatedAt"], &["Mountpoint"]], "was deleted and made anew"),
        (Platform::Docker, "Image") => (&[&["Id"]], "is another image under the same name"),
        (Platform::Docker, _) => (&[&["Id"]], "was deleted and made anew"),
    };
    for key in keys {
        match (object::text(before, key), object::text(now, key)) {
            (Some(before), Some(now)) if before == now => {}
            (Some(_), Some(_)) => return Ok(Some(fault)),
            // Two absent ids are not the same id.
            _ => return Err(Verdict::unknown(format!("{kind} {} shows no {}", object::name(before), key.join(".")))),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
