//! What a task's agent fetches before it pulls images, with the execution role: registry login, secrets, log streams, file systems.
//!
//! The agent calls the account's services as anybody does; what they refuse is put into the task's `stoppedReason`. Sentences: those of
//! amazon-ecs-agent and of stopped tasks that people have shown; `ResourceInitializationError` is Fargate's name for all of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Host, logs};
use crate::{
    AwsError, Call, Caller, Cloud,
    input::{list, text, texts},
    network::{self, AwsService, Destination, InterfaceId, Way},
    services::{ecs, efs, iam},
};

/// Why a task cannot start, and how long its agent tried.
pub(super) struct Trouble {
    pub(super) reason: String,
    pub(super) after: Duration,
}

/// An answer that never comes is waited for so long.
const NO_ANSWER: Duration = Duration::from_secs(95);
/// A refusal is tried once more.
const REFUSED: Duration = Duration::from_millis(2_600);
/// A parameter request takes as many names (the API's model).
const PARAMETERS_MAX: usize = 10;

const PULL_SECRETS: &str = "ResourceInitializationError: unable to pull secrets or registry auth:";
const RETRIEVAL: &str = "execution resource retrieval failed:";
const RETRIED: &str = "service call has been retried 1 time(s):";

/// Who a task's agent is: its execution role; on an instance without one, the instance's own.
pub(super) fn agent(cloud: &Cloud, id: &str) -> Option<Caller> {
    let task = cloud.tasks.get(id)?;
    match &task.plan.execution_role {
        Some(role) => iam::assume_for_service(cloud, role, "ecs-tasks.amazonaws.com", id).ok(),
        None => match &task.host {
            Host::Fargate => None,
            Host::Instance(arn) => Some(ecs::instance_caller(cloud, arn)),
        },
    }
}

/// The interface over which a task's agent fetches: the task's own on Fargate, its instance's otherwise.
pub(super) fn interface(cloud: &Cloud, id: &str) -> Option<InterfaceId> {
    let task = cloud.tasks.get(id)?;
    match &task.host {
        Host::Instance(arn) => ecs::instance_interface(cloud, arn),
        Host::Fargate => task.link.as_ref().map(|link| link.interface.clone()),
    }
}

/// Whether a task's agent reaches somebody. An instance that was registered by hand has no interface in the model, and reaches everybody.
pub(super) fn reaches(cloud: &Cloud, id: &str, to: &Destination) -> bool {
    match interface(cloud, id) {
        Some(interface) => network::way(cloud, &interface, to) == Way::Open,
        None => cloud.tasks.get(id).is_some_and(|task| task.host != Host::Fargate),
    }
}

fn refused(reason: String) -> Trouble {
    Trouble { reason, after: REFUSED }
}

fn silent(reason: String) -> Trouble {
    Trouble { reason, after: NO_ANSWER }
}

/// Fetches everything; the first thing that cannot be had ends the task.
pub(super) fn prepare(cloud: &mut Cloud, id: &str) -> Result<(), Trouble> {
    let Some(plan) = cloud.tasks.get(id).map(|task| task.plan.clone()) else { return Ok(()) };
    let needs_login = plan.containers.iter().any(|it| super::pull::in_ecr(cloud, &it.image).is_some());
    if needs_login {
        login(cloud, id)?;
    }
    for container in &plan.containers {
        secrets(cloud, id, &container.name, &container.secrets)?;
    }
    for container in &plan.containers {
        if container.log.as_ref().is_some_and(|log| log.driver == "awslogs") {
            stream(cloud, id, &container.name)?;
        }
    }
    for volume in &plan.volumes {
        if let Some(efs) = &volume.efs {
            mount(cloud, id, &volume.name, efs)?;
        }
    }
    Ok(())
}

fn call(cloud: &mut Cloud, id: &str, service: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
    let Some(caller) = agent(cloud, id) else {
        return Err(AwsError::new("NoCredentialProviders", "no valid providers in chain"));
    };
    cloud.call(&Call { service: service.to_owned(), operation: operation.to_owned(), input, caller })
}

