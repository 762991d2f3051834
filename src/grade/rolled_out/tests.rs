//! Fixtures: Deployments, StatefulSets and DaemonSets on their way.

use serde_json::{Value, json};

use crate::fixture::*;

fn wanted() -> breakfix_lab::Check {
    check(json!({"rolled_out": {"kind": "Deployment", "name": "shop"}}))
}

fn changed(patch: Value) -> World {
    shop().with("Deployment", [but(deployment("shop", 3), patch)])
}

fn with_first_pod(patch: Value) -> World {
    let [a, b, c] = shop_pods();
    shop().with("Pod", [but(a, patch), b, c])
}

fn container(patch: Value) -> World {
    let mut status = json!({
        "name": "web", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "2026-11-21T11:00:00Z"}},
    });
    status = but(status, patch);
    with_first_pod(json!({"status": {"containerStatuses": [status]}}))
}

#[test]
fn healthy_is_met() {
    let verdict = shop().judge(&wanted());
    assert_met(&verdict);
    assert_eq!(verdict.evidence().unwrap().found, "3 ready of generation 2");
}

#[test]
fn deleted_is_not_met() {
    assert_not_met(&World::kubernetes().judge(&wanted()), "Deployment shop does not exist");
}

#[test]
fn a_stale_status_is_not_met_whatever_it_says() {
    assert_not_met(&changed(json!({"metadata": {"generation": 3}})).judge(&wanted()), "has not caught up yet");
}

#[test]
fn numbers_that_differ_are_not_met() {
    for (patch, says) in [
        (json!({"status": {"readyReplicas": 2}}), "has 2 of 3 ready"),
        (json!({"status": {"readyReplicas": null}}), "has 0 of 3 ready"),
        (json!({"status": {"updatedReplicas": 1}}), "has 1 of 3 up to date"),
        (json!({"status": {"replicas": 4}}), "still runs 1 that it does not want"),
        (json!({"status": {"availableReplicas": 2}}), "2 available"),
    ] {
        let verdict = changed(patch).judge(&wanted());
        assert_not_met(&verdict, says);
        assert_eq!(verdict.evidence().unwrap().look.as_deref(), Some("kubectl -n shop get pods"));
        assert_eq!(verdict.evidence().unwrap().wanted, "3 ready of generation 2, all up to date");
    }
}

#[test]
fn wanting_none_is_not_rolled_out() {
    let world = changed(json!({
        "spec": {"replicas": 0},
        "status": {"replicas": 0, "updatedReplicas": null, "readyReplicas": null, "availableReplicas": null},
    }));
    assert_not_met(&world.with("Pod", []).judge(&wanted()), "wants no pod at all");
}

#[test]
fn paused_is_not_met() {
    assert_not_met(&changed(json!({"spec": {"paused": true}})).judge(&wanted()), "is paused");
}

#[test]
fn a_roll_out_that_has_not_ended_is_not_met() {
    for (status, reason) in
        [("False", "ProgressDeadlineExceeded"), ("True", "ReplicaSetUpdated"), ("Unknown", "DeploymentPaused")]
    {
        let conditions =
            json!({"status": {"conditions": [{"type": "Progressing", "status": status, "reason": reason}]}});
        assert_not_met(&changed(conditions).judge(&wanted()), reason);
    }
}

#[test]
fn no_word_about_progress_is_not_met_unless_there_is_no_deadline() {
    let silent = json!({"status": {"conditions": []}});
    assert_not_met(&changed(silent.clone()).judge(&wanted()), "does not say");
    assert_met(&changed(but(silent, json!({"spec": {"progressDeadlineSeconds": 2_147_483_647}}))).judge(&wanted()));
}

#[test]
fn a_status_that_lags_behind_a_deletion_is_seen_through() {
    let world = with_first_pod(json!({"metadata": {"deletionTimestamp": NOW}}));
    assert_not_met(&world.judge(&wanted()), "has 2 Ready pods, 3 are wanted");
}

#[test]
fn pods_of_nobody_and_probes_do_not_count() {
    let [a, b, c] = shop_pods();
    let orphan = but(c, json!({"metadata": {"ownerReferences": null}}));
    assert_not_met(&shop().with("Pod", [a.clone(), b.clone(), orphan]).judge(&wanted()), "2 Ready pods");
    let [_, _, c] = shop_pods();
    assert_met(&shop().with("Pod", [a, b, c, probe("10.0.0.9")]).judge(&wanted()));
}

