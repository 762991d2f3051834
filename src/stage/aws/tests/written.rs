//! In process and over the wire the same is seen: every answer that building, looking at and taking away a shop brings, written and read.

use std::sync::{Arc, Mutex};

use breakfix_lab::{Catalogue, ecs};
use serde_json::{Map, Value};

use super::{lab, objects, run, shared::Account};
use crate::{
    Target,
    aws::wire::{Service, as_written},
};

/// Without what an API leaves out as readily as it writes it.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().map(|(key, value)| (key.clone(), plain(value)));
            Value::Object(kept.filter(|(_, value)| !is_nothing(value)).collect::<Map<_, _>>())
        }
        Value::Array(entries) => entries.iter().map(plain).collect(),
        // Milliseconds are what the wire carries of a date.
        Value::Number(number) => Value::from((number.as_f64().unwrap_or_default() * 1000.0).floor()),
        other => other.clone(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The first place at which two values differ.
fn difference(place: &str, here: &Value, there: &Value) -> Option<String> {
    match (here, there) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            let of = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or_default();
            keys.into_iter().find_map(|key| difference(&format!("{place}.{key}"), &of(one, key), &of(other, key)))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).find_map(|(one, other)| difference(&format!("{place}[]"), one, other))
        }
        // An operation without an answer.
        (one, other) if is_nothing(one) && is_nothing(other) => None,
        (one, other) => (one != other).then(|| format!("{place}: {one} in process, {other} over the wire")),
    }
}

#[test]
fn what_is_seen_over_the_wire_is_what_is_seen_in_process() {
    run(async {
        let account = Account::new();
        let differences: Arc<Mutex<Vec<String>>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (told, heard) = (Arc::clone(&differences), Arc::clone(&asked));
        account.watch(move |service: Service, operation: &str, answer: &Value| {
            let Some(read) = as_written(service, operation, answer) else { return };
            heard.lock().unwrap().push(operation.to_owned());
            told.lock().unwrap().extend(difference(operation, &plain(answer), &plain(&read)));
        });
        let on_machines = Catalogue::embedded().find("all-tasks-on-one-machine").unwrap().load().unwrap();
        for (lab, session) in [(lab(), "s-1"), (on_machines, "s-2")] {
            let target = account.session(&lab, session, "2026-01-05T09:00:00Z");
            target.create(&lab.documents).await.unwrap();
            for kind in ecs::names() {
                objects(&target, kind).await;
            }
            assert!(session == "s-1" || !objects(&target, "Instance").await.is_empty());
            target.clear().await.unwrap();
        }
        let mut all = differences.lock().unwrap().clone();
        all.sort();
        all.dedup();
        assert_eq!(all, Vec::<String>::new());
        let asked = asked.lock().unwrap();
        for operation in ["DescribeSecurityGroups", "DescribeTargetHealth", "GetRolePolicy", "DescribeInstances"] {
            assert!(asked.iter().any(|it| it == operation), "{operation} was not asked: {asked:?}");
        }
    });
}