/// Registry login. Without a way the request times out (the sentence of aws/copilot-cli issue 5927).
fn login(cloud: &mut Cloud, id: &str) -> Result<(), Trouble> {
    let region = cloud.config.region.clone();
    if !reaches(cloud, id, &Destination::Service(AwsService::EcrApi)) {
        return Err(silent(format!(
            "{PULL_SECRETS} The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and \
             Amazon ECR. Check your task network configuration. RequestError: send request failed caused by: Post \
             \"https://api.ecr.{region}.amazonaws.com/\": dial tcp 52.94.133.131:443: i/o timeout"
        )));
    }
    match call(cloud, id, "ecr", "GetAuthorizationToken", json!({})) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(refused(format!("{PULL_SECRETS} {RETRIEVAL} unable to retrieve ecr registry auth: {RETRIED} {error}")))
        }
    }
}

fn secrets(cloud: &mut Cloud, id: &str, container: &str, wanted: &[(String, String)]) -> Result<(), Trouble> {
    let (managed, parameters): (Vec<_>, Vec<_>) =
        wanted.iter().partition(|(_, from)| from.contains(":secretsmanager:"));
    for (name, from) in managed {
        let value = managed_secret(cloud, id, from)?;
        keep(cloud, id, container, name, value);
    }
    for batch in parameters.chunks(PARAMETERS_MAX) {
        let names: Vec<&str> = batch.iter().map(|(_, from)| from.as_str()).collect();
        let found = parameter_values(cloud, id, &names)?;
        for (name, from) in batch {
            if let Some(value) = found.iter().find(|(known, _)| is_parameter(known, from)).map(|(_, value)| value) {
                keep(cloud, id, container, name, value.clone());
            }
        }
    }
    Ok(())
}

/// A parameter is named by name or by ARN.
fn is_parameter(name: &str, from: &str) -> bool {
    name == from || from.split_once(":parameter/").is_some_and(|(_, rest)| name.trim_start_matches('/') == rest)
}

fn keep(cloud: &mut Cloud, id: &str, container: &str, name: &str, value: String) {
    if let Some(container) = cloud.tasks.get_mut(id).and_then(|task| task.container_mut(container)) {
        container.secrets.insert(name.to_owned(), value);
    }
}

/// `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf[:json-key:version-stage:version-id]`.
fn managed_secret(cloud: &mut Cloud, id: &str, from: &str) -> Result<String, Trouble> {
    let front = format!("{PULL_SECRETS} {RETRIEVAL} unable to retrieve secret from asm:");
    if !reaches(cloud, id, &Destination::Service(AwsService::SecretsManager)) {
        return Err(silent(format!(
            "{front} There is a connection issue between the task and AWS Secrets Manager. Check your task network configuration. failed \
             to fetch secret {from} from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded"
        )));
    }
    let parts: Vec<&str> = from.split(':').collect();
    let arn = parts.get(..7).map_or_else(|| from.to_owned(), |parts| parts.join(":"));
    let extra = |at: usize| parts.get(at).copied().filter(|part| !part.is_empty());
    let (key, stage, version) = (extra(7), extra(8), extra(9));
    let mut input = json!({"SecretId": arn});
    if let Some(stage) = stage {
        input["VersionStage"] = json!(stage);
    }
    if let Some(version) = version {
        input["VersionId"] = json!(version);
    }
    let answer = call(cloud, id, "secretsmanager", "GetSecretValue", input).map_err(|error| {
        refused(format!("{front} {RETRIED} failed to fetch secret {arn} from secrets manager: {error}"))
    })?;
    let whole = text(&answer, "SecretString").unwrap_or_default().to_owned();
    let Some(key) = key else { return Ok(whole) };
    let object: Value = serde_json::from_str(&whole).map_err(|_| {
        let first = whole.chars().next().unwrap_or(' ');
        refused(format!("{front} {RETRIED} invalid character '{first}' looking for beginning of value"))
    })?;
    match object.get(key) {
        Some(Value::String(value)) => Ok(value.clone()),
        Some(value) if !value.is_null() => Ok(value.to_string()),
        _ => Err(refused(format!(
            "{front} {RETRIED} retrieved secret from Secrets Manager did not contain json key {key}"
        ))),
    }
}

