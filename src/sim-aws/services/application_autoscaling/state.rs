//! What Application Auto Scaling keeps: scalable targets, their policies, and what was done.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By resource: `service/CLUSTER/SERVICE`.
    pub targets: BTreeMap<String, Target>,
    /// By ARN.
    pub policies: BTreeMap<String, Policy>,
    pub activities: Vec<Activity>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub arn: String,
    pub min: u64,
    pub max: u64,
    pub role: String,
    pub created: SimTime,
    pub suspended: Suspended,
}

/// What does not scale for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    pub scaling_in: bool,
    pub scaling_out: bool,
    pub scheduled: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub arn: String,
    pub name: String,
    pub resource: String,
    /// `TargetTrackingScaling` or `StepScaling`.
    pub kind: String,
    /// The configuration as it was put.
    pub configuration: Value,
    pub created: SimTime,
    /// Alarms of its own, of target tracking only: high and low.
    pub alarms: Vec<String>,
    /// When it last scaled, and whether out.
    pub last: Option<(SimTime, bool)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub id: String,
    pub resource: String,
    pub description: String,
    pub cause: String,
    pub at: SimTime,
}
