//! Load balancers: the balancer, its listeners, its target groups.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, changed, gone, list, named, only, text, with, without};
use crate::aws::{
    api::{Api, NAME_TAG, tag},
    trouble::Trouble,
    wire::Service::Elbv2,
};

pub(in crate::aws) struct LoadBalancer;
pub(in crate::aws) struct TargetGroup;
pub(in crate::aws) struct Listener;

/// How many ARNs one question about tags may name.
const TAGS_AT_ONCE: usize = 20;
pub(super) const MARKERS: (&str, &str) = ("Marker", "NextMarker");

/// With the tags, which lists do not show.
pub(super) async fn with_tags(api: &Api, objects: Vec<Value>, arn: &str) -> Result<Vec<Value>, Trouble> {
    let mut tagged = Vec::new();
    for some in objects.chunks(TAGS_AT_ONCE) {
        let arns: Vec<&str> = some.iter().map(|it| text(it, arn)).collect();
        let answer = api.call(Elbv2, "DescribeTags", json!({"ResourceArns": arns})).await?;
        for object in some {
            let of = |it: &&Value| text(it, "ResourceArn") == text(object, arn);
            let tags = list(&answer, "TagDescriptions").iter().find(of).and_then(|it| it.get("Tags")).cloned();
            tagged.push(with(object, json!({"Tags": tags.unwrap_or_else(|| json!([]))})));
        }
    }
    Ok(tagged)
}

async fn own(api: &Api, operation: &str, member: &str, arn: &str) -> Result<Vec<Value>, Trouble> {
    let all = api.all(Elbv2, operation, json!({}), member, MARKERS).await?;
    if api.own_account {
        return Ok(all);
    }
    Ok(with_tags(api, all, arn).await?.into_iter().filter(|it| api.is_tagged(it)).collect())
}

fn attributes(answer: &Value) -> Value {
    answer.get("Attributes").cloned().unwrap_or_else(|| json!([]))
}

