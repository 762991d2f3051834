//! Subnets and the addresses in them.

use std::{collections::BTreeMap, collections::BTreeSet, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    cidr::Cidr,
    error::{in_use, malformed_cidr, missing_one_of, no_such},
    resource::{Resource, describe_one, find, new_id, tag_new},
    vpc::Vpc,
    zone,
};
use crate::{AwsError, Cloud, input};

/// A range of a VPC in one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    pub vpc_id: String,
    pub cidr: Cidr,
    /// `eu-central-1a`.
    pub zone: String,
    /// `MapPublicIpOnLaunch`.
    pub maps_public: bool,
    pub is_default: bool,
}

/// AWS keeps the first four addresses of a subnet and the last.
const KEPT: u64 = 5;

impl Resource for Subnet {
    const IDS: &'static str = "SubnetIds";
    const SET: &'static str = "Subnets";
    const TYPE: &'static str = "subnet";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
        ("availability-zone", "AvailabilityZone"),
        ("availabilityZone", "AvailabilityZone"),
        ("availability-zone-id", "AvailabilityZoneId"),
        ("available-ip-address-count", "AvailableIpAddressCount"),
        ("cidr-block", "CidrBlock"),
        ("cidr", "CidrBlock"),
        ("cidrBlock", "CidrBlock"),
        ("default-for-az", "DefaultForAz"),
        ("map-public-ip-on-launch", "MapPublicIpOnLaunch"),
        ("owner-id", "OwnerId"),
        ("state", "State"),
        ("subnet-arn", "SubnetArn"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.subnets
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let config = &cloud.config;
        json!({
            "SubnetId": id,
            "SubnetArn": format!("arn:aws:ec2:{}:{}:subnet/{id}", config.region, config.account),
            "VpcId": self.vpc_id,
            "CidrBlock": self.cidr,
            "AvailabilityZone": self.zone,
            "AvailabilityZoneId": zone::zone_id(cloud, &self.zone),
            "AvailableIpAddressCount": free_count(&cloud.ec2, id),
            "State": "available",
            "OwnerId": config.account,
            "MapPublicIpOnLaunch": self.maps_public,
            "DefaultForAz": self.is_default,
            "AssignIpv6AddressOnCreation": false,
            "Ipv6CidrBlockAssociationSet": [],
            "Ipv6Native": false,
            "EnableDns64": false,
            "MapCustomerOwnedIpOnLaunch": false,
            "PrivateDnsNameOptionsOnLaunch": {
                "HostnameType": "ip-name", "EnableResourceNameDnsARecord": false, "EnableResourceNameDnsAAAARecord": false,
            },
        })
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidSubnetID.NotFound", "subnet", id)
    }
}

/// How many addresses are left.
pub(super) fn free_count(state: &State, id: &str) -> u64 {
    let used = state.interfaces.values().filter(|it| it.subnet_id == id).count() as u64;
    state.subnets.get(id).map_or(0, |subnet| subnet.cidr.size().saturating_sub(KEPT + used))
}

/// A free address, any of them: as in reality, an address that has become free does not come back at once.
pub(super) fn free_address(cloud: &mut Cloud, id: &str) -> Option<Ipv4Addr> {
    let cidr = cloud.ec2.subnets.get(id)?.cidr;
    let used: BTreeSet<Ipv4Addr> =
        cloud.ec2.interfaces.values().filter(|it| it.subnet_id == id).map(|it| it.address).collect();
    let usable = cidr.size().saturating_sub(KEPT);
    let start = cloud.chance.below(usable);
    (0..usable).filter_map(|step| cidr.nth(4 + (start + step) % usable)).find(|address| !used.contains(address))
}

/// `CreateSubnet`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let vpc_id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?;
    let vpc = find::<Vpc>(cloud, vpc_id)?;
    let text = input::text(request, "CidrBlock").ok_or_else(|| missing_one_of("cidrBlock"))?;
    let cidr: Cidr = text.parse().map_err(|_| malformed_cidr(text, "cidrBlock"))?;
    if !(16..=28).contains(&cidr.bits()) || !vpc.cidr.covers(cidr) {
        return Err(AwsError::new("InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    if cloud.ec2.subnets.values().any(|it| it.vpc_id == vpc_id && it.cidr.overlaps(cidr)) {
        let text = format!("The CIDR '{cidr}' conflicts with another subnet");
        return Err(AwsError::new("InvalidSubnet.Conflict", text));
    }
    let zone = match (input::text(request, "AvailabilityZone"), input::text(request, "AvailabilityZoneId")) {
        (Some(zone), _) => zone.to_owned(),
        (None, Some(wanted)) => zone::ZONES
            .iter()
            .map(|letter| format!("{}{letter}", cloud.config.region))
            .find(|zone| zone::zone_id(cloud, zone) == wanted)
            .unwrap_or_else(|| wanted.to_owned()),
        (None, None) => format!("{}a", cloud.config.region),
    };
    if !zone::exists(cloud, &zone) {
        let text = format!(
            "Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following \
             availability zones: {}.",
            zone::ZONES.map(|letter| format!("{}{letter}", cloud.config.region)).join(", ")
        );
        return Err(AwsError::new("InvalidParameterValue", text));
    }
    let vpc_id = vpc_id.to_owned();
    let id = make(cloud, &vpc_id, cidr, &zone, false);
    tag_new(cloud, request, Subnet::TYPE, &id);
    Ok(json!({"Subnet": describe_one::<Subnet>(cloud, &id)?}))
}

pub(super) fn make(cloud: &mut Cloud, vpc_id: &str, cidr: Cidr, zone: &str, is_default: bool) -> String {
    let id = new_id(cloud, "subnet");
    let subnet = Subnet { vpc_id: vpc_id.to_owned(), cidr, zone: zone.to_owned(), maps_public: is_default, is_default };
    cloud.ec2.subnets.insert(id.clone(), subnet);
    super::acl::adopt(cloud, vpc_id, &id);
    id
}

/// `DeleteSubnet`: refused while an interface is in it.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "SubnetId").ok_or_else(|| missing_one_of("subnetId"))?.to_owned();
    find::<Subnet>(cloud, &id)?;
    if cloud.ec2.interfaces.values().any(|it| it.subnet_id == id) {
        return Err(in_use("subnet", &id));
    }
    for table in cloud.ec2.route_tables.values_mut() {
        table.associations.retain(|_, subnet| subnet.as_ref() != Some(&id));
    }
    for acl in cloud.ec2.acls.values_mut() {
        acl.associations.retain(|_, subnet| *subnet != id);
    }
    cloud.ec2.subnets.remove(&id);
    Ok(json!({}))
}

/// `ModifySubnetAttribute`: whether its instances get public addresses.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "SubnetId").ok_or_else(|| missing_one_of("subnetId"))?;
    let Some(subnet) = cloud.ec2.subnets.get_mut(id) else { return Err(Subnet::absent(id)) };
    match request.get("MapPublicIpOnLaunch").and_then(|it| input::flag(it, "Value")) {
        Some(on) => subnet.maps_public = on,
        None => return Err(AwsError::not_simulated("ec2", "ModifySubnetAttribute without MapPublicIpOnLaunch")),
    }
    Ok(json!({}))
}
