//! What a baseline is taken of, and that it has no holes.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::fixture::{NOW, at, deployment};

fn objects(kind: &str, namespace: &str) -> Query {
    Query::Objects { kind: kind.into(), namespace: Some(namespace.into()) }
}

fn observation(answers: impl IntoIterator<Item = (Query, Result<Fetched, Failure>)>) -> Observation {
    Observation { at: at(NOW), answers: answers.into_iter().collect::<BTreeMap<_, _>>() }
}

#[test]
fn it_is_taken_of_every_list_that_a_check_of_the_lab_asks_for() {
    let catalogue = breakfix_lab::Catalogue::embedded();
    let source = catalogue.list().find(|it| it.name() == "shop-answers-nobody").unwrap();
    let queries = Baseline::queries(&source.load().unwrap(), &Scope { namespace: "shop".into() });
    assert!(queries.iter().all(|query| matches!(query, Query::Objects { .. })));
    // An objective's, a guard's, a safeguard's and a house rule's.
    for kind in ["EndpointSlice", "ReplicaSet", "Deployment", "ClusterRoleBinding"] {
        assert!(queries.contains(&objects(kind, "shop")), "{kind}");
    }
}

#[test]
fn what_was_looked_for_in_vain_is_an_empty_list() {
    let none = observation([(objects("Deployment", "shop"), Ok(Fetched::Objects(vec![])))]);
    let baseline = Baseline::from_observation(&none).unwrap();
    assert_eq!(baseline.objects, BTreeMap::from([("Deployment".to_owned(), vec![])]));
    assert_eq!(baseline.taken, at(NOW));
}

#[test]
fn namespaces_are_put_together_and_the_same_object_is_kept_once() {
    let shared = json!({"metadata": {"name": "wide"}});
    let two = |kind: &str, object: &dyn Fn(&str) -> serde_json::Value| {
        ["shop", "data"].map(|it| (objects(kind, it), Ok(Fetched::Objects(vec![object(it)]))))
    };
    let answers = two("ClusterRole", &|_: &str| shared.clone())
        .into_iter()
        .chain(two("Deployment", &|it: &str| deployment(it, 1)));
    let baseline = Baseline::from_observation(&observation(answers)).unwrap();
    assert_eq!((baseline.objects["ClusterRole"].len(), baseline.objects["Deployment"].len()), (1, 2));
}

#[test]
fn a_hole_is_an_error() {
    let failure = Failure { what: "list Deployment".into(), why: "403".into(), hint: None };
    let holed = observation([(objects("Deployment", "shop"), Err(failure.clone()))]);
    assert_eq!(Baseline::from_observation(&holed), Err(failure));
}
