//! Straight into a simulated account of this process: for `lab test`, where nothing listens and nothing waits.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use breakfix_sim_aws::{Call, Cloud, services::iam::principals};
use serde_json::Value;

use super::{Answer, Service, Wire};
use crate::aws::trouble::Trouble;

/// A simulated account.
pub(in crate::aws) struct InProcess {
    pub cloud: Arc<Mutex<Cloud>>,
}

#[async_trait]
impl Wire for InProcess {
    async fn send(&self, service: Service, operation: &str, input: &Value) -> Result<Answer, Trouble> {
        let mut cloud = self.cloud.lock().unwrap_or_else(PoisonError::into_inner);
        let call = Call {
            service: service.signing_name().to_owned(),
            operation: operation.to_owned(),
            input: input.clone(),
            caller: principals::operator(&cloud.config),
        };
        let answer = cloud.call(&call);
        let at = Some(cloud.clock.today());
        match answer {
            Ok(value) => Ok(Answer { value, at }),
            Err(error) => Err(Trouble::Refused { code: error.code, message: error.message, status: error.status }),
        }
    }
}
