//! Fixtures: written and read back, or not.

use serde_json::json;

use crate::{Exchange, Fetched, Judge, Outcome, Verdict, fixture::*};

fn order() -> breakfix_lab::Check {
    check(json!({"round_trip": {
        "write": {"request": {"method": "POST", "url": "http://web/order?id=${nonce}"}},
        "read": {"request": {"url": "http://db/records"}},
    }}))
}

fn on(nonce: &str, write: Exchange, read: Option<Exchange>) -> Verdict {
    let world = World::docker();
    let query = order().queries(world.platform, &world.scope()).remove(0);
    world.answering(query, Fetched::RoundTrip { nonce: nonce.into(), write, read: read.map(Box::new) }).judge(&order())
}

#[test]
fn written_and_read_back_is_met() {
    assert_met(&on("n-7", answered("ok", "x"), Some(answered("n-6 n-7", "y"))));
}

#[test]
fn yesterdays_record_is_not_met() {
    assert_not_met(&on("n-7", answered("ok", "x"), Some(answered("n-6", "y"))), "is not in the answer of");
}

#[test]
fn a_write_that_fails_is_not_met() {
    assert_not_met(&on("n-7", exchange(Outcome::Refused), None), "writing to http://shop/: connection refused");
    let refused = Outcome::Answered { status: 502, headers: Default::default(), body: "no such host db".into() };
    assert_not_met(&on("n-7", exchange(refused), Some(answered("n-7", "y"))), "answered 502: \"no such host db\"");
}

#[test]
fn a_read_that_fails_is_not_met() {
    assert_not_met(&on("n-7", answered("ok", "x"), Some(exchange(Outcome::TimedOut))), "reading from");
}

#[test]
fn any_answer_of_success_will_do() {
    let created = Outcome::Answered { status: 201, headers: Default::default(), body: String::new() };
    assert_met(&on("n-7", exchange(created), Some(answered("n-7", "y"))));
}

#[test]
fn trouble_of_ours_is_unknown() {
    assert_unknown(&World::docker().judge(&order()), "nothing was fetched");
    assert_unknown(&on("n-7", answered("ok", "x"), None), "did not ask");
    // Every text contains the empty one.
    assert_unknown(&on("", answered("ok", "x"), Some(answered("anything", "y"))), "told apart");
}

#[test]
fn a_write_without_a_nonce_is_a_problem() {
    assert!(order().problems().is_empty());
    let fixed = check(json!({"round_trip": {
        "write": {"request": {"url": "http://web/order"}}, "read": {"request": {"url": "http://db/records"}},
    }}));
    assert_eq!(fixed.problems().len(), 1);
}
