//! Who is who: the learner, the operator, the owners of access keys, and what a service becomes when it takes on a role.

use serde::{Deserialize, Serialize};

use super::AccessKey;
use crate::{AwsError, Caller, Cloud, cloud::Config};

/// The user that a session's learner works as; AdministratorAccess is attached to it.
pub const LEARNER: &str = "learner";

/// A pair of long-term credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// `AKIA…`: what a request's signature names.
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// The learner: `arn:aws:iam::ACCOUNT:user/learner`.
pub fn learner(config: &Config) -> Caller {
    Caller { arn: format!("arn:aws:iam::{}:user/{LEARNER}", config.account) }
}

/// Whoever opens and grades a session: the account's root. It may do everything, is in no listing, and no policy binds it.
pub fn operator(config: &Config) -> Caller {
    Caller { arn: format!("arn:aws:iam::{}:root", config.account) }
}

/// Who signs with this long-term key, and the secret that the signature was made with. Temporary credentials (`ASIA…`) are kept by `sts`.
pub fn key_owner<'a>(cloud: &'a Cloud, access_key_id: &str) -> Option<(Caller, &'a str)> {
    let given = [(&cloud.config.learner, learner(&cloud.config)), (&cloud.config.operator, operator(&cloud.config))];
    for (key, caller) in given {
        if key.access_key_id == access_key_id {
            return Some((caller, &key.secret_access_key));
        }
    }
    let of_user = |key: &AccessKey| key.id == access_key_id && key.active;
    cloud.iam.users.values().find_map(|user| {
        let key = user.access_keys.iter().find(|key| of_user(key))?;
        Some((Caller { arn: user.arn.clone() }, key.secret.as_str()))
    })
}

/// A service takes on a role: `ecs-tasks.amazonaws.com` for a task. The trust policy of the role decides.
///
/// # Errors
/// `AccessDenied` where the role is not there or does not trust the service; STS does not tell the two apart.
pub fn assume_for_service(cloud: &Cloud, role_arn: &str, service: &str, session: &str) -> Result<Caller, AwsError> {
    let refused = || {
        let sentence = format!("User: {service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
        AwsError::new("AccessDenied", sentence).status(403)
    };
    let role = cloud.iam.role_by_arn(role_arn).ok_or_else(refused)?;
    if !super::trust::trusts_service(cloud, role, service) {
        return Err(refused());
    }
    Ok(Caller { arn: format!("arn:aws:sts::{}:assumed-role/{}/{session}", cloud.config.account, role.name) })
}
