//! `objects`: a CEL expression over several lists of objects at once.
//!
//! Variables: each list by its name, and `baseline` with the same names. Objects on their way out and our own probes are in none of them.
//! What is whose fault stands in `expression`.

use std::collections::BTreeMap;

use breakfix_lab::{
    Platform,
    check::{List, Objects},
};
use serde_json::{Map, Value};

use crate::{
    Evidence, Fetched, Judge, Query, Verdict, View,
    answers::{mismatch, objects_query, owner_queries},
    expression::{self, Trouble},
    object, pods,
    query::Scope,
};

/// The lists as they were handed over.
const BASELINE: &str = "baseline";

impl Judge for Objects {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        queries(&self.lists, platform, scope)
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.lists.contains_key(BASELINE) {
            problems.push(format!("a list cannot be called `{BASELINE}`"));
        }
        let names: Vec<&str> = self.lists.keys().map(String::as_str).chain([BASELINE]).collect();
        problems.extend(expression::compile(&self.cel, &names).err());
        problems
    }
}

/// What must be fetched for these lists.
pub(crate) fn queries(lists: &BTreeMap<String, List>, platform: Platform, scope: &Scope) -> Vec<Query> {
    lists
        .values()
        .flat_map(|list| match &list.owned_by {
            _ if list.declared => vec![declared(list, scope)],
            Some(owner) => owner_queries(platform, scope, owner),
            None => vec![objects_query(platform, scope, &list.kind, list.namespace.as_deref())],
        })
        .collect()
}

fn judge(check: &Objects, view: &View<'_>) -> Result<Verdict, Verdict> {
    let program = expression::program(&check.cel).map_err(Verdict::unknown)?;
    let mut lists = Vec::new();
    let mut before = Map::new();
    for (name, list) in &check.lists {
        let chosen = chosen(list, view)?;
        before.insert(name.clone(), Value::Array(handed_over(list, view)));
        lists.push((name.as_str(), Value::Array(chosen.into_iter().cloned().collect())));
    }
    let before = Value::Object(before);
    let counts = lists.iter().map(|(name, list)| format!("{} {name}", list.as_array().map_or(0, Vec::len)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let variables: Vec<(&str, &Value)> =
        lists.iter().map(|(name, list)| (*name, list)).chain([(BASELINE, &before)]).collect();
    let not_so =
        |found: String| Verdict::not_met(format!("not so: {}", check.wanted), Evidence::new(&check.wanted, found));
    // Nothing at all keeps every promise made with `all`.
    if lists.iter().all(|(_, list)| list.as_array().is_none_or(Vec::is_empty)) {
        return Ok(not_so(format!("there is none of them: {counts}")));
    }
    Ok(match expression::evaluate(&program, &variables) {
        Ok(true) => Verdict::met(Evidence::new(&check.wanted, format!("so of {counts}"))),
        Ok(false) => not_so(format!("not so of {counts}")),
        Err(Trouble::Object(why)) => not_so(format!("not so of {counts}: {why}")),
        Err(Trouble::Lab(why)) => {
            return Err(Verdict::unknown(format!("the lab's expression `{}`: {why}", check.cel)));
        }
    })
}

pub(crate) fn chosen<'a>(list: &List, view: &View<'a>) -> Result<Vec<&'a Value>, Verdict> {
    let all: Vec<&Value> = match &list.owned_by {
        _ if list.declared => {
            let query = declared(list, view.scope);
            match view.answer(&query)? {
                Fetched::Objects(objects) => objects.iter().collect(),
                _ => return Err(mismatch(&query)),
            }
        }
        Some(owner) => view.owned_pods(owner)?.unwrap_or_default(),
        None => view.objects(&list.kind, list.namespace.as_deref())?.iter().collect(),
    };
    Ok(all.into_iter().filter(|it| is_chosen(list, it)).collect())
}

/// What the learner's folder declares of the kind.
fn declared(list: &List, scope: &Scope) -> Query {
    Query::Declared { kind: list.kind.clone(), namespace: scope.namespace(list.namespace.as_deref()).to_owned() }
}

/// The same list in the baseline; pods are not part of one, so theirs is empty.
fn handed_over(list: &List, view: &View<'_>) -> Vec<Value> {
    let namespace = view.scope.namespace(list.namespace.as_deref());
    let all = view.baseline.objects.get(&list.kind).map_or(&[][..], Vec::as_slice).iter();
    let here = all.filter(|it| object::namespace(it).is_none_or(|it| it == namespace));
    here.filter(|it| list.owned_by.is_none() && !list.declared && is_chosen(list, it)).cloned().collect()
}

fn is_chosen(list: &List, object: &Value) -> bool {
    object::has_labels(object, &list.labels) && !object::is_going(object) && !pods::is_our_probe(object)
}

#[cfg(test)]
mod tests;
