//! What requests are refused, and what answers look like.

use serde_json::{Value, json};

use super::world::World;

const WEB: &str = "registry.example/shop/web:1.4";

fn fargate(container: Value, more: Value) -> Value {
    let mut own = json!({"name": "web", "image": WEB});
    for (member, value) in container.as_object().into_iter().flatten() {
        own[member] = value.clone();
    }
    let mut input = json!({
        "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "containerDefinitions": [own],
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        input[member] = value.clone();
    }
    input
}

/// Sentences: answers of the API that people have shown (see `validate.rs`).
#[test]
fn definitions_are_refused_in_the_api_s_words() {
    let log = json!({"logDriver": "awslogs", "options": {"awslogs-group": "/shop/web", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "web"}});
    let secret = json!([{"name": "PASSWORD", "valueFrom": "/shop/db"}]);
    let ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1";
    let cases = [
        (
            fargate(json!({}), json!({"cpu": "512"})),
            "No Fargate configuration exists for given values: 512 CPU , 512 memory. See the Amazon ECS documentation for the valid values.",
        ),
        (fargate(json!({}), json!({"cpu": null})), "Fargate requires that 'cpu' be defined at the task level."),
        (fargate(json!({}), json!({"networkMode": "bridge"})), "Fargate only supports network mode ‘awsvpc’."),
        (
            fargate(json!({"memory": 1024}), json!({})),
            "The 'memory' setting for container 'web' is greater than for the task.",
        ),
        (
            fargate(json!({"logConfiguration": log}), json!({})),
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ),
        (
            fargate(json!({"image": ecr}), json!({})),
            "Fargate requires task definition to have execution role ARN to support ECR images.",
        ),
        (
            fargate(json!({"secrets": secret}), json!({})),
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ),
        (
            fargate(json!({"portMappings": [{"containerPort": 8080, "hostPort": 80}]}), json!({})),
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        ),
        (fargate(json!({}), json!({"taskRoleArn": "arn:aws:iam::123456789012:role/nobody"})), "Role is not valid"),
        (fargate(json!({"image": ""}), json!({})), "Container.image should not be null or empty."),
        (
            json!({"family": "web", "containerDefinitions": [{"name": "web", "image": WEB}]}),
            "Invalid setting for container 'web'. At least one of 'memory' or 'memoryReservation' must be specified.",
        ),
        (json!({"family": "web", "containerDefinitions": []}), "Container list cannot be empty."),
    ];
    let mut world = World::empty(1);
    for (input, sentence) in cases {
        assert_eq!(world.refused("RegisterTaskDefinition", input), format!("ClientException: {sentence}"));
    }
}

#[test]
fn a_definition_is_completed() {
    let mut world = World::empty(1);
    let answer = world.ok(
        "RegisterTaskDefinition",
        fargate(json!({"portMappings": [{"containerPort": 8080}]}), json!({"cpu": ".5 vCPU", "memory": "1 GB"})),
    );
    let definition = &answer["taskDefinition"];
    assert_eq!((&definition["cpu"], &definition["memory"]), (&json!("512"), &json!("1024")));
    assert_eq!(definition["compatibilities"], json!(["EC2", "FARGATE"]));
    assert_eq!(
        definition["containerDefinitions"][0]["portMappings"],
        json!([{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}])
    );
    assert_eq!(definition["taskDefinitionArn"], "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1");
    assert_eq!(
        world.refused("DescribeTaskDefinition", json!({"taskDefinition": "nope"})),
        "ClientException: Unable to describe task definition."
    );
}

#[test]
fn lists_come_in_pages() {
    let mut world = World::empty(1);
    for _ in 0..5 {
        world.define("web", WEB, json!({}));
    }
    let first = world.ok("ListTaskDefinitions", json!({"maxResults": 3}));
    assert_eq!(first["taskDefinitionArns"].as_array().unwrap().len(), 3);
    let second = world.ok("ListTaskDefinitions", json!({"maxResults": 3, "nextToken": first["nextToken"]}));
    assert_eq!(second["taskDefinitionArns"].as_array().unwrap().len(), 2);
    assert_eq!(second.get("nextToken"), None);
    assert_eq!(
        world.refused("ListTaskDefinitions", json!({"nextToken": "x"})),
        "InvalidParameterException: Invalid token."
    );
}

/// Sentences: issues of terraform-provider-aws and aws-cli.
#[test]
fn services_are_refused_in_the_api_s_words() {
    let mut world = World::with_instances(1, 1);
    let definition = world.define("web", WEB, json!({}));
    let service = |more: Value| {
        let mut input = json!({"cluster": "shop", "serviceName": "web", "taskDefinition": definition, "desiredCount": 1, "launchType": "EC2"});
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        input
    };
    let group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef";
    let balancer = json!([{"targetGroupArn": group, "containerName": "web", "containerPort": 9090}]);
    for (input, refusal) in [
        (service(json!({"cluster": "nope"})), "ClusterNotFoundException: Cluster not found."),
        (service(json!({"taskDefinition": "nope"})), "ClientException: TaskDefinition not found."),
        (
            service(json!({"launchType": "FARGATE"})),
            "InvalidParameterException: Task definition does not support launch_type FARGATE.",
        ),
        (
            service(json!({"loadBalancers": balancer})),
            "InvalidParameterException: The container web did not have a container port 9090 defined.",
        ),
    ] {
        assert_eq!(world.refused("CreateService", input), refusal);
    }
    world.ok("CreateService", service(json!({})));
    assert_eq!(
        world.refused("CreateService", service(json!({}))),
        "InvalidParameterException: Creation of service was not idempotent."
    );
    let answer = world.ok("DescribeServices", json!({"cluster": "shop", "services": ["web", "nope"]}));
    let missing = "arn:aws:ecs:eu-central-1:123456789012:service/shop/nope";
    assert_eq!(answer["failures"], json!([{"arn": missing, "reason": "MISSING"}]));
    let update = world.refused("UpdateService", json!({"cluster": "shop", "service": "nope"}));
    assert_eq!(update, "ServiceNotFoundException: Service not found.");
}

#[test]
fn tags_and_settings_are_kept() {
    let mut world = World::empty(1);
    let arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/shop";
    world.ok("TagResource", json!({"resourceArn": arn, "tags": [{"key": "team", "value": "shop"}]}));
    let answer = world.ok("ListTagsForResource", json!({"resourceArn": arn}));
    assert_eq!(answer["tags"], json!([{"key": "team", "value": "shop"}]));
    world.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": ["team"]}));
    assert_eq!(world.ok("ListTagsForResource", json!({"resourceArn": arn}))["tags"], json!([]));
    world.ok("PutAccountSetting", json!({"name": "containerInsights", "value": "enabled"}));
    let answer = world.ok("ListAccountSettings", json!({"name": "containerInsights", "effectiveSettings": true}));
    assert_eq!(answer["settings"][0]["value"], "enabled");
}
