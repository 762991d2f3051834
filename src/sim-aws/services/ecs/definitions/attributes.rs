//! `requiresAttributes`: what a container instance must be able to do, as the API derives it from a definition.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::input::{has, list, text};

const FRONT: &str = "com.amazonaws.ecs.capability";

/// Names of attributes, in order.
pub(super) fn required(body: &Value) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut add = |name: &str| out.insert(name.to_owned());
    if text(body, "networkMode") == Some("awsvpc") {
        add("ecs.capability.task-eni");
    }
    if has(body, "taskRoleArn") {
        add("com.amazonaws.ecs.capability.task-iam-role");
    }
    for container in list(body, "containerDefinitions") {
        add(&format!("{FRONT}.docker-remote-api.1.18"));
        if text(container, "image").is_some_and(|image| image.contains(".dkr.ecr.")) {
            add(&format!("{FRONT}.ecr-auth"));
            if has(body, "executionRoleArn") {
                add("ecs.capability.execution-role-ecr-pull");
            }
        }
        if let Some(driver) = container.get("logConfiguration").and_then(|log| text(log, "logDriver")) {
            add(&format!("{FRONT}.logging-driver.{driver}"));
            if driver == "awslogs" && has(body, "executionRoleArn") {
                add("ecs.capability.execution-role-awslogs");
            }
        }
        for secret in list(container, "secrets") {
            match text(secret, "valueFrom").is_some_and(|from| from.contains(":secretsmanager:")) {
                true => add("ecs.capability.secrets.asm.environment-variables"),
                false => add("ecs.capability.secrets.ssm.environment-variables"),
            };
        }
        if has(container, "healthCheck") {
            add("ecs.capability.container-health-check");
        }
        if !list(container, "dependsOn").is_empty() {
            add("ecs.capability.container-ordering");
        }
        if has(container, "memoryReservation") {
            add(&format!("{FRONT}.docker-remote-api.1.21"));
        }
    }
    if list(body, "volumes").iter().any(|volume| has(volume, "efsVolumeConfiguration")) {
        add("ecs.capability.efsAuth");
    }
    out
}
