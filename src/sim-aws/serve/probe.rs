//! A question from inside a VPC, as it is handed in and answered: the grader's own, so that what stays closed can be seen to be closed.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::serve::world::Act;
use breakfix_workload::{CallError, Request};
use serde::{Deserialize, Serialize};

use crate::{AwsError, Cloud, network};

/// One request, and from where.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// The id of the subnet that it stands in.
    pub subnet: String,
    /// The ids of its security groups; empty: none at all.
    pub groups: Vec<String>,
    /// A name as the VPC's resolver knows it, or an address.
    pub host: String,
    pub port: u16,
    pub request: Request,
    pub timeout_ms: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    pub result: Came,
    pub took_ms: u64,
}

/// An answer, or how there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Came {
    Answer { status: u16, headers: BTreeMap<String, String>, body: String },
    Refused,
    TimedOut,
    Reset,
    NameUnknown,
    NameUnanswered,
}

impl Act<Cloud> for Probe {
    type Outcome = Result<Told, AwsError>;

    fn act(&self, cloud: &mut Cloud) -> Self::Outcome {
        let timeout = Duration::from_millis(self.timeout_ms);
        let from = (self.subnet.as_str(), self.groups.as_slice());
        let exchange = network::ask_from(cloud, from, (&self.host, self.port), &self.request, timeout)?;
        let result = match exchange.result {
            Ok(response) => Came::Answer {
                status: response.status,
                headers: response.headers,
                body: String::from_utf8_lossy(&response.body).into_owned(),
            },
            Err(CallError::Refused | CallError::Unreachable) => Came::Refused,
            Err(CallError::TimedOut) => Came::TimedOut,
            Err(CallError::Reset | CallError::Garbled(_)) => Came::Reset,
            Err(CallError::NameUnknown(_)) => Came::NameUnknown,
            Err(CallError::NamesSilent(_)) => Came::NameUnanswered,
        };
        Ok(Told { result, took_ms: u64::try_from(exchange.took.as_millis()).unwrap_or(u64::MAX) })
    }
}
