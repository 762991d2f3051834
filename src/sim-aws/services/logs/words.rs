//! What all operations of Logs share: look-ups and their refusals, ARNs, times.

use breakfix_sim::SimTime;

use super::Group;
use crate::{AwsError, Call, Cloud, input};

pub fn no_group() -> AwsError {
    AwsError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

pub fn no_stream() -> AwsError {
    AwsError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

pub fn invalid(sentence: &str) -> AwsError {
    AwsError::new("InvalidParameterException", sentence)
}

/// # Errors
/// There is no such group.
pub fn group<'a>(cloud: &'a Cloud, name: &str) -> Result<&'a Group, AwsError> {
    cloud.logs.groups.get(name).ok_or_else(no_group)
}

/// # Errors
/// There is no such group.
pub fn group_mut<'a>(cloud: &'a mut Cloud, name: &str) -> Result<&'a mut Group, AwsError> {
    cloud.logs.groups.get_mut(name).ok_or_else(no_group)
}

/// A group's name, as the reference of CreateLogGroup has it.
///
/// # Errors
/// It is missing, too long, or has other letters.
pub fn name<'a>(call: &'a Call, member: &str) -> Result<&'a str, AwsError> {
    let name = input::required(call, member)?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || ".-_/#".contains(letter);
    if name.len() > 512 || !name.chars().all(fits) {
        let rule = "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+";
        return Err(input::invalid(
            "logs",
            &format!("Value '{name}' at '{member}' failed to satisfy constraint: {rule}"),
        ));
    }
    Ok(name)
}

/// The group of a request that names it by name or by ARN.
///
/// # Errors
/// It names none.
pub fn group_name(call: &Call) -> Result<&str, AwsError> {
    for member in ["logGroupName", "logGroupIdentifier", "resourceIdentifier", "resourceArn"] {
        if let Some(text) = input::text(&call.input, member) {
            return Ok(bare(text));
        }
    }
    Err(input::missing("logs", "logGroupName"))
}

/// The name out of a name or an ARN.
pub fn bare(text: &str) -> &str {
    match text.split_once(":log-group:") {
        Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
        None => text,
    }
}

/// Without the `:*` that policies and `arn` of DescribeLogGroups have.
pub fn arn(cloud: &Cloud, name: &str) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{name}", cloud.config.region, cloud.config.account)
}

/// Milliseconds since 1970 of a moment of the simulation.
pub fn millis(cloud: &Cloud, at: SimTime) -> i64 {
    cloud.clock.date(at).as_millisecond()
}

/// Milliseconds since 1970 of an event's time.
pub fn date(cloud: &Cloud, at: i64) -> i64 {
    millis(cloud, SimTime(0)).saturating_add(at)
}

/// Accepted everywhere and needed nowhere any more (reference of PutLogEvents).
pub fn token(stream: &str) -> String {
    let sum = stream.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{:056}", u128::from(sum) * 1_000_003)
}
