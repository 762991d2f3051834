//! PutMetricData and the ways to read values.

use serde_json::{Value, json};

use super::{
    query::{self, Query, What},
    series,
    state::{MINUTES_MAX, Metric, Stat},
};
use crate::{AwsError, Call, Cloud, input, moment, services::page::Paging};
use breakfix_sim::SimTime;

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let namespace = input::required(call, "Namespace")?;
    if namespace.starts_with("AWS/") {
        return Err(AwsError::new("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid."));
    }
    for datum in input::required_list(call, "MetricData")? {
        let name = input::text(datum, "MetricName").ok_or_else(|| input::missing("monitoring", "metricName"))?;
        let metric =
            Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: query::dimensions(datum) };
        let at = datum.get("Timestamp").and_then(moment::read).unwrap_or_else(|| cloud.clock.today());
        let since = at.as_millisecond() - cloud.clock.date(SimTime(0)).as_millisecond();
        // Older than the simulation: nobody will ask.
        let Ok(minute) = u64::try_from(since / 60_000) else { continue };
        if let Some(stat) = stat(datum) {
            add(cloud, metric, minute, stat);
        }
    }
    Ok(json!({}))
}

/// One value, a set of statistics, or values with counts.
fn stat(datum: &Value) -> Option<Stat> {
    if let Some(set) = datum.get("StatisticValues").filter(|it| it.is_object()) {
        let number = |member: &str| input::number(set, member);
        return Some(Stat {
            count: number("SampleCount")?,
            sum: number("Sum")?,
            min: number("Minimum")?,
            max: number("Maximum")?,
        });
    }
    if let Some(value) = input::number(datum, "Value") {
        return Some(Stat::one(value));
    }
    let counts = input::list(datum, "Counts");
    let many = input::list(datum, "Values").iter().enumerate().filter_map(|(index, value)| {
        let count = counts.get(index).and_then(Value::as_f64).unwrap_or(1.0);
        let value = value.as_f64()?;
        Some(Stat { count, sum: value * count, min: value, max: value })
    });
    many.reduce(Stat::and)
}

/// Adds to a metric, as the API does and as parts of the simulator may.
pub fn add(cloud: &mut Cloud, metric: Metric, minute: u64, stat: Stat) {
    let minutes = cloud.cloudwatch.metrics.entry(metric).or_default();
    minutes.entry(minute).and_modify(|all| *all = all.and(stat)).or_insert(stat);
    while minutes.len() > MINUTES_MAX {
        minutes.pop_first();
    }
}

/// The window of a request in minutes: from, and before.
fn window(cloud: &Cloud, request: &Value) -> Result<(u64, u64), AwsError> {
    let begin = cloud.clock.date(SimTime(0)).as_millisecond();
    let minute = |member: &str| {
        let date = request.get(member).and_then(moment::read);
        let date =
            date.ok_or_else(|| AwsError::new("MissingParameter", format!("The parameter {member} is required.")))?;
        Ok(u64::try_from((date.as_millisecond() - begin).max(0) / 60_000).unwrap_or(0))
    };
    let (from, to) = (minute("StartTime")?, minute("EndTime")?);
    // Nothing is older than what is kept, or newer than now.
    let now = series::this_minute(cloud) + 1;
    let oldest = now.saturating_sub(u64::try_from(MINUTES_MAX).unwrap_or(180));
    Ok((from.max(oldest), to.min(now)))
}

fn date(cloud: &Cloud, minute: u64) -> Value {
    moment::of(cloud, SimTime(minute.saturating_mul(60_000)))
}

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let queries = query::read(input::required_list(call, "MetricDataQueries")?)?;
    let (from, to) = window(cloud, &call.input)?;
    let values = query::values(cloud, &queries, from, to)?;
    let ascending = input::text(&call.input, "ScanBy") == Some("TimestampAscending");
    let view = |query: &Query| {
        let mut series = values.get(&query.id).into_iter().flatten().collect::<Vec<_>>();
        if !ascending {
            series.reverse();
        }
        let label = match (&query.label, &query.what) {
            (Some(label), _) => label.clone(),
            (None, What::Metric(metric, _, _)) => metric.name.clone(),
            (None, What::Expression(_)) => query.id.clone(),
        };
        json!({
            "Id": query.id, "Label": label, "StatusCode": "Complete",
            "Timestamps": series.iter().map(|(at, _)| date(cloud, **at)).collect::<Vec<_>>(),
            "Values": series.iter().map(|(_, value)| **value).collect::<Vec<_>>(),
        })
    };
    let results = queries.iter().filter(|query| query.returns).map(view).collect::<Vec<_>>();
    Ok(json!({"MetricDataResults": results, "Messages": []}))
}

pub fn statistics(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let metric = query::metric(&call.input).ok_or_else(|| input::missing("monitoring", "metricName"))?;
    let wanted = input::texts(&call.input, "Statistics");
    for statistic in wanted.iter().chain(&input::texts(&call.input, "ExtendedStatistics")) {
        query::check_statistic(statistic)?;
    }
    let (from, to) = window(cloud, &call.input)?;
    let length = query::minutes(input::integer(&call.input, "Period"));
    let found = series::periods(cloud, &metric, from, to, length);
    let view = |(at, stat): (u64, Stat)| {
        let mut point =
            json!({"Timestamp": date(cloud, at), "Unit": input::text(&call.input, "Unit").unwrap_or("None")});
        for statistic in &wanted {
            if let Some(value) = stat.read(statistic) {
                point[*statistic] = json!(value);
            }
        }
        point
    };
    Ok(json!({"Label": metric.name, "Datapoints": found.into_iter().map(view).collect::<Vec<_>>()}))
}

/// What has data.
pub fn list(cloud: &Cloud, call: &Call) -> Value {
    let put = cloud.cloudwatch.metrics.keys().cloned();
    let groups = cloud.elbv2.minutes.keys().filter(|arn| cloud.elbv2.groups.contains_key(*arn));
    let counted = groups.flat_map(|arn| {
        let group = arn.rsplit(':').next().unwrap_or(arn).to_owned();
        let balancer = cloud.elbv2.balancer_of(arn).and_then(|(arn, _)| arn.split_once("loadbalancer/"));
        let mut dimensions = std::collections::BTreeMap::from([("TargetGroup".to_owned(), group)]);
        dimensions.extend(balancer.map(|(_, name)| ("LoadBalancer".to_owned(), name.to_owned())));
        [
            "RequestCount",
            "RequestCountPerTarget",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_5XX_Count",
            "TargetResponseTime",
            "HealthyHostCount",
            "UnHealthyHostCount",
        ]
        .map(|name| Metric {
            namespace: "AWS/ApplicationELB".to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.clone(),
        })
    });
    let filters = input::list(&call.input, "Dimensions");
    let wanted = |metric: &Metric| {
        input::text(&call.input, "Namespace").is_none_or(|it| it == metric.namespace)
            && input::text(&call.input, "MetricName").is_none_or(|it| it == metric.name)
            && filters.iter().all(|filter| {
                let value = input::text(filter, "Name").and_then(|name| metric.dimensions.get(name));
                value.is_some_and(|value| input::text(filter, "Value").is_none_or(|wish| wish == value))
            })
    };
    let view = |metric: Metric| {
        let dimensions = metric.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value}));
        json!({"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions.collect::<Vec<_>>()})
    };
    let pages = Paging { size: "", token: "NextToken", next: "NextToken", most: 500, truncated: None };
    pages.answer(&call.input, "Metrics", put.chain(counted).filter(wanted).map(view).collect())
}
