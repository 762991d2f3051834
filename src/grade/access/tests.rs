//! Fixtures: an account that may, one that may not, and answers that do not agree.

use breakfix_lab::Check;
use serde_json::json;

use crate::{Fetched, Judge, Permit, Verdict, fixture::*};

fn wanted() -> Check {
    check(json!({"access": {
        "account": {"name": "pipeline"},
        "can": [{"verb": "patch", "resource": "deployments", "group": "apps"}],
        "cannot": [{"verb": "get", "resource": "secrets"}, {"verb": "list", "resource": "pods", "namespace": "billing"}],
    }}))
}

fn on(permits: Option<Vec<Permit>>) -> Verdict {
    let world = World::kubernetes();
    let query = wanted().queries(world.platform, &world.scope()).remove(0);
    world.answering(query, Fetched::Permits(permits)).judge(&wanted())
}

#[test]
fn what_it_may_and_what_it_may_not() {
    let verdict = on(Some(vec![permit(true, true), permit(false, false), permit(false, false)]));
    assert_met(&verdict);
    assert_eq!(
        verdict.evidence().unwrap().wanted,
        "ServiceAccount pipeline can patch deployments.apps and cannot get secrets, list pods in billing"
    );
}

#[test]
fn broken_it_is_refused() {
    let verdict = on(Some(vec![permit(false, false), permit(false, false), permit(false, false)]));
    assert_not_met(&verdict, "ServiceAccount pipeline cannot patch deployments.apps | ");
}

#[test]
fn bypassed_it_may_too_much() {
    let verdict = on(Some(vec![permit(true, true), permit(true, true), permit(false, false)]));
    assert_not_met(&verdict, "can get secrets, and it must not");
}

#[test]
fn an_account_that_is_not_there_is_not_met() {
    assert_not_met(&on(None), "does not exist");
}

#[test]
fn a_review_and_a_call_that_differ_settle_nothing() {
    assert_unknown(&on(Some(vec![permit(true, false), permit(false, false), permit(false, false)])), "says yes");
    assert_unknown(&on(Some(vec![permit(true, true), permit(false, true), permit(false, false)])), "let through");
    // What is settled counts all the same.
    assert_not_met(&on(Some(vec![permit(true, false), permit(true, true), permit(false, false)])), "must not");
}

#[test]
fn stale_or_missing_answers_are_unknown() {
    assert_unknown(&on(Some(vec![permit(true, true)])), "of another sort");
    assert_unknown(&World::kubernetes().judge(&wanted()), "nothing was fetched for rights of ServiceAccount pipeline");
}
