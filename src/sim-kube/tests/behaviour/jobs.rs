//! Jobs and CronJobs: how often, how long, and when it is enough.

use breakfix_sim_kube::{api::verbs::DeleteOptions, kind};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, condition};

fn job(name: &str, script: &str, extra: Value) -> Value {
    let mut job = json!({
        "metadata": {"name": name},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": WEB, "command": ["sh", "-c", script]}],
        }}},
    });
    for (field, value) in extra.as_object().unwrap() {
        job["spec"][field] = value.clone();
    }
    job
}

const WELL: &str = "echo done";
const ILL: &str = "echo trying; exit 1";
const LONG: &str = "sleep 1000";

fn status(world: &World, name: &str) -> Value {
    world.get(&kind::JOB, name)["status"].clone()
}

fn conditions(world: &World, name: &str) -> Vec<String> {
    let status = status(world, name);
    let list = status["conditions"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|condition| {
            format!(
                "{}={} {}",
                condition["type"].as_str().unwrap(),
                condition["status"].as_str().unwrap(),
                condition["reason"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_job_is_complete_when_enough_pods_have_succeeded() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, job("ok", WELL, json!({"completions": 3, "parallelism": 2})));
    world.run_millis(300);
    assert_eq!(status(&world, "ok")["active"], 2);
    world.run(15);
    assert_eq!(
        conditions(&world, "ok"),
        ["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached"]
    );
    let status = status(&world, "ok");
    assert_eq!((&status["succeeded"], &status["uncountedTerminatedPods"]), (&json!(3), &json!({})));
    assert!(status["completionTime"].is_string());
    assert!(world.pods().iter().all(|pod| pod["metadata"]["finalizers"].is_null()), "all are counted");
    assert!(world.events().contains(&"Completed Job/ok x1: Job completed".to_owned()));
}

/// Tried on 1.36 (`job-backofflimit`): new pods about 10 s and 20 s after the failures, then FailureTarget and Failed.
#[test]
fn failures_hold_up_the_next_try_until_the_limit() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, job("fail", ILL, json!({"backoffLimit": 2})));
    let tries = |world: &World| world.pods().len();
    world.run(5);
    assert_eq!(tries(&world), 1);
    world.run(8);
    assert_eq!(tries(&world), 2);
    world.run(12);
    assert_eq!(tries(&world), 2);
    world.run(15);
    assert_eq!(tries(&world), 3);
    world.run(60);
    assert_eq!(tries(&world), 3, "no further try");
    assert_eq!(
        conditions(&world, "fail"),
        ["FailureTarget=True BackoffLimitExceeded", "Failed=True BackoffLimitExceeded"]
    );
    assert_eq!(status(&world, "fail")["failed"], 3);
    assert!(
        world
            .events()
            .contains(&"BackoffLimitExceeded Job/fail x1: Job has reached the specified backoff limit".to_owned())
    );
}

/// Documented: `OnFailure` counts restarts, and the pod is deleted in the end.
#[test]
fn restarts_count_where_the_pod_restarts_its_containers() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, {
        let mut job = job("fail", ILL, json!({"backoffLimit": 2}));
        job["spec"]["template"]["spec"]["restartPolicy"] = json!("OnFailure");
        job
    });
    world.run(60);
    assert_eq!(
        conditions(&world, "fail"),
        ["FailureTarget=True BackoffLimitExceeded", "Failed=True BackoffLimitExceeded"]
    );
    assert_eq!(world.pods().len(), 0, "a Job that failed leaves no running pod");
}

#[test]
fn a_deadline_ends_what_takes_too_long() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, job("slow", LONG, json!({"activeDeadlineSeconds": 10})));
    world.run(9);
    assert_eq!(status(&world, "slow")["active"], 1);
    world.run(10);
    assert_eq!(conditions(&world, "slow"), ["FailureTarget=True DeadlineExceeded", "Failed=True DeadlineExceeded"]);
    assert!(
        world
            .events()
            .contains(&"DeadlineExceeded Job/slow x1: Job was active longer than specified deadline".to_owned())
    );
}

#[test]
fn a_job_that_is_over_is_deleted_after_its_time() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, job("ok", WELL, json!({"ttlSecondsAfterFinished": 20})));
    world.run(15);
    assert!(world.cluster.get(&kind::JOB, SPACE, "ok").is_ok());
    world.run(20);
    assert!(world.cluster.get(&kind::JOB, SPACE, "ok").is_err());
    assert_eq!(world.pods().len(), 0);
}

