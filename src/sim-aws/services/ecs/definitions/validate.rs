//! What RegisterTaskDefinition refuses.
//!
//! Sentences: the API's answers as people have shown them (issues of aws-cli, copilot-cli, terraform-provider-aws); those that the tests do
//! not quote could not be found, and follow the model's description of the member.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{super::find::client, fargate};
use crate::{
    AwsError, Cloud,
    input::{flag, has, integer, list, object, text, texts},
    services::iam,
};

/// The request with its sizes in plain numbers, if all of it can be registered.
///
/// # Errors
/// The first thing that cannot, as `ClientException`.
pub(super) fn checked(cloud: &Cloud, family: &str, input: &Value) -> Result<Value, AwsError> {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if family.len() > 255 || !family.chars().all(is_fine) {
        return Err(client("Family contains invalid characters."));
    }
    let mut body = input.clone();
    let wants_fargate = texts(input, "requiresCompatibilities").contains(&"FARGATE");
    sizes(&mut body, wants_fargate)?;
    roles(cloud, &body)?;
    let containers = list(&body, "containerDefinitions").to_vec();
    if containers.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    let mut names = BTreeSet::new();
    for container in &containers {
        one_container(container, &body, wants_fargate)?;
        if !names.insert(text(container, "name").unwrap_or_default()) {
            return Err(client(format!("Duplicate container name '{}'.", text(container, "name").unwrap_or_default())));
        }
    }
    if !containers.iter().any(|it| flag(it, "essential").unwrap_or(true)) {
        return Err(client("At least one container in the task definition must be essential."));
    }
    dependencies(&containers)?;
    if wants_fargate {
        for_fargate(cloud, &body, &containers)?;
    }
    let any_secret = containers.iter().any(|it| !list(it, "secrets").is_empty());
    if any_secret && !has(&body, "executionRoleArn") {
        return Err(client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    Ok(body)
}

fn sizes(body: &mut Value, wants_fargate: bool) -> Result<(), AwsError> {
    for (member, read) in [("cpu", fargate::cpu as fn(&str) -> Option<u64>), ("memory", fargate::memory)] {
        match text(body, member).filter(|written| !written.is_empty()) {
            Some(written) => {
                let number = read(written).filter(|number| *number > 0);
                let number = number.ok_or_else(|| client(format!("Invalid '{member}' setting for task.")))?;
                body[member] = json!(number.to_string());
            }
            None if wants_fargate => {
                return Err(client(format!("Fargate requires that '{member}' be defined at the task level.")));
            }
            None => {}
        }
    }
    let number = |member: &str| text(body, member).and_then(|written| written.parse().ok()).unwrap_or(0);
    let (cpu, memory) = (number("cpu"), number("memory"));
    if wants_fargate && !fargate::is_size(cpu, memory) {
        return Err(client(format!(
            "No Fargate configuration exists for given values: {cpu} CPU , {memory} memory. See the Amazon ECS documentation for the valid \
             values."
        )));
    }
    Ok(())
}

/// A role must be one of this account, by ARN or by name.
fn roles(cloud: &Cloud, body: &Value) -> Result<(), AwsError> {
    for member in ["taskRoleArn", "executionRoleArn"] {
        if let Some(role) = text(body, member).filter(|role| !role.is_empty()) {
            let front = format!("arn:aws:iam::{}:role/", cloud.config.account);
            if role.starts_with("arn:") && !role.starts_with(&front) {
                return Err(client("Role is not valid"));
            }
            let known: Option<&iam::Role> = cloud.iam.role_by_arn(role);
            if known.is_none() && !cloud.iam.roles.contains_key(role) {
                return Err(client("Role is not valid"));
            }
        }
    }
    Ok(())
}

fn one_container(container: &Value, body: &Value, wants_fargate: bool) -> Result<(), AwsError> {
    let name = text(container, "name").unwrap_or_default();
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.is_empty() {
        return Err(client("Container.name should not be null or empty."));
    }
    if name.len() > 255 || !name.chars().all(is_fine) {
        return Err(client("Container.name contains invalid characters."));
    }
    let image = text(container, "image").unwrap_or_default();
    if image.is_empty() {
        return Err(client("Container.image should not be null or empty."));
    }
    let is_image = |letter: char| letter.is_ascii_alphanumeric() || "-_:./@#".contains(letter);
    if image.len() > 255 || !image.chars().all(is_image) || image.ends_with([':', '/', '@']) {
        return Err(client("Container.image contains invalid characters."));
    }
    memory(container, name, body)?;
    ports(container, name, body)?;
    for mount in list(container, "mountPoints") {
        let volume = text(mount, "sourceVolume").unwrap_or_default();
        if !list(body, "volumes").iter().any(|it| text(it, "name") == Some(volume)) {
            return Err(client(format!("Unknown volume '{volume}'.")));
        }
    }
    if let Some(check) = container.get("healthCheck").filter(|check| !check.is_null()) {
        let bounds = [("interval", 5, 300), ("timeout", 2, 120), ("retries", 1, 10), ("startPeriod", 0, 300)];
        for (member, least, most) in bounds {
            if integer(check, member).is_some_and(|number| !(least..=most).contains(&number)) {
                return Err(client(format!(
                    "Invalid setting for container '{name}'. The health check '{member}' must be between {least} and {most}."
                )));
            }
        }
        if texts(check, "command").is_empty() {
            return Err(client(format!(
                "Invalid setting for container '{name}'. The health check command can not be empty."
            )));
        }
    }
    let period = container.get("restartPolicy").and_then(|policy| integer(policy, "restartAttemptPeriod"));
    if period.is_some_and(|seconds| !(60..=1800).contains(&seconds)) {
        return Err(client(format!(
            "Invalid setting for container '{name}'. The restart attempt period must be between 60 and 1800 seconds."
        )));
    }
    if wants_fargate && integer(container, "stopTimeout").is_some_and(|seconds| seconds > 120) {
        return Err(client(format!(
            "Invalid setting for container '{name}'. The stop timeout must not exceed 120 seconds on Fargate."
        )));
    }
    log(container, name, wants_fargate)
}

fn memory(container: &Value, name: &str, body: &Value) -> Result<(), AwsError> {
    let (hard, soft) = (integer(container, "memory"), integer(container, "memoryReservation"));
    let of_task: Option<i64> = text(body, "memory").and_then(|written| written.parse().ok());
    for (member, value) in [("memory", hard), ("memoryReservation", soft)] {
        if value.zip(of_task).is_some_and(|(value, task)| value > task) {
            return Err(client(format!("The '{member}' setting for container '{name}' is greater than for the task.")));
        }
        if value.is_some_and(|value| value < 6) {
            return Err(client(format!(
                "Invalid setting for container '{name}'. The '{member}' setting must be at least 6."
            )));
        }
    }
    if of_task.is_none() && hard.is_none() && soft.is_none() {
        return Err(client(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
    if hard.zip(soft).is_some_and(|(hard, soft)| soft >= hard) {
        return Err(client(format!(
            "Invalid setting for container '{name}'. The 'memory' setting must be greater than the 'memoryReservation' setting."
        )));
    }
    let cpu: Option<i64> = text(body, "cpu").and_then(|written| written.parse().ok());
    if integer(container, "cpu").zip(cpu).is_some_and(|(own, task)| own > task) {
        return Err(client(format!("The 'cpu' setting for container '{name}' is greater than for the task.")));
    }
    Ok(())
}

fn ports(container: &Value, name: &str, body: &Value) -> Result<(), AwsError> {
    let mode = text(body, "networkMode").unwrap_or("bridge");
    if mode == "awsvpc" && !list(container, "links").is_empty() {
        return Err(client("Links are not supported when networkMode=awsvpc."));
    }
    for port in list(container, "portMappings") {
        let (inside, outside) = (integer(port, "containerPort"), integer(port, "hostPort"));
        let is_port = |port: i64| (1..=65_535).contains(&port);
        if !inside.is_some_and(is_port) || outside.is_some_and(|port| port != 0 && !is_port(port)) {
            return Err(client(format!("Invalid setting for container '{name}'. Ports must be between 1 and 65535.")));
        }
        let differs = outside.is_some_and(|outside| outside != 0 && Some(outside) != inside);
        if differs && mode == "awsvpc" {
            return Err(client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
        if differs && mode == "host" {
            return Err(client(
                "When networkMode=host, the host ports and container ports in port mappings must match.",
            ));
        }
    }
    Ok(())
}

fn log(container: &Value, name: &str, wants_fargate: bool) -> Result<(), AwsError> {
    let Some(log) = container.get("logConfiguration").filter(|log| !log.is_null()) else { return Ok(()) };
    if text(log, "logDriver") != Some("awslogs") {
        return Ok(());
    }
    let empty = serde_json::Map::new();
    let options = object(log, "options").unwrap_or(&empty);
    for option in ["awslogs-group", "awslogs-region"] {
        if !options.contains_key(option) {
            return Err(client(format!("Log driver awslogs requires options: {option}")));
        }
    }
    if wants_fargate && !options.contains_key("awslogs-stream-prefix") {
        return Err(client(format!(
            "Invalid setting for container '{name}'. Fargate requires the option awslogs-stream-prefix to support log driver awslogs."
        )));
    }
    Ok(())
}

fn dependencies(containers: &[Value]) -> Result<(), AwsError> {
    let find = |name: &str| containers.iter().find(|it| text(it, "name") == Some(name));
    for container in containers {
        let name = text(container, "name").unwrap_or_default();
        for dependency in list(container, "dependsOn") {
            let (other, condition) = (
                text(dependency, "containerName").unwrap_or_default(),
                text(dependency, "condition").unwrap_or_default(),
            );
            let Some(target) = find(other).filter(|_| other != name) else {
                return Err(client(format!(
                    "Invalid 'dependsOn' setting for container '{name}': there is no container '{other}'."
                )));
            };
            let is_essential = flag(target, "essential").unwrap_or(true);
            if is_essential && matches!(condition, "COMPLETE" | "SUCCESS") {
                return Err(client(format!(
                    "A container that is essential ('{other}') cannot be a dependency with the condition {condition}."
                )));
            }
            if condition == "HEALTHY" && !has(target, "healthCheck") {
                return Err(client(format!(
                    "The container '{other}' must have a health check to be a dependency with the condition HEALTHY."
                )));
            }
        }
    }
    // Whoever can be started in some order is taken away; what is left waits for itself.
    let mut left: Vec<&Value> = containers.iter().collect();
    loop {
        let before = left.len();
        let names: Vec<&str> = left.iter().filter_map(|it| text(it, "name")).collect();
        left.retain(|it| {
            list(it, "dependsOn").iter().any(|on| text(on, "containerName").is_some_and(|on| names.contains(&on)))
        });
        if left.is_empty() {
            return Ok(());
        }
        if left.len() == before {
            return Err(client("The container dependencies of the task definition are circular."));
        }
    }
}

fn for_fargate(cloud: &Cloud, body: &Value, containers: &[Value]) -> Result<(), AwsError> {
    if text(body, "networkMode") != Some("awsvpc") {
        return Err(client("Fargate only supports network mode ‘awsvpc’."));
    }
    let has_role = has(body, "executionRoleArn");
    for container in containers {
        let name = text(container, "name").unwrap_or_default();
        let driver = container.get("logConfiguration").and_then(|log| text(log, "logDriver"));
        if driver == Some("awslogs") && !has_role {
            return Err(client(
                "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
            ));
        }
        let host = format!(".dkr.ecr.{}.amazonaws.com/", cloud.config.region);
        if text(container, "image").is_some_and(|image| image.contains(&host)) && !has_role {
            return Err(client("Fargate requires task definition to have execution role ARN to support ECR images."));
        }
        if flag(container, "privileged") == Some(true) {
            return Err(client(format!(
                "Invalid setting for container '{name}'. Fargate does not support 'privileged'."
            )));
        }
    }
    if list(body, "volumes").iter().any(|it| it.get("host").is_some_and(|host| text(host, "sourcePath").is_some())) {
        return Err(client("host.sourcePath should not be set for volumes in Fargate."));
    }
    Ok(())
}
