//! Amazon EC2 as ECS needs it: VPCs, subnets, routes, gateways, endpoints, security groups, ACLs, interfaces, instances.

mod acl;
mod address;
mod cidr;
mod endpoint;
mod error;
mod group;
mod instance;
mod instance_type;
mod interface;
mod internet_gateway;
mod launch_template;
mod nat_gateway;
mod permit;
mod prefix_list;
mod resource;
mod route_table;
mod rule;
mod subnet;
mod tags;
#[cfg(test)]
mod tests;
mod vpc;
mod zone;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use acl::{Acl, around as acl_around};
pub use address::Address;
pub use cidr::Cidr;
pub use endpoint::{Endpoint, EndpointKind, EndpointState};
pub use group::SecurityGroup;
pub use instance::{Instance, InstanceState};
pub(crate) use instance::{Launch, launch, terminate_all as terminate_instances};
pub use instance_type::{InstanceType, instance_type};
pub use interface::{Interface, PartOf, create_interface, delete_interface, make as make_interface};
pub use internet_gateway::InternetGateway;
pub use launch_template::LaunchTemplate;
pub(crate) use launch_template::{data as launch_template_data, specification as launch_template_named};
pub use nat_gateway::{NatGateway, NatState};
pub use prefix_list::S3 as S3_PREFIX_LIST;
pub(crate) use prefix_list::s3_range;
pub(crate) use resource::{matches as pattern_matches, new_id};
pub use route_table::{Reach, Route, RouteTable, Via, serving as route_table_of};
pub use rule::{Peer, Rule};
pub use subnet::Subnet;
pub use vpc::Vpc;
pub(crate) use zone::{exists as zone_exists, zone_id};

use super::iam::Need;
use crate::{AwsError, Call, Cloud};

/// What the service keeps: everything by its id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub vpcs: BTreeMap<String, Vpc>,
    pub subnets: BTreeMap<String, Subnet>,
    pub internet_gateways: BTreeMap<String, InternetGateway>,
    pub nat_gateways: BTreeMap<String, NatGateway>,
    pub addresses: BTreeMap<String, Address>,
    pub route_tables: BTreeMap<String, RouteTable>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub groups: BTreeMap<String, SecurityGroup>,
    pub acls: BTreeMap<String, Acl>,
    pub interfaces: BTreeMap<String, Interface>,
    pub instances: BTreeMap<String, Instance>,
    pub launch_templates: BTreeMap<String, LaunchTemplate>,
    /// By resource id.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Zones that are down: nothing in them is reached, and nothing in them reaches anybody.
    pub lost_zones: BTreeSet<String>,
}

/// What a request needs before it is looked at.
pub fn needs(_cloud: &Cloud, operation: &str, _input: &Value) -> Vec<Need> {
    vec![Need::anywhere("ec2", operation)]
}

