//! Fixtures: smaller, paused, stopped, gone.

use serde_json::{Value, json};

use crate::{Verdict, fixture::*};

fn kept(kind: &str) -> breakfix_lab::Check {
    check(json!({"scale_kept": {"kinds": [kind]}}))
}

fn judge(before: Value, now: Value) -> Verdict {
    World::kubernetes().from("Deployment", [before]).with("Deployment", [now]).judge(&kept("Deployment"))
}

fn container_judged(before: Value, now: Value) -> Verdict {
    World::docker().from("Container", [before]).with("Container", [now]).judge(&kept("Container"))
}

#[test]
fn as_many_or_more_is_met() {
    assert_met(&judge(deployment("shop", 3), deployment("shop", 3)));
    assert_met(&judge(deployment("shop", 3), deployment("shop", 5)));
}

#[test]
fn what_is_wanted_counts_not_what_there_is() {
    let down = but(deployment("shop", 3), json!({"status": {"readyReplicas": 0}}));
    assert_met(&judge(deployment("shop", 3), down));
}

#[test]
fn fewer_is_not_met() {
    assert_not_met(
        &judge(deployment("shop", 3), deployment("shop", 0)),
        "Deployment shop wants 0 replicas, it wanted 3",
    );
    let default = but(deployment("shop", 3), json!({"spec": {"replicas": null}}));
    assert_not_met(&judge(deployment("shop", 3), default), "wants 1 replicas");
}

#[test]
fn paused_suspended_and_deleted_are_not_met() {
    let paused = || but(deployment("shop", 3), json!({"spec": {"paused": true}}));
    assert_not_met(&judge(deployment("shop", 3), paused()), "is paused");
    assert_met(&judge(paused(), paused()));
    let going = but(deployment("shop", 3), json!({"metadata": {"deletionTimestamp": NOW}}));
    assert_not_met(&judge(deployment("shop", 3), going), "is being deleted");
    assert_not_met(
        &World::kubernetes().from("Deployment", [deployment("shop", 3)]).judge(&kept("Deployment")),
        "is gone",
    );
    let cron =
        |suspend: bool| json!({"metadata": {"name": "report", "namespace": "shop"}, "spec": {"suspend": suspend}});
    let world = World::kubernetes().from("CronJob", [cron(false)]).with("CronJob", [cron(true)]);
    assert_not_met(&world.judge(&kept("CronJob")), "CronJob report is suspended");
}

#[test]
fn made_anew_as_large_is_met() {
    assert_met(&judge(deployment("shop", 3), but(deployment("shop", 3), json!({"metadata": {"uid": "another"}}))));
}

#[test]
fn an_exception_frees_an_object() {
    let free =
        check(json!({"scale_kept": {"kinds": ["Deployment"], "except": [{"kind": "Deployment", "name": "shop"}]}}));
    let world =
        World::kubernetes().from("Deployment", [deployment("shop", 3)]).with("Deployment", [deployment("shop", 0)]);
    assert_met(&world.judge(&free));
}

#[test]
fn containers_stay_and_run() {
    assert_met(&container_judged(container("web"), container("web")));
    let stopped = || but(container("web"), json!({"State": {"Status": "exited", "Running": false}}));
    assert_not_met(&container_judged(container("web"), stopped()), "Container web is stopped");
    assert_met(&container_judged(stopped(), stopped()));
    let between = but(stopped(), json!({"State": {"Restarting": true}}));
    assert_met(&container_judged(container("web"), between));
    let paused = but(container("web"), json!({"State": {"Paused": true}}));
    assert_not_met(&container_judged(stopped(), paused), "is paused");
    assert_not_met(
        &World::docker().from("Container", [container("web")]).judge(&kept("Container")),
        "Container web is gone",
    );
}

#[test]
fn an_api_error_or_no_baseline_is_unknown() {
    assert_unknown(
        &shop().from("Deployment", [deployment("shop", 3)]).failing("Deployment").judge(&kept("Deployment")),
        "etcd",
    );
    assert_unknown(&shop().judge(&kept("Deployment")), "the baseline was not taken");
}
