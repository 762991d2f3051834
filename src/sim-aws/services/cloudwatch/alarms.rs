//! Alarms: putting, showing, and looking at them every minute. Source: CloudWatch user guide, "Using Amazon CloudWatch alarms"
//! (evaluation periods, datapoints to alarm, missing data).

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    query::{self, Query, What},
    series,
    state::{Alarm, AlarmState, Change, HISTORY_MAX},
};
use crate::{AwsError, Call, Cloud, event::Event, input, moment, services::page::Paging};

const PAGES: Paging = Paging { size: "MaxRecords", token: "NextToken", next: "NextToken", most: 100, truncated: None };

/// The members of a request that an alarm's description gives back.
const MEMBERS: &[&str] = &[
    "AlarmName",
    "AlarmDescription",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "Metrics",
];
const INTEGERS: &[&str] = &["Period", "EvaluationPeriods", "DatapointsToAlarm"];

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "AlarmName")?;
    let request = kept(&call.input);
    queries(&request)?;
    input::required_integer(call, "EvaluationPeriods")?;
    let operator = input::required(call, "ComparisonOperator")?;
    if compare(operator, 0.0, 0.0).is_none() || input::number(&request, "Threshold").is_none() {
        let sentence = "An alarm needs a Threshold and one of the four static comparison operators";
        return Err(AwsError::new("ValidationError", sentence));
    }
    let now = cloud.now();
    let (region, account) = (&cloud.config.region, &cloud.config.account);
    let arn = format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}");
    let enabled = input::flag(&call.input, "ActionsEnabled").unwrap_or(true);
    let before = cloud.cloudwatch.alarms.get(name);
    let (state, reason, changed) = match before {
        Some(alarm) => (alarm.state, alarm.reason.clone(), alarm.changed),
        None => (AlarmState::InsufficientData, "Unchecked: Initial alarm creation".to_owned(), now),
    };
    let summary = format!("Alarm \"{name}\" {}", if before.is_some() { "updated" } else { "created" });
    let alarm = Alarm {
        name: name.to_owned(),
        arn,
        request,
        state,
        reason,
        configured: now,
        changed,
        actions_enabled: enabled,
    };
    cloud.cloudwatch.alarms.insert(name.to_owned(), alarm);
    note(cloud, name, "ConfigurationUpdate", summary);
    look_later(cloud);
    Ok(json!({}))
}

/// Texts of a query protocol become what the model says they are.
fn kept(request: &Value) -> Value {
    let mut kept = serde_json::Map::new();
    for member in MEMBERS {
        let value = match request.get(*member).filter(|value| !value.is_null()) {
            None => continue,
            Some(_) if INTEGERS.contains(member) => json!(input::integer(request, member)),
            Some(_) if *member == "Threshold" => json!(input::number(request, member)),
            Some(value) => value.clone(),
        };
        kept.insert((*member).to_owned(), value);
    }
    Value::Object(kept)
}

/// What the alarm watches: the last query that returns is the one that decides.
fn queries(request: &Value) -> Result<Vec<Query>, AwsError> {
    let list = input::list(request, "Metrics");
    if !list.is_empty() {
        return query::read(list);
    }
    let metric = query::metric(request).ok_or_else(|| {
        AwsError::new("ValidationError", "Exactly one of MetricName and Metrics must be specified for an alarm")
    })?;
    let statistic = input::text(request, "Statistic").unwrap_or("Average").to_owned();
    query::check_statistic(&statistic)?;
    let what = What::Metric(metric, statistic, query::minutes(input::integer(request, "Period")));
    Ok(vec![Query { id: "m".to_owned(), what, label: None, returns: true }])
}

/// The next look at the alarms, a little after the minute is full.
fn look_later(cloud: &mut Cloud) {
    if cloud.cloudwatch.is_looking || cloud.cloudwatch.alarms.is_empty() {
        return;
    }
    cloud.cloudwatch.is_looking = true;
    let rest = 60_000 - cloud.now().0 % 60_000;
    cloud.after(Duration::from_millis(rest + 5_000), Event::CloudWatch(super::CloudWatchEvent::Look));
}

/// Looks at every alarm.
pub fn look(cloud: &mut Cloud) {
    cloud.cloudwatch.is_looking = false;
    let names = cloud.cloudwatch.alarms.keys().cloned().collect::<Vec<_>>();
    for name in names {
        if let Some((state, reason)) = judge(cloud, &name) {
            go(cloud, &name, state, &reason);
        }
        act(cloud, &name);
    }
    look_later(cloud);
}