/// Documented: a suspended Job has no pods; resumed, its clock starts anew.
#[test]
fn a_job_can_rest() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, job("rest", LONG, json!({"suspend": true})));
    world.run(3);
    assert_eq!(world.pods().len(), 0);
    assert_eq!(conditions(&world, "rest"), ["Suspended=True JobSuspended"]);
    assert!(status(&world, "rest")["startTime"].is_null());
    world.edit(&kind::JOB, "rest", |job| job["spec"]["suspend"] = json!(false));
    world.run(3);
    assert_eq!(world.pods().len(), 1);
    assert_eq!(conditions(&world, "rest"), ["Suspended=False JobResumed"]);
    world.edit(&kind::JOB, "rest", |job| job["spec"]["suspend"] = json!(true));
    world.run(5);
    assert_eq!(world.pods().len(), 0);
    assert!(world.events().iter().any(|event| event.starts_with("Suspended Job/rest x2")), "{}", world.scene());
}

#[test]
fn numbered_pods_know_their_number() {
    let mut world = World::new();
    let spec = json!({"completionMode": "Indexed", "completions": 3, "parallelism": 2});
    world.create(&kind::JOB, SPACE, job("many", WELL, spec));
    world.run(1);
    let first = world.pods_of("many-0-").remove(0);
    assert_eq!(first["spec"]["hostname"], "many-0");
    assert_eq!(first["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"], "0");
    assert_eq!(first["spec"]["containers"][0]["env"][0]["name"], "JOB_COMPLETION_INDEX");
    world.run(15);
    let status = status(&world, "many");
    assert_eq!((&status["completedIndexes"], &status["succeeded"]), (&json!("0-2"), &json!(3)));
    assert_eq!(condition(&world.get(&kind::JOB, "many"), "Complete"), "True");
}

