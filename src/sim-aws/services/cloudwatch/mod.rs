//! Amazon CloudWatch: metrics by the minute, metric math, alarms. The logs are in `logs`.
//!
//! It has what PutMetricData brings and what load balancers count; CPU and memory of ECS tasks are not measured yet.

mod alarms;
mod data;
mod math;
mod query;
mod series;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    alarms::latest,
    data::add,
    state::{Alarm, AlarmState, Metric, Stat, State},
};
use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// The alarms are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloudWatchEvent {
    Look,
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: CloudWatchEvent) {
    match event {
        CloudWatchEvent::Look => alarms::look(cloud),
    }
}

/// The state of an alarm; none: there is no such alarm.
pub fn alarm_state(cloud: &Cloud, name: &str) -> Option<AlarmState> {
    cloud.cloudwatch.alarms.get(name).map(|alarm| alarm.state)
}

/// What a request needs before it is looked at: the actions are called after `cloudwatch`, whatever signs.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = format!("cloudwatch:{operation}");
    let arn = |name: &str| format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", cloud.config.region, cloud.config.account);
    let one = input::text(request, "AlarmName");
    let names = one.into_iter().chain(input::texts(request, "AlarmNames")).map(arn).collect::<Vec<_>>();
    if names.is_empty() {
        let mut need = Need::new(action, "*");
        if let Some(namespace) = input::text(request, "Namespace") {
            need = need.with("cloudwatch:namespace", namespace);
        }
        return vec![need];
    }
    names.into_iter().map(|name| Need::new(action.clone(), name)).collect()
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "PutMetricData" => data::put(cloud, call),
        "GetMetricData" => data::get(cloud, call),
        "GetMetricStatistics" => data::statistics(cloud, call),
        "ListMetrics" => Ok(data::list(cloud, call)),
        "PutMetricAlarm" => alarms::put(cloud, call),
        "DescribeAlarms" => Ok(alarms::describe(cloud, call)),
        "DescribeAlarmHistory" => Ok(alarms::history(cloud, call)),
        "DeleteAlarms" => alarms::delete(cloud, call),
        "SetAlarmState" => alarms::set_state(cloud, call),
        "EnableAlarmActions" | "DisableAlarmActions" => Ok(alarms::enable(cloud, call)),
        other => Err(AwsError::not_simulated("cloudwatch", other)),
    }
}
