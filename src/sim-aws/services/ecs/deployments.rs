//! Deployments of a service: how one begins, when the circuit breaker ends one, and the record that is kept of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    connect,
    find::{arn, cluster, invalid, service_arn},
    page,
    scheduler::{self, say},
    state::{Deployment, Rollback, Rollout, Service, ServiceDeployment, Throttle},
};
use crate::{
    AwsError, Call, Cloud,
    input::{flag, integer, list, required, required_list, text, texts},
    moment,
    tasks::Network,
};

/// So many failed tasks end a deployment: half of what is desired, rounded up, within 3 and 200 (developer guide, "deployment circuit
/// breaker"; `thresholdConfiguration` since July 2026).
///
/// # Errors
/// The configuration cannot be understood.
pub(super) fn threshold_of(breaker: &Value, desired: u64) -> Result<u32, String> {
    let given = breaker.get("thresholdConfiguration").filter(|it| !it.is_null());
    let kind = given.and_then(|it| text(it, "type")).unwrap_or("BOUNDED_PERCENT");
    let value = given.and_then(|it| integer(it, "value")).unwrap_or(50);
    let value = u64::try_from(value).ok().filter(|value| *value > 0);
    let value = value.ok_or_else(|| "The circuit breaker's threshold value must be greater than 0.".to_owned())?;
    if kind != "COUNT" && value > 100 {
        return Err("The circuit breaker's threshold percentage must be between 1 and 100.".to_owned());
    }
    let share = desired.saturating_mul(value).div_ceil(100);
    let threshold = match kind {
        "COUNT" => value,
        "UNBOUNDED_PERCENT" => share.max(1),
        "BOUNDED_PERCENT" => share.clamp(3, 200),
        other => return Err(format!("{other} is not a type of circuit breaker threshold.")),
    };
    Ok(u32::try_from(threshold).unwrap_or(u32::MAX))
}

/// Begins a deployment of the service's present revision.
pub(super) fn begin(cloud: &mut Cloud, service_arn: &str) {
    let now = cloud.now();
    let connect = connect::begin(cloud, service_arn);
    let number = cloud.chance.text(b"0123456789", 19);
    let id = format!("ecs-svc/{number}");
    let short = cloud.chance.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", 21);
    let Some(service) = cloud.ecs.services.get(service_arn) else { return };
    let place = format!("{}/{}", service.cluster, service.name);
    let revision_arn = arn(&cloud.config, &format!("service-revision/{place}/{number}"));
    let record_arn = arn(&cloud.config, &format!("service-deployment/{place}/{short}"));
    let deployment = Deployment {
        id: id.clone(),
        revision_arn: revision_arn.clone(),
        revision: service.revision.clone(),
        strategy: service.strategy.clone(),
        network: network(&Value::Object(service.revision.clone())),
        created: now,
        updated: now,
        rollout: Rollout::InProgress,
        reason: format!("ECS deployment {id} in progress."),
        failed: 0,
        digests: BTreeMap::new(),
        is_stalled: false,
        was_completed: false,
        connect,
    };
    let breaker = service.settings.deployment.get("deploymentCircuitBreaker").cloned().unwrap_or_default();
    let record = ServiceDeployment {
        arn: record_arn,
        deployment: id,
        target: revision_arn,
        target_body: service.revision.clone(),
        sources: service.deployments.iter().map(|it| it.revision_arn.clone()).collect(),
        created: now,
        started: Some(now),
        finished: None,
        stopped: None,
        updated: now,
        status: "IN_PROGRESS".to_owned(),
        status_reason: None,
        configuration: service.settings.deployment.clone(),
        failures: 0,
        threshold: threshold_of(&breaker, service.desired).unwrap_or(3),
        breaker: if flag(&breaker, "enable") == Some(true) { "MONITORING" } else { "DISABLED" }.to_owned(),
        rollback: None,
        triggered_alarms: Vec::new(),
    };
    if let Some(service) = cloud.ecs.services.get_mut(service_arn) {
        if let Some(before) = service.history.first_mut().filter(|it| it.finished.is_none()) {
            (before.status, before.stopped, before.updated) = ("STOPPED".to_owned(), Some(now), now);
            before.finished = Some(now);
        }
        service.deployments.insert(0, deployment);
        service.history.insert(0, record);
        service.is_steady = false;
        service.said.clear();
        service.throttle = Throttle::default();
    }
    scheduler::look(cloud, service_arn);
}

/// `awsvpcConfiguration` of a revision.
fn network(revision: &Value) -> Network {
    let given = revision.get("networkConfiguration").and_then(|it| it.get("awsvpcConfiguration"));
    let words =
        |member: &str| given.map(|it| texts(it, member)).unwrap_or_default().into_iter().map(str::to_owned).collect();
    Network {
        subnets: words("subnets"),
        groups: words("securityGroups"),
        is_public: given.and_then(|it| text(it, "assignPublicIp")) == Some("ENABLED"),
    }
}

