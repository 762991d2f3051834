use serde_json::{Value, json};

use crate::services::testing::Account;

const NAME: &str = "application-autoscaling";
const RESOURCE: &str = "service/shop/web";

/// A cluster `shop` with the service `web`, two tasks, of EC2 type on a cluster without instances: nothing starts, counts count.
fn shop() -> Account {
    let mut account = Account::new();
    account.ok("ecs", "CreateCluster", json!({"clusterName": "shop"}));
    let definition = json!({
        "family": "web", "containerDefinitions": [{"name": "web", "image": "registry.example/shop/web:1", "memory": 128}],
    });
    account.ok("ecs", "RegisterTaskDefinition", definition);
    let service = json!({
        "cluster": "shop", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "launchType": "EC2",
    });
    account.ok("ecs", "CreateService", service);
    account
}

fn of(more: Value) -> Value {
    let mut input =
        json!({"ServiceNamespace": "ecs", "ResourceId": RESOURCE, "ScalableDimension": "ecs:service:DesiredCount"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn desired(account: &mut Account) -> i64 {
    let answer = account.ok("ecs", "DescribeServices", json!({"cluster": "shop", "services": ["web"]}));
    answer["services"][0]["desiredCount"].as_i64().unwrap()
}

/// A policy that tracks a metric of our own at 100.
fn tracked() -> Account {
    let mut account = shop();
    account.ok(NAME, "RegisterScalableTarget", of(json!({"MinCapacity": 2, "MaxCapacity": 5})));
    let policy = of(json!({
        "PolicyName": "load", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 100.0, "ScaleOutCooldown": 60, "ScaleInCooldown": 60,
            "CustomizedMetricSpecification": {"MetricName": "load", "Namespace": "Shop", "Statistic": "Average"},
        },
    }));
    let answer = account.ok(NAME, "PutScalingPolicy", policy);
    assert_eq!(answer["Alarms"].as_array().unwrap().len(), 2);
    account.pass(10);
    account
}

fn minutes(account: &mut Account, count: usize, load: f64) {
    for _ in 0..count {
        let datum = json!({"Namespace": "Shop", "MetricData": [{"MetricName": "load", "Value": load}]});
        account.ok("monitoring", "PutMetricData", datum);
        account.pass(60);
    }
}

#[test]
fn load_scales_out_and_its_end_scales_in() {
    let mut account = tracked();
    minutes(&mut account, 3, 180.0);
    assert_eq!(desired(&mut account), 4, "1.8 times the target, rounded up");
    minutes(&mut account, 4, 300.0);
    assert_eq!(desired(&mut account), 5, "never more than the maximum");
    minutes(&mut account, 40, 10.0);
    assert_eq!(desired(&mut account), 2, "never less than the minimum");
    let activities = account.ok(NAME, "DescribeScalingActivities", json!({"ServiceNamespace": "ecs"}));
    let newest = &activities["ScalingActivities"][0];
    assert_eq!(newest["Description"], "Setting desired count to 2.");
    assert!(newest["Cause"].as_str().unwrap().starts_with("monitor alarm TargetTracking-service/shop/web-AlarmLow-"));
}

#[test]
fn what_is_suspended_does_not_scale() {
    let mut account = tracked();
    let suspend = of(json!({"SuspendedState": {"DynamicScalingOutSuspended": true}}));
    account.ok(NAME, "RegisterScalableTarget", suspend);
    minutes(&mut account, 5, 300.0);
    assert_eq!(desired(&mut account), 2);
    let target = account.ok(NAME, "DescribeScalableTargets", json!({"ServiceNamespace": "ecs"}));
    assert_eq!(target["ScalableTargets"][0]["SuspendedState"]["DynamicScalingOutSuspended"], true);
    assert_eq!(target["ScalableTargets"][0]["MaxCapacity"], 5, "what was not named stays");
}

#[test]
fn bounds_are_kept_from_the_start() {
    let mut account = shop();
    account.ok(NAME, "RegisterScalableTarget", of(json!({"MinCapacity": 3, "MaxCapacity": 6})));
    assert_eq!(desired(&mut account), 3);
    assert!(account.refused(NAME, "RegisterScalableTarget", of(json!({"MinCapacity": 9}))).contains("cannot be less"));
    let nowhere = json!({"ServiceNamespace": "ecs", "ResourceId": "service/shop/none",
                         "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 2});
    let refusal = account.refused(NAME, "RegisterScalableTarget", nowhere);
    assert_eq!(refusal, "ValidationException: ECS service doesn't exist: service/shop/none");
}

#[test]
fn steps_act_on_an_alarm_that_names_the_policy() {
    let mut account = shop();
    account.ok(NAME, "RegisterScalableTarget", of(json!({"MinCapacity": 2, "MaxCapacity": 10})));
    let policy = of(json!({
        "PolicyName": "more", "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity", "Cooldown": 600,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 3}],
        },
    }));
    let arn = account.ok(NAME, "PutScalingPolicy", policy)["PolicyARN"].clone();
    let alarm = json!({
        "AlarmName": "busy", "Namespace": "Shop", "MetricName": "load", "Statistic": "Average", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 100.0, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [arn],
    });
    account.ok("monitoring", "PutMetricAlarm", alarm);
    account.pass(10);
    minutes(&mut account, 4, 150.0);
    assert_eq!(desired(&mut account), 5, "once, and then it cools down");
    let described = account.ok(NAME, "DescribeScalingPolicies", json!({"ServiceNamespace": "ecs"}));
    assert_eq!(described["ScalingPolicies"][0]["Alarms"][0]["AlarmName"], "busy");
}

#[test]
fn a_label_must_be_of_a_target_group_that_is_there() {
    let mut account = shop();
    account.ok(NAME, "RegisterScalableTarget", of(json!({"MinCapacity": 2, "MaxCapacity": 5})));
    let mut put = |label: &str| {
        let policy = of(json!({
            "PolicyName": "load", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 100.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label},
            },
        }));
        account.refused(NAME, "PutScalingPolicy", policy)
    };
    assert!(put("app/shop/1").contains("does not match the required format"));
    assert!(put("app/shop/1/targetgroup/none/2").contains("does not exist"));
}

#[test]
fn policies_and_targets_go_with_their_alarms() {
    let mut account = tracked();
    let alarms = |account: &mut Account| {
        account.ok("monitoring", "DescribeAlarms", json!({}))["MetricAlarms"].as_array().unwrap().len()
    };
    assert_eq!(alarms(&mut account), 2);
    account.ok(NAME, "DeleteScalingPolicy", of(json!({"PolicyName": "load"})));
    assert_eq!(alarms(&mut account), 0);
    assert!(
        account
            .refused(NAME, "DeleteScalingPolicy", of(json!({"PolicyName": "load"})))
            .starts_with("ObjectNotFoundException")
    );
    account.ok(NAME, "DeregisterScalableTarget", of(json!({})));
    assert!(account.refused(NAME, "DeregisterScalableTarget", of(json!({}))).starts_with("ObjectNotFoundException"));
}
