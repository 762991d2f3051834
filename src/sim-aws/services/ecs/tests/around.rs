//! What stands around a service: names, disks, machines, commands, subnets.

use serde_json::{Value, json};

use super::shop::{Shop, image};
use crate::{network, tasks};

fn with_right(shop: &mut Shop, role: &str, actions: &Value) {
    let statement = json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]);
    let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    shop.call("iam", "PutRolePolicy", json!({"RoleName": role, "PolicyName": "more", "PolicyDocument": document}));
}

#[test]
fn tasks_are_the_addresses_of_their_name() {
    let mut shop = Shop::new();
    let vpc = shop.net.id("vpc");
    shop.call("servicediscovery", "CreatePrivateDnsNamespace", json!({"Name": "shop.local", "Vpc": vpc}));
    shop.pass(120);
    let namespaces = shop.call("servicediscovery", "ListNamespaces", json!({}));
    let input = json!({
        "Name": "web", "NamespaceId": namespaces["Namespaces"][0]["Id"],
        "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 10}]},
    });
    let registry = shop.call("servicediscovery", "CreateService", input)["Service"]["Arn"].clone();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({"serviceRegistries": [{"registryArn": registry}]}));
    shop.pass(180);
    let addresses = |shop: &mut Shop| {
        let tasks = shop.tasks("RUNNING");
        let own = tasks.iter().map(|it| it["containers"][0]["networkInterfaces"][0]["privateIpv4Address"].clone());
        let mut own: Vec<String> = own.map(|it| it.as_str().unwrap().to_owned()).collect();
        own.sort();
        own
    };
    let stranger = network::InterfaceId(shop.net.id("stranger"));
    let named = |shop: &Shop| {
        let found = network::resolve(&shop.net.cloud, &stranger, "web.shop.local").unwrap_or_default();
        let mut found: Vec<String> = found.iter().map(ToString::to_string).collect();
        found.sort();
        found
    };
    assert_eq!((named(&shop), named(&shop).len()), (addresses(&mut shop), 2));
    let victim = shop.tasks("RUNNING")[0]["taskArn"].clone();
    shop.call("ecs", "StopTask", json!({"cluster": "shop", "task": victim}));
    assert_eq!(named(&shop).len(), 1, "it leaves at once");
    shop.pass(240);
    assert_eq!((named(&shop), named(&shop).len()), (addresses(&mut shop), 2));
}

/// Rights of the task role, in the words of issues on ECS Exec.
#[test]
fn a_command_needs_the_task_role_s_rights() {
    let mut shop = Shop::new();
    let definition = shop.define(&image(), json!({}));
    shop.serve(&definition, json!({"enableExecuteCommand": true}));
    shop.pass(180);
    let task = shop.tasks("RUNNING")[0]["taskArn"].clone();
    let input = json!({"cluster": "shop", "task": task, "command": "sh", "interactive": true});
    let refusal = shop.net.call("ecs", "ExecuteCommand", input.clone()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "TargetNotConnectedException: The execute command failed due to an internal error. Try again later."
    );
    with_right(&mut shop, "shop-web", &json!("ssmmessages:*"));
    let answer = shop.call("ecs", "ExecuteCommand", input);
    assert_eq!((&answer["containerName"], &answer["taskArn"]), (&json!("web"), &task));
}