#[async_trait]
impl Kind for LoadBalancer {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = own(api, "DescribeLoadBalancers", "LoadBalancers", "LoadBalancerArn").await?;
        Ok(all
            .into_iter()
            .map(|it| {
                let name = text(&it, "LoadBalancerName").to_owned();
                named(it, &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"Name": name, "Tags": api.tag_list("Key", "Value")});
        let made = api.call(Elbv2, "CreateLoadBalancer", with(&without(document, &["Attributes"]), more)).await?;
        let Some(attributes) = document.get("Attributes") else { return Ok(()) };
        let arn = made.pointer("/LoadBalancers/0/LoadBalancerArn");
        let input = json!({"LoadBalancerArn": arn, "Attributes": attributes});
        api.call(Elbv2, "ModifyLoadBalancerAttributes", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let arn = object.get("LoadBalancerArn");
        let now = self.document(object);
        for (member, operation) in [("SecurityGroups", "SetSecurityGroups"), ("Subnets", "SetSubnets")] {
            if let Some((key, wanted)) = changed(&now, document, &[member]).into_iter().next() {
                api.call(Elbv2, operation, json!({"LoadBalancerArn": arn, key: wanted})).await?;
            }
        }
        if let Some(attributes) = document.get("Attributes") {
            let input = json!({"LoadBalancerArn": arn, "Attributes": attributes});
            api.call(Elbv2, "ModifyLoadBalancerAttributes", input).await?;
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Elbv2, "DeleteLoadBalancer", only(object, &["LoadBalancerArn"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        let subnets: Vec<&Value> =
            list(object, "AvailabilityZones").iter().filter_map(|zone| zone.get("SubnetId")).collect();
        with(&only(object, &["SecurityGroups", "Scheme", "Type"]), json!({"Subnets": subnets}))
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        match attribute {
            "arn" => Some(text(object, "LoadBalancerArn").to_owned()),
            "dns" => Some(text(object, "DNSName").to_owned()),
            "full_name" => text(object, "LoadBalancerArn").split_once(":loadbalancer/").map(|it| it.1.to_owned()),
            _ => None,
        }
    }

    fn is_ready(&self, object: &Value) -> bool {
        object.pointer("/State/Code").and_then(Value::as_str).is_none_or(|state| state == "active")
    }
}

/// What can be changed of a target group that is there.
const GROUP_SETTINGS: [&str; 9] = [
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
];

impl TargetGroup {
    async fn set_more(&self, api: &Api, arn: &Value, document: &Value) -> Result<(), Trouble> {
        if let Some(attributes) = document.get("Attributes") {
            let input = json!({"TargetGroupArn": arn, "Attributes": attributes});
            api.call(Elbv2, "ModifyTargetGroupAttributes", input).await?;
        }
        if let Some(targets) = document.get("Targets") {
            api.call(Elbv2, "RegisterTargets", json!({"TargetGroupArn": arn, "Targets": targets})).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for TargetGroup {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for group in own(api, "DescribeTargetGroups", "TargetGroups", "TargetGroupArn").await? {
            let arn = only(&group, &["TargetGroupArn"]);
            let health = api.call(Elbv2, "DescribeTargetHealth", arn.clone()).await?;
            let more = api.call(Elbv2, "DescribeTargetGroupAttributes", arn).await?;
            let name = text(&group, "TargetGroupName").to_owned();
            let more = json!({
                "TargetHealthDescriptions": health.get("TargetHealthDescriptions"),
                "Attributes": attributes(&more),
            });
            found.push(named(with(&group, more), &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"Name": name, "Tags": api.tag_list("Key", "Value")});
        let input = with(&without(document, &["Attributes", "Targets"]), more);
        let made = api.call(Elbv2, "CreateTargetGroup", input).await?;
        let arn = made.pointer("/TargetGroups/0/TargetGroupArn").cloned().unwrap_or_default();
        self.set_more(api, &arn, document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let arn = object.get("TargetGroupArn").cloned().unwrap_or_default();
        let mut input = changed(object, document, &GROUP_SETTINGS);
        if !input.is_empty() {
            input.insert("TargetGroupArn".to_owned(), arn.clone());
            api.call(Elbv2, "ModifyTargetGroup", Value::Object(input)).await?;
        }
        let more = if document.get("Attributes") == object.get("Attributes") {
            without(document, &["Attributes"])
        } else {
            document.clone()
        };
        self.set_more(api, &arn, &more).await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Elbv2, "DeleteTargetGroup", only(object, &["TargetGroupArn"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        let fixed = ["Protocol", "Port", "VpcId", "TargetType", "Attributes"];
        only(object, &[fixed.as_slice(), GROUP_SETTINGS.as_slice()].concat())
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        match attribute {
            "arn" => Some(text(object, "TargetGroupArn").to_owned()),
            "full_name" => text(object, "TargetGroupArn").rsplit(':').next().map(str::to_owned),
            _ => None,
        }
    }
}

#[async_trait]
impl Kind for Listener {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for balancer in LoadBalancer.list(api).await? {
            let input = only(&balancer, &["LoadBalancerArn"]);
            found.extend(api.all(Elbv2, "DescribeListeners", input, "Listeners", MARKERS).await?);
        }
        let tagged = with_tags(api, found, "ListenerArn").await?;
        Ok(tagged
            .into_iter()
            .map(|it| {
                let name = tag(&it, NAME_TAG).unwrap_or("").to_owned();
                named(it, &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let mut tags = api.tag_list("Key", "Value");
        if let Some(list) = tags.as_array_mut() {
            list.push(json!({"Key": NAME_TAG, "Value": name}));
        }
        api.call(Elbv2, "CreateListener", with(document, json!({"Tags": tags}))).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let mut input = changed(object, document, &["Port", "Protocol", "DefaultActions"]);
        if input.is_empty() {
            return Ok(());
        }
        input.insert("ListenerArn".to_owned(), object.get("ListenerArn").cloned().unwrap_or_default());
        api.call(Elbv2, "ModifyListener", Value::Object(input)).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Elbv2, "DeleteListener", only(object, &["ListenerArn"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["LoadBalancerArn", "Protocol", "Port", "DefaultActions"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "ListenerArn").to_owned())
    }
}
