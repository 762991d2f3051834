//! NAT gateways.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Ec2Event, State,
    address::{self, Address, association_id},
    error::missing_one_of,
    interface::{self, PartOf, delete_interface},
    resource::{Resource, describe_one, find, new_id, tag_new},
    subnet::Subnet,
};
use crate::{AwsError, Cloud, event::Event, input, moment, network::InterfaceId};

/// A zone's way out for those without a public address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatGateway {
    pub subnet_id: String,
    pub vpc_id: String,
    pub interface: String,
    /// The elastic address; a private one has none.
    pub allocation: Option<String>,
    pub state: NatState,
    pub created: SimTime,
    pub deleted: Option<SimTime>,
    /// Bytes that went through it, both ways.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NatState {
    Pending,
    Available,
    Deleting,
    Deleted,
}

/// How long one takes to come up, and to go.
const COMES: Duration = Duration::from_secs(90);
const GOES: Duration = Duration::from_secs(60);
/// How long a deleted one is still described.
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Resource for NatGateway {
    const IDS: &'static str = "NatGatewayIds";
    const SET: &'static str = "NatGateways";
    const TYPE: &'static str = "natgateway";
    const FILTERS: &'static [(&'static str, &'static str)] =
        &[("nat-gateway-id", "NatGatewayId"), ("state", "State"), ("subnet-id", "SubnetId"), ("vpc-id", "VpcId")];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.nat_gateways
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let mut place = json!({"NetworkInterfaceId": self.interface, "IsPrimary": true, "Status": "succeeded"});
        if let Some(members) = place.as_object_mut() {
            if let Some(interface) = cloud.ec2.interfaces.get(&self.interface) {
                members.insert("PrivateIp".to_owned(), json!(interface.address.to_string()));
            }
            if let Some((allocation, address)) =
                self.allocation.as_ref().and_then(|id| cloud.ec2.addresses.get_key_value(id))
            {
                members.insert("AllocationId".to_owned(), json!(allocation));
                members.insert("AssociationId".to_owned(), json!(association_id(allocation)));
                members.insert("PublicIp".to_owned(), json!(address.public.to_string()));
            }
        }
        let mut view = json!({
            "NatGatewayId": id,
            "SubnetId": self.subnet_id,
            "VpcId": self.vpc_id,
            "State": self.state,
            "CreateTime": moment::of(cloud, self.created),
            "ConnectivityType": if self.allocation.is_some() { "public" } else { "private" },
            "NatGatewayAddresses": [place],
        });
        if let (Some(members), Some(deleted)) = (view.as_object_mut(), self.deleted) {
            members.insert("DeleteTime".to_owned(), moment::of(cloud, deleted));
        }
        view
    }

    fn absent(id: &str) -> AwsError {
        AwsError::new("NatGatewayNotFound", format!("NatGateway {id} was not found"))
    }
}

/// `CreateNatGateway`: pending for a while.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let subnet_id = input::text(request, "SubnetId").ok_or_else(|| missing_one_of("subnetId"))?;
    let vpc_id = find::<Subnet>(cloud, subnet_id)?.vpc_id.clone();
    let is_private = input::text(request, "ConnectivityType") == Some("private");
    let allocation = input::text(request, "AllocationId");
    match allocation {
        None if !is_private => return Err(missing_one_of("AllocationId")),
        Some(id) if find::<Address>(cloud, id)?.interface.is_some() => {
            let text = format!("Elastic IP address [{id}] is already associated");
            return Err(AwsError::new("Resource.AlreadyAssociated", text));
        }
        _ => {}
    }
    let id = new_id(cloud, "nat");
    let description = format!("Interface for NAT Gateway {id}");
    let part_of = PartOf::NatGateway(id.clone());
    let interface = interface::make(cloud, subnet_id, Vec::new(), false, &description, part_of)?.id.0;
    if let Some(allocation) = allocation {
        address::give(cloud, allocation, &interface);
    }
    let gateway = NatGateway {
        subnet_id: subnet_id.to_owned(),
        vpc_id,
        interface,
        allocation: allocation.map(str::to_owned),
        state: NatState::Pending,
        created: cloud.now(),
        deleted: None,
        bytes: 0,
    };
    cloud.ec2.nat_gateways.insert(id.clone(), gateway);
    tag_new(cloud, request, NatGateway::TYPE, &id);
    cloud.after(COMES, Event::Ec2(Ec2Event::NatGateway(id.clone())));
    let view = describe_one::<NatGateway>(cloud, &id)?;
    Ok(json!({"ClientToken": input::text(request, "ClientToken"), "NatGateway": view}))
}

/// `DeleteNatGateway`.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "NatGatewayId").ok_or_else(|| missing_one_of("natGatewayId"))?;
    let now = cloud.now();
    let Some(gateway) = cloud.ec2.nat_gateways.get_mut(id) else { return Err(NatGateway::absent(id)) };
    if matches!(gateway.state, NatState::Pending | NatState::Available) {
        gateway.state = NatState::Deleting;
        gateway.deleted = Some(now);
        cloud.after(GOES, Event::Ec2(Ec2Event::NatGateway(id.to_owned())));
    }
    Ok(json!({"NatGatewayId": id}))
}

/// The next step of its life is due.
pub(super) fn step(cloud: &mut Cloud, id: &str) {
    let now = cloud.now();
    let Some(gateway) = cloud.ec2.nat_gateways.get_mut(id) else { return };
    match gateway.state {
        NatState::Pending => gateway.state = NatState::Available,
        NatState::Deleting if gateway.deleted.is_some_and(|deleted| now >= deleted + GOES) => {
            gateway.state = NatState::Deleted;
            let (interface, allocation) = (gateway.interface.clone(), gateway.allocation.clone());
            if let Some(allocation) = allocation {
                address::take_back(cloud, &allocation);
            }
            delete_interface(cloud, &InterfaceId(interface));
            cloud.after(REMEMBERED, Event::Ec2(Ec2Event::NatGateway(id.to_owned())));
        }
        NatState::Deleted => {
            cloud.ec2.nat_gateways.remove(id);
        }
        // An event of the time before it was to be deleted.
        NatState::Available | NatState::Deleting => {}
    }
}

/// `DescribeNatGateways`: its filters come as `Filter`, alone among the operations of EC2.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let mut request = request.clone();
    if let Some(members) = request.as_object_mut()
        && let Some(filters) = members.remove("Filter")
    {
        members.insert("Filters".to_owned(), filters);
    }
    super::resource::describe::<NatGateway>(cloud, &request)
}