/// A task of a deployment failed. The circuit breaker counts it.
pub(super) fn failed(cloud: &mut Cloud, service_arn: &str, deployment: &str) {
    let now = cloud.now();
    let Some(service) = cloud.ecs.services.get_mut(service_arn) else { return };
    let desired = service.desired;
    let breaker = service.settings.deployment.get("deploymentCircuitBreaker").cloned().unwrap_or_default();
    let Some(found) = service.deployments.iter_mut().find(|it| it.id == deployment) else { return };
    found.failed += 1;
    found.updated = now;
    let (failed, is_running) = (found.failed, found.rollout == Rollout::InProgress);
    let is_primary = service.deployments.first().is_some_and(|it| it.id == deployment);
    if let Some(record) = service.history.iter_mut().find(|it| it.deployment == deployment) {
        record.failures = failed;
    }
    let threshold = threshold_of(&breaker, desired).unwrap_or(3);
    let is_rolling_back = service.history.first().is_some_and(|it| it.rollback.is_some());
    if flag(&breaker, "enable") == Some(true) && is_running && is_primary && !is_rolling_back && failed >= threshold {
        let rolls_back = flag(&breaker, "rollback") == Some(true);
        give_up(
            cloud,
            service_arn,
            rolls_back,
            "tasks failed to start.",
            "Service deployment rolled back because the circuit breaker threshold was exceeded.",
        );
    }
}

/// A task of a deployment runs well: failures are no longer consecutive.
pub(super) fn succeeded(cloud: &mut Cloud, service_arn: &str, deployment: &str) {
    let Some(service) = cloud.ecs.services.get_mut(service_arn) else { return };
    let breaker = service.settings.deployment.get("deploymentCircuitBreaker").cloned().unwrap_or_default();
    if flag(&breaker, "resetOnHealthyTask") == Some(false) {
        return;
    }
    if let Some(found) = service.deployments.iter_mut().find(|it| it.id == deployment) {
        found.failed = 0;
    }
    if let Some(record) = service.history.iter_mut().find(|it| it.deployment == deployment) {
        record.failures = 0;
    }
}

/// Ends the present deployment as failed, and goes back to the last one that was completed, if that is wanted.
pub(super) fn give_up(cloud: &mut Cloud, service_arn: &str, rolls_back: bool, why: &str, record_why: &str) {
    let now = cloud.now();
    let Some(service) = cloud.ecs.services.get_mut(service_arn) else { return };
    let is_breaker = why.starts_with("tasks");
    let (failed_id, target) = {
        let Some(present) = service.deployments.first_mut() else { return };
        present.rollout = Rollout::Failed;
        present.updated = now;
        present.reason = if is_breaker {
            format!("ECS deployment circuit breaker: {why}")
        } else {
            format!("ECS deployment failed: {why}")
        };
        let failed_id = present.id.clone();
        let completed = service.deployments.iter().skip(1).find(|it| it.was_completed).cloned();
        (failed_id.clone(), completed.or_else(|| service.last_completed.clone()).filter(|it| it.id != failed_id))
    };
    if let Some(record) = service.history.first_mut() {
        record.updated = now;
        if is_breaker {
            record.breaker = "TRIGGERED".to_owned();
        }
        match target.as_ref().filter(|_| rolls_back) {
            Some(target) => {
                record.status = "ROLLBACK_IN_PROGRESS".to_owned();
                record.status_reason = Some(record_why.to_owned());
                record.rollback =
                    Some(Rollback { reason: record_why.to_owned(), at: now, revision: target.revision_arn.clone() });
            }
            None if rolls_back => {
                record.status = "ROLLBACK_FAILED".to_owned();
                record.status_reason = Some("No rollback candidate was found to run the rollback".to_owned());
                record.finished = Some(now);
            }
            None => {
                record.status = "STOPPED".to_owned();
                record.stopped = Some(now);
                record.finished = Some(now);
                record.status_reason = Some(record_why.to_owned());
            }
        }
    }
    let name = service.name.clone();
    match target.filter(|_| rolls_back) {
        Some(mut target) => {
            target.rollout = Rollout::InProgress;
            target.updated = now;
            target.failed = 0;
            target.reason = match is_breaker {
                true => format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", target.id),
                false => format!("ECS deployment rolling back to deploymentId {}.", target.id),
            };
            let target_id = target.id.clone();
            service.revision = target.revision.clone();
            service.deployments.retain(|it| it.id != target_id);
            service.deployments.insert(0, target);
            service.throttle = Throttle::default();
            say(cloud, service_arn, &format!("(service {name}) (deployment {failed_id}) deployment failed: {why}"));
            say(cloud, service_arn, &format!("(service {name}) rolling back to deployment {target_id}."));
        }
        None => {
            if let Some(present) = service.deployments.first_mut() {
                present.is_stalled = true;
            }
            say(cloud, service_arn, &format!("(service {name}) (deployment {failed_id}) deployment failed: {why}"));
        }
    }
    scheduler::look(cloud, service_arn);
}

