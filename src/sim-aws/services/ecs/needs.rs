//! The rights that requests need.

use serde_json::Value;

use super::find::{arn, definition, last};
use crate::{Cloud, input::text, services::iam::Need};

/// The rights that a request needs: its operation on what it names, and the right to pass on the roles it brings.
pub fn needs(cloud: &Cloud, operation: &str, input: &Value) -> Vec<Need> {
    let config = &cloud.config;
    let action = format!("ecs:{operation}");
    let cluster = text(input, "cluster").filter(|name| !name.is_empty()).map_or("default", last);
    let named = |kind: &str, member: &str| {
        let name = text(input, member).unwrap_or_default();
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            arn(config, &format!("{kind}/{cluster}/{}", last(name)))
        }
    };
    let revision = |name: &str| match definition(&cloud.ecs, name) {
        Some(found) => found.arn.clone(),
        None => arn(config, &format!("task-definition/{}", last(name))),
    };
    let cluster_arn = || arn(config, &format!("cluster/{cluster}"));
    match operation {
        "CreateService" => {
            let own = Need::new(action, named("service", "serviceName")).with("ecs:cluster", &cluster_arn());
            let passed = of_definition(cloud, text(input, "taskDefinition").unwrap_or_default());
            std::iter::once(own).chain(passed).collect()
        }
        // Whoever names a definition passes its roles, though it be the same as before; a new count alone needs no such right
        // (keidarcy/e1s, issue 429).
        "UpdateService" => {
            let own = Need::new(action, named("service", "service")).with("ecs:cluster", &cluster_arn());
            let passed = of_definition(cloud, text(input, "taskDefinition").unwrap_or_default());
            std::iter::once(own).chain(passed).collect()
        }
        "DeleteService" | "ListServiceDeployments" => {
            vec![Need::new(action, named("service", "service")).with("ecs:cluster", &cluster_arn())]
        }
        "RunTask" | "StartTask" => {
            let mut needs = vec![
                Need::new(action, revision(text(input, "taskDefinition").unwrap_or_default()))
                    .with("ecs:cluster", &cluster_arn()),
            ];
            needs.extend(passed(cloud, input.get("overrides").unwrap_or(&Value::Null)));
            needs.extend(of_definition(cloud, text(input, "taskDefinition").unwrap_or_default()));
            needs
        }
        "StopTask" | "ExecuteCommand" => {
            vec![Need::new(action, named("task", "task")).with("ecs:cluster", &cluster_arn())]
        }
        "DescribeClusters"
        | "DeleteCluster"
        | "UpdateCluster"
        | "UpdateClusterSettings"
        | "PutClusterCapacityProviders"
        | "ListContainerInstances"
        | "RegisterContainerInstance"
        | "DeregisterContainerInstance" => {
            vec![Need::new(action, cluster_arn())]
        }
        "RegisterTaskDefinition" => {
            let family = text(input, "family").unwrap_or_default();
            let mut needs = vec![Need::new(action, arn(config, &format!("task-definition/{family}:*")))];
            needs.extend(passed(cloud, input));
            needs
        }
        _ => vec![Need::new(action, "*")],
    }
}

/// `iam:PassRole` for the roles that a structure names.
fn passed(cloud: &Cloud, input: &Value) -> Vec<Need> {
    let roles = ["taskRoleArn", "executionRoleArn"].into_iter().filter_map(|member| text(input, member));
    let named = roles.filter(|role| !role.is_empty());
    named.map(|role| Need::pass_role(&super::task_calls::role_arn(cloud, role), "ecs-tasks.amazonaws.com")).collect()
}

/// Whoever runs a task passes its definition's roles.
fn of_definition(cloud: &Cloud, name: &str) -> Vec<Need> {
    definition(&cloud.ecs, name).map(|found| passed(cloud, &Value::Object(found.body.clone()))).unwrap_or_default()
}
