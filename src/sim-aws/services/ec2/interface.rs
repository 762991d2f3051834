//! Network interfaces.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    address::new_public_address,
    error::{missing_one_of, no_such},
    group::{self, SecurityGroup},
    resource::{Resource, find, new_id},
    subnet::{self, Subnet},
};
use crate::{AwsError, Cloud, input, network::InterfaceId};

/// A network interface (ENI): one private address in a subnet, its security groups, perhaps a public address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    pub id: InterfaceId,
    pub subnet_id: String,
    pub vpc_id: String,
    /// `eu-central-1a`.
    pub zone: String,
    pub address: Ipv4Addr,
    pub public_address: Option<Ipv4Addr>,
    /// `02:…`, lower case.
    pub mac: String,
    /// Ids of its security groups; a NAT gateway's interface has none.
    pub groups: Vec<String>,
    pub description: String,
    /// What it belongs to.
    pub part_of: PartOf,
}

/// What an interface belongs to. It decides who answers at its address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PartOf {
    /// A task, or nothing.
    Task,
    NatGateway(String),
    Endpoint(String),
    /// The balancer of this ARN.
    Balancer(String),
    Instance(String),
    /// The mount target of a file system.
    MountTarget(String),
}

impl Resource for Interface {
    const IDS: &'static str = "NetworkInterfaceIds";
    const SET: &'static str = "NetworkInterfaces";
    const TYPE: &'static str = "network-interface";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("network-interface-id", "NetworkInterfaceId"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
        ("availability-zone", "AvailabilityZone"),
        ("private-ip-address", "PrivateIpAddress"),
        ("addresses.private-ip-address", "PrivateIpAddresses.PrivateIpAddress"),
        ("private-dns-name", "PrivateDnsName"),
        ("association.public-ip", "Association.PublicIp"),
        ("addresses.association.public-ip", "Association.PublicIp"),
        ("group-id", "Groups.GroupId"),
        ("group-name", "Groups.GroupName"),
        ("description", "Description"),
        ("status", "Status"),
        ("interface-type", "InterfaceType"),
        ("owner-id", "OwnerId"),
        ("requester-managed", "RequesterManaged"),
        ("requester-id", "RequesterId"),
        ("mac-address", "MacAddress"),
        ("attachment.instance-id", "Attachment.InstanceId"),
        ("attachment.status", "Attachment.Status"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.interfaces
    }

    fn tag_member() -> &'static str {
        "TagSet"
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let groups = group::borne(&self.groups, cloud);
        let region = &cloud.config.region;
        let private_name = format!("ip-{}.{region}.compute.internal", self.address.to_string().replace('.', "-"));
        let kind = match self.part_of {
            PartOf::NatGateway(_) => "nat_gateway",
            PartOf::Endpoint(_) => "vpc_endpoint",
            _ => "interface",
        };
        let is_managed = !matches!(self.part_of, PartOf::Instance(_));
        let mut view = json!({
            "NetworkInterfaceId": id,
            "SubnetId": self.subnet_id,
            "VpcId": self.vpc_id,
            "AvailabilityZone": self.zone,
            "Description": self.description,
            "Groups": groups,
            "InterfaceType": kind,
            "Ipv6Addresses": [],
            "MacAddress": self.mac,
            "OwnerId": cloud.config.account,
            "PrivateDnsName": private_name,
            "PrivateIpAddress": self.address.to_string(),
            "RequesterManaged": is_managed,
            "SourceDestCheck": !matches!(self.part_of, PartOf::NatGateway(_)),
            "Status": "in-use",
        });
        let mut private = json!({
            "Primary": true, "PrivateDnsName": private_name, "PrivateIpAddress": self.address.to_string(),
        });
        if let Some(public) = self.public_address {
            let mut association = json!({
                "PublicIp": public.to_string(),
                "PublicDnsName": format!("ec2-{}.{region}.compute.amazonaws.com", public.to_string().replace('.', "-")),
                "IpOwnerId": "amazon",
            });
            let elastic = cloud.ec2.addresses.iter().find(|(_, it)| it.public == public);
            if let Some((allocation, _)) = elastic {
                set(&mut association, "AllocationId", json!(allocation));
                set(&mut association, "IpOwnerId", json!(cloud.config.account));
            }
            set(&mut private, "Association", association.clone());
            set(&mut view, "Association", association);
        }
        set(&mut view, "PrivateIpAddresses", json!([private]));
        let mut attachment = json!({
            "AttachmentId": format!("eni-attach-{}", id.trim_start_matches("eni-")),
            "DeviceIndex": 0,
            "InstanceOwnerId": cloud.config.account,
            "Status": "attached",
            "DeleteOnTermination": true,
        });
        if let PartOf::Instance(instance) = &self.part_of {
            set(&mut attachment, "InstanceId", json!(instance));
        }
        set(&mut view, "Attachment", attachment);
        view
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidNetworkInterfaceID.NotFound", "networkInterface", id)
    }
}

