//! A sound network to change one thing of.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{Destination, INTERNET, InterfaceId, Lost, Path, Way, path, way_in};
use crate::{
    AwsError, Call, Cloud,
    services::{
        ec2::{PartOf, make_interface},
        iam::operator,
    },
};

/// Two zones with a public and a private subnet each, a NAT gateway per zone, groups for balancer and tasks.
pub(crate) struct Net {
    pub(crate) cloud: Cloud,
    /// `vpc`, `public-a` …
    pub(crate) ids: BTreeMap<String, String>,
}

impl Net {
    pub(crate) fn ec2(&mut self, operation: &str, input: Value) -> Value {
        self.call("ec2", operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    pub(crate) fn call(&mut self, service: &str, operation: &str, input: Value) -> Result<Value, AwsError> {
        let caller = operator(&self.cloud.config);
        let call = Call { service: service.to_owned(), operation: operation.to_owned(), input, caller };
        let answer = self.cloud.call(&call)?;
        let departures = crate::wire::departures(service, operation, &answer);
        assert!(departures.is_empty(), "not as the model says: {departures:#?}\n{answer:#}");
        Ok(answer)
    }

    pub(crate) fn id(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_else(|| panic!("no {name}"))
    }

    pub(crate) fn made(&mut self, name: &str, operation: &str, input: Value, path: &str) {
        let answer = self.ec2(operation, input);
        let id = answer.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} in {answer}"));
        self.ids.insert(name.to_owned(), id.to_owned());
    }

    pub(crate) fn interface(&mut self, name: &str, subnet: &str, group: &str, public: bool) {
        let (subnet, group) = (self.id(subnet), self.id(group));
        let part_of = if name == "lb" { PartOf::Balancer("lb".to_owned()) } else { PartOf::Task };
        let made = make_interface(&mut self.cloud, &subnet, vec![group], public, name, part_of).unwrap();
        self.ids.insert(name.to_owned(), made.id.0);
    }

    pub(crate) fn new() -> Self {
        let mut net = Self { cloud: crate::testing::cloud(), ids: BTreeMap::new() };
        net.made("vpc", "CreateVpc", json!({"CidrBlock": "10.0.0.0/16"}), "/Vpc/VpcId");
        let vpc = net.id("vpc");
        net.ec2("ModifyVpcAttribute", json!({"VpcId": vpc, "EnableDnsHostnames": {"Value": true}}));
        net.made("igw", "CreateInternetGateway", json!({}), "/InternetGateway/InternetGatewayId");
        let igw = net.id("igw");
        net.ec2("AttachInternetGateway", json!({"InternetGatewayId": igw, "VpcId": vpc}));
        let table = "/RouteTable/RouteTableId";
        net.made("public", "CreateRouteTable", json!({"VpcId": vpc}), table);
        net.route("public", json!({"GatewayId": igw}));
        for (zone, number) in [("a", 1), ("b", 2)] {
            for (kind, base) in [("public", 0), ("private", 10)] {
                let name = format!("{kind}-{zone}");
                let cidr = format!("10.0.{}.0/24", base + number);
                let zone = format!("eu-central-1{zone}");
                let input = json!({"VpcId": vpc, "CidrBlock": cidr, "AvailabilityZone": zone});
                net.made(&name, "CreateSubnet", input, "/Subnet/SubnetId");
            }
            let public = format!("public-{zone}");
            net.associate("public", &public);
            net.made(&format!("eip-{zone}"), "AllocateAddress", json!({"Domain": "vpc"}), "/AllocationId");
            let input = json!({"SubnetId": net.id(&public), "AllocationId": net.id(&format!("eip-{zone}"))});
            net.made(&format!("nat-{zone}"), "CreateNatGateway", input, "/NatGateway/NatGatewayId");
            let private = format!("private-{zone}");
            net.made(&format!("rtb-{zone}"), "CreateRouteTable", json!({"VpcId": vpc}), table);
            net.associate(&format!("rtb-{zone}"), &private);
            let nat = net.id(&format!("nat-{zone}"));
            net.route(&format!("rtb-{zone}"), json!({"NatGatewayId": nat}));
        }
        for group in ["alb", "web", "other", "endpoints"] {
            let input = json!({"GroupName": group, "Description": group, "VpcId": vpc});
            net.made(group, "CreateSecurityGroup", input, "/GroupId");
        }
        let alb = net.id("alb");
        net.allow("alb", 80, json!({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}));
        net.allow("web", 8080, json!({"UserIdGroupPairs": [{"GroupId": alb}]}));
        net.allow("endpoints", 443, json!({"IpRanges": [{"CidrIp": "10.0.0.0/16"}]}));
        net.interface("lb", "public-a", "alb", true);
        net.interface("task", "private-a", "web", false);
        net.interface("task-b", "private-b", "web", false);
        net.interface("stranger", "private-a", "other", false);
        let later = net.cloud.now() + Duration::from_secs(600);
        net.cloud.advance(later);
        net
    }

    pub(crate) fn route(&mut self, table: &str, mut via: Value) {
        via["RouteTableId"] = json!(self.id(table));
        via["DestinationCidrBlock"] = json!("0.0.0.0/0");
        self.ec2("CreateRoute", via);
    }

    pub(crate) fn no_route(&mut self, table: &str) {
        let id = self.id(table);
        self.ec2("DeleteRoute", json!({"RouteTableId": id, "DestinationCidrBlock": "0.0.0.0/0"}));
    }

    pub(crate) fn associate(&mut self, table: &str, subnet: &str) {
        let input = json!({"RouteTableId": self.id(table), "SubnetId": self.id(subnet)});
        let answer = self.ec2("AssociateRouteTable", input);
        let id = answer["AssociationId"].as_str().unwrap().to_owned();
        self.ids.insert(format!("assoc-{subnet}"), id);
    }

    pub(crate) fn allow(&mut self, group: &str, port: u16, mut peer: Value) {
        peer["IpProtocol"] = json!("tcp");
        peer["FromPort"] = json!(port);
        peer["ToPort"] = json!(port);
        let input = json!({"GroupId": self.id(group), "IpPermissions": [peer]});
        self.ec2("AuthorizeSecurityGroupIngress", input);
    }

    /// Takes all rules of one direction.
    pub(crate) fn close(&mut self, group: &str, is_egress: bool) {
        let id = self.id(group);
        let rules = self.ec2("DescribeSecurityGroupRules", json!({"Filters": [{"Name": "group-id", "Values": [id]}]}));
        let rules: Vec<&Value> = rules["SecurityGroupRules"].as_array().unwrap().iter().collect();
        let gone: Vec<&Value> =
            rules.iter().filter(|it| it["IsEgress"] == is_egress).map(|it| &it["SecurityGroupRuleId"]).collect();
        let operation = if is_egress { "RevokeSecurityGroupEgress" } else { "RevokeSecurityGroupIngress" };
        self.ec2(operation, json!({"GroupId": id, "SecurityGroupRuleIds": gone}));
    }

    /// Puts an ACL with these entries around a subnet: (number, egress, action, range, from, to).
    pub(crate) fn acl(&mut self, subnet: &str, entries: &[(u16, bool, &str, &str, u16, u16)]) {
        let vpc = self.id("vpc");
        self.made("acl", "CreateNetworkAcl", json!({"VpcId": vpc}), "/NetworkAcl/NetworkAclId");
        let acl = self.id("acl");
        for (number, egress, action, range, from, to) in entries {
            let input = json!({
                "NetworkAclId": acl, "RuleNumber": number, "Egress": egress, "RuleAction": action, "CidrBlock": range,
                "Protocol": "6", "PortRange": {"From": from, "To": to},
            });
            self.ec2("CreateNetworkAclEntry", input);
        }
        let subnet = self.id(subnet);
        let filter = json!({"Filters": [{"Name": "association.subnet-id", "Values": [subnet]}]});
        let found = self.ec2("DescribeNetworkAcls", filter);
        let list = found.pointer("/NetworkAcls/0/Associations").unwrap().as_array().unwrap().clone();
        let own = list.iter().find(|it| it["SubnetId"] == json!(subnet)).unwrap();
        self.ec2(
            "ReplaceNetworkAclAssociation",
            json!({"AssociationId": own["NetworkAclAssociationId"], "NetworkAclId": acl}),
        );
    }

    pub(crate) fn endpoint(&mut self, service: &str, more: Value) {
        let mut input =
            json!({"VpcId": self.id("vpc"), "ServiceName": format!("com.amazonaws.eu-central-1.{service}")});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.made(&format!("vpce-{service}"), "CreateVpcEndpoint", input, "/VpcEndpoint/VpcEndpointId");
        let later = self.cloud.now() + Duration::from_secs(120);
        self.cloud.advance(later);
    }

    pub(crate) fn interface_endpoint(&mut self, service: &str, group: &str) {
        let input = json!({
            "VpcEndpointType": "Interface", "SubnetIds": [self.id("private-a")], "SecurityGroupIds": [self.id(group)],
        });
        self.endpoint(service, input);
    }

    pub(crate) fn at(&self, interface: &str, port: u16) -> Destination {
        let id = self.id(interface);
        Destination::Address(self.cloud.ec2.interfaces.get(&id).unwrap().address, port)
    }

    pub(crate) fn path(&self, from: &str, to: &Destination) -> Result<Path, Lost> {
        path(&self.cloud, &InterfaceId(self.id(from)), to)
    }

    pub(crate) fn enters(&self, to: &str, port: u16) -> bool {
        way_in(&self.cloud, INTERNET, &InterfaceId(self.id(to)), port) == Way::Open
    }

    pub(crate) fn lose(&mut self, zone: &str) {
        self.cloud.ec2.lost_zones.insert(format!("eu-central-1{zone}"));
    }
}
