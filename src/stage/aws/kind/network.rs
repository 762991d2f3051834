//! What a network is made of: VPC, subnets, gateways, addresses, endpoints. All are known by their tag `Name`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, named, only, text, with, without};
use crate::aws::{
    api::{Api, NAME_TAG, tag},
    trouble::Trouble,
    wire::Service::Ec2,
};

pub(in crate::aws) struct Vpc;
pub(in crate::aws) struct InternetGateway;
pub(in crate::aws) struct Subnet;
pub(in crate::aws) struct Address;
pub(in crate::aws) struct NatGateway;
pub(in crate::aws) struct VpcEndpoint;

/// Every object of an EC2 list that is the lab's: by its tag, or because its VPC is.
pub(super) async fn described(api: &Api, operation: &str, member: &str) -> Result<Vec<Value>, Trouble> {
    let found = api.all(Ec2, operation, json!({}), member, ("NextToken", "NextToken")).await?;
    let mut own = Vec::new();
    let vpcs = if api.own_account || operation == "DescribeVpcs" { Vec::new() } else { own_vpcs(api).await? };
    for object in found {
        let here = api.own_account || api.is_tagged(&object) || vpcs.iter().any(|id| id == text(&object, "VpcId"));
        // What every account begins with is nobody's.
        let furniture = object.get("IsDefault").and_then(Value::as_bool) == Some(true)
            || text(&object, "GroupName") == "default"
            || object.get("DefaultForAz").and_then(Value::as_bool) == Some(true);
        if here && !furniture {
            let name = tag(&object, NAME_TAG).unwrap_or("").to_owned();
            own.push(named(object, &name));
        }
    }
    Ok(own)
}

pub(super) async fn own_vpcs(api: &Api) -> Result<Vec<String>, Trouble> {
    let found = api.all(Ec2, "DescribeVpcs", json!({}), "Vpcs", ("NextToken", "NextToken")).await?;
    Ok(found.iter().filter(|it| api.is_tagged(it)).map(|it| text(it, "VpcId").to_owned()).collect())
}

async fn make(api: &Api, operation: &str, resource: &str, name: &str, input: Value) -> Result<Value, Trouble> {
    let input = with(&input, json!({"TagSpecifications": api.tag_specification(resource, name)}));
    api.call(Ec2, operation, input).await
}

#[async_trait]
impl Kind for Vpc {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        described(api, "DescribeVpcs", "Vpcs").await
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let switches = ["EnableDnsSupport", "EnableDnsHostnames"];
        let made = make(api, "CreateVpc", "vpc", name, without(document, &switches)).await?;
        let id = made.pointer("/Vpc/VpcId").cloned().unwrap_or_default();
        for switch in switches.iter().filter(|switch| document.get(switch).is_some()) {
            let value = json!({"Value": document.get(switch)});
            api.call(Ec2, "ModifyVpcAttribute", json!({"VpcId": id, (*switch): value})).await?;
        }
        Ok(())
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "DeleteVpc", only(object, &["VpcId"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["CidrBlock"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "VpcId").to_owned())
    }
}

#[async_trait]
impl Kind for InternetGateway {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        described(api, "DescribeInternetGateways", "InternetGateways").await
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let made = make(api, "CreateInternetGateway", "internet-gateway", name, json!({})).await?;
        let id = made.pointer("/InternetGateway/InternetGatewayId").cloned().unwrap_or_default();
        let input = json!({"InternetGatewayId": id, "VpcId": document.get("VpcId")});
        api.call(Ec2, "AttachInternetGateway", input).await.map(drop)
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let id = text(object, "InternetGatewayId");
        for attached in list(object, "Attachments") {
            let input = json!({"InternetGatewayId": id, "VpcId": attached.get("VpcId")});
            gone(api.call(Ec2, "DetachInternetGateway", input).await)?;
        }
        gone(api.call(Ec2, "DeleteInternetGateway", json!({"InternetGatewayId": id})).await)
    }

    fn document(&self, object: &Value) -> Value {
        json!({"VpcId": object.pointer("/Attachments/0/VpcId")})
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "InternetGatewayId").to_owned())
    }
}

#[async_trait]
impl Kind for Subnet {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        described(api, "DescribeSubnets", "Subnets").await
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        make(api, "CreateSubnet", "subnet", name, document.clone()).await.map(drop)
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "DeleteSubnet", only(object, &["SubnetId"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["VpcId", "CidrBlock", "AvailabilityZone"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "SubnetId").to_owned())
    }
}

#[async_trait]
impl Kind for Address {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        described(api, "DescribeAddresses", "Addresses").await
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        make(api, "AllocateAddress", "elastic-ip", name, document.clone()).await.map(drop)
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "ReleaseAddress", only(object, &["AllocationId"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["Domain"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "AllocationId").to_owned())
    }
}

#[async_trait]
impl Kind for NatGateway {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = described(api, "DescribeNatGateways", "NatGateways").await?;
        Ok(all.into_iter().filter(|it| !matches!(text(it, "State"), "deleted" | "failed")).collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        make(api, "CreateNatGateway", "natgateway", name, document.clone()).await.map(drop)
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "DeleteNatGateway", only(object, &["NatGatewayId"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        json!({"SubnetId": object.get("SubnetId"), "AllocationId": object.pointer("/NatGatewayAddresses/0/AllocationId")})
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "NatGatewayId").to_owned())
    }

    fn is_ready(&self, object: &Value) -> bool {
        text(object, "State") == "available"
    }
}

#[async_trait]
impl Kind for VpcEndpoint {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = described(api, "DescribeVpcEndpoints", "VpcEndpoints").await?;
        Ok(all.into_iter().filter(|it| !text(it, "State").eq_ignore_ascii_case("deleted")).collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        make(api, "CreateVpcEndpoint", "vpc-endpoint", name, document.clone()).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let ids = |value: &Value, key: &str| -> Vec<Value> { list(value, key).to_vec() };
        let (now, wanted) = (ids(object, "RouteTableIds"), ids(document, "RouteTableIds"));
        let add: Vec<&Value> = wanted.iter().filter(|id| !now.contains(id)).collect();
        let remove: Vec<&Value> = now.iter().filter(|id| !wanted.contains(id)).collect();
        if document.get("RouteTableIds").is_none() || add.is_empty() && remove.is_empty() {
            return Ok(());
        }
        let id = object.get("VpcEndpointId");
        let input = json!({"VpcEndpointId": id, "AddRouteTableIds": add, "RemoveRouteTableIds": remove});
        api.call(Ec2, "ModifyVpcEndpoint", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ec2, "DeleteVpcEndpoints", json!({"VpcEndpointIds": [object.get("VpcEndpointId")]})).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "VpcEndpointId").to_owned())
    }

    fn is_ready(&self, object: &Value) -> bool {
        text(object, "State").eq_ignore_ascii_case("available")
    }
}