/// What an alarm should be; none: as it is.
fn judge(cloud: &Cloud, name: &str) -> Option<(AlarmState, String)> {
    let request = &cloud.cloudwatch.alarms.get(name)?.request;
    let queries = queries(request).ok()?;
    let decisive = queries.iter().rev().find(|query| query.returns)?;
    let length = queries.iter().filter_map(|query| match &query.what {
        What::Metric(_, _, length) => Some(*length),
        What::Expression(_) => None,
    });
    let length = length.max().unwrap_or(1);
    let count = u64::try_from(input::integer(request, "EvaluationPeriods")?).ok()?.max(1);
    let needed = input::integer(request, "DatapointsToAlarm").and_then(|it| u64::try_from(it).ok()).unwrap_or(count);
    // The last full periods.
    let to = series::this_minute(cloud) / length * length;
    let from = to.saturating_sub(count * length);
    let values = query::values(cloud, &queries, from, to).ok()?.remove(&decisive.id)?;
    let (threshold, operator) = (input::number(request, "Threshold")?, input::text(request, "ComparisonOperator")?);
    let breaching = values.values().filter(|value| compare(operator, **value, threshold) == Some(true)).count() as u64;
    let present = values.len() as u64;
    let missing = count.saturating_sub(present);
    let treat = input::text(request, "TreatMissingData").unwrap_or("missing");
    let bad = if treat == "breaching" { breaching + missing } else { breaching };
    let state = match treat {
        _ if bad >= needed => AlarmState::Alarm,
        "missing" if present == 0 => AlarmState::InsufficientData,
        "ignore" if present == 0 => return None,
        _ => AlarmState::Ok,
    };
    let shown = values.values().map(|value| format!("{value:.1}")).collect::<Vec<_>>().join(", ");
    let reason = match state {
        AlarmState::InsufficientData => {
            "Insufficient Data: no datapoints were received for the alarm's periods".to_owned()
        }
        AlarmState::Alarm => format!(
            "Threshold Crossed: {bad} out of the last {count} datapoints [{shown}] were {} the threshold ({threshold:.1}) (minimum \
             {needed} datapoints for OK -> ALARM transition).",
            words(operator)
        ),
        AlarmState::Ok => format!(
            "Threshold Crossed: {bad} out of the last {count} datapoints [{shown}] were {} the threshold ({threshold:.1}), fewer than \
             {needed}.",
            words(operator)
        ),
    };
    Some((state, reason))
}

fn compare(operator: &str, value: f64, threshold: f64) -> Option<bool> {
    match operator {
        "GreaterThanThreshold" => Some(value > threshold),
        "GreaterThanOrEqualToThreshold" => Some(value >= threshold),
        "LessThanThreshold" => Some(value < threshold),
        "LessThanOrEqualToThreshold" => Some(value <= threshold),
        _ => None,
    }
}

fn words(operator: &str) -> &'static str {
    match operator {
        "GreaterThanThreshold" => "greater than",
        "GreaterThanOrEqualToThreshold" => "greater than or equal to",
        "LessThanThreshold" => "less than",
        _ => "less than or equal to",
    }
}

fn go(cloud: &mut Cloud, name: &str, state: AlarmState, reason: &str) {
    let now = cloud.now();
    let Some(alarm) = cloud.cloudwatch.alarms.get_mut(name) else { return };
    let before = alarm.state;
    reason.clone_into(&mut alarm.reason);
    if before == state {
        return;
    }
    alarm.state = state;
    alarm.changed = now;
    let actions = match state {
        AlarmState::Ok => "OKActions",
        AlarmState::Alarm => "AlarmActions",
        AlarmState::InsufficientData => "InsufficientDataActions",
    };
    let told = input::texts(&alarm.request, actions).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let told = if alarm.actions_enabled { told } else { Vec::new() };
    note(cloud, name, "StateUpdate", format!("Alarm updated from {} to {}", before.word(), state.word()));
    for action in told {
        note(cloud, name, "Action", format!("Successfully executed action {action}"));
    }
    // Deployments watch the state itself: whether the alarm's actions are enabled does not matter to them.
    crate::services::ecs::alarm_changed(cloud, name, state == AlarmState::Alarm);
}

/// Scaling policies act for as long as their alarm lasts.
fn act(cloud: &mut Cloud, name: &str) {
    let Some(alarm) = cloud.cloudwatch.alarms.get(name) else { return };
    if !alarm.actions_enabled || alarm.state != AlarmState::Alarm {
        return;
    }
    let actions = input::texts(&alarm.request, "AlarmActions").into_iter().map(str::to_owned).collect::<Vec<_>>();
    for action in actions.iter().filter(|action| action.contains(":scalingPolicy:")) {
        crate::services::application_autoscaling::execute(cloud, action, name);
    }
}

fn note(cloud: &mut Cloud, alarm: &str, kind: &str, summary: String) {
    let at = cloud.now();
    let history = &mut cloud.cloudwatch.history;
    history.push(Change { at, alarm: alarm.to_owned(), kind: kind.to_owned(), summary });
    let surplus = history.len().saturating_sub(HISTORY_MAX);
    history.drain(..surplus);
}

