//! What watches and scales: alarms, scalable targets, scaling policies.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, named, only, text, with};
use crate::aws::{
    api::Api,
    trouble::Trouble,
    wire::Service::{AppScaling, CloudWatch},
};

pub(in crate::aws) struct ScalableTarget;
pub(in crate::aws) struct ScalingPolicy;
pub(in crate::aws) struct Alarm;

const NEXT: (&str, &str) = ("NextToken", "NextToken");
/// What every request about a service's number of tasks says.
const NAMESPACE: &str = "ecs";
const DIMENSION: &str = "ecs:service:DesiredCount";

fn of_services() -> Value {
    json!({"ServiceNamespace": NAMESPACE})
}

/// The services' targets that are the lab's: of one of its clusters.
async fn own(api: &Api, operation: &str, member: &str) -> Result<Vec<Value>, Trouble> {
    let all = api.all(AppScaling, operation, of_services(), member, NEXT).await?;
    if api.own_account || all.is_empty() {
        return Ok(all);
    }
    let clusters = super::containers::Cluster.list(api).await?;
    let here = |it: &Value| {
        let cluster = text(it, "ResourceId").split('/').nth(1).unwrap_or("").to_owned();
        clusters.iter().any(|known| text(known, "Name") == cluster)
    };
    Ok(all.into_iter().filter(here).collect())
}

/// A target is known by its service: `ResourceId: service/shop/web` is the target `web`.
#[async_trait]
impl Kind for ScalableTarget {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = own(api, "DescribeScalableTargets", "ScalableTargets").await?;
        Ok(all
            .into_iter()
            .map(|it| {
                let name = text(&it, "ResourceId").rsplit('/').next().unwrap_or("").to_owned();
                named(it, &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, _name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION});
        api.call(AppScaling, "RegisterScalableTarget", with(document, more)).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        if self.document(object) == *document {
            return Ok(());
        }
        let document = with(document, only(object, &["ResourceId"]));
        self.create(api, text(object, "Name"), &document).await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = only(object, &["ServiceNamespace", "ResourceId", "ScalableDimension"]);
        gone(api.call(AppScaling, "DeregisterScalableTarget", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["ResourceId", "MinCapacity", "MaxCapacity", "SuspendedState"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "ScalableTargetARN").to_owned())
    }
}

/// What of a policy is the learner's to say.
const POLICY: [&str; 4] =
    ["ResourceId", "PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"];

#[async_trait]
impl Kind for ScalingPolicy {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = own(api, "DescribeScalingPolicies", "ScalingPolicies").await?;
        Ok(all
            .into_iter()
            .map(|it| {
                let name = text(&it, "PolicyName").to_owned();
                named(it, &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"PolicyName": name, "ServiceNamespace": NAMESPACE, "ScalableDimension": DIMENSION});
        api.call(AppScaling, "PutScalingPolicy", with(document, more)).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        if self.document(object) == *document {
            return Ok(());
        }
        let document = with(document, only(object, &["ResourceId", "PolicyType"]));
        self.create(api, text(object, "Name"), &document).await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = only(object, &["PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension"]);
        gone(api.call(AppScaling, "DeleteScalingPolicy", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &POLICY)
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "PolicyARN").to_owned())
    }
}

/// What `DescribeAlarms` adds to what was put.
const TOLD: [&str; 8] = [
    "Name",
    "AlarmArn",
    "StateValue",
    "StateReason",
    "StateReasonData",
    "AlarmConfigurationUpdatedTimestamp",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
];

/// Alarms, but those that a scaling policy made for itself.
#[async_trait]
impl Kind for Alarm {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for alarm in api.all(CloudWatch, "DescribeAlarms", json!({}), "MetricAlarms", NEXT).await? {
            let name = text(&alarm, "AlarmName").to_owned();
            if name.starts_with("TargetTracking-") {
                continue;
            }
            if !api.own_account {
                let input = json!({"ResourceARN": alarm.get("AlarmArn")});
                if !api.is_tagged(&api.call(CloudWatch, "ListTagsForResource", input).await?) {
                    continue;
                }
            }
            found.push(named(alarm, &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let tags = api.tag_list("Key", "Value");
        let tags = if list(&json!({"t": tags}), "t").is_empty() { json!({}) } else { json!({"Tags": tags}) };
        api.call(CloudWatch, "PutMetricAlarm", with(&with(document, json!({"AlarmName": name})), tags)).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        if self.document(object) == *document {
            return Ok(());
        }
        // An alarm is put as a whole; tags stay with it.
        let input = with(document, only(object, &["AlarmName"]));
        api.call(CloudWatch, "PutMetricAlarm", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(CloudWatch, "DeleteAlarms", json!({"AlarmNames": [object.get("AlarmName")]})).await)
    }

    fn document(&self, object: &Value) -> Value {
        super::without(object, &[TOLD.as_slice(), &["AlarmName"]].concat())
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "AlarmArn").to_owned())
    }
}
