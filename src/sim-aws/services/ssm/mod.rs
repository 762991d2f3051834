//! AWS Systems Manager: Parameter Store.

mod names;
mod parameters;
mod state;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::state::{Parameter, State, Version};
use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What a request needs before it is looked at: the operation's own right on each parameter. GetParameters (plural) is a right of its own,
/// beside GetParameter and GetParametersByPath.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = format!("ssm:{operation}");
    let on = |name: &str| {
        let name = names::split(cloud, name).0;
        let parameter = cloud.ssm.parameters.get(name);
        let need = Need::new(action.clone(), names::arn(cloud, name));
        let tags = parameter.into_iter().flat_map(|parameter| &parameter.tags);
        tags.fold(need, |need, (key, value)| need.with(&format!("aws:ResourceTag/{key}"), value))
    };
    match operation {
        "GetParameters" | "DeleteParameters" => input::texts(request, "Names").into_iter().map(on).collect(),
        "GetParametersByPath" => vec![on(input::text(request, "Path").unwrap_or("/"))],
        "AddTagsToResource" | "RemoveTagsFromResource" | "ListTagsForResource" => {
            vec![on(input::text(request, "ResourceId").unwrap_or("*"))]
        }
        _ => match input::text(request, "Name") {
            Some(name) => vec![on(name)],
            None => vec![Need::new(action, "*")],
        },
    }
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "PutParameter" => parameters::put(cloud, call),
        "GetParameter" => parameters::get(cloud, call),
        "GetParameters" => parameters::get_many(cloud, call),
        "GetParametersByPath" => parameters::get_by_path(cloud, call),
        "GetParameterHistory" => parameters::history(cloud, call),
        "DescribeParameters" => parameters::describe(cloud, call),
        "DeleteParameter" => parameters::delete(cloud, call),
        "DeleteParameters" => parameters::delete_many(cloud, call),
        "LabelParameterVersion" => parameters::label(cloud, call),
        "AddTagsToResource" | "RemoveTagsFromResource" | "ListTagsForResource" => parameters::tagging(cloud, call),
        other => Err(AwsError::not_simulated("ssm", other)),
    }
}
