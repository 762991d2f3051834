//! A service behind a balancer, made, watched and asked with the aws CLI alone.

mod endpoint;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use endpoint::{Endpoint, has_aws};
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// A VPC with two public subnets and a group that lets everybody in.
struct Network {
    vpc: String,
    subnets: Vec<String>,
    group: String,
}

fn network(endpoint: &Endpoint) -> Network {
    let vpc = endpoint.aws("ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text").trim().to_owned();
    let gateway = endpoint.aws("ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text");
    let gateway = gateway.trim();
    endpoint.aws(&format!("ec2 attach-internet-gateway --vpc-id {vpc} --internet-gateway-id {gateway}"));
    let tables = endpoint.json(&format!("ec2 describe-route-tables --filters Name=vpc-id,Values={vpc}"));
    let table = text(&tables["RouteTables"][0]["RouteTableId"]).to_owned();
    endpoint.aws(&format!(
        "ec2 create-route --route-table-id {table} --destination-cidr-block 0.0.0.0/0 --gateway-id {gateway}"
    ));
    let subnets = [("10.0.1.0/24", "eu-central-1a"), ("10.0.2.0/24", "eu-central-1b")].map(|(block, zone)| {
        let line = format!("ec2 create-subnet --vpc-id {vpc} --cidr-block {block} --availability-zone {zone}");
        text(&endpoint.json(&line)["Subnet"]["SubnetId"]).to_owned()
    });
    let line = format!("ec2 create-security-group --group-name shop --description shop --vpc-id {vpc}");
    let group = text(&endpoint.json(&line)["GroupId"]).to_owned();
    endpoint.aws(&format!(
        "ec2 authorize-security-group-ingress --group-id {group} --protocol tcp --port 0-65535 --cidr 0.0.0.0/0"
    ));
    Network { vpc, subnets: subnets.to_vec(), group }
}

/// What a `GET /` at this port answers, asked of a host.
fn get(port: u16, host: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_service_behind_a_balancer_is_made_waited_for_and_asked() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    let Network { vpc, subnets, group } = network(&endpoint);
    let tables = endpoint.aws("ec2 describe-subnets --query Subnets[].[SubnetId,CidrBlock] --output table");
    assert!(tables.contains("10.0.2.0/24"), "{tables}");

    let subnet_words = subnets.join(" ");
    let balancer = endpoint
        .json(&format!("elbv2 create-load-balancer --name shop --subnets {subnet_words} --security-groups {group}"));
    let balancer = &balancer["LoadBalancers"][0];
    let (balancer_arn, dns) = (text(&balancer["LoadBalancerArn"]), text(&balancer["DNSName"]));
    let line =
        format!("elbv2 create-target-group --name shop --protocol HTTP --port 8080 --vpc-id {vpc} --target-type ip");
    let target_group = endpoint.json(&line);
    let target_group = text(&target_group["TargetGroups"][0]["TargetGroupArn"]);
    endpoint.aws(&format!(
        "elbv2 create-listener --load-balancer-arn {balancer_arn} --protocol HTTP --port 80 \
         --default-actions Type=forward,TargetGroupArn={target_group}"
    ));

    endpoint.aws("ecs create-cluster --cluster-name shop");
    let containers = r#"[{"name":"web","image":"registry.example/shop:1.4","essential":true,"portMappings":[{"containerPort":8080}],"environment":[{"name":"PORT","value":"8080"}]}]"#;
    let definition = endpoint.json(&format!(
        "ecs register-task-definition --family shop --network-mode awsvpc --requires-compatibilities FARGATE --cpu 256 --memory 512 \
         --container-definitions {containers}"
    ));
    assert_eq!(definition["taskDefinition"]["revision"], 1);
    let subnet_list = subnets.join(",");
    endpoint.aws(&format!(
        "ecs create-service --cluster shop --service-name web --task-definition shop:1 --desired-count 2 --launch-type FARGATE \
         --network-configuration awsvpcConfiguration={{subnets=[{subnet_list}],securityGroups=[{group}],assignPublicIp=ENABLED}} \
         --load-balancers targetGroupArn={target_group},containerName=web,containerPort=8080"
    ));
    endpoint.host.skip(Duration::from_secs(300));
    let service = &endpoint.json("ecs describe-services --cluster shop --services web")["services"][0];
    assert_eq!((&service["runningCount"], &service["desiredCount"]), (&2.into(), &2.into()), "{service}");
    endpoint.aws("ecs wait services-stable --cluster shop --services web");
    let health = endpoint.json(&format!("elbv2 describe-target-health --target-group-arn {target_group}"));
    let states: Vec<&str> = health["TargetHealthDescriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["TargetHealth"]["State"]))
        .collect();
    assert_eq!(states, ["healthy", "healthy"], "{health}");
    endpoint.aws(&format!("elbv2 wait target-in-service --target-group-arn {target_group}"));

    for (port, host) in [(endpoint.port, dns), (endpoint.balancer_port, dns), (endpoint.balancer_port, "127.0.0.1")] {
        let answer = get(port, host);
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }

    let tasks = endpoint.json("ecs list-tasks --cluster shop --max-items 1");
    assert_eq!(tasks["taskArns"].as_array().unwrap().len(), 1, "{tasks}");
    let task = text(&tasks["taskArns"][0]);
    let stopped = endpoint.json(&format!("ecs stop-task --cluster shop --task {task}"));
    assert_eq!(stopped["task"]["desiredStatus"], "STOPPED", "{stopped}");
    endpoint.host.skip(Duration::from_secs(400));
    endpoint.aws(&format!("ecs wait tasks-stopped --cluster shop --tasks {task}"));
    let table = endpoint.aws("ecs describe-services --cluster shop --services web --output table");
    assert!(table.contains("DescribeServices"), "{table}");
    let said = endpoint.refused("ecs describe-services --cluster nobody --services web");
    assert!(said.contains("(ClusterNotFoundException)"), "{said}");
}

#[test]
fn a_learner_in_the_wrong_region_finds_nothing() {
    if !has_aws() {
        return;
    }
    let endpoint = Endpoint::start();
    endpoint.aws("ecs create-cluster --cluster-name shop");
    let elsewhere = |line: &str| {
        let output =
            endpoint.command().env("AWS_DEFAULT_REGION", "us-east-1").args(line.split_whitespace()).output().unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(elsewhere("ecs describe-services --cluster shop --services web").1.contains("(ClusterNotFoundException)"));
    assert!(!elsewhere("ecs list-clusters").0.contains("shop"));
}
