//! Fixtures: answers, silence, and who answered.

use std::{collections::BTreeMap, time::Duration};

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::{Exchange, Fetched, Judge, Outcome, Query, Verdict, fixture::*};

fn page(extra: Value) -> Check {
    check(json!({"http": but(json!({"request": {"url": "http://shop/"}, "body": {"contains": "shop 1.4"}}), extra)}))
}

/// The verdict on these exchanges.
fn on(world: World, check: &Check, exchanges: Vec<Exchange>) -> Verdict {
    let query =
        check.queries(world.platform, &world.scope()).into_iter().find(|it| matches!(it, Query::Requests { .. }));
    world.answering(query.unwrap(), Fetched::Exchanges(exchanges)).judge(check)
}

fn alone(check: &Check, outcome: Outcome) -> Verdict {
    on(World::kubernetes(), check, vec![exchange(outcome)])
}

fn status(status: u16, body: &str) -> Outcome {
    Outcome::Answered { status, headers: BTreeMap::new(), body: body.to_owned() }
}

const SILENT: [Outcome; 2] = [Outcome::TimedOut, Outcome::NameUnanswered];
const LOUD: [Outcome; 3] = [Outcome::Refused, Outcome::Reset, Outcome::NameUnknown];

#[test]
fn the_right_answer_is_met() {
    let verdict = alone(&page(json!({})), status(200, "this is shop 1.4\n"));
    assert_met(&verdict);
    let evidence = verdict.evidence().unwrap();
    assert_eq!(evidence.wanted, "GET http://shop/ answers 200 with \"shop 1.4\"");
    assert_eq!(evidence.found, "1 of 1 answered so");
}

#[test]
fn the_systems_silence_is_not_met_never_unknown() {
    for outcome in LOUD.into_iter().chain(SILENT) {
        let verdict = alone(&page(json!({})), outcome.clone());
        assert_not_met(&verdict, "GET to http://shop/: ");
    }
    assert_not_met(&alone(&page(json!({})), Outcome::Refused), "connection refused");
}

#[test]
fn a_caller_that_the_learner_took_away_proves_nothing_and_is_no_trouble_of_ours() {
    let gone = Outcome::CallerGone("Subnet visitors".to_owned());
    assert_not_met(&alone(&page(json!({})), gone.clone()), "nobody is left to ask: Subnet visitors is gone");
    let twin = check(json!({"http": {"request": {"url": "http://db:5432/"}, "refused": {"control": "http://web/"}}}));
    assert_not_met(&alone(&twin, gone), "nobody is left to ask");
}

#[test]
fn a_probe_that_could_not_ask_is_unknown() {
    let check = page(json!({}));
    let verdict = World::kubernetes().judge(&check);
    assert_unknown(&verdict, "nothing was fetched for GET http://shop/");
    assert_unknown(&on(World::kubernetes(), &check, vec![]), "sent no request");
}

#[test]
fn wrong_status_and_wrong_body_are_not_met() {
    assert_not_met(&alone(&page(json!({})), status(503, "")), "answered 503 with nothing");
    assert_not_met(&alone(&page(json!({})), status(200, "shop  1.3\nold")), "the answer reads \"shop 1.3 old\"");
    let lacks = page(json!({"body": {"lacks": "error"}}));
    assert_not_met(&alone(&lacks, status(200, "shop 1.4 error")), "the answer says \"error\"");
    assert_met(&alone(&page(json!({"status": 503})), status(503, "shop 1.4")));
}

#[test]
fn one_bad_answer_of_many_is_not_met_and_counted() {
    let check = page(json!({"times": 4}));
    let good = || answered("shop 1.4", "x");
    let verdict = on(World::kubernetes(), &check, vec![good(), good(), exchange(Outcome::TimedOut), good()]);
    assert_not_met(&verdict, "3 of 4 answered so; request 3 of 4: no answer within 0.0s");
}

#[test]
fn fewer_exchanges_than_asked_for_prove_nothing() {
    let check = page(json!({"times": 4}));
    assert_unknown(&on(World::kubernetes(), &check, vec![answered("shop 1.4", "x")]), "1 of 4 requests");
}

#[test]
fn a_late_answer_is_not_met() {
    let check = page(json!({"within": "3s"}));
    let mut late = answered("shop 1.4", "x");
    late.took = Duration::from_millis(3100);
    assert_not_met(&on(World::kubernetes(), &check, vec![late]), "the answer took 3.1s");
}