pub fn describe(cloud: &Cloud, call: &Call) -> Value {
    let names = input::texts(&call.input, "AlarmNames");
    let prefix = input::text(&call.input, "AlarmNamePrefix").unwrap_or("");
    let state = input::text(&call.input, "StateValue");
    let action = input::text(&call.input, "ActionPrefix");
    let wanted = |alarm: &&Alarm| {
        let actions = ["AlarmActions", "OKActions", "InsufficientDataActions"];
        let mut acts = actions.iter().flat_map(|member| input::texts(&alarm.request, member));
        (names.is_empty() || names.contains(&alarm.name.as_str()))
            && alarm.name.starts_with(prefix)
            && state.is_none_or(|state| state == alarm.state.word())
            && action.is_none_or(|prefix| acts.any(|it| it.starts_with(prefix)))
    };
    let view = |alarm: &Alarm| {
        let mut view = alarm.request.clone();
        for member in ["OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"] {
            if view.get(member).is_none() {
                view[member] = json!([]);
            }
        }
        view["AlarmArn"] = json!(alarm.arn);
        view["ActionsEnabled"] = json!(alarm.actions_enabled);
        view["StateValue"] = json!(alarm.state.word());
        view["StateReason"] = json!(alarm.reason);
        view["AlarmConfigurationUpdatedTimestamp"] = moment::of(cloud, alarm.configured);
        view["StateUpdatedTimestamp"] = moment::of(cloud, alarm.changed);
        view["StateTransitionedTimestamp"] = moment::of(cloud, alarm.changed);
        view
    };
    let views = cloud.cloudwatch.alarms.values().filter(wanted).map(view).collect();
    let mut answer = PAGES.answer(&call.input, "MetricAlarms", views);
    answer["CompositeAlarms"] = json!([]);
    answer
}

pub fn history(cloud: &Cloud, call: &Call) -> Value {
    let (name, kind) = (input::text(&call.input, "AlarmName"), input::text(&call.input, "HistoryItemType"));
    let wanted = |it: &&Change| name.is_none_or(|name| name == it.alarm) && kind.is_none_or(|kind| kind == it.kind);
    let view = |it: &Change| {
        json!({
            "AlarmName": it.alarm, "AlarmType": "MetricAlarm", "Timestamp": moment::of(cloud, it.at),
            "HistoryItemType": it.kind, "HistorySummary": it.summary, "HistoryData": "{}",
        })
    };
    let newest = cloud.cloudwatch.history.iter().rev().filter(wanted).map(view).collect();
    PAGES.answer(&call.input, "AlarmHistoryItems", newest)
}

/// DeleteAlarms: all or none.
pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let names = input::texts(&call.input, "AlarmNames");
    if let Some(unknown) = names.iter().find(|name| !cloud.cloudwatch.alarms.contains_key(**name)) {
        let sentence = format!("Alarm {unknown} does not exist");
        return Err(AwsError::new("ResourceNotFound", sentence).status(404));
    }
    for name in names {
        cloud.cloudwatch.alarms.remove(name);
    }
    Ok(json!({}))
}

/// SetAlarmState: until the next look.
pub fn set_state(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "AlarmName")?;
    if !cloud.cloudwatch.alarms.contains_key(name) {
        return Err(AwsError::new("ResourceNotFound", "").status(404));
    }
    let state = match input::required(call, "StateValue")? {
        "OK" => AlarmState::Ok,
        "ALARM" => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    go(cloud, name, state, input::required(call, "StateReason")?);
    act(cloud, name);
    Ok(json!({}))
}

/// EnableAlarmActions and DisableAlarmActions; names that are not there are passed over, as in reality.
pub fn enable(cloud: &mut Cloud, call: &Call) -> Value {
    for name in input::texts(&call.input, "AlarmNames") {
        if let Some(alarm) = cloud.cloudwatch.alarms.get_mut(name) {
            alarm.actions_enabled = call.operation == "EnableAlarmActions";
        }
    }
    json!({})
}

/// The newest value that an alarm has seen, and its threshold.
pub fn latest(cloud: &Cloud, name: &str) -> Option<(f64, f64)> {
    let request = &cloud.cloudwatch.alarms.get(name)?.request;
    let queries = queries(request).ok()?;
    let decisive = queries.iter().rev().find(|query| query.returns)?;
    let to = series::this_minute(cloud);
    let values = query::values(cloud, &queries, to.saturating_sub(15), to).ok()?.remove(&decisive.id)?;
    let (_, value) = values.last_key_value()?;
    Some((*value, input::number(request, "Threshold")?))
}
