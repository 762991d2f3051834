//! A sound network with a balancer, roles, a repository, a log group and a cluster: one thing of it is changed.

use std::{collections::BTreeSet, time::Duration};

use breakfix_workload::Request;
use serde_json::{Value, json};

use super::world::{IMAGES, plain};
use crate::{
    network::testbed::Net,
    services::{ecr, elbv2},
};

pub const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web";

pub struct Shop {
    pub net: Net,
    pub group: String,
    pub dns: String,
}

impl Shop {
    /// Network, balancer, roles, repository with 1.0, log group, cluster; no service.
    pub fn new() -> Self {
        let mut net = Net::new();
        net.cloud.config.images = BTreeSet::from(IMAGES.map(str::to_owned));
        let mut shop = Self { net, group: String::new(), dns: String::new() };
        let subnets = [shop.net.id("public-a"), shop.net.id("public-b")];
        let input = json!({"Name": "shop", "Subnets": subnets, "SecurityGroups": [shop.net.id("alb")]});
        let balancer = shop.call("elasticloadbalancing", "CreateLoadBalancer", input)["LoadBalancers"][0].clone();
        shop.dns = balancer["DNSName"].as_str().unwrap().to_owned();
        let input = json!({
            "Name": "web", "Protocol": "HTTP", "Port": "8080", "VpcId": shop.net.id("vpc"), "TargetType": "ip",
            "HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": "10", "UnhealthyThresholdCount": "2",
        });
        let group = shop.call("elasticloadbalancing", "CreateTargetGroup", input)["TargetGroups"][0].clone();
        shop.group = group["TargetGroupArn"].as_str().unwrap().to_owned();
        let delay = json!([{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]);
        let input = json!({"TargetGroupArn": shop.group, "Attributes": delay});
        shop.call("elasticloadbalancing", "ModifyTargetGroupAttributes", input);
        let actions = json!([{"Type": "forward", "TargetGroupArn": shop.group}]);
        let input = json!({
            "LoadBalancerArn": balancer["LoadBalancerArn"], "Port": "80", "Protocol": "HTTP", "DefaultActions": actions,
        });
        shop.call("elasticloadbalancing", "CreateListener", input);
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ]});
        for role in ["shop-exec", "shop-web"] {
            let input = json!({"RoleName": role, "AssumeRolePolicyDocument": trust.to_string()});
            shop.call("iam", "CreateRole", input);
        }
        let policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
        shop.call("iam", "AttachRolePolicy", json!({"RoleName": "shop-exec", "PolicyArn": policy}));
        shop.call("ecr", "CreateRepository", json!({"repositoryName": "shop/web"}));
        shop.push("1.0", &ecr::manifest::image("web", "1.0", "1", 30 << 20));
        shop.call("logs", "CreateLogGroup", json!({"logGroupName": "/shop/web"}));
        shop.call("ecs", "CreateCluster", json!({"clusterName": "shop"}));
        shop.pass(300);
        shop
    }

    pub fn push(&mut self, tag: &str, manifest: &str) {
        let input = json!({"repositoryName": "shop/web", "imageManifest": manifest, "imageTag": tag});
        self.call("ecr", "PutImage", input);
    }

    #[track_caller]
    pub fn call(&mut self, service: &str, operation: &str, input: Value) -> Value {
        self.net.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    pub fn pass(&mut self, seconds: u64) {
        let later = self.net.cloud.now() + Duration::from_secs(seconds);
        self.net.cloud.advance(later);
    }

    pub fn define(&mut self, image: &str, more: Value) -> String {
        let options =
            json!({"awslogs-group": "/shop/web", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "web"});
        let mut container = json!({
            "name": "web", "image": image, "portMappings": [{"containerPort": 8080}],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            container[member] = value.clone();
        }
        let input = json!({
            "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "executionRoleArn": "arn:aws:iam::123456789012:role/shop-exec",
            "taskRoleArn": "arn:aws:iam::123456789012:role/shop-web", "containerDefinitions": [container],
        });
        let made = self.call("ecs", "RegisterTaskDefinition", input);
        made["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// The same with a file system at `/uploads`.
    pub fn define_with_volume(&mut self, image: &str, file_system: &str) -> String {
        let first = self.define(image, json!({}));
        let known =
            self.call("ecs", "DescribeTaskDefinition", json!({"taskDefinition": first}))["taskDefinition"].clone();
        let mut input = json!({"family": "web"});
        for member in
            ["requiresCompatibilities", "networkMode", "cpu", "memory", "executionRoleArn", "containerDefinitions"]
        {
            input[member] = known[member].clone();
        }
        input["volumes"] = json!([{"name": "uploads", "efsVolumeConfiguration": {"fileSystemId": file_system}}]);
        input["containerDefinitions"][0]["mountPoints"] =
            json!([{"sourceVolume": "uploads", "containerPath": "/uploads"}]);
        let made = self.call("ecs", "RegisterTaskDefinition", input);
        made["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    pub fn serve(&mut self, definition: &str, more: Value) {
        let subnets = [self.net.id("private-a"), self.net.id("private-b")];
        let mut input = json!({
            "cluster": "shop", "serviceName": "web", "taskDefinition": definition, "desiredCount": 2, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [self.net.id("web")]}},
            "loadBalancers": [{"targetGroupArn": self.group, "containerName": "web", "containerPort": 8080}],
            "healthCheckGracePeriodSeconds": 30,
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
            if value.is_null() {
                input.as_object_mut().unwrap().remove(member);
            }
        }
        self.call("ecs", "CreateService", input);
    }

    pub fn service(&mut self) -> Value {
        let input = json!({"cluster": "shop", "services": ["web"]});
        self.call("ecs", "DescribeServices", input)["services"][0].clone()
    }

    pub fn events(&mut self) -> Vec<String> {
        let service = self.service();
        let events = service["events"].as_array().unwrap().iter().rev();
        events.map(|it| plain(it["message"].as_str().unwrap()).replace(&self.group, "TG")).collect()
    }

    pub fn tasks(&mut self, desired: &str) -> Vec<Value> {
        let input = json!({"cluster": "shop", "desiredStatus": desired});
        let arns = self.call("ecs", "ListTasks", input)["taskArns"].clone();
        if arns.as_array().unwrap().is_empty() {
            return Vec::new();
        }
        let answer = self.call("ecs", "DescribeTasks", json!({"cluster": "shop", "tasks": arns}));
        answer["tasks"].as_array().unwrap().clone()
    }

    pub fn get(&mut self, path: &str) -> u16 {
        let name = self.dns.clone();
        elbv2::answer(&mut self.net.cloud, &name, 80, &Request::get(path)).result.map_or(0, |it| it.status)
    }

    /// Why a task of this definition did not start.
    pub fn stopped_reason(&mut self, definition: &str) -> String {
        self.serve(
            definition,
            json!({"loadBalancers": null, "healthCheckGracePeriodSeconds": null, "desiredCount": 1}),
        );
        self.pass(420);
        let stopped = self.tasks("STOPPED");
        let first = stopped.first().unwrap_or_else(|| panic!("nothing stopped: {:#?}", self.events()));
        assert_eq!(
            (&first["stopCode"], &first["lastStatus"]),
            (&json!("TaskFailedToStart"), &json!("STOPPED")),
            "{first:#}"
        );
        assert!(first.get("startedAt").is_none());
        first["stoppedReason"].as_str().unwrap().to_owned()
    }
}

pub fn image() -> String {
    format!("{ECR}:1.0")
}
