//! VPCs and their attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State, acl,
    cidr::Cidr,
    error::{in_use, malformed_cidr, missing_one_of, no_such},
    group,
    resource::{Resource, describe_one, find, new_id, tag_new},
    route_table, subnet,
    zone::ZONES,
};
use crate::{AwsError, Cloud, input};

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    pub cidr: Cidr,
    pub is_default: bool,
    /// `enableDnsSupport`.
    pub dns_support: bool,
    /// `enableDnsHostnames`.
    pub dns_hostnames: bool,
}

impl Resource for Vpc {
    const IDS: &'static str = "VpcIds";
    const SET: &'static str = "Vpcs";
    const TYPE: &'static str = "vpc";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("vpc-id", "VpcId"),
        ("cidr", "CidrBlock"),
        ("cidr-block-association.cidr-block", "CidrBlockAssociationSet.CidrBlock"),
        ("state", "State"),
        ("is-default", "IsDefault"),
        ("isDefault", "IsDefault"),
        ("owner-id", "OwnerId"),
        ("dhcp-options-id", "DhcpOptionsId"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.vpcs
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let digits = id.trim_start_matches("vpc-");
        json!({
            "VpcId": id,
            "CidrBlock": self.cidr,
            "CidrBlockAssociationSet": [{
                "AssociationId": format!("vpc-cidr-assoc-{digits}"),
                "CidrBlock": self.cidr,
                "CidrBlockState": {"State": "associated"},
            }],
            "DhcpOptionsId": format!("dopt-{digits}"),
            "InstanceTenancy": "default",
            "IsDefault": self.is_default,
            "OwnerId": cloud.config.account,
            "State": "available",
        })
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidVpcID.NotFound", "vpc", id)
    }
}

/// `CreateVpc`: with its main route table, its default group and its default ACL.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let text = input::text(request, "CidrBlock").ok_or_else(|| missing_one_of("cidrBlock"))?;
    let cidr: Cidr = text.parse().map_err(|_| malformed_cidr(text, "cidrBlock"))?;
    if !(16..=28).contains(&cidr.bits()) {
        return Err(AwsError::new("InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    let id = make(cloud, cidr, false);
    tag_new(cloud, request, Vpc::TYPE, &id);
    Ok(json!({"Vpc": describe_one::<Vpc>(cloud, &id)?}))
}

fn make(cloud: &mut Cloud, cidr: Cidr, is_default: bool) -> String {
    let id = new_id(cloud, "vpc");
    cloud.ec2.vpcs.insert(id.clone(), Vpc { cidr, is_default, dns_support: true, dns_hostnames: is_default });
    route_table::make(cloud, &id, cidr, true);
    group::make_default(cloud, &id);
    acl::make(cloud, &id, true);
    id
}

/// `CreateDefaultVpc`: what a fresh account has in each region. This account begins without one.
pub(super) fn create_default(cloud: &mut Cloud) -> Result<Value, AwsError> {
    if let Some((id, _)) = cloud.ec2.vpcs.iter().find(|(_, vpc)| vpc.is_default) {
        let text = format!("A Default VPC already exists for this account in this region: {id}");
        return Err(AwsError::new("DefaultVpcAlreadyExists", text));
    }
    let cidr = Cidr::around([172, 31, 0, 0].into(), 16);
    let id = make(cloud, cidr, true);
    let gateway = super::internet_gateway::make(cloud, Some(&id));
    route_table::route_main_to_gateway(cloud, &id, &gateway);
    for (place, zone) in (0_u8..).zip(ZONES) {
        let cidr = Cidr::around([172, 31, place.saturating_mul(16), 0].into(), 20);
        let name = format!("{}{zone}", cloud.config.region);
        subnet::make(cloud, &id, cidr, &name, true);
    }
    Ok(json!({"Vpc": describe_one::<Vpc>(cloud, &id)?}))
}

/// `DeleteVpc`: refused while anything of the customer's is in it.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?.to_owned();
    find::<Vpc>(cloud, &id)?;
    let ec2 = &mut cloud.ec2;
    let is_used = ec2.subnets.values().any(|it| it.vpc_id == id)
        || ec2.internet_gateways.values().any(|it| it.vpc_id.as_ref() == Some(&id))
        || ec2.route_tables.values().any(|it| it.vpc_id == id && !it.is_main())
        || ec2.groups.values().any(|it| it.vpc_id == id && it.name != group::DEFAULT)
        || ec2.acls.values().any(|it| it.vpc_id == id && !it.is_default)
        || ec2.endpoints.values().any(|it| it.vpc_id == id);
    if is_used {
        return Err(in_use("vpc", &id));
    }
    ec2.route_tables.retain(|_, it| it.vpc_id != id);
    ec2.groups.retain(|_, it| it.vpc_id != id);
    ec2.acls.retain(|_, it| it.vpc_id != id);
    ec2.vpcs.remove(&id);
    Ok(json!({}))
}

/// `ModifyVpcAttribute`.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?;
    find::<Vpc>(cloud, id)?;
    let Some(vpc) = cloud.ec2.vpcs.get_mut(id) else { return Err(Vpc::absent(id)) };
    if let Some(on) = request.get("EnableDnsSupport").and_then(|it| input::flag(it, "Value")) {
        vpc.dns_support = on;
    }
    if let Some(on) = request.get("EnableDnsHostnames").and_then(|it| input::flag(it, "Value")) {
        vpc.dns_hostnames = on;
    }
    Ok(json!({}))
}

/// `DescribeVpcAttribute`.
pub(super) fn attribute(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?;
    let vpc = find::<Vpc>(cloud, id)?;
    match input::text(request, "Attribute").unwrap_or_default() {
        "enableDnsSupport" => Ok(json!({"VpcId": id, "EnableDnsSupport": {"Value": vpc.dns_support}})),
        "enableDnsHostnames" => Ok(json!({"VpcId": id, "EnableDnsHostnames": {"Value": vpc.dns_hostnames}})),
        "enableNetworkAddressUsageMetrics" => {
            Ok(json!({"VpcId": id, "EnableNetworkAddressUsageMetrics": {"Value": false}}))
        }
        other => Err(super::error::bad_value(other, "attribute", "Unknown attribute.")),
    }
}
