//! Public addresses: those that an interface is given, and elastic ones.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    error::{missing_one_of, no_such},
    interface::Interface,
    resource::{Resource, describe_one, find, new_id, tag_new},
};
use crate::{AwsError, Cloud, input};

/// An elastic address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub public: Ipv4Addr,
    /// The interface that has it.
    pub interface: Option<String>,
}

impl Resource for Address {
    const IDS: &'static str = "AllocationIds";
    const SET: &'static str = "Addresses";
    const TYPE: &'static str = "elastic-ip";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("allocation-id", "AllocationId"),
        ("association-id", "AssociationId"),
        ("domain", "Domain"),
        ("network-interface-id", "NetworkInterfaceId"),
        ("private-ip-address", "PrivateIpAddress"),
        ("public-ip", "PublicIp"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.addresses
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let region = &cloud.config.region;
        let mut view = json!({
            "AllocationId": id,
            "PublicIp": self.public.to_string(),
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": region,
        });
        let holder = self.interface.as_ref().and_then(|id| cloud.ec2.interfaces.get(id));
        if let (Some(members), Some(holder)) = (view.as_object_mut(), holder) {
            members.insert("AssociationId".to_owned(), json!(association_id(id)));
            members.insert("NetworkInterfaceId".to_owned(), json!(holder.id.0));
            members.insert("NetworkInterfaceOwnerId".to_owned(), json!(cloud.config.account));
            members.insert("PrivateIpAddress".to_owned(), json!(holder.address.to_string()));
        }
        view
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidAllocationID.NotFound", "allocation", id)
    }
}

/// The id of an allocation's association.
pub(super) fn association_id(allocation: &str) -> String {
    format!("eipassoc-{}", allocation.trim_start_matches("eipalloc-"))
}

/// A public address that nothing has: of 3.64.0.0/12, a range of AWS in the simulated region.
pub(super) fn new_public_address(cloud: &mut Cloud) -> Ipv4Addr {
    loop {
        // 2^20 addresses, of which an account holds some dozens: the loop ends.
        let offset = u32::try_from(cloud.chance.below(1 << 20)).unwrap_or(0);
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(3, 64, 0, 0)) + offset);
        let ec2 = &cloud.ec2;
        let is_taken = ec2.interfaces.values().any(|it| it.public_address == Some(address))
            || ec2.addresses.values().any(|it| it.public == address);
        if !is_taken {
            return address;
        }
    }
}

/// `AllocateAddress`.
pub(super) fn allocate(cloud: &mut Cloud, request: &Value) -> Value {
    let id = new_id(cloud, "eipalloc");
    let public = new_public_address(cloud);
    cloud.ec2.addresses.insert(id.clone(), Address { public, interface: None });
    tag_new(cloud, request, Address::TYPE, &id);
    json!({
        "AllocationId": id,
        "PublicIp": public.to_string(),
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": cloud.config.region,
        "Domain": "vpc",
    })
}

/// `ReleaseAddress`: refused while something has it.
pub(super) fn release(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "AllocationId").ok_or_else(|| missing_one_of("allocationId"))?;
    let address = find::<Address>(cloud, id)?;
    if address.interface.is_some() {
        let text = format!("The address with allocation id [{id}] cannot be released because it is in use.");
        return Err(AwsError::new("InvalidIPAddress.InUse", text));
    }
    cloud.ec2.addresses.remove(id);
    Ok(json!({}))
}

/// `AssociateAddress` with an interface or an instance.
pub(super) fn associate(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "AllocationId").ok_or_else(|| missing_one_of("allocationId"))?;
    find::<Address>(cloud, id)?;
    let instance = input::text(request, "InstanceId");
    let interface = match input::text(request, "NetworkInterfaceId") {
        Some(interface) => interface.to_owned(),
        None => instance
            .and_then(|id| cloud.ec2.instances.get(id))
            .map(|it| it.interface.clone())
            .ok_or_else(|| no_such("InvalidInstanceID.NotFound", "instance", instance.unwrap_or_default()))?,
    };
    find::<Interface>(cloud, &interface)?;
    give(cloud, id, &interface);
    Ok(json!({"AssociationId": association_id(id)}))
}

/// Gives an elastic address to an interface.
pub(super) fn give(cloud: &mut Cloud, allocation: &str, interface: &str) {
    take_back(cloud, allocation);
    let Some(address) = cloud.ec2.addresses.get_mut(allocation) else { return };
    address.interface = Some(interface.to_owned());
    let public = address.public;
    if let Some(interface) = cloud.ec2.interfaces.get_mut(interface) {
        interface.public_address = Some(public);
    }
}

/// Takes an elastic address from whoever has it.
pub(super) fn take_back(cloud: &mut Cloud, allocation: &str) {
    let Some(address) = cloud.ec2.addresses.get_mut(allocation) else { return };
    let holder = address.interface.take();
    if let Some(interface) = holder.and_then(|id| cloud.ec2.interfaces.get_mut(&id)) {
        interface.public_address = None;
    }
}

/// `DisassociateAddress`.
pub(super) fn disassociate(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let association = input::text(request, "AssociationId").ok_or_else(|| missing_one_of("associationId"))?;
    let held = cloud.ec2.addresses.iter().find(|(id, it)| association_id(id) == association && it.interface.is_some());
    let Some(allocation) = held.map(|(id, _)| id.clone()) else {
        return Err(no_such("InvalidAssociationID.NotFound", "association", association));
    };
    take_back(cloud, &allocation);
    Ok(json!({}))
}

/// `DescribeAddresses` by public address, beside the usual ways.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let wanted = input::texts(request, "PublicIps");
    if wanted.is_empty() {
        return super::resource::describe::<Address>(cloud, request);
    }
    let mut views = Vec::new();
    for text in wanted {
        let found = cloud.ec2.addresses.iter().find(|(_, it)| it.public.to_string() == text);
        let Some((id, _)) = found else {
            return Err(AwsError::new("InvalidAddress.NotFound", format!("Address '{text}' not found.")));
        };
        views.push(describe_one::<Address>(cloud, id)?);
    }
    Ok(json!({"Addresses": views}))
}