/// Something of EC2 that is due: the next step in the life of the thing with this id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ec2Event {
    NatGateway(String),
    Endpoint(String),
    Instance(String),
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: Ec2Event) {
    match event {
        Ec2Event::NatGateway(id) => nat_gateway::step(cloud, &id),
        Ec2Event::Endpoint(id) => endpoint::step(cloud, &id),
        Ec2Event::Instance(id) => instance::step(cloud, &id),
    }
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
#[rustfmt::skip]
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let request = &call.input;
    if crate::input::flag(request, "DryRun") == Some(true) {
        // The caller's rights have been looked at already, and that is what a dry run asks about.
        let text = "Request would have succeeded, but DryRun flag is set.";
        return Err(AwsError::new("DryRunOperation", text).status(412));
    }
    match call.operation.as_str() {
        "CreateVpc" => vpc::create(cloud, request),
        "CreateDefaultVpc" => vpc::create_default(cloud),
        "DeleteVpc" => vpc::delete(cloud, request),
        "DescribeVpcs" => resource::describe::<Vpc>(cloud, request),
        "ModifyVpcAttribute" => vpc::modify(cloud, request),
        "DescribeVpcAttribute" => vpc::attribute(cloud, request),

        "CreateSubnet" => subnet::create(cloud, request),
        "DeleteSubnet" => subnet::delete(cloud, request),
        "DescribeSubnets" => resource::describe::<Subnet>(cloud, request),
        "ModifySubnetAttribute" => subnet::modify(cloud, request),

        "CreateInternetGateway" => internet_gateway::create(cloud, request),
        "AttachInternetGateway" => internet_gateway::attach(cloud, request),
        "DetachInternetGateway" => internet_gateway::detach(cloud, request),
        "DeleteInternetGateway" => internet_gateway::delete(cloud, request),
        "DescribeInternetGateways" => resource::describe::<InternetGateway>(cloud, request),

        "CreateNatGateway" => nat_gateway::create(cloud, request),
        "DeleteNatGateway" => nat_gateway::delete(cloud, request),
        "DescribeNatGateways" => nat_gateway::describe(cloud, request),

        "AllocateAddress" => Ok(address::allocate(cloud, request)),
        "ReleaseAddress" => address::release(cloud, request),
        "AssociateAddress" => address::associate(cloud, request),
        "DisassociateAddress" => address::disassociate(cloud, request),
        "DescribeAddresses" => address::describe(cloud, request),

        "CreateRouteTable" => route_table::create(cloud, request),
        "DeleteRouteTable" => route_table::delete(cloud, request),
        "DescribeRouteTables" => resource::describe::<RouteTable>(cloud, request),
        "AssociateRouteTable" => route_table::associate(cloud, request),
        "DisassociateRouteTable" => route_table::disassociate(cloud, request),
        "ReplaceRouteTableAssociation" => route_table::replace_association(cloud, request),
        "CreateRoute" => route_table::create_route(cloud, request),
        "ReplaceRoute" => route_table::replace_route(cloud, request),
        "DeleteRoute" => route_table::delete_route(cloud, request),

        "CreateVpcEndpoint" => endpoint::create(cloud, request),
        "ModifyVpcEndpoint" => endpoint::modify(cloud, request),
        "DeleteVpcEndpoints" => Ok(endpoint::delete(cloud, request)),
        "DescribeVpcEndpoints" => resource::describe::<Endpoint>(cloud, request),
        "DescribeVpcEndpointServices" => endpoint::describe_services(cloud, request),
        "DescribePrefixLists" => prefix_list::describe(cloud, request),
        "DescribeManagedPrefixLists" => prefix_list::describe_managed(cloud, request),

        "CreateSecurityGroup" => group::create(cloud, request),
        "DeleteSecurityGroup" => group::delete(cloud, request),
        "DescribeSecurityGroups" => group::describe(cloud, request),
        "AuthorizeSecurityGroupIngress" => permit::authorize(cloud, request, false),
        "AuthorizeSecurityGroupEgress" => permit::authorize(cloud, request, true),
        "RevokeSecurityGroupIngress" => permit::revoke(cloud, request, false),
        "RevokeSecurityGroupEgress" => permit::revoke(cloud, request, true),
        "ModifySecurityGroupRules" => permit::modify(cloud, request),
        "UpdateSecurityGroupRuleDescriptionsIngress" => permit::describe_rules_anew(cloud, request, false),
        "UpdateSecurityGroupRuleDescriptionsEgress" => permit::describe_rules_anew(cloud, request, true),
        "DescribeSecurityGroupRules" => permit::describe(cloud, request),

        "CreateNetworkAcl" => acl::create(cloud, request),
        "DeleteNetworkAcl" => acl::delete(cloud, request),
        "DescribeNetworkAcls" => resource::describe::<Acl>(cloud, request),
        "ReplaceNetworkAclAssociation" => acl::replace_association(cloud, request),
        "CreateNetworkAclEntry" => acl::put_entry(cloud, request, true),
        "ReplaceNetworkAclEntry" => acl::put_entry(cloud, request, false),
        "DeleteNetworkAclEntry" => acl::delete_entry(cloud, request),

        "DescribeNetworkInterfaces" => resource::describe::<Interface>(cloud, request),
        "ModifyNetworkInterfaceAttribute" => interface::modify(cloud, request),
        "DeleteNetworkInterface" => interface::delete(cloud, request),

        "RunInstances" => instance::run(cloud, request),
        "StartInstances" => instance::start(cloud, request),
        "StopInstances" => instance::stop(cloud, request),
        "TerminateInstances" => instance::terminate(cloud, request),
        "DescribeInstances" => instance::describe(cloud, request),
        "DescribeInstanceTypes" => instance::describe_types(cloud, request),
        "CreateLaunchTemplate" => launch_template::create(cloud, request),
        "DeleteLaunchTemplate" => launch_template::delete(cloud, request),
        "DescribeLaunchTemplates" => resource::describe::<LaunchTemplate>(cloud, request),

        "CreateTags" => tags::create(cloud, request),
        "DeleteTags" => Ok(tags::delete(cloud, request)),
        "DescribeTags" => tags::describe(cloud, request),
        "DescribeAvailabilityZones" => zone::describe(cloud, request),
        "DescribeRegions" => Ok(json!({"Regions": [{
            "RegionName": cloud.config.region,
            "Endpoint": format!("ec2.{}.amazonaws.com", cloud.config.region),
            "OptInStatus": "opt-in-not-required",
        }]})),
        "DescribeAccountAttributes" => Ok(json!({"AccountAttributes": [
            {"AttributeName": "supported-platforms", "AttributeValues": [{"AttributeValue": "VPC"}]},
        ]})),
        operation => Err(AwsError::not_simulated("ec2", operation)),
    }
}
