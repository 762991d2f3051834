//! What a task's program asks of the account: with the task role, over the task's own network.
//!
//! The way to credentials is the SDKs' default chain (SDK reference guide, "Standardized credential providers"), as far as containers know
//! it: variables first, then the endpoint that ECS names in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, which hands out the task role.

use std::collections::BTreeMap;

use breakfix_workload::ParameterError;
use serde_json::{Value, json};

use crate::{
    Call, Caller, Cloud,
    network::{self, AwsService, Destination, Way},
    services::iam::{self, principals},
};

/// Reads a parameter as the program of a task does. `TimedOut` where no way leads to the service.
pub(super) fn parameter(
    cloud: &mut Cloud,
    task: &str,
    env: &BTreeMap<String, String>,
    name: &str,
) -> Result<String, ParameterError> {
    let caller = caller(cloud, task, env)?;
    let interface = cloud.tasks.get(task).and_then(|task| task.link.as_ref()).map(|link| link.interface.clone());
    let open = |it| network::way(cloud, &it, &Destination::Service(AwsService::Ssm)) == Way::Open;
    if !interface.is_some_and(open) {
        return Err(ParameterError::TimedOut);
    }
    let call = Call {
        service: "ssm".to_owned(),
        operation: "GetParameter".to_owned(),
        input: json!({"Name": name, "WithDecryption": true}),
        caller,
    };
    let answer = cloud.call(&call).map_err(|error| ParameterError::Refused(error.to_string()))?;
    let value = answer.pointer("/Parameter/Value").and_then(Value::as_str);
    value.map(str::to_owned).ok_or(ParameterError::NoService)
}

fn caller(cloud: &Cloud, task: &str, env: &BTreeMap<String, String>) -> Result<Caller, ParameterError> {
    let refused = |why: &str| ParameterError::Refused(why.to_owned());
    if let (Some(id), Some(secret)) = (env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")) {
        let owner = principals::key_owner(cloud, id).filter(|(_, known)| known == secret).map(|(caller, _)| caller);
        let why = "UnrecognizedClientException: The security token included in the request is invalid.";
        return owner.ok_or_else(|| refused(why));
    }
    let role = cloud.tasks.get(task).and_then(|task| task.plan.task_role.clone());
    let role = role.filter(|_| env.contains_key("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
    let role = role.ok_or_else(|| refused("NoCredentialProviders: no valid providers in chain"))?;
    iam::assume_for_service(cloud, &role, "ecs-tasks.amazonaws.com", task)
        .map_err(|error| ParameterError::Refused(error.to_string()))
}
