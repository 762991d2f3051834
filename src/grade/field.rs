//! `field`: a CEL expression over an object.
//!
//! Variables: `object`, `baseline` (null where the object was not handed over). What is whose fault stands in `expression`.

use breakfix_lab::{Platform, check::Field};
use serde_json::Value;

use crate::{
    Evidence, Judge, Query, Verdict, View,
    answers::{objects_query, owner_queries},
    expression::{self, Trouble},
    object, pods,
    query::Scope,
};

/// What an expression may name.
const VARIABLES: [&str; 2] = [OBJECT, BASELINE];
const OBJECT: &str = "object";
const BASELINE: &str = "baseline";

impl Judge for Field {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        let own = objects_query(platform, scope, &self.kind, home(self));
        let owner = self.owned_by.iter().flat_map(|owner| owner_queries(platform, scope, owner));
        std::iter::once(own).chain(owner).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        compile(&self.cel).err().into_iter().collect()
    }
}

/// Whether an expression can be read and names nothing but the variables and functions there are.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn compile(expression: &str) -> Result<(), String> {
    expression::compile(expression, &VARIABLES)
}

fn judge(check: &Field, view: &View<'_>) -> Result<Verdict, Verdict> {
    let program = expression::program(&check.cel).map_err(Verdict::unknown)?;
    // What it does not ask for need not be made ready for it.
    let compares = program.names.variables.contains(BASELINE);
    let namespace = home(check);
    let before = view.baseline.objects.get(&check.kind).map_or(&[][..], Vec::as_slice);
    let all: Vec<&Value> = match &check.owned_by {
        Some(owner) => view.owned_pods(owner)?.unwrap_or_default(),
        None => view.objects(&check.kind, namespace)?.iter().collect(),
    };
    let chosen: Vec<&Value> = all.into_iter().filter(|it| is_chosen(check, it)).collect();
    let what = match (&check.name, &check.owned_by) {
        (Some(name), _) => format!("{} {name}", check.kind),
        (None, Some(owner)) => format!("{} of {} {}", check.kind, owner.kind, owner.name),
        (None, None) => format!("{} of the lab", check.kind),
    };
    if chosen.is_empty() {
        return Ok(Verdict::not_met(format!("there is no {what}"), Evidence::new(&check.wanted, format!("no {what}"))));
    }
    let look = match (view.platform, chosen.as_slice()) {
        (Platform::Kubernetes, [one]) => {
            view.look(&format!("{} {} -o yaml", check.kind.to_lowercase(), object::name(one)), namespace)
        }
        (Platform::Kubernetes, _) => view.look(&check.kind.to_lowercase(), namespace),
        (Platform::Ecs, [one]) => view.look_at(&check.kind, object::name(one), None, true),
        (Platform::Ecs, _) => None,
        (Platform::Docker, _) => {
            Some(format!("docker inspect {}", chosen.iter().map(|it| object::name(it)).collect::<Vec<_>>().join(" ")))
        }
    };
    for object in &chosen {
        let earlier = before
            .iter()
            .filter(|_| compares)
            .find(|it| object::name(it) == object::name(object) && object::namespace(it) == object::namespace(object));
        let name = format!("{} {}", check.kind, object::name(object));
        let found =
            match expression::evaluate(&program, &[(OBJECT, object), (BASELINE, earlier.unwrap_or(&Value::Null))]) {
                Ok(true) => continue,
                Ok(false) => format!("not so of {name}"),
                Err(Trouble::Object(why)) => format!("not so of {name}: {why}"),
                Err(Trouble::Lab(why)) => {
                    return Err(Verdict::unknown(format!("the lab's expression `{}`: {why}", check.cel)));
                }
            };
        let reason = format!("{}: {found}", check.wanted);
        return Ok(Verdict::not_met(reason, Evidence::new(&check.wanted, found).look(look)));
    }
    let found = match chosen.as_slice() {
        [one] => format!("so of {} {}", check.kind, object::name(one)),
        many => format!("so of all {} of kind {}", many.len(), check.kind),
    };
    Ok(Verdict::met(Evidence::new(&check.wanted, found)))
}

/// Where the objects are: in the check's namespace, or with their owner.
fn home(check: &Field) -> Option<&str> {
    check.namespace.as_deref().or_else(|| check.owned_by.as_ref()?.namespace.as_deref())
}

fn is_chosen(check: &Field, object: &Value) -> bool {
    match &check.name {
        Some(name) => object::is_named(object, name) && object::has_labels(object, &check.labels),
        // One that is being deleted is on its way out and our probes are no part of the lab; neither is "every object".
        None => object::has_labels(object, &check.labels) && !object::is_going(object) && !pods::is_our_probe(object),
    }
}

#[cfg(test)]
mod tests;
