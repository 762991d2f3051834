//! Requests and refusals of EC2. Every answer is compared with the service's model on its way (`Net::call`).

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{create_interface, delete_interface};
use crate::network::testbed::Net;

fn refusal(net: &mut Net, operation: &str, input: Value) -> String {
    net.call("ec2", operation, input).map_or_else(|error| error.to_string(), |answer| format!("accepted: {answer}"))
}

#[test]
fn every_description_is_as_the_model_says_and_finds_by_filter_and_tag() {
    let mut net = Net::new();
    net.acl("private-a", &[(100, false, "allow", "10.0.0.0/16", 80, 80)]);
    net.interface_endpoint("ecr.api", "endpoints");
    let tables = json!({"RouteTableIds": [net.id("rtb-a")]});
    net.endpoint("s3", tables);
    let vpc = net.id("vpc");
    net.ec2("CreateTags", json!({"Resources": [vpc], "Tags": [{"Key": "Name", "Value": "shop"}]}));
    for (operation, set, count) in [
        ("DescribeVpcs", "Vpcs", 1),
        ("DescribeSubnets", "Subnets", 4),
        ("DescribeRouteTables", "RouteTables", 4),
        ("DescribeInternetGateways", "InternetGateways", 1),
        ("DescribeNatGateways", "NatGateways", 2),
        ("DescribeAddresses", "Addresses", 2),
        ("DescribeVpcEndpoints", "VpcEndpoints", 2),
        ("DescribeSecurityGroups", "SecurityGroups", 5),
        ("DescribeSecurityGroupRules", "SecurityGroupRules", 9),
        ("DescribeNetworkAcls", "NetworkAcls", 2),
        ("DescribeNetworkInterfaces", "NetworkInterfaces", 7),
        ("DescribeAvailabilityZones", "AvailabilityZones", 3),
        ("DescribePrefixLists", "PrefixLists", 1),
        ("DescribeManagedPrefixLists", "PrefixLists", 1),
        ("DescribeTags", "Tags", 1),
        ("DescribeInstances", "Reservations", 0),
        ("DescribeInstanceTypes", "InstanceTypes", 12),
        ("DescribeVpcEndpointServices", "ServiceNames", 16),
    ] {
        let answer = net.ec2(operation, json!({}));
        assert_eq!(answer[set].as_array().unwrap().len(), count, "{operation}: {answer:#}");
    }
    for (operation, set, name, value, count) in [
        ("DescribeVpcs", "Vpcs", "tag:Name", "sh*", 1),
        ("DescribeVpcs", "Vpcs", "tag:Name", "other", 0),
        ("DescribeSubnets", "Subnets", "availability-zone", "eu-central-1a", 2),
        ("DescribeSubnets", "Subnets", "cidr-block", "10.0.1?.0/24", 2),
        ("DescribeRouteTables", "RouteTables", "association.main", "true", 1),
        ("DescribeSecurityGroups", "SecurityGroups", "group-name", "web", 1),
        ("DescribeSecurityGroups", "SecurityGroups", "ip-permission.from-port", "8080", 1),
        ("DescribeNetworkInterfaces", "NetworkInterfaces", "interface-type", "nat_gateway", 2),
    ] {
        let answer = net.ec2(operation, json!({"Filters": [{"Name": name, "Values": [value]}]}));
        assert_eq!(answer[set].as_array().unwrap().len(), count, "{operation} {name}={value}");
    }
    let nats = net.ec2("DescribeNatGateways", json!({"Filter": [{"Name": "state", "Values": ["pending"]}]}));
    assert_eq!(nats["NatGateways"], json!([]), "`Filter`, not `Filters`");
}

