//! A task as answers show it.

use serde_json::{Map, Value, json};

use super::tags;
use crate::{
    Cloud, moment,
    network::{AwsService, Destination, Way, way},
    services::iam,
    tasks::{Container, Health, Host, LastStatus, Task},
};

/// With its tags or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Plain,
    WithTags,
}

/// What an agent needs of the task's role for execute-command.
const CHANNEL_RIGHTS: [&str; 4] = [
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

/// Whether the execute-command agent of a task can open its channel: rights of the task role, and a way.
pub(super) fn has_channel(cloud: &Cloud, task: &Task) -> bool {
    let Some(role) = &task.plan.task_role else { return false };
    let Ok(caller) = iam::assume_for_service(cloud, role, "ecs-tasks.amazonaws.com", &task.id) else { return false };
    let allowed =
        |action: &str| iam::evaluate(cloud, &caller, action, "*", &iam::Context::new()) == iam::Decision::Allowed;
    let is_open = task
        .link
        .as_ref()
        .is_some_and(|link| way(cloud, &link.interface, &Destination::Service(AwsService::SsmMessages)) == Way::Open);
    is_open && CHANNEL_RIGHTS.into_iter().all(allowed)
}

/// A task in the API's shape; `null` where there is none.
pub(super) fn shown(cloud: &Cloud, id: &str, how: Shown) -> Value {
    let Some(task) = cloud.tasks.get(id) else { return Value::Null };
    let mut out = Map::new();
    let mut put = |member: &str, value: Value| {
        out.insert(member.to_owned(), value);
    };
    put("taskArn", json!(task.arn));
    put("clusterArn", json!(task.cluster_arn));
    put("taskDefinitionArn", json!(task.definition));
    put("group", json!(task.group));
    put("launchType", json!(task.launch_type));
    put("lastStatus", json!(task.last.word()));
    put("desiredStatus", json!(if task.is_to_run { "RUNNING" } else { "STOPPED" }));
    put("healthStatus", json!(task.health().word()));
    put("createdAt", moment::of(cloud, task.created));
    put("version", json!(task.version));
    put("enableExecuteCommand", json!(task.can_exec));
    put("overrides", overrides(task));
    put(
        "attributes",
        json!([{"name": "ecs.cpu-architecture", "value": if task.plan.architecture == "arm64" { "arm64" } else { "x86_64" }}]),
    );
    put("containers", task.containers.iter().map(|it| container(cloud, task, it)).collect());
    put("attachments", attachments(task));
    put("tags", if how == Shown::WithTags { tags::write(&task.tags) } else { json!([]) });
    if !task.zone.is_empty() {
        put("availabilityZone", json!(task.zone));
    }
    let cpu = task.plan.cpu.unwrap_or_else(|| task.plan.reserved_cpu());
    let memory = task.plan.memory.unwrap_or_else(|| task.plan.reserved_memory());
    put("cpu", json!(cpu.to_string()));
    put("memory", json!(memory.to_string()));
    if let Some(provider) = &task.capacity_provider {
        put("capacityProviderName", json!(provider));
    }
    match &task.host {
        Host::Instance(arn) => put("containerInstanceArn", json!(arn)),
        Host::Fargate => {
            put("platformFamily", json!(if task.plan.system == "LINUX" { "Linux" } else { task.plan.system.as_str() }));
            put("ephemeralStorage", json!({"sizeInGiB": 20}));
            put("fargateEphemeralStorage", json!({"sizeInGiB": 20}));
        }
    }
    if let Some(version) = &task.platform_version {
        put("platformVersion", json!(version));
    }
    if let Some(by) = &task.started_by {
        put("startedBy", json!(by));
    }
    if let Some(connected) = task.connected {
        put("connectivity", json!("CONNECTED"));
        put("connectivityAt", moment::of(cloud, connected));
    }
    let dates = [
        ("pullStartedAt", task.pull_started),
        ("pullStoppedAt", task.pull_stopped),
        ("startedAt", task.started),
        ("stoppingAt", task.stopping),
        ("executionStoppedAt", task.execution_stopped),
        ("stoppedAt", task.stopped),
    ];
    for (member, at) in dates {
        if let Some(at) = at {
            put(member, moment::of(cloud, at));
        }
    }
    if let Some(code) = task.stop_code {
        put("stopCode", json!(code.word()));
    }
    if let Some(reason) = &task.stopped_reason {
        put("stoppedReason", json!(reason));
    }
    Value::Object(out)
}

fn overrides(task: &Task) -> Value {
    let mut out = task.overrides.as_object().cloned().unwrap_or_default();
    if out.get("containerOverrides").is_none() {
        let names = task.plan.containers.iter().map(|it| json!({"name": it.name}));
        out.insert("containerOverrides".to_owned(), names.collect());
    }
    out.entry("inferenceAcceleratorOverrides").or_insert_with(|| json!([]));
    Value::Object(out)
}

fn container(cloud: &Cloud, task: &Task, it: &Container) -> Value {
    let plan = task.plan.container(&it.name);
    let mut out = json!({
        "containerArn": it.arn,
        "taskArn": task.arn,
        "name": it.name,
        "image": it.image,
        "lastStatus": if task.last == LastStatus::Provisioning { "PROVISIONING" } else { it.state.word() },
        "networkInterfaces": [],
        "healthStatus": it.health.word(),
        "cpu": plan.map(|plan| plan.cpu).unwrap_or(0).to_string(),
    });
    if let Some(plan) = plan {
        for (member, value) in [("memory", plan.memory), ("memoryReservation", plan.reservation)] {
            if let Some(value) = value {
                out[member] = json!(value.to_string());
            }
        }
        if plan.health.is_none() {
            out["healthStatus"] = json!(Health::Unknown.word());
        }
    }
    let texts = [("imageDigest", &it.digest), ("runtimeId", &it.runtime_id), ("reason", &it.reason)];
    for (member, value) in texts {
        if let Some(value) = value {
            out[member] = json!(value);
        }
    }
    if let Some(code) = it.exit_code {
        out["exitCode"] = json!(code);
    }
    if let Some(link) = task.link.as_ref().or(task.past_link.as_ref()).filter(|link| link.is_own) {
        let address = link.address.to_string();
        out["networkInterfaces"] = json!([{"attachmentId": link.attachment, "privateIpv4Address": address}]);
    }
    if !it.bindings.is_empty() {
        let bound = it.bindings.iter().map(|binding| {
            json!({
                "bindIP": "0.0.0.0",
                "containerPort": binding.container,
                "hostPort": binding.host,
                "protocol": if binding.is_udp { "udp" } else { "tcp" },
            })
        });
        out["networkBindings"] = bound.collect();
    }
    if task.can_exec && it.run_started.is_some() {
        let (status, started) = match task.last {
            LastStatus::Stopped => ("STOPPED", None),
            _ if has_channel(cloud, task) => ("RUNNING", it.run_started),
            _ => ("STOPPED", None),
        };
        let mut agent = json!({"name": "ExecuteCommandAgent", "lastStatus": status});
        if let Some(started) = started {
            agent["lastStartedAt"] = moment::of(cloud, started);
        }
        out["managedAgents"] = json!([agent]);
    }
    out
}

fn attachments(task: &Task) -> Value {
    let Some(link) = task.link.as_ref().or(task.past_link.as_ref()).filter(|link| link.is_own) else {
        return json!([]);
    };
    let status = match task.last {
        LastStatus::Stopped => "DELETED",
        LastStatus::Provisioning => "PRECREATED",
        _ => "ATTACHED",
    };
    let address = link.address.to_string();
    let dns = format!("ip-{}.eu-central-1.compute.internal", address.replace('.', "-"));
    json!([{
        "id": link.attachment,
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            {"name": "subnetId", "value": link.subnet},
            {"name": "networkInterfaceId", "value": link.interface.0},
            {"name": "macAddress", "value": link.mac},
            {"name": "privateDnsName", "value": dns},
            {"name": "privateIPv4Address", "value": address},
        ],
    }])
}
