//! Taking a role: `AssumeRole` and its kind. Whether the caller may was decided before, by its policies and the role's trust policy; a
//! bearer of a token is judged here.

use serde_json::{Map, Value, json};

use super::{
    session::{begin, duration},
    token,
};
use crate::{
    AwsError, Call, Caller, Cloud, input,
    services::iam::{self, Role},
};

const DEFAULT: i64 = 3_600;
/// API reference of `AssumeRole`.
const RANGE: (i64, i64) = (900, 43_200);

pub fn assume(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let role = role(cloud, call)?.clone();
    let answer = begun(cloud, call, &role)?;
    Ok(Value::Object(answer))
}

/// The token is taken at its word: nobody here has the key of its issuer. All else is judged, its end and the trust policy too.
pub fn assume_with_token(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let token = token::read(input::required(call, "WebIdentityToken")?)?;
    token.check(cloud)?;
    let refused = || {
        let sentence = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        AwsError::new("AccessDenied", sentence).status(403)
    };
    let role = role(cloud, call).map_err(|error| if error.code == "AccessDenied" { refused() } else { error })?.clone();
    let provider = format!("arn:aws:iam::{}:oidc-provider/{}", cloud.config.account, token.issuer);
    if !iam::trust::trusts_token(&role, &provider, &token.keys()).is_allowed() {
        return Err(refused());
    }
    let mut answer = begun(cloud, call, &role)?;
    answer.insert("SubjectFromWebIdentityToken".to_owned(), token.subject.into());
    answer.insert("Audience".to_owned(), token.audience.into());
    answer.insert("Provider".to_owned(), provider.into());
    Ok(Value::Object(answer))
}

/// The role that is asked for. One that is not there is not told from one that does not trust the caller.
fn role<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a Role, AwsError> {
    let arn = input::required(call, "RoleArn")?;
    if !arn.starts_with("arn:") || !arn.contains(":role/") {
        return Err(AwsError::new("ValidationError", format!("{arn} is invalid")));
    }
    cloud.iam.role_by_arn(arn).ok_or_else(|| {
        let sentence = format!(
            "User: {} is not authorized to perform: sts:{} on resource: {arn}",
            call.caller.arn, call.operation
        );
        AwsError::new("AccessDenied", sentence).status(403)
    })
}

fn begun(cloud: &mut Cloud, call: &Call, role: &Role) -> Result<Map<String, Value>, AwsError> {
    for member in ["Policy", "PolicyArns"] {
        if input::has(&call.input, member) {
            return Err(AwsError::not_simulated("sts", &format!("{} with {member}", call.operation)));
        }
    }
    let session = input::required(call, "RoleSessionName")?;
    if !is_session_name(session) {
        let what = format!(
            "Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        );
        return Err(input::invalid("sts", &what));
    }
    let seconds = input::integer(&call.input, "DurationSeconds").unwrap_or(DEFAULT);
    let time = duration(seconds, RANGE)?;
    if call.caller.arn.contains(":assumed-role/") && seconds > DEFAULT {
        let sentence =
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(AwsError::new("ValidationError", sentence));
    }
    if seconds > i64::from(role.max_session) {
        let sentence = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(AwsError::new("ValidationError", sentence));
    }
    let arn = format!("arn:aws:sts::{}:assumed-role/{}/{session}", cloud.config.account, role.name);
    let mut answer = Map::new();
    answer.insert("AssumedRoleUser".to_owned(), json!({"AssumedRoleId": format!("{}:{session}", role.id), "Arn": arn}));
    answer.insert("Credentials".to_owned(), begin(cloud, Caller { arn }, time));
    Ok(answer)
}

fn is_session_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (2..=64).contains(&name.len()) && name.bytes().all(letter)
}