/// Documented: with `backoffLimitPerIndex` each number has tries of its own, and the Job fails when none is left.
#[test]
fn each_number_fails_for_itself() {
    let mut world = World::new();
    let spec = json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimitPerIndex": 1});
    world.create(&kind::JOB, SPACE, job("many", ILL, spec));
    world.run(8);
    assert_eq!(world.pods().len(), 2, "each waits ten seconds");
    world.run(40);
    let pods = world.pods_of("many-1-");
    assert_eq!(pods.len(), 2);
    let counts: Vec<&str> = pods
        .iter()
        .map(|pod| pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"].as_str().unwrap())
        .collect();
    assert!(counts.contains(&"0") && counts.contains(&"1"), "{counts:?}");
    assert_eq!(status(&world, "many")["failedIndexes"], "0,1");
    assert_eq!(conditions(&world, "many"), ["FailureTarget=True FailedIndexes", "Failed=True FailedIndexes"]);
}

#[test]
fn a_rule_may_fail_the_job_at_once() {
    let mut world = World::new();
    let rules =
        json!([{"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [1]}}]);
    world.create(&kind::JOB, SPACE, job("fail", ILL, json!({"podFailurePolicy": {"rules": rules}})));
    world.run(10);
    let pod = world.pods().remove(0);
    let message = format!(
        "Container main for pod shop/{} failed with exit code 1 matching FailJob rule at index 0",
        pod["metadata"]["name"].as_str().unwrap()
    );
    let status = status(&world, "fail");
    assert_eq!(conditions(&world, "fail"), ["FailureTarget=True PodFailurePolicy", "Failed=True PodFailurePolicy"]);
    assert_eq!(status["conditions"][1]["message"], json!(message));
}

#[test]
fn the_pods_of_a_deleted_job_go_too() {
    let mut world = World::new();
    world.create(&kind::JOB, SPACE, job("slow", LONG, json!({"parallelism": 2, "completions": 2})));
    world.run(4);
    world.cluster.delete(&kind::JOB, SPACE, "slow", &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(10);
    assert_eq!(world.pods().len(), 0, "no finalizer holds them");
}

fn cron_job(schedule: &str, script: &str, extra: Value) -> Value {
    let mut cron = json!({
        "metadata": {"name": "tick"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": job("", script, json!({}))["spec"]}},
    });
    for (field, value) in extra.as_object().unwrap() {
        cron["spec"][field] = value.clone();
    }
    cron
}

fn jobs(world: &World) -> Vec<String> {
    world
        .cluster
        .list(&kind::JOB, Some(SPACE))
        .map(|job| job["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Tried on 1.36 (`cronjob`): the name ends in the minute, the moment is in an annotation. The cluster's clock begins at 11:07:30.
#[test]
fn a_schedule_makes_a_job_a_minute_and_keeps_three() {
    let mut world = World::new();
    world.create(&kind::CRON_JOB, SPACE, cron_job("*/1 * * * *", WELL, json!({})));
    world.run(20);
    assert_eq!(jobs(&world), Vec::<String>::new());
    world.run(15);
    assert_eq!(jobs(&world), ["tick-29920988"]);
    let job = world.get(&kind::JOB, "tick-29920988");
    assert_eq!(
        job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"],
        "2026-11-21T11:08:00Z"
    );
    let cron = world.get(&kind::CRON_JOB, "tick");
    assert_eq!(cron["status"]["lastScheduleTime"], "2026-11-21T11:08:00Z");
    world.run(300);
    assert_eq!(jobs(&world).len(), 3, "{:?}", jobs(&world));
    let cron = world.get(&kind::CRON_JOB, "tick");
    assert!(cron["status"]["active"].is_null() && cron["status"]["lastSuccessfulTime"].is_string());
    let events = world.events();
    for words in [
        "SuccessfulCreate CronJob/tick x1: Created job tick-29920988",
        "SawCompletedJob CronJob/tick x1: Saw completed job: tick-29920988, condition: Complete",
        "SuccessfulDelete CronJob/tick x1: Deleted job tick-29920988",
    ] {
        assert!(events.contains(&words.to_owned()), "{words}\n{}", world.scene());
    }
}

#[test]
fn forbid_waits_and_replace_does_not() {
    let mut world = World::new();
    world.create(&kind::CRON_JOB, SPACE, cron_job("*/1 * * * *", LONG, json!({"concurrencyPolicy": "Forbid"})));
    world.run(160);
    assert_eq!(jobs(&world), ["tick-29920988"]);
    let words = "JobAlreadyActive CronJob/tick x2: Not starting job because prior execution is running and concurrency policy is Forbid";
    assert!(world.events().contains(&words.to_owned()), "{}", world.scene());
    world.edit(&kind::CRON_JOB, "tick", |cron| cron["spec"]["concurrencyPolicy"] = json!("Replace"));
    world.run(60);
    assert_eq!(jobs(&world).len(), 1);
    assert_ne!(jobs(&world), ["tick-29920988"]);
}

#[test]
fn a_suspended_schedule_rests_and_a_manual_job_is_seen() {
    let mut world = World::new();
    let cron = world.create(&kind::CRON_JOB, SPACE, cron_job("*/1 * * * *", WELL, json!({"suspend": true})));
    // As `kubectl create job --from=cronjob/tick` makes it.
    let mut manual = job("manual", WELL, json!({}));
    manual["metadata"]["annotations"] = json!({"cronjob.kubernetes.io/instantiate": "manual"});
    manual["metadata"]["ownerReferences"] = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick",
        "uid": cron["metadata"]["uid"], "controller": true}]);
    world.create(&kind::JOB, SPACE, manual);
    world.run(90);
    assert_eq!(jobs(&world), ["manual"]);
    assert!(
        world.events().iter().any(|event| event.starts_with("UnexpectedJob CronJob/tick")
            && event.ends_with("Saw a job that the controller did not create or forgot: manual")),
        "{}",
        world.scene()
    );
    assert!(world.get(&kind::CRON_JOB, "tick")["status"]["lastSuccessfulTime"].is_string());
}

/// Documented: `timeZone` is that of the schedule.
#[test]
fn a_zone_moves_the_hour() {
    let mut world = World::new();
    world.create(&kind::CRON_JOB, SPACE, cron_job("9 12 * * *", WELL, json!({"timeZone": "Europe/Berlin"})));
    world.run(120);
    assert_eq!(jobs(&world), ["tick-29920989"], "12:09 in Berlin is 11:09 in UTC");
    let job = world.get(&kind::JOB, "tick-29920989");
    assert_eq!(
        job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"],
        "2026-11-21T12:09:00+01:00"
    );
}
