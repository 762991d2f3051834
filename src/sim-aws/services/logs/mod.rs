//! CloudWatch Logs: groups, streams and what tasks write to them.

mod events;
mod groups;
mod pattern;
mod state;
#[cfg(test)]
mod tests;
mod words;

use serde_json::Value;

pub use self::state::{EVENTS_MAX, Group, LogEvent, State, Stream};
use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What a request needs before it is looked at. Rights on a group are given on its ARN with or without `:*` behind it; what concerns a
/// stream, on the stream's (service authorization reference, "Amazon CloudWatch Logs"; user guide, "Identity-based policies").
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = match operation {
        "TagLogGroup" => "logs:TagResource".to_owned(),
        "UntagLogGroup" => "logs:UntagResource".to_owned(),
        "ListTagsLogGroup" => "logs:ListTagsForResource".to_owned(),
        other => format!("logs:{other}"),
    };
    let named = ["logGroupName", "logGroupIdentifier", "resourceIdentifier", "resourceArn"];
    let group = named.into_iter().find_map(|member| input::text(request, member)).map(words::bare);
    let group = group.or_else(|| input::text(request, "logGroupNamePrefix"));
    let arn = words::arn(cloud, group.unwrap_or("*"));
    let stream = input::text(request, "logStreamName").unwrap_or("");
    let on_stream = Need::new(action, format!("{arn}:log-stream:{stream}"));
    match operation {
        "PutLogEvents" | "GetLogEvents" | "DeleteLogStream" => vec![on_stream],
        _ => vec![on_stream.or_on(arn)],
    }
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreateLogGroup" => groups::create(cloud, call),
        "DeleteLogGroup" => groups::delete(cloud, call),
        "DescribeLogGroups" => Ok(groups::describe(cloud, call)),
        "PutRetentionPolicy" => groups::put_retention(cloud, call),
        "DeleteRetentionPolicy" => groups::delete_retention(cloud, call),
        "AssociateKmsKey" | "DisassociateKmsKey" => groups::set_key(cloud, call),
        "TagResource" | "TagLogGroup" => groups::tag(cloud, call),
        "UntagResource" | "UntagLogGroup" => groups::untag(cloud, call),
        "ListTagsForResource" | "ListTagsLogGroup" => groups::list_tags(cloud, call),
        "CreateLogStream" => groups::create_stream(cloud, call),
        "DeleteLogStream" => groups::delete_stream(cloud, call),
        "DescribeLogStreams" => groups::describe_streams(cloud, call),
        "PutLogEvents" => events::put(cloud, call),
        "GetLogEvents" => events::get(cloud, call),
        "FilterLogEvents" => events::filter(cloud, call),
        other => Err(AwsError::not_simulated("logs", other)),
    }
}