#[test]
fn every_instance_is_asked_and_none_is_not_met() {
    let check = page(json!({"request": {"each": {"kind": "Deployment", "name": "shop"}}}));
    assert_not_met(&on(shop(), &check, vec![]), "no instance of Deployment shop runs");
    assert_met(&on(shop(), &check, vec![answered("shop 1.4", "a"), answered("shop 1.4", "b")]));
    let bad = vec![answered("shop 1.4", "a"), exchange(Outcome::Refused)];
    assert_not_met(&on(shop(), &check, bad), "request 2 of 2: connection refused");
}

#[test]
fn the_answerer_must_be_a_pod_of_the_workload() {
    let check = page(json!({"answered_by": {"kind": "Deployment", "name": "shop"}}));
    assert_met(&on(shop(), &check, vec![answered("shop 1.4", "shop-a-2")]));
    let impostor = on(shop(), &check, vec![answered("shop 1.4", "impostor")]);
    assert_not_met(&impostor, "answered by impostor, which is not part of Deployment shop");
    assert_not_met(&alone_by(&check, status(200, "shop 1.4")), "does not come from Deployment shop");
    assert_unknown(&on(shop().failing("Pod"), &check, vec![answered("shop 1.4", "shop-a-2")]), "etcd is away");
    assert_not_met(&on(shop().with("Deployment", []), &check, vec![answered("shop 1.4", "shop-a-2")]), "shop-a-2");
}

fn alone_by(check: &Check, outcome: Outcome) -> Verdict {
    on(shop(), check, vec![exchange(outcome)])
}

#[test]
fn the_answerer_may_be_a_container_by_host_name_or_id() {
    let check = page(json!({"answered_by": {"kind": "Container", "name": "web"}}));
    let world = || World::docker().with("Container", [container("web"), container("relay")]);
    for instance in ["web01234567", "web0123456789abcdef", "web012345678", "web"] {
        assert_met(&on(world(), &check, vec![answered("shop 1.4", instance)]));
    }
    assert_not_met(&on(world(), &check, vec![answered("shop 1.4", "relay01234567")]), "relay01234567");
}

#[test]
fn the_answerer_may_be_any_container_of_an_image() {
    let of = |kind: &str| page(json!({"answered_by": {"kind": kind, "name": "registry.example/shop/web:1.4"}}));
    let other = but(container("other"), json!({"Config": {"Image": "registry.example/shop/web:1.3"}}));
    let world = || World::docker().with("Container", [container("web"), container("web2"), other.clone()]);
    assert_met(&on(world(), &of("Image"), vec![answered("shop 1.4", "web201234567")]));
    assert_not_met(&on(world(), &of("Image"), vec![answered("shop 1.4", "other01234567")]), "other01234567");
    assert_unknown(
        &on(world(), &of("Deployment"), vec![answered("shop 1.4", "web01234567")]),
        "instances of a Deployment",
    );
}

fn twin() -> Check {
    check(json!({"http": {"request": {"url": "http://shop/"}, "refused": {"control": "http://dns/"}}}))
}

fn with_control(outcome: Outcome, control_reached: Option<bool>) -> Verdict {
    on(World::kubernetes(), &twin(), vec![Exchange { control_reached, ..exchange(outcome) }])
}

#[test]
fn a_negative_twin_is_met_by_silence_only_with_its_control() {
    for outcome in LOUD.into_iter().chain(SILENT) {
        assert_met(&with_control(outcome.clone(), Some(true)));
        assert_unknown(&with_control(outcome, Some(false)), "nothing is proved");
    }
    for outcome in SILENT {
        assert_unknown(&with_control(outcome, None), "http://dns/");
    }
    for outcome in LOUD {
        assert_met(&with_control(outcome, None));
    }
}

#[test]
fn a_negative_twin_that_is_answered_is_not_met_whatever_the_answer() {
    for control in [None, Some(true), Some(false)] {
        assert_not_met(&with_control(status(403, "no"), control), "answers, and it must not: answered 403");
    }
}

#[test]
fn a_negative_twin_without_an_exchange_is_unknown() {
    assert_unknown(&on(World::kubernetes(), &twin(), vec![]), "sent no request");
}

#[test]
fn long_bodies_are_cut_at_a_character() {
    let body = "ä".repeat(500);
    let verdict = alone(&page(json!({})), status(200, &body));
    let found = &verdict.evidence().unwrap().found;
    assert!(found.contains(&format!("{}…", "ä".repeat(80))) && found.chars().count() < 140, "{found}");
}