/// A CloudWatch alarm goes into ALARM: deployments that watch it fail, and go back where they are told to. One that was in ALARM when a
/// deployment began does not count for it (developer guide, "deployment alarms"), and does not come here again while it stays so.
pub fn alarm_changed(cloud: &mut Cloud, alarm: &str, is_alarm: bool) {
    let watching: Vec<(String, bool)> = cloud
        .ecs
        .services
        .values()
        .filter(|it| is_alarm && it.deployments.first().is_some_and(|it| it.rollout == Rollout::InProgress))
        .filter(|it| it.history.first().is_some_and(|it| it.rollback.is_none()))
        .filter_map(|it| {
            let alarms = it.settings.deployment.get("alarms")?;
            let watches = flag(alarms, "enable") == Some(true) && texts(alarms, "alarmNames").contains(&alarm);
            watches.then(|| (it.arn.clone(), flag(alarms, "rollback") == Some(true)))
        })
        .collect();
    for (service, rolls_back) in watching {
        if let Some(record) = cloud.ecs.services.get_mut(&service).and_then(|it| it.history.first_mut()) {
            record.triggered_alarms.push(alarm.to_owned());
        }
        let why = "Service deployment rolled back because an alarm was detected.";
        give_up(cloud, &service, rolls_back, "alarm detected.", why);
    }
}

/// The present deployment has reached its end.
pub(super) fn completed(service: &mut Service, now: breakfix_sim::SimTime) {
    let Some(present) = service.deployments.first_mut() else { return };
    present.rollout = Rollout::Completed;
    present.was_completed = true;
    present.updated = now;
    present.reason = format!("ECS deployment {} completed.", present.id);
    service.last_completed = Some(present.clone());
    if let Some(record) = service.history.first_mut() {
        record.updated = now;
        record.finished = Some(now);
        if record.breaker == "MONITORING" {
            record.breaker = "MONITORING_COMPLETE".to_owned();
        }
        record.status = match record.rollback {
            Some(_) => "ROLLBACK_SUCCESSFUL",
            None => "SUCCESSFUL",
        }
        .to_owned();
    }
}

fn shown(cloud: &Cloud, service: &Service, record: &ServiceDeployment) -> Value {
    let summary = |revision: &str| {
        let found = service.deployments.iter().find(|it| it.revision_arn == revision);
        let (running, pending) =
            found.map_or((0, 0), |it| super::service_view::counts(cloud, &service.arn, Some(&it.id)));
        let is_present = service.deployments.first().is_some_and(|it| it.revision_arn == revision);
        let requested = if is_present { service.desired } else { 0 };
        json!({"arn": revision, "requestedTaskCount": requested, "runningTaskCount": running, "pendingTaskCount": pending})
    };
    let cluster = cloud.ecs.clusters.get(&service.cluster).map(|it| it.arn.clone());
    let mut out = json!({
        "serviceDeploymentArn": record.arn,
        "serviceArn": service.arn,
        "clusterArn": cluster,
        "createdAt": moment::of(cloud, record.created),
        "updatedAt": moment::of(cloud, record.updated),
        "sourceServiceRevisions": record.sources.iter().map(|it| summary(it)).collect::<Vec<_>>(),
        "targetServiceRevision": summary(&record.target),
        "status": record.status,
        "deploymentConfiguration": record.configuration,
        "deploymentCircuitBreaker": {
            "status": record.breaker,
            "failureCount": record.failures,
            "threshold": record.threshold,
        },
    });
    let dates = [("startedAt", record.started), ("finishedAt", record.finished), ("stoppedAt", record.stopped)];
    for (member, at) in dates {
        if let Some(at) = at {
            out[member] = moment::of(cloud, at);
        }
    }
    if let Some(reason) = &record.status_reason {
        out["statusReason"] = json!(reason);
    }
    if let Some(rollback) = &record.rollback {
        out["rollback"] = json!({
            "reason": rollback.reason,
            "startedAt": moment::of(cloud, rollback.at),
            "serviceRevisionArn": rollback.revision,
        });
    }
    if !record.triggered_alarms.is_empty() {
        out["alarms"] = json!({"status": "TRIGGERED", "triggeredAlarmNames": record.triggered_alarms});
    }
    out
}

