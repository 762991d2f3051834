//! Fixtures: admitted, refused for the right reason, refused for another.

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::{Admission, Fetched, Judge, Verdict, fixture::*};

fn on(check: &Check, admission: Admission) -> Verdict {
    let world = World::kubernetes();
    let query = check.queries(world.platform, &world.scope()).remove(0);
    world.answering(query, Fetched::Admission(admission)).judge(check)
}

fn create(extra: Value) -> Check {
    check(json!({"dry_run": but(json!({"create": "controls/pod.yaml"}), extra)}))
}

fn refused(code: u16, message: &str) -> Admission {
    Admission::Refused { code, message: message.to_owned() }
}

#[test]
fn admitted_where_it_must_be() {
    assert_met(&on(&create(json!({})), Admission::Admitted));
    let verdict = on(&create(json!({})), refused(500, "failed calling webhook \"guard\""));
    assert_not_met(&verdict, "would be refused: failed calling webhook");
}

#[test]
fn a_rail_that_still_bites() {
    let check = create(json!({"refused": "violates PodSecurity"}));
    assert_met(&on(&check, refused(403, "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"")));
    assert_not_met(&on(&check, Admission::Admitted), "would be admitted");
}

#[test]
fn bypassed_by_another_refusal() {
    let check = create(json!({"refused": "violates PodSecurity"}));
    assert_not_met(&on(&check, refused(403, "exceeded quota: team")), "for another reason");
    assert_not_met(&on(&check, refused(404, "namespaces \"shop\" not found")), "for another reason");
}

#[test]
fn an_eviction_needs_a_pod() {
    let check = check(json!({"dry_run": {"evict": {"kind": "Deployment", "name": "web"}}}));
    assert_met(&on(&check, Admission::Admitted));
    assert_not_met(
        &on(&check, refused(429, "Cannot evict pod as it would violate the pod's disruption budget.")),
        "budget",
    );
    assert_not_met(&on(&check, Admission::Nothing), "there is none");
}

#[test]
fn what_could_not_be_asked_is_unknown() {
    assert_unknown(
        &World::kubernetes().judge(&create(json!({}))),
        "nothing was fetched for dry run of controls/pod.yaml",
    );
}
