//! Machines for tasks: what starts them, what holds their number, and how a cluster sees them.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Kind, changed,
    containers::Cluster,
    gone, list, named,
    network::{described, own_vpcs},
    only, text, with, without,
};
use crate::aws::{
    api::{Api, NAME_TAG, tag},
    trouble::Trouble,
    wire::Service::{AutoScaling, Ec2, Ecs, Iam},
};

pub(in crate::aws) struct InstanceProfile;
pub(in crate::aws) struct LaunchTemplate;
pub(in crate::aws) struct Instance;
pub(in crate::aws) struct AutoScalingGroup;
pub(in crate::aws) struct ContainerInstance;

/// How many container instances a question may name.
const AT_ONCE: usize = 100;

/// A document's `Role` is the name of the one role that a profile can have.
#[async_trait]
impl Kind for InstanceProfile {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        let all = api.all(Iam, "ListInstanceProfiles", json!({}), "InstanceProfiles", ("Marker", "Marker")).await?;
        for profile in all {
            let name = text(&profile, "InstanceProfileName").to_owned();
            if !api.own_account {
                let input = json!({"InstanceProfileName": name});
                if !api.is_tagged(&api.call(Iam, "ListInstanceProfileTags", input).await?) {
                    continue;
                }
            }
            let role = profile.pointer("/Roles/0/RoleName").cloned().unwrap_or_default();
            found.push(named(with(&profile, json!({"Role": role})), &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = json!({"InstanceProfileName": name, "Tags": api.tag_list("Key", "Value")});
        api.call(Iam, "CreateInstanceProfile", input).await?;
        self.update(api, &json!({"InstanceProfileName": name}), document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let (now, wanted) = (text(object, "Role"), text(document, "Role"));
        if now == wanted || document.get("Role").is_none() {
            return Ok(());
        }
        let profile = only(object, &["InstanceProfileName"]);
        if !now.is_empty() {
            let input = with(&profile, json!({"RoleName": now}));
            gone(api.call(Iam, "RemoveRoleFromInstanceProfile", input).await)?;
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let input = with(&profile, json!({"RoleName": wanted}));
        api.call(Iam, "AddRoleToInstanceProfile", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        self.update(api, object, &json!({"Role": ""})).await?;
        gone(api.call(Iam, "DeleteInstanceProfile", only(object, &["InstanceProfileName"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["Role"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "Arn").to_owned())
    }
}

/// User data stands in a document as the script that it is.
fn encoded(data: &Value) -> Value {
    match data.get("UserData").and_then(Value::as_str) {
        Some(script) if script.starts_with("#!") => with(&json!({"UserData": STANDARD.encode(script)}), data.clone()),
        _ => data.clone(),
    }
}

/// Never changed: a group of instances would have to be told of another version.
#[async_trait]
impl Kind for LaunchTemplate {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = described(api, "DescribeLaunchTemplates", "LaunchTemplates").await?;
        Ok(all
            .into_iter()
            .map(|it| {
                let name = text(&it, "LaunchTemplateName").to_owned();
                named(it, &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let data = document.get("LaunchTemplateData").map(encoded).unwrap_or_default();
        let input = json!({
            "LaunchTemplateName": name,
            "LaunchTemplateData": data,
            "TagSpecifications": api.tag_specification("launch-template", name),
        });
        api.call(Ec2, "CreateLaunchTemplate", input).await.map(drop)
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "DeleteLaunchTemplate", only(object, &["LaunchTemplateId"])).await)
    }

    fn document(&self, _object: &Value) -> Value {
        json!({})
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "LaunchTemplateId").to_owned())
    }
}

/// Virtual machines, those of a group included; known by their id.
#[async_trait]
impl Kind for Instance {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let reservations =
            api.all(Ec2, "DescribeInstances", json!({}), "Reservations", ("NextToken", "NextToken")).await?;
        let vpcs = if api.own_account { Vec::new() } else { own_vpcs(api).await? };
        let mut found = Vec::new();
        for instance in reservations.iter().flat_map(|it| list(it, "Instances")) {
            let is_own =
                api.own_account || api.is_tagged(instance) || vpcs.iter().any(|id| id == text(instance, "VpcId"));
            if is_own && instance.pointer("/State/Name") != Some(&json!("terminated")) {
                let name = tag(instance, NAME_TAG).unwrap_or_else(|| text(instance, "InstanceId")).to_owned();
                found.push(named(instance.clone(), &name));
            }
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"MinCount": 1, "MaxCount": 1, "TagSpecifications": api.tag_specification("instance", name)});
        api.call(Ec2, "RunInstances", with(&encoded(document), more)).await.map(drop)
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "TerminateInstances", json!({"InstanceIds": [object.get("InstanceId")]})).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["InstanceType", "ImageId", "SubnetId"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "InstanceId").to_owned())
    }
}

/// What can be changed of a group that is there.
const GROUP: [&str; 8] = [
    "LaunchTemplate",
    "MinSize",
    "MaxSize",
    "DesiredCapacity",
    "VPCZoneIdentifier",
    "HealthCheckType",
    "HealthCheckGracePeriod",
    "NewInstancesProtectedFromScaleIn",
];

/// With `Joined`, how many of its machines have become container instances: a group is ready when all that it wants have.
#[async_trait]
impl Kind for AutoScalingGroup {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let input = json!({});
        let next = ("NextToken", "NextToken");
        let all = api.all(AutoScaling, "DescribeAutoScalingGroups", input, "AutoScalingGroups", next).await?;
        let own: Vec<Value> = all.into_iter().filter(|it| api.own_account || api.is_tagged(it)).collect();
        let joined = if own.is_empty() { Vec::new() } else { ContainerInstance.list(api).await? };
        let has_joined = |it: &&Value| joined.iter().any(|known| text(known, "Name") == text(it, "InstanceId"));
        Ok(own
            .into_iter()
            .map(|it| {
                let count = list(&it, "Instances").iter().filter(has_joined).count();
                let name = text(&it, "AutoScalingGroupName").to_owned();
                named(with(&it, json!({"Joined": count})), &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let tags: Vec<Value> = api
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value, "PropagateAtLaunch": true}))
            .collect();
        let input = with(document, json!({"AutoScalingGroupName": name, "Tags": tags}));
        api.call(AutoScaling, "CreateAutoScalingGroup", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let input = changed(object, document, &GROUP);
        if input.is_empty() {
            return Ok(());
        }
        let input = with(&Value::Object(input), only(object, &["AutoScalingGroupName"]));
        api.call(AutoScaling, "UpdateAutoScalingGroup", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = with(&only(object, &["AutoScalingGroupName"]), json!({"ForceDelete": true}));
        gone(api.call(AutoScaling, "DeleteAutoScalingGroup", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &GROUP)
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "AutoScalingGroupARN").to_owned())
    }

    fn is_ready(&self, object: &Value) -> bool {
        let number = |key: &str| {
            let value = object.get(key);
            value.and_then(Value::as_u64).or_else(|| value.and_then(Value::as_str)?.parse().ok())
        };
        let instances = list(object, "Instances");
        instances.iter().all(|it| text(it, "LifecycleState") == "InService")
            && number("DesiredCapacity") == u64::try_from(instances.len()).ok()
            && number("Joined") >= number("DesiredCapacity")
    }
}

/// How a cluster sees its machines, each under the id that EC2 knows it by.
#[async_trait]
impl Kind for ContainerInstance {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for cluster in Cluster.list(api).await? {
            let cluster = cluster.get("clusterArn").cloned().unwrap_or_default();
            let next = ("nextToken", "nextToken");
            let input = json!({"cluster": cluster});
            let arns = api.all(Ecs, "ListContainerInstances", input, "containerInstanceArns", next).await?;
            for some in arns.chunks(AT_ONCE) {
                let input = json!({"cluster": cluster, "containerInstances": some});
                let answer = api.call(Ecs, "DescribeContainerInstances", input).await?;
                for instance in list(&answer, "containerInstances") {
                    let of = with(instance, json!({"clusterArn": cluster}));
                    found.push(named(of, text(instance, "ec2InstanceId")));
                }
            }
        }
        found.sort_by(|a, b| text(a, "Name").cmp(text(b, "Name")));
        Ok(found)
    }

    /// A machine registers itself.
    async fn create(&self, _api: &Api, name: &str, _document: &Value) -> Result<(), Trouble> {
        Err(Trouble::Odd(format!("the container instance {name} would have to register itself")))
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let Some(status) = changed(object, document, &["status"]).remove("status") else { return Ok(()) };
        let which =
            json!({"cluster": object.get("clusterArn"), "containerInstances": [object.get("containerInstanceArn")]});
        api.call(Ecs, "UpdateContainerInstancesState", with(&which, json!({"status": status}))).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = json!({
            "cluster": object.get("clusterArn"),
            "containerInstance": object.get("containerInstanceArn"),
            "force": true,
        });
        gone(api.call(Ecs, "DeregisterContainerInstance", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["status"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "containerInstanceArn").to_owned())
    }
}

pub(in crate::aws) struct CapacityProvider;

/// Those of the account's own; FARGATE and FARGATE_SPOT are nobody's. `cluster` beside the create call's members names the cluster that is to
/// know it.
#[async_trait]
impl Kind for CapacityProvider {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let input = json!({"include": ["TAGS"]});
        let next = ("nextToken", "nextToken");
        let all = api.all(Ecs, "DescribeCapacityProviders", input, "capacityProviders", next).await?;
        let own = |it: &&Value| !text(it, "name").starts_with("FARGATE") && text(it, "status") != "INACTIVE";
        let own = all.iter().filter(own).filter(|it| api.own_account || api.is_tagged(it));
        Ok(own.map(|it| named(it.clone(), text(it, "name"))).collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let tags = if api.tags.is_empty() { json!({}) } else { json!({"tags": api.tag_list("key", "value")}) };
        let input = with(&with(&without(document, &["cluster"]), json!({"name": name})), tags);
        api.call(Ecs, "CreateCapacityProvider", input).await?;
        let wanted = text(document, "cluster");
        match Cluster.list(api).await?.iter().find(|it| text(it, "Name") == wanted) {
            Some(cluster) => put(api, cluster, |providers| providers.push(json!(name))).await,
            None => Ok(()),
        }
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let input = changed(object, document, &["autoScalingGroupProvider"]);
        if input.is_empty() {
            return Ok(());
        }
        api.call(Ecs, "UpdateCapacityProvider", with(&Value::Object(input), only(object, &["name"]))).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let name = object.get("name").cloned().unwrap_or_default();
        for cluster in Cluster.list(api).await?.iter().filter(|it| list(it, "capacityProviders").contains(&name)) {
            put(api, cluster, |providers| providers.retain(|it| *it != name)).await?;
        }
        gone(api.call(Ecs, "DeleteCapacityProvider", json!({"capacityProvider": name})).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["autoScalingGroupProvider"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "capacityProviderArn").to_owned())
    }
}

/// Which providers a cluster knows is said as a whole, its default strategy beside it.
async fn put(api: &Api, cluster: &Value, change: impl FnOnce(&mut Vec<Value>)) -> Result<(), Trouble> {
    let mut providers = list(cluster, "capacityProviders").to_vec();
    change(&mut providers);
    let strategy = list(cluster, "defaultCapacityProviderStrategy").iter();
    let strategy: Vec<&Value> =
        strategy.filter(|it| it.get("capacityProvider").is_some_and(|it| providers.contains(it))).collect();
    let input = json!({
        "cluster": cluster.get("clusterName"),
        "capacityProviders": providers,
        "defaultCapacityProviderStrategy": strategy,
    });
    api.call(Ecs, "PutClusterCapacityProviders", input).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_sent_as_the_api_wants_it_and_anything_else_as_it_is() {
        assert_eq!(
            encoded(&json!({"UserData": "#!/bin/sh\n", "x": 1})),
            json!({"UserData": "IyEvYmluL3NoCg==", "x": 1})
        );
        assert_eq!(encoded(&json!({"UserData": "IyEvYmluL3NoCg=="})), json!({"UserData": "IyEvYmluL3NoCg=="}));
    }

    #[test]
    fn a_group_is_ready_when_all_its_machines_serve_the_cluster() {
        let group = |joined: u64, state: &str| json!({"DesiredCapacity": "1", "Joined": joined, "Instances": [{"LifecycleState": state}]});
        assert!(AutoScalingGroup.is_ready(&group(1, "InService")));
        assert!(!AutoScalingGroup.is_ready(&group(0, "InService")));
        assert!(!AutoScalingGroup.is_ready(&group(1, "Pending")));
        assert!(!AutoScalingGroup.is_ready(&json!({"DesiredCapacity": 2, "Joined": 2, "Instances": []})));
    }
}