pub(super) fn describe(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for wanted in required_list(call, "serviceDeploymentArns")?.iter().filter_map(Value::as_str) {
        let known = cloud.ecs.services.values().flat_map(|it| it.history.iter().map(move |record| (it, record)));
        match known.into_iter().find(|(_, record)| record.arn == wanted) {
            Some((service, record)) => found.push(shown(cloud, service, record)),
            None => failures.push(json!({"arn": wanted, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let missing = || AwsError::new("ServiceNotFoundException", "Service not found.");
    let service = service_arn(&cloud.ecs, &name, required(call, "service")?).ok_or_else(missing)?;
    let service = cloud.ecs.services.get(&service).ok_or_else(missing)?;
    let wanted = texts(input, "status");
    let records = service.history.iter().filter(|it| wanted.is_empty() || wanted.contains(&it.status.as_str()));
    let brief = |record: &ServiceDeployment| {
        let whole = shown(cloud, service, record);
        let mut out = json!({"targetServiceRevisionArn": record.target});
        for member in [
            "serviceDeploymentArn",
            "serviceArn",
            "clusterArn",
            "startedAt",
            "createdAt",
            "finishedAt",
            "status",
            "statusReason",
        ] {
            if let Some(value) = whole.get(member) {
                out[member] = value.clone();
            }
        }
        out
    };
    page::of(input, "serviceDeployments", records.map(brief).collect(), 100)
}

pub(super) fn describe_revisions(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for wanted in required_list(call, "serviceRevisionArns")?.iter().filter_map(Value::as_str) {
        let known = cloud.ecs.services.values().flat_map(|it| it.history.iter().map(move |record| (it, record)));
        match known.into_iter().find(|(_, record)| record.target == wanted) {
            Some((service, record)) => {
                let mut out = Value::Object(record.target_body.clone());
                out["serviceRevisionArn"] = json!(record.target);
                out["serviceArn"] = json!(service.arn);
                out["clusterArn"] = json!(cloud.ecs.clusters.get(&service.cluster).map(|it| it.arn.clone()));
                out["createdAt"] = moment::of(cloud, record.created);
                let deployment =
                    service.deployments.iter().chain(&service.last_completed).find(|it| it.revision_arn == wanted);
                if let Some(deployment) = deployment {
                    out["containerImages"] = images(cloud, deployment);
                }
                found.push(out);
            }
            None => failures.push(json!({"arn": wanted, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceRevisions": found, "failures": failures}))
}

fn images(cloud: &Cloud, deployment: &Deployment) -> Value {
    let name = deployment.revision.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
    let definition = super::find::definition(&cloud.ecs, name).map(super::definitions::whole).unwrap_or_default();
    let one = |container: &Value| {
        let name = text(container, "name").unwrap_or_default();
        let mut out = json!({"containerName": name, "image": text(container, "image")});
        if let Some(digest) = deployment.digests.get(name) {
            out["imageDigest"] = json!(digest);
        }
        out
    };
    list(&definition, "containerDefinitions").iter().map(one).collect()
}

/// StopServiceDeployment: ABORT is for those that may not go back; ROLLBACK, the default, goes back to the last completed one.
pub(super) fn stop(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let wanted = required(call, "serviceDeploymentArn")?;
    let found = cloud.ecs.services.values().find(|it| it.history.iter().any(|record| record.arn == wanted));
    let Some(service) = found.map(|it| it.arn.clone()) else {
        return Err(AwsError::new("ServiceDeploymentNotFoundException", "The service deployment was not found."));
    };
    let is_present = cloud.ecs.services.get(&service).and_then(|it| it.history.first());
    if is_present.is_none_or(|it| it.arn != wanted || it.status != "IN_PROGRESS") {
        return Err(AwsError::new(
            "ConflictException",
            "The service deployment is not in a state that can be stopped.",
        ));
    }
    let rolls_back = match text(&call.input, "stopType").unwrap_or("ROLLBACK") {
        "ROLLBACK" => true,
        "ABORT" => false,
        _ => return Err(invalid("StopType must be ABORT or ROLLBACK.")),
    };
    give_up(cloud, &service, rolls_back, "stopped by user.", "Service deployment stopped by user.");
    Ok(json!({"serviceDeploymentArn": wanted}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Developer guide: 1 → 3, 25 → 13, 400 → 200.
    #[test]
    fn thresholds_are_the_guide_s() {
        let of = |desired| threshold_of(&json!({"enable": true, "rollback": true}), desired).unwrap();
        assert_eq!((of(1), of(25), of(400), of(1000)), (3, 13, 200, 200));
        let count = json!({"enable": true, "thresholdConfiguration": {"type": "COUNT", "value": 5}});
        assert_eq!(threshold_of(&count, 100), Ok(5));
        let percent = json!({"enable": true, "thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 100}});
        assert_eq!(threshold_of(&percent, 2), Ok(2));
        assert!(
            threshold_of(&json!({"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 101}}), 2).is_err()
        );
    }
}