fn set(value: &mut Value, member: &str, to: Value) {
    if let Some(members) = value.as_object_mut() {
        members.insert(member.to_owned(), to);
    }
}

/// Creates an interface in a subnet, as a service does on its customer's behalf. No `groups` means the VPC's default group.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidGroup.NotFound`, `InvalidParameter` for a group of another VPC, `InsufficientFreeAddressesInSubnet`.
pub fn create_interface(
    cloud: &mut Cloud,
    subnet_id: &str,
    groups: &[String],
    public: bool,
    description: &str,
) -> Result<Interface, AwsError> {
    let vpc_id = find::<Subnet>(cloud, subnet_id)?.vpc_id.clone();
    for group in groups {
        if find::<SecurityGroup>(cloud, group)?.vpc_id != vpc_id {
            let text =
                format!("You have specified two resources that belong to different networks. ({group}, {subnet_id})");
            return Err(AwsError::new("InvalidGroup.NotFound", text));
        }
    }
    let groups = if groups.is_empty() { group::default_of(cloud, &vpc_id) } else { groups.to_vec() };
    make(cloud, subnet_id, groups, public, description, PartOf::Task)
}

/// Creates an interface that belongs to something. The groups are taken as they are.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InsufficientFreeAddressesInSubnet`.
pub fn make(
    cloud: &mut Cloud,
    subnet_id: &str,
    groups: Vec<String>,
    public: bool,
    description: &str,
    part_of: PartOf,
) -> Result<Interface, AwsError> {
    let Subnet { vpc_id, zone, .. } = find::<Subnet>(cloud, subnet_id)?.clone();
    let Some(address) = subnet::free_address(cloud, subnet_id) else {
        let text =
            format!("The specified subnet does not have enough free addresses to satisfy the request. ({subnet_id})");
        return Err(AwsError::new("InsufficientFreeAddressesInSubnet", text));
    };
    let id = new_id(cloud, "eni");
    let bits = cloud.chance.bits().to_be_bytes();
    let mac = bits.iter().take(5).fold("02".to_owned(), |mac, byte| format!("{mac}:{byte:02x}"));
    let public_address = public.then(|| new_public_address(cloud));
    let interface = Interface {
        id: InterfaceId(id.clone()),
        subnet_id: subnet_id.to_owned(),
        vpc_id,
        zone,
        address,
        public_address,
        mac,
        groups,
        description: description.to_owned(),
        part_of,
    };
    cloud.ec2.interfaces.insert(id, interface.clone());
    Ok(interface)
}

/// Deletes an interface; its addresses are free again. One that does not exist is left alone.
pub fn delete_interface(cloud: &mut Cloud, id: &InterfaceId) {
    cloud.ec2.interfaces.remove(&id.0);
    cloud.ec2.tags.remove(&id.0);
    for address in cloud.ec2.addresses.values_mut() {
        if address.interface.as_ref() == Some(&id.0) {
            address.interface = None;
        }
    }
}

/// `ModifyNetworkInterfaceAttribute`: its groups or its description.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "NetworkInterfaceId").ok_or_else(|| missing_one_of("networkInterfaceId"))?;
    find::<Interface>(cloud, id)?;
    let groups: Vec<String> = input::texts(request, "Groups").into_iter().map(str::to_owned).collect();
    for group in &groups {
        find::<SecurityGroup>(cloud, group)?;
    }
    let Some(interface) = cloud.ec2.interfaces.get_mut(id) else { return Err(Interface::absent(id)) };
    if !groups.is_empty() {
        interface.groups = groups;
    }
    if let Some(text) = request.get("Description").and_then(|it| input::text(it, "Value")) {
        interface.description = text.to_owned();
    }
    Ok(json!({}))
}

/// `DeleteNetworkInterface`: what belongs to a service or an instance is in use.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "NetworkInterfaceId").ok_or_else(|| missing_one_of("networkInterfaceId"))?;
    find::<Interface>(cloud, id)?;
    Err(AwsError::new("InvalidParameterValue", format!("Network interface '{id}' is currently in use.")))
}
