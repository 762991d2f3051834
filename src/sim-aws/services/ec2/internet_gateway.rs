//! Internet gateways.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    error::{in_use, missing_one_of, no_such},
    resource::{Resource, describe_one, find, new_id, tag_new},
    vpc::Vpc,
};
use crate::{AwsError, Cloud, input};

/// A VPC's door to the internet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// The VPC that it is attached to.
    pub vpc_id: Option<String>,
}

impl Resource for InternetGateway {
    const IDS: &'static str = "InternetGatewayIds";
    const SET: &'static str = "InternetGateways";
    const TYPE: &'static str = "internet-gateway";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("internet-gateway-id", "InternetGatewayId"),
        ("attachment.vpc-id", "Attachments.VpcId"),
        ("attachment.state", "Attachments.State"),
        ("owner-id", "OwnerId"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.internet_gateways
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let attachments: Vec<Value> =
            self.vpc_id.iter().map(|vpc| json!({"VpcId": vpc, "State": "available"})).collect();
        json!({"InternetGatewayId": id, "OwnerId": cloud.config.account, "Attachments": attachments})
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidInternetGatewayID.NotFound", "internetGateway", id)
    }
}

/// `CreateInternetGateway`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = make(cloud, None);
    tag_new(cloud, request, InternetGateway::TYPE, &id);
    Ok(json!({"InternetGateway": describe_one::<InternetGateway>(cloud, &id)?}))
}

pub(super) fn make(cloud: &mut Cloud, vpc_id: Option<&str>) -> String {
    let id = new_id(cloud, "igw");
    cloud.ec2.internet_gateways.insert(id.clone(), InternetGateway { vpc_id: vpc_id.map(str::to_owned) });
    id
}

fn named(request: &Value) -> Result<(&str, Option<&str>), AwsError> {
    let id = input::text(request, "InternetGatewayId").ok_or_else(|| missing_one_of("internetGatewayId"))?;
    Ok((id, input::text(request, "VpcId")))
}

/// `AttachInternetGateway`: one gateway a VPC, one VPC a gateway.
pub(super) fn attach(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, vpc_id) = named(request)?;
    let vpc_id = vpc_id.ok_or_else(|| missing_one_of("vpcId"))?;
    find::<Vpc>(cloud, vpc_id)?;
    if let Some(other) = &find::<InternetGateway>(cloud, id)?.vpc_id {
        let text = format!("resource {id} is already attached to network {other}");
        return Err(AwsError::new("Resource.AlreadyAssociated", text));
    }
    if cloud.ec2.internet_gateways.values().any(|it| it.vpc_id.as_deref() == Some(vpc_id)) {
        let text = format!("Network {vpc_id} already has an internet gateway attached");
        return Err(AwsError::new("InvalidParameterValue", text));
    }
    if let Some(gateway) = cloud.ec2.internet_gateways.get_mut(id) {
        gateway.vpc_id = Some(vpc_id.to_owned());
    }
    Ok(json!({}))
}

/// `DetachInternetGateway`: refused while something in the VPC has a public address.
pub(super) fn detach(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, vpc_id) = named(request)?;
    let attached = find::<InternetGateway>(cloud, id)?.vpc_id.clone();
    if attached.is_none() || attached.as_deref() != vpc_id {
        let text = format!("resource {id} is not attached to network {}", vpc_id.unwrap_or_default());
        return Err(AwsError::new("Gateway.NotAttached", text));
    }
    if cloud.ec2.interfaces.values().any(|it| Some(&it.vpc_id) == attached.as_ref() && it.public_address.is_some()) {
        let text = format!(
            "Network {} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.",
            vpc_id.unwrap_or_default()
        );
        return Err(AwsError::new("DependencyViolation", text));
    }
    if let Some(gateway) = cloud.ec2.internet_gateways.get_mut(id) {
        gateway.vpc_id = None;
    }
    Ok(json!({}))
}

/// `DeleteInternetGateway`: refused while it is attached.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, _) = named(request)?;
    if find::<InternetGateway>(cloud, id)?.vpc_id.is_some() {
        return Err(in_use("internetGateway", id));
    }
    cloud.ec2.internet_gateways.remove(id);
    Ok(json!({}))
}
