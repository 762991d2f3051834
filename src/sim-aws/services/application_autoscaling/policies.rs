//! Scaling policies: target tracking with its two alarms, and step scaling.

use serde_json::{Value, json};

use super::{
    PAGES,
    state::Policy,
    targets::{self, DIMENSION, resource},
};
use crate::{AwsError, Call, Cloud, input, moment, services::iam};

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let resource = resource(call)?.to_owned();
    let name = input::required(call, "PolicyName")?.to_owned();
    if !cloud.application_autoscaling.targets.contains_key(&resource) {
        return Err(targets::no_target(&resource));
    }
    let before =
        cloud.application_autoscaling.policies.values().find(|it| it.resource == resource && it.name == name).cloned();
    let wish =
        input::text(&call.input, "PolicyType").map(str::to_owned).or_else(|| before.as_ref().map(|it| it.kind.clone()));
    let kind = wish.unwrap_or_else(|| "StepScaling".to_owned());
    let member = match kind.as_str() {
        "TargetTrackingScaling" => "TargetTrackingScalingPolicyConfiguration",
        "StepScaling" => "StepScalingPolicyConfiguration",
        other => return Err(AwsError::not_simulated("application-autoscaling", &format!("PolicyType {other}"))),
    };
    let configuration = call.input.get(member).filter(|it| it.is_object()).cloned().ok_or_else(|| {
        AwsError::new("ValidationException", format!("{member} must be specified for policies of type {kind}"))
    })?;
    let (region, account) = (cloud.config.region.clone(), cloud.config.account.clone());
    let arn = match &before {
        Some(policy) => policy.arn.clone(),
        None => {
            let id = cloud.chance.uuid();
            format!(
                "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{id}:resource/ecs/{resource}:policyName/{name}"
            )
        }
    };
    let alarms = match kind.as_str() {
        "TargetTrackingScaling" => {
            let metric = metric(cloud, &resource, &configuration)?;
            track(cloud, &arn, &resource, &configuration, &metric, before.as_ref())?
        }
        _ => {
            check_steps(&configuration)?;
            Vec::new()
        }
    };
    let policy = Policy {
        arn: arn.clone(),
        name,
        resource,
        kind,
        configuration,
        created: before.as_ref().map_or_else(|| cloud.now(), |it| it.created),
        alarms,
        last: before.and_then(|it| it.last),
    };
    let answer = json!({"PolicyARN": arn, "Alarms": alarm_views(cloud, &policy)});
    cloud.application_autoscaling.policies.insert(arn, policy);
    Ok(answer)
}

fn check_steps(configuration: &Value) -> Result<(), AwsError> {
    let kind = input::text(configuration, "AdjustmentType").unwrap_or("");
    if !["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"].contains(&kind)
        || input::list(configuration, "StepAdjustments").is_empty()
    {
        let sentence = "A step scaling policy needs an AdjustmentType and at least one StepAdjustment";
        return Err(AwsError::new("ValidationException", sentence));
    }
    Ok(())
}

/// The metric that a target-tracking policy watches, as a part of an alarm's request.
fn metric(cloud: &Cloud, resource: &str, configuration: &Value) -> Result<Value, AwsError> {
    let pair = |name: &str, value: &str| json!({"Name": name, "Value": value});
    if let Some(own) = configuration.get("CustomizedMetricSpecification").filter(|it| it.is_object()) {
        let text = |member: &str| input::text(own, member);
        let (Some(name), Some(namespace)) = (text("MetricName"), text("Namespace")) else {
            return Err(AwsError::not_simulated("application-autoscaling", "metric math in target tracking"));
        };
        return Ok(json!({
            "MetricName": name, "Namespace": namespace, "Dimensions": input::list(own, "Dimensions"),
            "Statistic": text("Statistic").unwrap_or("Average"),
        }));
    }
    let known = configuration.get("PredefinedMetricSpecification").unwrap_or(&Value::Null);
    let of_service = |name: &str| {
        let (cluster, service) =
            resource.strip_prefix("service/").and_then(|it| it.split_once('/')).unwrap_or(("", ""));
        json!({
            "MetricName": name, "Namespace": "AWS/ECS", "Statistic": "Average",
            "Dimensions": [pair("ClusterName", cluster), pair("ServiceName", service)],
        })
    };
    match input::text(known, "PredefinedMetricType") {
        Some("ECSServiceAverageCPUUtilization") => Ok(of_service("CPUUtilization")),
        Some("ECSServiceAverageMemoryUtilization") => Ok(of_service("MemoryUtilization")),
        Some("ALBRequestCountPerTarget") => {
            // `app/NAME/ID/targetgroup/NAME/ID` (reference of PredefinedMetricSpecification).
            let label = input::text(known, "ResourceLabel").unwrap_or("");
            let Some((balancer, group)) = label.split_once("/targetgroup/").filter(|(it, _)| it.starts_with("app/"))
            else {
                let sentence = format!("Resource label does not match the required format: {label}");
                return Err(AwsError::new("ValidationException", sentence));
            };
            let group = format!("targetgroup/{group}");
            let exists = cloud.elbv2.groups.keys().any(|arn| arn.ends_with(&format!(":{group}")));
            if !exists {
                let sentence = format!("The target group of the resource label {label} does not exist");
                return Err(AwsError::new("ValidationException", sentence));
            }
            Ok(json!({
                "MetricName": "RequestCountPerTarget", "Namespace": "AWS/ApplicationELB", "Statistic": "Sum",
                "Dimensions": [pair("TargetGroup", &group), pair("LoadBalancer", balancer)],
            }))
        }
        other => {
            let sentence = format!("The metric type {} is not supported for services of ECS", other.unwrap_or("null"));
            Err(AwsError::new("ValidationException", sentence))
        }
    }
}

