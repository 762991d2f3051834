//! Questions for values: one metric and statistic, or several and an expression over them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{math, series, state::Metric};
use crate::{AwsError, Cloud, input};

/// One entry of `MetricDataQueries`, or of an alarm's `Metrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub id: String,
    pub what: What,
    pub label: Option<String>,
    pub returns: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A statistic of a metric, in periods of so many minutes.
    Metric(Metric, String, u64),
    Expression(String),
}

/// `Dimensions: [{Name, Value}]`.
pub fn dimensions(value: &Value) -> BTreeMap<String, String> {
    let pair = |it: &Value| Some((input::text(it, "Name")?.to_owned(), input::text(it, "Value")?.to_owned()));
    input::list(value, "Dimensions").iter().filter_map(pair).collect()
}

/// `Namespace`, `MetricName`, `Dimensions` of a structure.
pub fn metric(value: &Value) -> Option<Metric> {
    let text = |member: &str| input::text(value, member).map(str::to_owned);
    Some(Metric { namespace: text("Namespace")?, name: text("MetricName")?, dimensions: dimensions(value) })
}

/// Seconds to minutes: what is shorter than a minute counts as one.
pub fn minutes(seconds: Option<i64>) -> u64 {
    seconds.and_then(|it| u64::try_from(it).ok()).unwrap_or(60).div_ceil(60).max(1)
}

/// # Errors
/// A statistic that is not simulated.
pub fn check_statistic(statistic: &str) -> Result<(), AwsError> {
    if matches!(statistic, "Average" | "Sum" | "Minimum" | "Maximum" | "SampleCount") {
        return Ok(());
    }
    let sentence = format!("the breakfix simulator does not know the statistic {statistic}");
    Err(AwsError::new("NotImplemented", sentence).status(501))
}

/// Reads a list of queries.
///
/// # Errors
/// One has neither a metric nor an expression, or a statistic that is not simulated.
pub fn read(list: &[Value]) -> Result<Vec<Query>, AwsError> {
    let one = |value: &Value| {
        let what = match (value.get("MetricStat").filter(|it| it.is_object()), input::text(value, "Expression")) {
            (Some(stat), None) => {
                let statistic = input::text(stat, "Stat").unwrap_or("Average").to_owned();
                check_statistic(&statistic)?;
                let metric = stat.get("Metric").and_then(metric);
                metric.map(|metric| What::Metric(metric, statistic, minutes(input::integer(stat, "Period"))))
            }
            (None, Some(text)) => Some(What::Expression(text.to_owned())),
            _ => None,
        };
        let what = what.ok_or_else(|| {
            AwsError::new("ValidationError", "Exactly one of MetricStat and Expression must be specified in each query")
        })?;
        Ok(Query {
            id: input::text(value, "Id").unwrap_or("").to_owned(),
            what,
            label: input::text(value, "Label").map(str::to_owned),
            returns: input::flag(value, "ReturnData").unwrap_or(true),
        })
    };
    list.iter().map(one).collect()
}

/// The values of all queries, by id, in periods from `from` on and before `to`.
///
/// # Errors
/// An expression that makes no sense.
pub fn values(
    cloud: &Cloud,
    queries: &[Query],
    from: u64,
    to: u64,
) -> Result<BTreeMap<String, BTreeMap<u64, f64>>, AwsError> {
    let mut found: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
    let length = queries.iter().filter_map(|query| match &query.what {
        What::Metric(_, _, length) => Some(*length),
        What::Expression(_) => None,
    });
    let length = length.max().unwrap_or(1);
    for query in queries {
        if let What::Metric(metric, statistic, length) = &query.what {
            let stats = series::periods(cloud, metric, from, to, *length);
            found.insert(
                query.id.clone(),
                stats.into_iter().filter_map(|(at, it)| Some((at, it.read(statistic)?))).collect(),
            );
        }
    }
    let periods = (from..to).step_by(usize::try_from(length).unwrap_or(1)).collect::<BTreeSet<_>>();
    for query in queries {
        if let What::Expression(text) = &query.what {
            let series = math::evaluate(text, &found, &periods).ok_or_else(|| {
                AwsError::new(
                    "ValidationError",
                    format!("Invalid metrics list: error in expression '{}': {text}", query.id),
                )
            })?;
            found.insert(query.id.clone(), series);
        }
    }
    Ok(found)
}