#[test]
fn the_query_carries_what_the_check_says() {
    let check = check(json!({"http": {
        "from": {"namespace": "other"}, "request": {"url": "http://shop/"}, "times": 20, "within": "2s",
        "refused": {"control": "http://dns/"},
    }}));
    let queries = check.queries(breakfix_lab::Platform::Kubernetes, &shop().scope());
    let [Query::Requests { from, times: 20, timeout, control: Some(control), .. }] = queries.as_slice() else {
        panic!("{queries:?}");
    };
    assert_eq!(
        (from.namespace.as_deref(), *timeout, control.as_str()),
        (Some("other"), Duration::from_secs(2), "http://dns/")
    );
}

#[test]
fn a_header_must_say_so() {
    let hit = page(json!({"headers": {"x-cache": "hit"}}));
    let with = |value: &str| Outcome::Answered {
        status: 200,
        headers: BTreeMap::from([("X-Cache".to_owned(), value.to_owned())]),
        body: "shop 1.4".to_owned(),
    };
    assert_met(&alone(&hit, with("hit")));
    assert_not_met(&alone(&hit, with("miss")), "the answer's x-cache is \"miss\"");
    assert_not_met(&alone(&hit, status(200, "shop 1.4")), "the answer has no x-cache");
}

#[test]
fn what_warms_up_is_not_looked_at() {
    let check = page(json!({"warm_up": 1, "times": 2}));
    let good = || answered("shop 1.4", "x");
    let bad = || exchange(Outcome::TimedOut);
    assert_met(&on(World::kubernetes(), &check, vec![bad(), good(), good()]));
    assert_not_met(&on(World::kubernetes(), &check, vec![good(), good(), bad()]), "request 2 of 2");
    // Of two probers each warms up.
    assert_met(&on(World::kubernetes(), &check, vec![bad(), good(), good(), bad(), good(), good()]));
    assert_unknown(&on(World::kubernetes(), &check, vec![good(), good()]), "sent 1 of 2");
}

#[test]
fn one_colour_for_everybody() {
    let check = page(json!({"alike": true, "times": 3}));
    let all = |bodies: [&str; 3]| on(World::kubernetes(), &check, bodies.map(|body| answered(body, "x")).to_vec());
    assert_met(&all(["shop 1.4 blue", "shop 1.4 blue\n", "shop 1.4 blue"]));
    assert_not_met(&all(["shop 1.4 blue", "shop 1.4 green", "shop 1.4 blue"]), "2 different answers");
}

#[test]
fn a_share_has_two_ends() {
    let check = page(json!({"share": {"contains": "v2", "at_least": 5, "at_most": 25}, "times": 20}));
    let canary = |count: usize| {
        let bodies = (0..20).map(|n| if n < count { "shop 1.4 v2" } else { "shop 1.4 v1" });
        on(World::kubernetes(), &check, bodies.map(|body| answered(body, "x")).collect())
    };
    for (count, met) in [(0, false), (1, true), (5, true), (6, false), (20, false)] {
        assert_eq!(canary(count).is_met(), met, "{count}: {:?}", canary(count));
    }
    assert_not_met(&canary(6), "6 of 20 answers say \"v2\"");
}

#[test]
fn ninety_five_of_a_hundred_are_quick() {
    let check = page(json!({"p95": "500ms", "times": 20}));
    let slow = |count: usize| {
        let took = |n: usize| Duration::from_millis(if n < count { 900 } else { 20 });
        let all = (0..20).map(|n| Exchange { took: took(n), ..answered("shop 1.4", "x") });
        on(World::kubernetes(), &check, all.collect())
    };
    assert_met(&slow(1));
    assert_not_met(&slow(2), "95 of 100 answers take up to 900 ms");
}

#[test]
fn what_was_there_before_must_be_there() {
    let check = check(json!({"http": {"request": {"url": "http://shop/orders"}, "body": {"remembered": "orders"}}}));
    let mut world = World::kubernetes();
    let body = |text: &str| vec![exchange(status(200, text))];
    assert_unknown(&on(world.clone(), &check, body("a 1\n")), "nothing was remembered as `orders`");
    world.baseline.remembered.insert("orders".to_owned(), "a 1\nb 2\n".to_owned());
    assert_met(&on(world.clone(), &check, body("c 9\nb 2\na 1\n")));
    // The ids typed in again have other checksums.
    assert_not_met(&on(world.clone(), &check, body("a 7\nb 8\n")), "2 of the 2 entries of before are not there");
    assert_not_met(&on(world, &check, body("")), "2 of the 2");
}