fn parameter_values(cloud: &mut Cloud, id: &str, names: &[&str]) -> Result<Vec<(String, String)>, Trouble> {
    if !reaches(cloud, id, &Destination::Service(AwsService::Ssm)) {
        return Err(silent(format!(
            "{PULL_SECRETS} The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task and AWS \
             Systems Manager Parameter Store. Check your task network configuration."
        )));
    }
    let front = format!("{PULL_SECRETS} {RETRIEVAL} unable to retrieve secrets from ssm: {RETRIED}");
    // The API takes names; a parameter of this account and region is asked for by its own.
    let asked: Vec<String> = names
        .iter()
        .map(|name| name.split_once(":parameter/").map_or_else(|| (*name).to_owned(), |(_, rest)| parameter_name(rest)))
        .collect();
    let answer = call(cloud, id, "ssm", "GetParameters", json!({"Names": asked, "WithDecryption": true}))
        .map_err(|error| refused(format!("{front} {error}")))?;
    let missing = texts(&answer, "InvalidParameters");
    if !missing.is_empty() {
        return Err(refused(format!("{front} invalid ssm parameters: {}", missing.join(","))));
    }
    let pair = |it: &Value| Some((text(it, "Name")?.to_owned(), text(it, "Value")?.to_owned()));
    Ok(list(&answer, "Parameters").iter().filter_map(pair).collect())
}

/// In an ARN a path's first slash is the one after `parameter`; a plain name has none.
fn parameter_name(rest: &str) -> String {
    if rest.contains('/') { format!("/{rest}") } else { rest.to_owned() }
}

/// The container's log stream; with `awslogs-create-group` its group too.
fn stream(cloud: &mut Cloud, id: &str, container: &str) -> Result<(), Trouble> {
    let Some((group, stream)) = logs::stream(cloud, id, container) else { return Ok(()) };
    let is_fargate = cloud.tasks.get(id).is_some_and(|task| task.host == Host::Fargate);
    let creates = cloud.tasks.get(id).and_then(|task| task.plan.container(container)).and_then(|it| it.log.as_ref());
    let creates = creates.is_some_and(|log| log.option("awslogs-create-group") == Some("true"));
    let worded = |what: &str| match is_fargate {
        true => format!("ResourceInitializationError: failed to validate logger args: {what} : exit status 1"),
        false => format!(
            "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: {what}"
        ),
    };
    if !reaches(cloud, id, &Destination::Service(AwsService::Logs)) {
        return Err(silent(if is_fargate {
            "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log group defined in \
             the task definition. There is a connection issue between the task and Amazon CloudWatch. Check your network configuration. \
             : signal: killed"
                .to_owned()
        } else {
            worded("failed to create Cloudwatch log stream: RequestError: send request failed")
        }));
    }
    if creates {
        match call(cloud, id, "logs", "CreateLogGroup", json!({"logGroupName": group})) {
            Err(error) if error.code != "ResourceAlreadyExistsException" => {
                return Err(refused(worded(&format!("failed to create Cloudwatch log group: {error}"))));
            }
            _ => {}
        }
    }
    match call(cloud, id, "logs", "CreateLogStream", json!({"logGroupName": group, "logStreamName": stream})) {
        Err(error) if error.code != "ResourceAlreadyExistsException" => Err(refused(worded(&format!(
            "create stream has been retried 1 times: failed to create Cloudwatch log stream: {error}"
        )))),
        _ => Ok(()),
    }
}

/// Mounts a file system of EFS: its files are those of everybody who mounts the same directory.
fn mount(cloud: &mut Cloud, id: &str, volume: &str, efs: &Value) -> Result<(), Trouble> {
    let file_system = text(efs, "fileSystemId").unwrap_or_default();
    let wanted = efs::Volume {
        file_system,
        access_point: efs.get("authorizationConfig").and_then(|it| text(it, "accessPointId")),
        root: text(efs, "rootDirectory").unwrap_or("/"),
    };
    let mounted = match interface(cloud, id) {
        Some(interface) => efs::mount(cloud, &interface, &wanted),
        None => Err(efs::MountFailure::NotResolved),
    };
    match mounted {
        Ok(place) => {
            if let Some(task) = cloud.tasks.get_mut(id) {
                task.shared.insert(volume.to_owned(), place);
            }
            Ok(())
        }
        Err(failure) => Err(Trouble {
            reason: format!("ResourceInitializationError: {}", failure.words(&cloud.config.region, file_system)),
            after: failure.takes(),
        }),
    }
}
