//! What decides who reaches whom: route tables and security groups, which are edited rule by rule.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, named, network::described, text, with};
use crate::aws::{api::Api, trouble::Trouble, wire::Service::Ec2};

pub(in crate::aws) struct RouteTable;
pub(in crate::aws) struct SecurityGroup;

/// Where a route may lead.
const WAYS: [&str; 6] =
    ["GatewayId", "NatGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId", "TransitGatewayId"];

/// What a VPC's main table is called where nobody gave it a name.
const MAIN: &str = "main";

/// Whether every subnet without a table of its own uses this one.
fn is_main(table: &Value) -> bool {
    list(table, "Associations").iter().any(|it| it.get("Main") == Some(&json!(true)))
}

/// The routes that somebody wrote: not the VPC's own, not those of gateway endpoints.
fn own_routes(table: &Value) -> Vec<Value> {
    let written = |route: &&Value| {
        text(route, "GatewayId") != "local"
            && !text(route, "GatewayId").starts_with("vpce-")
            && route.get("DestinationCidrBlock").is_some()
    };
    let plain = |route: &Value| {
        let mut keys = vec!["DestinationCidrBlock"];
        keys.extend(WAYS.iter().filter(|key| route.get(**key).is_some_and(|it| !it.is_null())));
        super::only(route, &keys)
    };
    list(table, "Routes").iter().filter(written).map(plain).collect()
}

fn own_associations(table: &Value) -> Vec<&Value> {
    list(table, "Associations").iter().filter(|it| it.get("SubnetId").is_some_and(Value::is_string)).collect()
}

