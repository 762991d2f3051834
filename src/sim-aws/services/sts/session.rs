//! Temporary credentials: keys that are good for a while, and what they act as.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{AwsError, Call, Caller, Cloud, input, moment};

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Seconds (API reference of `GetSessionToken`).
const USER_DEFAULT: i64 = 43_200;
const USER_RANGE: (i64, i64) = (900, 129_600);

/// What the service keeps: sessions by access key id. Those whose time is over are forgotten when a new one begins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    sessions: BTreeMap<String, Session>,
}

/// One set of temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub secret: String,
    pub token: String,
    pub caller: Caller,
    pub expires: SimTime,
}

/// So long after its end a session is still known to have been one, and its key answered with "expired" rather than "unknown".
const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);

/// The session that a key belongs to, over or not.
pub fn session<'a>(cloud: &'a Cloud, access_key_id: &str) -> Option<&'a Session> {
    cloud.sts.sessions.get(access_key_id)
}

/// Begins a session: the member `Credentials` of the answer.
pub fn begin(cloud: &mut Cloud, caller: Caller, time: Duration) -> Value {
    let now = cloud.now();
    cloud.sts.sessions.retain(|_, session| session.expires + REMEMBERED > now);
    let id = format!("ASIA{}", cloud.chance.text(UPPER, 16));
    let secret = cloud.chance.text(MIXED, 40);
    let token = format!("IQoJb3JpZ2luX2Vj{}", cloud.chance.text(MIXED, 200));
    let expires = now + time;
    let answer = json!({
        "AccessKeyId": id,
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": moment::of(cloud, expires),
    });
    cloud.sts.sessions.insert(id, Session { secret, token, caller, expires });
    answer
}

/// `GetSessionToken`: the caller's own rights, for a while.
pub fn for_user(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    if call.caller.arn.contains(":assumed-role/") {
        let sentence = "Cannot call GetSessionToken with session credentials";
        return Err(AwsError::new("AccessDenied", sentence).status(403));
    }
    let seconds = input::integer(&call.input, "DurationSeconds").unwrap_or(USER_DEFAULT);
    let time = duration(seconds, USER_RANGE)?;
    Ok(json!({"Credentials": begin(cloud, call.caller.clone(), time)}))
}

/// A duration within what the service's validator allows.
pub fn duration(seconds: i64, (least, most): (i64, i64)) -> Result<Duration, AwsError> {
    let outside = |than: &str, limit: i64| {
        let what = format!(
            "Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {than} than or equal to {limit}"
        );
        Err(input::invalid("sts", &what))
    };
    match u64::try_from(seconds) {
        Ok(length) if (least..=most).contains(&seconds) => Ok(Duration::from_secs(length)),
        _ if seconds < least => outside("greater", least),
        _ => outside("less", most),
    }
}
