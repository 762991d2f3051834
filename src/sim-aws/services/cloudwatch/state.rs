//! What CloudWatch keeps: metrics by the minute, and alarms.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

/// Minutes of a metric that are kept: three hours, as the real service keeps its finest data.
pub const MINUTES_MAX: usize = 180;
/// Entries of the history that are kept.
pub const HISTORY_MAX: usize = 200;

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// What was put by PutMetricData.
    #[serde(with = "as_list")]
    pub metrics: BTreeMap<Metric, BTreeMap<u64, Stat>>,
    /// By name.
    pub alarms: BTreeMap<String, Alarm>,
    pub history: Vec<Change>,
    /// Whether the next look at the alarms is due.
    pub is_looking: bool,
}

/// A metric's full name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

/// What is known of a metric in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    pub count: f64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub name: String,
    pub arn: String,
    /// What it was put with, member by member: answers give it back.
    pub request: serde_json::Value,
    pub state: AlarmState,
    pub reason: String,
    pub configured: SimTime,
    pub changed: SimTime,
    pub actions_enabled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

/// A state that an alarm went to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub at: SimTime,
    pub alarm: String,
    /// `StateUpdate`, `ConfigurationUpdate`, `Action`.
    pub kind: String,
    pub summary: String,
}

impl AlarmState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl Stat {
    pub fn one(value: f64) -> Self {
        Self { count: 1.0, sum: value, min: value, max: value }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// One number; none for a statistic that is not simulated, such as a percentile.
    pub fn read(self, statistic: &str) -> Option<f64> {
        match statistic {
            "Average" => Some(self.sum / self.count.max(1.0)),
            "Sum" => Some(self.sum),
            "Minimum" => Some(self.min),
            "Maximum" => Some(self.max),
            "SampleCount" => Some(self.count),
            _ => None,
        }
    }
}

/// JSON has no maps by structures.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Metric, Stat};

    type Map = BTreeMap<Metric, BTreeMap<u64, Stat>>;

    pub fn serialize<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        Ok(Vec::<(Metric, BTreeMap<u64, Stat>)>::deserialize(deserializer)?.into_iter().collect())
    }
}
