use serde_json::{Value, json};

use super::{AlarmState, alarm_state};
use crate::services::testing::Account;

const NAME: &str = "monitoring";

fn put(account: &mut Account, name: &str, value: f64) {
    account.ok(
        NAME,
        "PutMetricData",
        json!({"Namespace": "Shop", "MetricData": [{"MetricName": name, "Value": value}]}),
    );
}

fn alarm(account: &mut Account, more: Value) {
    let mut input = json!({
        "AlarmName": "web-errors", "Namespace": "Shop", "MetricName": "errors", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 2, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    account.ok(NAME, "PutMetricAlarm", input);
}

/// One minute in which the metric has this value, and the look at its end.
fn minute(account: &mut Account, value: Option<f64>) -> AlarmState {
    if let Some(value) = value {
        put(account, "errors", value);
    }
    account.pass(60);
    alarm_state(&account.cloud, "web-errors").unwrap()
}

#[test]
fn an_alarm_goes_off_after_its_periods_and_comes_back() {
    let mut account = Account::new();
    alarm(&mut account, json!({}));
    account.pass(10);
    let seen = [Some(9.0), Some(9.0), Some(9.0), Some(1.0), Some(1.0), None, None, None]
        .map(|value| minute(&mut account, value));
    assert_eq!(seen[0], AlarmState::Ok, "one of two");
    assert_eq!(seen[2], AlarmState::Alarm);
    assert_eq!(seen[4], AlarmState::Ok);
    assert_eq!(seen[7], AlarmState::InsufficientData, "no data is neither good nor bad");
    let history =
        account.ok(NAME, "DescribeAlarmHistory", json!({"AlarmName": "web-errors", "HistoryItemType": "StateUpdate"}));
    let summaries =
        history["AlarmHistoryItems"].as_array().unwrap().iter().map(|it| it["HistorySummary"].as_str().unwrap());
    assert!(summaries.clone().any(|it| it == "Alarm updated from OK to ALARM"), "{history}");
    let described = account.ok(NAME, "DescribeAlarms", json!({"AlarmNames": ["web-errors"]}));
    assert_eq!(described["MetricAlarms"][0]["StateValue"], "INSUFFICIENT_DATA");
}

#[test]
fn missing_data_is_what_the_alarm_says() {
    for (treat, state) in [
        ("missing", AlarmState::InsufficientData),
        ("notBreaching", AlarmState::Ok),
        ("breaching", AlarmState::Alarm),
        ("ignore", AlarmState::InsufficientData),
    ] {
        let mut account = Account::new();
        alarm(&mut account, json!({"TreatMissingData": treat}));
        account.pass(130);
        assert_eq!(alarm_state(&account.cloud, "web-errors"), Some(state), "{treat}");
    }
}

#[test]
fn an_alarm_on_a_rate_needs_requests() {
    let metric = |id: &str, name: &str| {
        json!({"Id": id, "ReturnData": false,
               "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Sum"}})
    };
    let rate = json!({
        "MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "EvaluationPeriods": 1,
        "Metrics": [metric("m5xx", "errors"), metric("requests", "requests"),
                    {"Id": "rate", "Expression": "100*FILL(m5xx,0)/requests", "ReturnData": true}],
    });
    let mut account = Account::new();
    alarm(&mut account, rate);
    account.pass(10);
    assert_eq!(minute(&mut account, Some(3.0)), AlarmState::InsufficientData);
    put(&mut account, "requests", 20.0);
    assert_eq!(minute(&mut account, Some(3.0)), AlarmState::Alarm);
    put(&mut account, "requests", 20.0);
    assert_eq!(minute(&mut account, None), AlarmState::Ok);
}

#[test]
fn values_are_read_back() {
    let mut account = Account::new();
    put(&mut account, "errors", 2.0);
    put(&mut account, "errors", 4.0);
    account.pass(60);
    put(&mut account, "errors", 6.0);
    account.pass(60);
    let window = json!({"StartTime": "2026-11-21T12:00:00Z", "EndTime": "2026-11-21T12:10:00Z"});
    let mut statistics = window.clone();
    let more = json!({"Namespace": "Shop", "MetricName": "errors", "Period": 60, "Statistics": ["Average", "Maximum"]});
    statistics.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let points = account.ok(NAME, "GetMetricStatistics", statistics)["Datapoints"].clone();
    assert_eq!(
        (&points[0]["Average"], &points[0]["Maximum"], &points[1]["Average"]),
        (&json!(3.0), &json!(4.0), &json!(6.0))
    );
    let mut data = window;
    data["MetricDataQueries"] = json!([{"Id": "m", "MetricStat": {
        "Metric": {"Namespace": "Shop", "MetricName": "errors"}, "Period": 120, "Stat": "Sum"}}]);
    let results = account.ok(NAME, "GetMetricData", data.clone())["MetricDataResults"].clone();
    assert_eq!(results[0]["Values"], json!([12.0]));
    data["MetricDataQueries"][0]["MetricStat"]["Stat"] = json!("p99");
    assert!(account.refused(NAME, "GetMetricData", data).contains("does not know the statistic p99"));
    let listed = account.ok(NAME, "ListMetrics", json!({"Namespace": "Shop"}));
    assert_eq!(listed["Metrics"], json!([{"Namespace": "Shop", "MetricName": "errors", "Dimensions": []}]));
    let aws = json!({"Namespace": "AWS/ECS", "MetricData": [{"MetricName": "x", "Value": 1.0}]});
    assert!(account.refused(NAME, "PutMetricData", aws).starts_with("InvalidParameterValue"));
}

#[test]
fn alarms_are_set_silenced_and_deleted() {
    let mut account = Account::new();
    alarm(&mut account, json!({"AlarmActions": ["arn:aws:sns:eu-central-1:123456789012:pager"]}));
    let set = json!({"AlarmName": "web-errors", "StateValue": "ALARM", "StateReason": "a drill"});
    account.ok(NAME, "SetAlarmState", set);
    let actions = json!({"HistoryItemType": "Action"});
    let paged = |account: &mut Account| {
        account.ok(NAME, "DescribeAlarmHistory", actions.clone())["AlarmHistoryItems"].as_array().unwrap().len()
    };
    assert_eq!(paged(&mut account), 1);
    account.ok(NAME, "DisableAlarmActions", json!({"AlarmNames": ["web-errors"]}));
    let set = |state: &str| json!({"AlarmName": "web-errors", "StateValue": state, "StateReason": "a drill"});
    account.ok(NAME, "SetAlarmState", set("OK"));
    account.ok(NAME, "SetAlarmState", set("ALARM"));
    assert_eq!(paged(&mut account), 1, "nobody is paged");
    account.ok(NAME, "EnableAlarmActions", json!({"AlarmNames": ["web-errors"]}));
    assert!(account.refused(NAME, "DeleteAlarms", json!({"AlarmNames": ["none"]})).starts_with("ResourceNotFound"));
    account.ok(NAME, "DeleteAlarms", json!({"AlarmNames": ["web-errors"]}));
    account.pass(120);
    assert_eq!(account.cloud.next_due(), None, "without alarms nothing is looked at");
}

#[test]
fn the_state_survives_being_saved() {
    let mut account = Account::new();
    put(&mut account, "errors", 2.0);
    let text = serde_json::to_string(&account.cloud.cloudwatch).unwrap();
    let back: super::State = serde_json::from_str(&text).unwrap();
    assert_eq!(back.metrics, account.cloud.cloudwatch.metrics);
}