/// The two alarms: out after three minutes above the target, in after fifteen below nine tenths of it (as the alarms that
/// PutScalingPolicy makes show).
fn track(
    cloud: &mut Cloud,
    arn: &str,
    resource: &str,
    configuration: &Value,
    metric: &Value,
    before: Option<&Policy>,
) -> Result<Vec<String>, AwsError> {
    let target = input::number(configuration, "TargetValue").filter(|it| *it > 0.0).ok_or_else(|| {
        AwsError::new("ValidationException", "A target tracking policy needs a TargetValue greater than zero")
    })?;
    let mut names = Vec::new();
    for (index, which) in ["High", "Low"].into_iter().enumerate() {
        let known = before.and_then(|policy| policy.alarms.get(index)).cloned();
        let name = match known {
            Some(name) => name,
            None => format!("TargetTracking-{resource}-Alarm{which}-{}", cloud.chance.uuid()),
        };
        let high = which == "High";
        let mut input = metric.clone();
        let rest = json!({
            "AlarmName": name, "Period": 60, "EvaluationPeriods": if high { 3 } else { 15 },
            "Threshold": if high { target } else { target * 0.9 },
            "ComparisonOperator": if high { "GreaterThanThreshold" } else { "LessThanThreshold" }, "AlarmActions": [arn],
            "AlarmDescription": format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}."),
        });
        if let (Some(all), Some(rest)) = (input.as_object_mut(), rest.as_object()) {
            all.extend(rest.clone());
        }
        let caller = iam::operator(&cloud.config);
        cloud.call(&Call {
            service: "monitoring".to_owned(),
            operation: "PutMetricAlarm".to_owned(),
            input,
            caller,
        })?;
        names.push(name);
    }
    Ok(names)
}

/// Takes a policy away, with its alarms.
pub fn remove(cloud: &mut Cloud, arn: &str) {
    if let Some(policy) = cloud.application_autoscaling.policies.remove(arn) {
        for alarm in policy.alarms {
            cloud.cloudwatch.alarms.remove(&alarm);
        }
    }
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let resource = resource(call)?;
    let name = input::required(call, "PolicyName")?;
    let found = cloud.application_autoscaling.policies.values().find(|it| it.resource == resource && it.name == name);
    let arn = found.map(|policy| policy.arn.clone()).ok_or_else(|| {
        let sentence = format!(
            "No scaling policy found for service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}, policy \
             name: {name}"
        );
        AwsError::new("ObjectNotFoundException", sentence)
    })?;
    remove(cloud, &arn);
    Ok(json!({}))
}

fn alarm_views(cloud: &Cloud, policy: &Policy) -> Vec<Value> {
    let (region, account) = (&cloud.config.region, &cloud.config.account);
    let view = |name: &String| json!({"AlarmName": name, "AlarmARN": format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")});
    // Of a step policy: the alarms that name it.
    let calling = cloud.cloudwatch.alarms.values().filter(|alarm| {
        policy.alarms.is_empty() && input::texts(&alarm.request, "AlarmActions").contains(&policy.arn.as_str())
    });
    policy.alarms.iter().chain(calling.map(|alarm| &alarm.name)).map(view).collect()
}

pub fn describe(cloud: &Cloud, call: &Call) -> Value {
    let names = input::texts(&call.input, "PolicyNames");
    let resource = input::text(&call.input, "ResourceId");
    let wanted = |it: &&Policy| {
        (names.is_empty() || names.contains(&it.name.as_str()))
            && resource.is_none_or(|resource| resource == it.resource)
    };
    let view = |policy: &Policy| {
        let member = format!("{}PolicyConfiguration", policy.kind);
        json!({
            "PolicyARN": policy.arn, "PolicyName": policy.name, "ServiceNamespace": "ecs", "ResourceId": policy.resource,
            "ScalableDimension": DIMENSION, "PolicyType": policy.kind, member: policy.configuration,
            "Alarms": alarm_views(cloud, policy), "CreationTime": moment::of(cloud, policy.created),
        })
    };
    PAGES.answer(
        &call.input,
        "ScalingPolicies",
        cloud.application_autoscaling.policies.values().filter(wanted).map(view).collect(),
    )
}
