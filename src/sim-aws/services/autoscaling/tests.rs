//! Scenarios of Auto Scaling groups.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{AwsError, network::testbed::Net};

struct Fleet(Net);

impl Fleet {
    fn new(min: u32, max: u32, desired: u32) -> Self {
        let mut fleet = Self(Net::new());
        let group = fleet.0.id("web");
        fleet.0.ec2(
            "CreateLaunchTemplate",
            json!({"LaunchTemplateName": "ecs", "LaunchTemplateData": {
                "ImageId": "ami-1", "InstanceType": "t3.medium", "SecurityGroupIds": [group],
            }}),
        );
        let subnets = format!("{},{}", fleet.0.id("private-a"), fleet.0.id("private-b"));
        fleet.scaling(
            "CreateAutoScalingGroup",
            json!({
                "AutoScalingGroupName": "ecs", "MinSize": min, "MaxSize": max.to_string(), "DesiredCapacity": desired,
                "LaunchTemplate": {"LaunchTemplateName": "ecs"}, "VPCZoneIdentifier": subnets,
                "Tags": [{"Key": "Name", "Value": "node", "PropagateAtLaunch": "true"}],
            }),
        );
        fleet.pass(120);
        fleet
    }

    fn scaling(&mut self, operation: &str, input: Value) -> Value {
        self.try_scaling(operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    fn try_scaling(&mut self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.0.call("autoscaling", operation, input)
    }

    fn pass(&mut self, seconds: u64) {
        let later = self.0.cloud.now() + Duration::from_secs(seconds);
        self.0.cloud.advance(later);
    }

    /// Instance, state and zone of each member.
    fn members(&mut self) -> Vec<(String, String, String)> {
        let shown = self.scaling("DescribeAutoScalingGroups", json!({"AutoScalingGroupNames": ["ecs"]}));
        let text = |it: &Value, member: &str| it[member].as_str().unwrap().to_owned();
        let instances = shown["AutoScalingGroups"][0]["Instances"].as_array().unwrap().clone();
        instances
            .iter()
            .map(|it| (text(it, "InstanceId"), text(it, "LifecycleState"), text(it, "AvailabilityZone")))
            .collect()
    }
}

#[test]
fn a_group_starts_its_number_in_balanced_zones() {
    let mut fleet = Fleet::new(1, 4, 3);
    let members = fleet.members();
    assert_eq!(members.len(), 3);
    assert!(members.iter().all(|(_, state, _)| state == "InService"), "{members:?}");
    let in_a = members.iter().filter(|(_, _, zone)| zone.ends_with('a')).count();
    assert!((1..=2).contains(&in_a));
    let tagged = json!({"Filters": [{"Name": "tag:Name", "Values": ["node"]}]});
    assert_eq!(fleet.0.ec2("DescribeInstances", tagged)["Reservations"].as_array().unwrap().len(), 3);
    fleet.scaling("SetDesiredCapacity", json!({"AutoScalingGroupName": "ecs", "DesiredCapacity": "2"}));
    fleet.pass(120);
    let members = fleet.members();
    assert_eq!(members.len(), 2);
    assert_ne!(members[0].2, members[1].2, "one is left in each zone");
}

#[test]
fn what_ends_or_is_called_unhealthy_is_replaced() {
    let mut fleet = Fleet::new(2, 3, 2);
    let first = fleet.members()[0].0.clone();
    fleet.0.ec2("TerminateInstances", json!({"InstanceIds": [first]}));
    fleet.pass(200);
    let members = fleet.members();
    assert_eq!(members.len(), 2);
    assert!(members.iter().all(|(id, state, _)| *id != first && state == "InService"), "{members:?}");
    let second = members[1].0.clone();
    fleet.scaling("SetInstanceHealth", json!({"InstanceId": second, "HealthStatus": "Unhealthy"}));
    fleet.pass(200);
    assert!(fleet.members().iter().all(|(id, ..)| *id != second));
    let activities = fleet.scaling("DescribeScalingActivities", json!({"AutoScalingGroupName": "ecs"}));
    assert!(activities["Activities"].as_array().unwrap().len() >= 6);
}

#[test]
fn ending_one_with_or_without_another_in_its_place() {
    let mut fleet = Fleet::new(1, 3, 2);
    let first = fleet.members()[0].0.clone();
    let end = |id: &str, shrink: bool| json!({"InstanceId": id, "ShouldDecrementDesiredCapacity": shrink});
    fleet.scaling("TerminateInstanceInAutoScalingGroup", end(&first, true));
    fleet.pass(200);
    let members = fleet.members();
    assert_eq!(members.len(), 1);
    let last = members[0].0.clone();
    let refused = fleet.try_scaling("TerminateInstanceInAutoScalingGroup", end(&last, true)).unwrap_err();
    assert!(refused.message.starts_with("Currently, desiredSize equals minSize (1)."), "{refused}");
    fleet.scaling("TerminateInstanceInAutoScalingGroup", end(&last, false));
    fleet.pass(200);
    let members = fleet.members();
    assert!(members.len() == 1 && members[0].0 != last);
}

#[test]
fn bounds_and_names_are_kept() {
    let mut fleet = Fleet::new(1, 2, 1);
    let wish = |number: u32| json!({"AutoScalingGroupName": "ecs", "DesiredCapacity": number});
    let refused = fleet.try_scaling("SetDesiredCapacity", wish(9)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ValidationError: New SetDesiredCapacity value 9 is above max value 2 for the AutoScalingGroup."
    );
    let refused = fleet.try_scaling("SetDesiredCapacity", wish(0)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ValidationError: New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup."
    );
    let unknown = json!({"AutoScalingGroupName": "other", "DesiredCapacity": 1});
    assert_eq!(fleet.try_scaling("SetDesiredCapacity", unknown).unwrap_err().code, "ValidationError");
    let full = fleet.try_scaling("DeleteAutoScalingGroup", json!({"AutoScalingGroupName": "ecs"})).unwrap_err();
    assert_eq!(full.code, "ResourceInUse");
    fleet.scaling("UpdateAutoScalingGroup", json!({"AutoScalingGroupName": "ecs", "MinSize": 0, "DesiredCapacity": 0}));
    fleet.pass(200);
    fleet.scaling("DeleteAutoScalingGroup", json!({"AutoScalingGroupName": "ecs"}));
    fleet.pass(4000);
    assert_eq!(fleet.0.cloud.next_due(), None, "an idle account");
}