/// The sentence: developer guide, "stopped tasks error messages".
#[test]
fn a_subnet_that_is_full() {
    let mut shop = Shop::new();
    let input = json!({"VpcId": shop.net.id("vpc"), "CidrBlock": "10.0.200.0/28", "AvailabilityZone": "eu-central-1a"});
    let subnet = shop.call("ec2", "CreateSubnet", input)["Subnet"]["SubnetId"].clone();
    let group = shop.net.id("web");
    let definition = shop.define(&image(), json!({}));
    let network = json!({"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}});
    shop.serve(&definition, json!({"networkConfiguration": network, "loadBalancers": null, "healthCheckGracePeriodSeconds": null, "desiredCount": 12}));
    shop.pass(30);
    let reason = format!(
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet '{}': \
         InsufficientFreeAddressesInSubnet",
        subnet.as_str().unwrap()
    );
    let stopped = shop.tasks("STOPPED");
    assert_eq!(shop.tasks("RUNNING").len(), 11, "eleven addresses of a /28 can be had");
    assert_eq!((&stopped[0]["stopCode"], &stopped[0]["stoppedReason"]), (&json!("TaskFailedToStart"), &json!(reason)));
}

#[test]
fn files_of_a_shared_disk_outlive_the_task() {
    let mut shop = Shop::new();
    let made = shop.call("elasticfilesystem", "CreateFileSystem", json!({"CreationToken": "uploads"}));
    let file_system = made["FileSystemId"].as_str().unwrap().to_owned();
    let group = shop.net.id("web");
    for zone in ["private-a", "private-b"] {
        let input = json!({"FileSystemId": file_system, "SubnetId": shop.net.id(zone), "SecurityGroups": [group]});
        shop.call("elasticfilesystem", "CreateMountTarget", input);
    }
    shop.pass(300);
    let definition = shop.define_with_volume(&image(), &file_system);
    shop.serve(&definition, json!({"desiredCount": 1}));
    shop.pass(300);
    let stopped = shop.tasks("STOPPED");
    let reason = stopped[0]["stoppedReason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Mount attempt 1/3 failed due to timeout"), "{reason}");
    shop.net.allow("web", 2049, json!({"UserIdGroupPairs": [{"GroupId": group}]}));
    shop.pass(400);
    let id = |shop: &mut Shop| {
        let arn = shop.tasks("RUNNING")[0]["taskArn"].as_str().unwrap().to_owned();
        arn.rsplit('/').next().unwrap().to_owned()
    };
    let run = |shop: &mut Shop, line: &str| {
        let argv = ["sh", "-c", line].map(str::to_owned);
        let task = id(shop);
        let ran = tasks::exec(&mut shop.net.cloud, &task, "web", &argv).unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let first = id(&mut shop);
    run(&mut shop, "echo kept > /uploads/file");
    shop.call("ecs", "StopTask", json!({"cluster": "shop", "task": first}));
    shop.pass(240);
    assert_ne!(id(&mut shop), first);
    assert_eq!(run(&mut shop, "cat /uploads/file"), "kept\n");
}

#[test]
fn a_machine_joins_the_cluster_that_its_user_data_names_and_leaves_it_when_it_ends() {
    let mut shop = Shop::new();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]});
    let input = json!({"RoleName": "machine", "AssumeRolePolicyDocument": trust.to_string()});
    shop.call("iam", "CreateRole", input);
    shop.call("iam", "CreateInstanceProfile", json!({"InstanceProfileName": "machine"}));
    let input = json!({"InstanceProfileName": "machine", "RoleName": "machine"});
    shop.call("iam", "AddRoleToInstanceProfile", input);
    let run = |shop: &mut Shop| {
        // echo ECS_CLUSTER=shop >> /etc/ecs/ecs.config
        let input = json!({
            "ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.medium", "MinCount": "1", "MaxCount": "1",
            "SubnetId": shop.net.id("private-a"), "IamInstanceProfile": {"Name": "machine"},
            "UserData": "ZWNobyBFQ1NfQ0xVU1RFUj1zaG9wID4+IC9ldGMvZWNzL2Vjcy5jb25maWcK",
        });
        let made = shop.call("ec2", "RunInstances", input);
        shop.pass(90);
        made["Instances"][0]["InstanceId"].clone()
    };
    let count = |shop: &mut Shop| {
        let listed = shop.call("ecs", "ListContainerInstances", json!({"cluster": "shop"}));
        listed["containerInstanceArns"].as_array().unwrap().len()
    };
    run(&mut shop);
    assert_eq!(count(&mut shop), 0, "its role has no right to register");
    let policy = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role";
    shop.call("iam", "AttachRolePolicy", json!({"RoleName": "machine", "PolicyArn": policy}));
    let machine = run(&mut shop);
    assert_eq!(count(&mut shop), 1);
    shop.call("ec2", "TerminateInstances", json!({"InstanceIds": [machine]}));
    assert_eq!(count(&mut shop), 0);
}