#[test]
fn a_restart_a_moment_ago_is_not_met_and_one_long_ago_is() {
    let recent = json!({"restartCount": 4, "state": {"running": {"startedAt": "2026-11-21T11:59:50Z"}}});
    assert_not_met(&container(recent).judge(&wanted()), "restarted 10s ago");
    let ended = json!({"restartCount": 4, "lastState": {"terminated": {"finishedAt": "2026-11-21T11:59:45Z"}}});
    assert_not_met(&container(ended).judge(&wanted()), "restarted 15s ago");
    let old = json!({"restartCount": 4, "state": {"running": {"startedAt": "2026-11-21T11:59:30Z"}}});
    assert_met(&container(old).judge(&wanted()));
}

#[test]
fn a_first_start_a_moment_ago_is_no_restart() {
    assert_met(&container(json!({"state": {"running": {"startedAt": "2026-11-21T11:59:59Z"}}})).judge(&wanted()));
}

#[test]
fn a_restart_in_the_future_is_a_clock_a_little_off() {
    let ahead = json!({"restartCount": 1, "state": {"running": {"startedAt": "2026-11-21T12:00:02Z"}}});
    assert_not_met(&container(ahead).judge(&wanted()), "restarted 0s ago");
}

#[test]
fn quiet_is_as_long_as_the_check_says() {
    let recent = container(json!({"restartCount": 1, "state": {"running": {"startedAt": "2026-11-21T11:59:50Z"}}}));
    let short = check(json!({"rolled_out": {"kind": "Deployment", "name": "shop", "quiet": "5s"}}));
    assert_met(&recent.judge(&short));
}

#[test]
fn a_waiting_container_is_not_met() {
    let waiting = json!({"state": {"running": null, "waiting": {"reason": "CrashLoopBackOff"}}});
    assert_not_met(&container(waiting).judge(&wanted()), "CrashLoopBackOff");
}

#[test]
fn a_restart_of_a_sidecar_counts() {
    let sidecar =
        json!([{"name": "log", "restartCount": 2, "state": {"running": {"startedAt": "2026-11-21T11:59:59Z"}}}]);
    assert_not_met(
        &with_first_pod(json!({"status": {"initContainerStatuses": sidecar}})).judge(&wanted()),
        "container log",
    );
}

#[test]
fn an_api_error_is_unknown() {
    for kind in ["Deployment", "ReplicaSet", "Pod"] {
        assert_unknown(&shop().failing(kind).judge(&wanted()), "etcd is away");
    }
}

#[test]
fn a_kind_that_is_not_rolled_out_is_unknown_and_a_problem() {
    let service = check(json!({"rolled_out": {"kind": "Service", "name": "shop"}}));
    assert_unknown(&shop().judge(&service), "cannot be rolled out");
    assert_eq!(crate::Judge::problems(&service).len(), 1);
    assert!(crate::Judge::problems(&wanted()).is_empty());
}

fn stateful_set(patch: Value) -> World {
    let set = json!({
        "metadata": {"name": "db", "namespace": "shop", "uid": "uid-db", "generation": 1},
        "spec": {"replicas": 1},
        "status": {
            "observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1,
            "currentRevision": "db-1", "updateRevision": "db-1",
        },
    });
    World::kubernetes()
        .with("StatefulSet", [but(set, patch)])
        .with("Pod", [pod("db-0", "10.0.0.20", "StatefulSet", "db")])
}

#[test]
fn a_stateful_set_has_revisions() {
    let db = check(json!({"rolled_out": {"kind": "StatefulSet", "name": "db"}}));
    assert_met(&stateful_set(json!({})).judge(&db));
    let between = json!({"status": {"updateRevision": "db-2", "updatedReplicas": null}});
    assert_not_met(&stateful_set(between).judge(&db), "has 0 of 1 up to date");
    // A controller that has nothing to update leaves the number out.
    assert_met(&stateful_set(json!({"status": {"updatedReplicas": null}})).judge(&db));
}

#[test]
fn a_daemon_set_counts_nodes() {
    let agent = check(json!({"rolled_out": {"kind": "DaemonSet", "name": "agent"}}));
    let set = json!({
        "metadata": {"name": "agent", "namespace": "shop", "uid": "uid-agent", "generation": 5},
        "status": {
            "observedGeneration": 5, "desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2,
            "numberReady": 2, "numberAvailable": 2, "numberMisscheduled": 0,
        },
    });
    let pods = ["1", "2"].map(|n| pod(&format!("agent-{n}"), &format!("10.0.1.{n}"), "DaemonSet", "agent"));
    let world = World::kubernetes().with("Pod", pods);
    assert_met(&world.clone().with("DaemonSet", [set.clone()]).judge(&agent));
    let short = but(set.clone(), json!({"status": {"numberReady": 1, "numberAvailable": 1}}));
    assert_not_met(&world.clone().with("DaemonSet", [short]).judge(&agent), "has 1 of 2 ready");
    let nowhere = but(set, json!({"status": {"desiredNumberScheduled": 0}}));
    assert_not_met(&world.with("DaemonSet", [nowhere]).judge(&agent), "wants no pod at all");
}
