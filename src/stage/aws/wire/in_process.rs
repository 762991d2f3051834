//! Straight into a simulated account of this process: for `lab test`, where nothing listens and nothing waits.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use breakfix_sim_aws::{
    Call, Caller, Cloud,
    services::{iam::principals, sts},
};
use serde_json::Value;

use super::{Answer, Credentials, Service, Wire};
use crate::aws::trouble::Trouble;

/// A simulated account.
pub(in crate::aws) struct InProcess {
    pub cloud: Arc<Mutex<Cloud>>,
    /// Whose access key it is; none: the account's root.
    pub key: Option<String>,
}

/// Whose key this is: a user's, or a session's whose time is not over.
fn owner(cloud: &Cloud, key: &str) -> Result<Caller, Trouble> {
    if let Some((user, _)) = principals::key_owner(cloud, key) {
        return Ok(user);
    }
    let session = sts::session(cloud, key).filter(|it| it.expires > cloud.now());
    session.map(|it| it.caller.clone()).ok_or_else(|| Trouble::Refused {
        code: "ExpiredToken".to_owned(),
        message: "The security token included in the request is expired".to_owned(),
        status: 403,
    })
}

#[async_trait]
impl Wire for InProcess {
    async fn send(&self, service: Service, operation: &str, input: &Value) -> Result<Answer, Trouble> {
        let mut cloud = self.cloud.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = match &self.key {
            None => principals::operator(&cloud.config),
            Some(key) => owner(&cloud, key)?,
        };
        let call = Call {
            service: service.signing_name().to_owned(),
            operation: operation.to_owned(),
            input: input.clone(),
            caller,
        };
        let answer = cloud.call(&call);
        let at = Some(cloud.clock.today());
        match answer {
            Ok(value) => Ok(Answer { value, at }),
            Err(error) => Err(Trouble::Refused { code: error.code, message: error.message, status: error.status }),
        }
    }

    fn of(&self, credentials: Credentials) -> Arc<dyn Wire> {
        Arc::new(Self { cloud: Arc::clone(&self.cloud), key: Some(credentials.access_key_id().to_owned()) })
    }
}
