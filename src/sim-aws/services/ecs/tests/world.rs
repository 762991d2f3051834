//! A cloud for scenarios: a cluster with instances, and short words to drive it.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{AwsError, services::testing::Account};

pub struct World {
    pub account: Account,
}

pub const IMAGES: [&str; 4] = [
    "registry.example/shop/web:1.4",
    "registry.example/shop/web:2.0",
    "registry.example/shop/api:1.0",
    "registry.example/shop/job:1.0",
];

impl World {
    /// A cluster `shop` without capacity.
    pub fn empty(seed: u64) -> Self {
        let mut account = Account::new();
        account.cloud.config.images = BTreeSet::from(IMAGES.map(str::to_owned));
        account.cloud.config.seed = seed;
        account.cloud.chance = breakfix_sim::Chance::from_seed(seed);
        let mut world = Self { account };
        world.ok("CreateCluster", json!({"clusterName": "shop"}));
        world
    }

    /// The same with so many instances of 2 vCPU and 3900 MiB, in two zones in turn.
    pub fn with_instances(seed: u64, count: usize) -> Self {
        let mut world = Self::empty(seed);
        for number in 0..count {
            world.instance(number);
        }
        world
    }

    /// One more instance.
    pub fn instance(&mut self, number: usize) -> String {
        let zone = if number.is_multiple_of(2) { "eu-central-1a" } else { "eu-central-1b" };
        let document =
            json!({"instanceId": format!("i-{number:017x}"), "availabilityZone": zone, "instanceType": "t3.medium"});
        let answer = self.ok(
            "RegisterContainerInstance",
            json!({
                "cluster": "shop",
                "instanceIdentityDocument": document.to_string(),
                "totalResources": [
                    {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
                    {"name": "MEMORY", "type": "INTEGER", "integerValue": 3900},
                ],
            }),
        );
        answer["containerInstance"]["containerInstanceArn"].as_str().unwrap().to_owned()
    }

    pub fn call(&mut self, operation: &str, input: Value) -> Result<Value, AwsError> {
        self.account.call("ecs", operation, input)
    }

    #[track_caller]
    pub fn ok(&mut self, operation: &str, input: Value) -> Value {
        match self.call(operation, input) {
            Ok(answer) => answer,
            Err(error) => panic!("{operation}: {error}"),
        }
    }

    #[track_caller]
    pub fn refused(&mut self, operation: &str, input: Value) -> String {
        match self.call(operation, input) {
            Ok(answer) => panic!("{operation} was not refused: {answer}"),
            Err(error) => error.to_string(),
        }
    }

    pub fn pass(&mut self, seconds: u64) {
        let until = self.account.cloud.now() + Duration::from_secs(seconds);
        self.account.cloud.advance(until);
    }

    /// Registers `family` with one container `web` of this image; `more` is laid over the container.
    pub fn define(&mut self, family: &str, image: &str, more: Value) -> String {
        let mut container =
            json!({"name": "web", "image": image, "memory": 256, "portMappings": [{"containerPort": 8080}]});
        for (member, value) in more.as_object().into_iter().flatten() {
            container[member] = value.clone();
        }
        let answer = self.ok("RegisterTaskDefinition", json!({"family": family, "containerDefinitions": [container]}));
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// Creates the service `web`.
    pub fn serve(&mut self, definition: &str, count: u64, more: Value) {
        let mut input = json!({
            "cluster": "shop", "serviceName": "web", "taskDefinition": definition, "desiredCount": count, "launchType": "EC2",
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        self.ok("CreateService", input);
    }

    pub fn update(&mut self, more: Value) {
        let mut input = json!({"cluster": "shop", "service": "web"});
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        self.ok("UpdateService", input);
    }

    pub fn service(&mut self) -> Value {
        self.ok("DescribeServices", json!({"cluster": "shop", "services": ["web"]}))["services"][0].clone()
    }

    /// Messages of the service, the oldest first.
    pub fn events(&mut self) -> Vec<String> {
        let service = self.service();
        let events = service["events"].as_array().unwrap();
        events.iter().rev().map(|it| it["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Tasks with this desired status.
    pub fn tasks(&mut self, desired: &str) -> Vec<Value> {
        let arns = self.ok("ListTasks", json!({"cluster": "shop", "desiredStatus": desired}))["taskArns"].clone();
        if arns.as_array().is_none_or(Vec::is_empty) {
            return Vec::new();
        }
        let answer = self.ok("DescribeTasks", json!({"cluster": "shop", "tasks": arns}));
        answer["tasks"].as_array().unwrap().clone()
    }

    pub fn run(&mut self, definition: &str) -> String {
        let answer = self.ok("RunTask", json!({"cluster": "shop", "taskDefinition": definition, "launchType": "EC2"}));
        assert_eq!(answer["failures"], json!([]), "{answer}");
        answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
    }

    pub fn task(&mut self, arn: &str) -> Value {
        self.ok("DescribeTasks", json!({"cluster": "shop", "tasks": [arn]}))["tasks"][0].clone()
    }
}

/// An event without ids.
pub fn plain(message: &str) -> String {
    message
        .split(' ')
        .map(|word| {
            let bare = word.trim_end_matches([')', '.', ',']);
            let is_id = bare.len() == 32 && bare.bytes().all(|it| it.is_ascii_hexdigit());
            let is_deployment = bare.starts_with("ecs-svc/");
            if is_id {
                word.replace(bare, "T")
            } else if is_deployment {
                word.replace(bare, "D")
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