#[async_trait]
impl Kind for RouteTable {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = described(api, "DescribeRouteTables", "RouteTables").await?;
        let nameless = |table: &Value| text(table, "Name").is_empty();
        Ok(all.into_iter().map(|it| if is_main(&it) && nameless(&it) { named(it, MAIN) } else { it }).collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = json!({
            "VpcId": document.get("VpcId"),
            "TagSpecifications": api.tag_specification("route-table", name),
        });
        let made = api.call(Ec2, "CreateRouteTable", input).await?;
        let table = made.get("RouteTable").cloned().unwrap_or_default();
        self.update(api, &table, document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let id = object.get("RouteTableId").cloned().unwrap_or_default();
        if document.get("Routes").is_some() {
            let (now, wanted) = (own_routes(object), list(document, "Routes"));
            let to = |route: &Value| text(route, "DestinationCidrBlock").to_owned();
            for route in now.iter().filter(|route| !wanted.iter().any(|it| to(it) == to(route))) {
                let input = json!({"RouteTableId": id, "DestinationCidrBlock": to(route)});
                gone(api.call(Ec2, "DeleteRoute", input).await)?;
            }
            for route in wanted.iter().filter(|route| !now.contains(route)) {
                let known = now.iter().any(|it| to(it) == to(route));
                let operation = if known { "ReplaceRoute" } else { "CreateRoute" };
                api.call(Ec2, operation, with(route, json!({"RouteTableId": id}))).await?;
            }
        }
        if document.get("Associations").is_some() {
            let wanted: BTreeSet<&str> = list(document, "Associations").iter().map(|it| text(it, "SubnetId")).collect();
            let now = own_associations(object);
            for old in now.iter().filter(|it| !wanted.contains(text(it, "SubnetId"))) {
                let input = json!({"AssociationId": old.get("RouteTableAssociationId")});
                gone(api.call(Ec2, "DisassociateRouteTable", input).await)?;
            }
            for subnet in wanted.iter().filter(|subnet| !now.iter().any(|it| text(it, "SubnetId") == **subnet)) {
                let input = json!({"RouteTableId": id, "SubnetId": subnet});
                api.call(Ec2, "AssociateRouteTable", input).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        for association in own_associations(object) {
            let input = json!({"AssociationId": association.get("RouteTableAssociationId")});
            gone(api.call(Ec2, "DisassociateRouteTable", input).await)?;
        }
        gone(api.call(Ec2, "DeleteRouteTable", json!({"RouteTableId": object.get("RouteTableId")})).await)
    }

    /// The main table of a VPC goes with it.
    fn is_part(&self, object: &Value) -> bool {
        is_main(object)
    }

    fn document(&self, object: &Value) -> Value {
        let associations: Vec<Value> =
            own_associations(object).iter().map(|it| json!({"SubnetId": it.get("SubnetId")})).collect();
        json!({"VpcId": object.get("VpcId"), "Routes": own_routes(object), "Associations": associations})
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "RouteTableId").to_owned())
    }
}

/// One protocol, ports and source: rules are compared like this, since AWS groups them as it likes.
fn single_rules(rules: &[Value]) -> Vec<Value> {
    let mut single = Vec::new();
    for rule in rules {
        let mut base = json!({"IpProtocol": rule.get("IpProtocol").cloned().unwrap_or_else(|| json!("-1"))});
        for port in ["FromPort", "ToPort"] {
            let number = |it: &Value| it.as_i64().or_else(|| it.as_str()?.parse().ok());
            if let Some(number) = rule.get(port).and_then(number) {
                base[port] = json!(number);
            }
        }
        for range in list(rule, "IpRanges") {
            single.push(with(&base, json!({"IpRanges": [{"CidrIp": range.get("CidrIp")}]})));
        }
        for range in list(rule, "Ipv6Ranges") {
            single.push(with(&base, json!({"Ipv6Ranges": [{"CidrIpv6": range.get("CidrIpv6")}]})));
        }
        for pair in list(rule, "UserIdGroupPairs") {
            single.push(with(&base, json!({"UserIdGroupPairs": [{"GroupId": pair.get("GroupId")}]})));
        }
        for prefix in list(rule, "PrefixListIds") {
            single.push(with(&base, json!({"PrefixListIds": [{"PrefixListId": prefix.get("PrefixListId")}]})));
        }
    }
    single
}

impl SecurityGroup {
    async fn set_rules(&self, api: &Api, object: &Value, document: &Value, way: &str) -> Result<(), Trouble> {
        let member = if way == "Ingress" { "IpPermissions" } else { "IpPermissionsEgress" };
        if document.get(member).is_none() {
            return Ok(());
        }
        let (now, wanted) = (single_rules(list(object, member)), single_rules(list(document, member)));
        let add: Vec<&Value> = wanted.iter().filter(|rule| !now.contains(rule)).collect();
        let remove: Vec<&Value> = now.iter().filter(|rule| !wanted.contains(rule)).collect();
        for (verb, rules) in [("Authorize", add), ("Revoke", remove)].into_iter().filter(|(_, rules)| !rules.is_empty())
        {
            let input = json!({"GroupId": object.get("GroupId"), "IpPermissions": rules});
            api.call(Ec2, &format!("{verb}SecurityGroup{way}"), input).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for SecurityGroup {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = described(api, "DescribeSecurityGroups", "SecurityGroups").await?;
        Ok(all
            .into_iter()
            .map(|group| {
                let name = text(&group, "GroupName").to_owned();
                named(group, &name)
            })
            .collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = json!({
            "GroupName": name,
            "Description": document.get("Description").cloned().unwrap_or_else(|| json!(name)),
            "VpcId": document.get("VpcId"),
            "TagSpecifications": api.tag_specification("security-group", name),
        });
        let made = api.call(Ec2, "CreateSecurityGroup", input).await?;
        let everywhere = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
        let object = json!({"GroupId": made.get("GroupId"), "IpPermissionsEgress": everywhere});
        self.update(api, &object, document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        self.set_rules(api, object, document, "Ingress").await?;
        self.set_rules(api, object, document, "Egress").await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        // Groups that name each other let none of them go.
        if object.get("IpPermissions").is_some_and(|it| !it.as_array().is_none_or(Vec::is_empty)) {
            match self.update(api, object, &json!({"IpPermissions": []})).await {
                Err(trouble) if !trouble.is_missing() => return Err(trouble),
                _ => {}
            }
        }
        gone(api.call(Ec2, "DeleteSecurityGroup", json!({"GroupId": object.get("GroupId")})).await)
    }

    fn document(&self, object: &Value) -> Value {
        json!({
            "VpcId": object.get("VpcId"),
            "Description": object.get("Description"),
            "IpPermissions": single_rules(list(object, "IpPermissions")),
            "IpPermissionsEgress": single_rules(list(object, "IpPermissionsEgress")),
        })
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "GroupId").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_compared_one_source_at_a_time() {
        let grouped = json!([{"IpProtocol": "tcp", "FromPort": "80", "ToPort": 80, "IpRanges": [{"CidrIp": "a"}, {"CidrIp": "b"}],
            "UserIdGroupPairs": [{"GroupId": "g", "UserId": "1"}], "PrefixListIds": []}]);
        let apart = json!([
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "a"}]},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "b"}]},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": "g"}]},
        ]);
        assert_eq!(single_rules(grouped.as_array().unwrap()), *apart.as_array().unwrap());
    }

    #[test]
    fn only_routes_that_somebody_wrote_count() {
        let table = json!({"Routes": [
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active", "Origin": "CreateRoute"},
            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"},
        ]});
        assert_eq!(own_routes(&table), [json!({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"})]);
    }
}
