//! AWS STS: who a caller is, and taking roles.

mod identity;
mod roles;
mod session;
mod token;

use serde_json::Value;

pub use self::session::{Session, State, session};
use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What a request needs before it is looked at. Who one is may be asked without any right, and even against a denial
/// (API reference of `GetCallerIdentity`); a token that is judged by a role's trust policy needs no policy of its bearer.
pub fn needs(_cloud: &Cloud, operation: &str, input: &Value) -> Vec<Need> {
    match operation {
        "GetCallerIdentity" | "GetSessionToken" | "AssumeRoleWithWebIdentity" => Vec::new(),
        "AssumeRole" => {
            let mut need = Need::new("sts:AssumeRole", input::text(input, "RoleArn").unwrap_or("*"));
            for (key, member) in [("sts:RoleSessionName", "RoleSessionName"), ("sts:ExternalId", "ExternalId")] {
                if let Some(value) = input::text(input, member) {
                    need = need.with(key, value);
                }
            }
            vec![need]
        }
        _ => vec![Need::anywhere("sts", operation)],
    }
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(identity::caller(cloud, &call.caller)),
        "GetAccessKeyInfo" => identity::key(cloud, call),
        "GetSessionToken" => session::for_user(cloud, call),
        "AssumeRole" => roles::assume(cloud, call),
        "AssumeRoleWithWebIdentity" => roles::assume_with_token(cloud, call),
        other => Err(AwsError::not_simulated("sts", other)),
    }
}

#[cfg(test)]
mod tests;