#[test]
fn refusals_are_ec2_s_own() {
    let mut net = Net::new();
    let (vpc, web, alb, table) = (net.id("vpc"), net.id("web"), net.id("alb"), net.id("rtb-a"));
    let (subnet, igw, nat) = (net.id("private-a"), net.id("igw"), net.id("nat-a"));
    let rule = |port: u16| {
        json!({"GroupId": web, "IpPermissions": [{
            "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": alb}],
        }]})
    };
    let everybody =
        json!({"GroupId": alb, "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "CidrIp": "0.0.0.0/0"});
    for (operation, input, expected) in [
        ("AuthorizeSecurityGroupIngress", everybody, "InvalidPermission.Duplicate: the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" already exists".to_owned()),
        ("AuthorizeSecurityGroupIngress", json!({"GroupId": "sg-0"}), "InvalidGroup.NotFound: The security group 'sg-0' does not exist".to_owned()),
        ("RevokeSecurityGroupIngress", rule(81), "InvalidPermission.NotFound: The specified rule does not exist in this security group.".to_owned()),
        ("CreateSecurityGroup", json!({"GroupName": "web", "Description": "x", "VpcId": vpc}), format!("InvalidGroup.Duplicate: The security group 'web' already exists for VPC '{vpc}'")),
        ("DeleteSecurityGroup", json!({"GroupId": alb}), format!("DependencyViolation: resource {alb} has a dependent object")),
        ("DescribeSubnets", json!({"SubnetIds": ["subnet-0"]}), "InvalidSubnetID.NotFound: The subnet ID 'subnet-0' does not exist".to_owned()),
        ("DeleteSubnet", json!({"SubnetId": subnet}), format!("DependencyViolation: The subnet '{subnet}' has dependencies and cannot be deleted.")),
        ("CreateSubnet", json!({"VpcId": vpc, "CidrBlock": "10.0.11.128/25"}), "InvalidSubnet.Conflict: The CIDR '10.0.11.128/25' conflicts with another subnet".to_owned()),
        ("CreateSubnet", json!({"VpcId": vpc, "CidrBlock": "10.1.0.0/24"}), "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.".to_owned()),
        ("DeleteVpc", json!({"VpcId": vpc}), format!("DependencyViolation: The vpc '{vpc}' has dependencies and cannot be deleted.")),
        ("CreateRoute", json!({"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": igw}), "RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.".to_owned()),
        ("DeleteRoute", json!({"RouteTableId": table, "DestinationCidrBlock": "10.9.0.0/16"}), format!("InvalidRoute.NotFound: no route with destination-cidr-block 10.9.0.0/16 in route table {table}")),
        ("AssociateRouteTable", json!({"RouteTableId": table, "SubnetId": subnet}), format!("Resource.AlreadyAssociated: the specified association for route table {table} conflicts with an existing association")),
        ("AttachInternetGateway", json!({"InternetGatewayId": igw, "VpcId": vpc}), format!("Resource.AlreadyAssociated: resource {igw} is already attached to network {vpc}")),
        ("DescribeNatGateways", json!({"NatGatewayIds": ["nat-0"]}), "NatGatewayNotFound: NatGateway nat-0 was not found".to_owned()),
        ("DescribeVpcs", json!({"DryRun": true}), "DryRunOperation: Request would have succeeded, but DryRun flag is set.".to_owned()),
        ("DescribeVpcs", json!({"Filters": [{"Name": "colour", "Values": ["red"]}]}), "InvalidParameterValue: The filter 'colour' is invalid".to_owned()),
        ("ReleaseAddress", json!({"AllocationId": net.id("eip-a")}), format!("InvalidIPAddress.InUse: The address with allocation id [{}] cannot be released because it is in use.", net.id("eip-a"))),
        ("CreateVpcPeeringConnection", json!({}), "NotImplemented: the breakfix simulator does not know ec2:CreateVpcPeeringConnection".to_owned()),
    ] {
        assert_eq!(refusal(&mut net, operation, input), expected, "{operation}");
    }
    net.ec2("DeleteNatGateway", json!({"NatGatewayId": nat}));
    let shown = net.ec2("DescribeRouteTables", json!({"RouteTableIds": [table]}));
    let routes = shown["RouteTables"][0]["Routes"].as_array().unwrap().clone();
    let state = routes.iter().find(|it| it["NatGatewayId"] == json!(nat)).unwrap()["State"].clone();
    assert_eq!(state, "blackhole");
}

#[test]
fn a_rule_is_given_shown_changed_and_taken_by_id() {
    let mut net = Net::new();
    let (web, other) = (net.id("web"), net.id("other"));
    let given = net.ec2(
        "AuthorizeSecurityGroupIngress",
        json!({"GroupId": web, "IpPermissions": [{"IpProtocol": "6", "FromPort": "5432", "ToPort": "5433", "IpRanges": [
            {"CidrIp": "10.0.1.7/16", "Description": "database"},
        ]}]}),
    );
    let id = given["SecurityGroupRules"][0]["SecurityGroupRuleId"].as_str().unwrap().to_owned();
    let shown = net.ec2("DescribeSecurityGroups", json!({"GroupIds": [web]}));
    let permissions = shown["SecurityGroups"][0]["IpPermissions"].as_array().unwrap().clone();
    let found = permissions.iter().find(|it| it["FromPort"] == 5432).unwrap();
    assert_eq!(found["IpRanges"], json!([{"CidrIp": "10.0.0.0/16", "Description": "database"}]));
    let change = json!({"GroupId": web, "SecurityGroupRules": [{"SecurityGroupRuleId": id, "SecurityGroupRule": {
        "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "ReferencedGroupId": other,
    }}]});
    net.ec2("ModifySecurityGroupRules", change);
    let rules = net.ec2("DescribeSecurityGroupRules", json!({"SecurityGroupRuleIds": [id]}));
    assert_eq!(rules["SecurityGroupRules"][0]["ReferencedGroupInfo"]["GroupId"], json!(other));
    net.ec2("RevokeSecurityGroupIngress", json!({"GroupId": web, "SecurityGroupRuleIds": [id]}));
    let wanted = json!({"SecurityGroupRuleIds": [id]});
    assert!(refusal(&mut net, "DescribeSecurityGroupRules", wanted).starts_with("InvalidSecurityGroupRuleId.NotFound"));
}

#[test]
fn a_subnet_runs_dry_and_its_addresses_come_back() {
    let mut net = Net::new();
    let vpc = net.id("vpc");
    let input = json!({"VpcId": vpc, "CidrBlock": "10.0.40.0/28", "AvailabilityZone": "eu-central-1a"});
    net.made("small", "CreateSubnet", input, "/Subnet/SubnetId");
    let small = net.id("small");
    let mut held = Vec::new();
    for _ in 0..11 {
        held.push(create_interface(&mut net.cloud, &small, &[], false, "x").unwrap());
    }
    let addresses: BTreeSet<_> = held.iter().map(|it| it.address).collect();
    assert_eq!(addresses.len(), 11, "no address twice");
    let usable = |last: u8| (4..=14).contains(&last);
    assert!(addresses.iter().all(|it| usable(it.octets()[3])), "AWS keeps five: {addresses:?}");
    assert!(held.iter().all(|it| it.groups.len() == 1), "the default group");
    let full = create_interface(&mut net.cloud, &small, &[], false, "x").unwrap_err();
    assert_eq!(full.code, "InsufficientFreeAddressesInSubnet");
    let free = |net: &mut Net| {
        net.ec2("DescribeSubnets", json!({"SubnetIds": [small]}))["Subnets"][0]["AvailableIpAddressCount"].clone()
    };
    assert_eq!(free(&mut net), 0);
    delete_interface(&mut net.cloud, &held[3].id);
    assert_eq!(free(&mut net), 1);
    assert_eq!(create_interface(&mut net.cloud, &small, &[], false, "x").unwrap().address, held[3].address);
}

#[test]
fn a_default_vpc_is_what_a_fresh_account_has() {
    let mut net = Net::new();
    net.ec2("CreateDefaultVpc", json!({}));
    let subnets = net.ec2("DescribeSubnets", json!({"Filters": [{"Name": "default-for-az", "Values": ["true"]}]}));
    assert_eq!(subnets["Subnets"].as_array().unwrap().len(), 3);
    let subnet = subnets["Subnets"][0]["SubnetId"].as_str().unwrap().to_owned();
    let made = create_interface(&mut net.cloud, &subnet, &[], true, "x").unwrap();
    net.ids.insert("x".to_owned(), made.id.0);
    let world = crate::network::Destination::Internet;
    assert_eq!(net.path("x", &world), Ok(crate::network::Path::InternetGateway));
    assert!(refusal(&mut net, "CreateDefaultVpc", json!({})).starts_with("DefaultVpcAlreadyExists"));
}

#[test]
fn an_instance_starts_stops_and_goes() {
    let mut net = Net::new();
    let (subnet, group) = (net.id("private-a"), net.id("web"));
    let run = net.ec2(
        "RunInstances",
        json!({
            "ImageId": "ami-1", "InstanceType": "t3.medium", "MinCount": "1", "MaxCount": "1", "SubnetId": subnet,
            "SecurityGroupIds": [group],
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "one"}]}],
        }),
    );
    let id = run["Instances"][0]["InstanceId"].as_str().unwrap().to_owned();
    let state = |net: &mut Net| {
        let shown = net.ec2("DescribeInstances", json!({"InstanceIds": [id]}));
        shown["Reservations"][0]["Instances"][0]["State"]["Name"].as_str().unwrap().to_owned()
    };
    let wait = |net: &mut Net| {
        let later = net.cloud.now() + Duration::from_secs(60);
        net.cloud.advance(later);
    };
    assert_eq!(state(&mut net), "pending");
    wait(&mut net);
    assert_eq!(state(&mut net), "running");
    net.ec2("StopInstances", json!({"InstanceIds": [id]}));
    assert_eq!(state(&mut net), "stopping");
    wait(&mut net);
    net.ec2("StartInstances", json!({"InstanceIds": [id]}));
    wait(&mut net);
    assert_eq!(state(&mut net), "running");
    net.ec2("TerminateInstances", json!({"InstanceIds": [id]}));
    wait(&mut net);
    assert_eq!(state(&mut net), "terminated");
    assert!(!net.cloud.ec2.interfaces.values().any(|it| it.part_of == super::PartOf::Instance(id.clone())));
    let unknown =
        json!({"ImageId": "ami-1", "InstanceType": "z9.huge", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet});
    assert!(refusal(&mut net, "RunInstances", unknown).starts_with("InvalidParameterValue"));
}
