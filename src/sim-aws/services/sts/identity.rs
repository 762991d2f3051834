//! Who somebody is.

use serde_json::{Value, json};

use crate::{AwsError, Call, Caller, Cloud, input};

/// The caller's own answer: account, ARN, and the id that stays the same when a name is used again.
pub fn caller(cloud: &Cloud, caller: &Caller) -> Value {
    json!({"UserId": user_id(cloud, &caller.arn), "Account": cloud.config.account, "Arn": caller.arn})
}

/// `AIDA…`, `AROA…:SESSION`, or the account's number for its root (IAM user guide, "IAM identifiers").
fn user_id(cloud: &Cloud, arn: &str) -> String {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let mut parts = name.split('/');
    let found = match parts.next() {
        Some("user") => parts.next_back().and_then(|name| cloud.iam.users.get(name)).map(|user| user.id.clone()),
        Some("assumed-role") => parts.next().and_then(|role| {
            let role = cloud.iam.roles.get(role)?;
            Some(format!("{}:{}", role.id, parts.next().unwrap_or_default()))
        }),
        _ => None,
    };
    found.unwrap_or_else(|| cloud.config.account.clone())
}

/// The account that a key belongs to.
pub fn key(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    input::required(call, "AccessKeyId")?;
    Ok(json!({"Account": cloud.config.account}))
}
