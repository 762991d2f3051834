//! Network ACLs: numbered entries around subnets, edited one by one. The entry that ends every list is AWS's own and is never written.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, network::described, text, with};
use crate::aws::{api::Api, trouble::Trouble, wire::Service::Ec2};

pub(in crate::aws) struct NetworkAcl;

/// The number of the entry that denies what no other decides.
const LAST: i64 = 32_767;
const NEXT: (&str, &str) = ("NextToken", "NextToken");

/// A number or a truth value, whichever way the protocol carried it.
fn number(value: &Value, key: &str) -> Option<i64> {
    let found = value.get(key)?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

fn is_egress(entry: &Value) -> bool {
    entry.get("Egress").is_some_and(|it| it.as_bool() == Some(true) || it.as_str() == Some("true"))
}

/// An entry as a document says it.
fn plain(entry: &Value) -> Value {
    let mut said = json!({
        "RuleNumber": number(entry, "RuleNumber"),
        "Egress": is_egress(entry),
        "RuleAction": entry.get("RuleAction"),
        "Protocol": entry.get("Protocol").map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)),
        "CidrBlock": entry.get("CidrBlock"),
    });
    if let Some(ports) = entry.get("PortRange").filter(|it| it.is_object()) {
        said["PortRange"] = json!({"From": number(ports, "From"), "To": number(ports, "To")});
    }
    said
}

/// The entries that somebody wrote.
fn own_entries(acl: &Value) -> Vec<Value> {
    list(acl, "Entries").iter().map(plain).filter(|it| number(it, "RuleNumber") != Some(LAST)).collect()
}

/// What tells two entries of one list apart.
fn place(entry: &Value) -> (bool, Option<i64>) {
    (is_egress(entry), number(entry, "RuleNumber"))
}

impl NetworkAcl {
    /// Puts an ACL around a subnet; there is always exactly one around it.
    async fn surround(api: &Api, acl: &str, subnet: &str) -> Result<(), Trouble> {
        let all = api.all(Ec2, "DescribeNetworkAcls", json!({}), "NetworkAcls", NEXT).await?;
        let mut associations = all.iter().flat_map(|it| list(it, "Associations"));
        let Some(present) = associations.find(|it| text(it, "SubnetId") == subnet) else { return Ok(()) };
        if text(present, "NetworkAclId") == acl {
            return Ok(());
        }
        let input = json!({"AssociationId": present.get("NetworkAclAssociationId"), "NetworkAclId": acl});
        api.call(Ec2, "ReplaceNetworkAclAssociation", input).await.map(drop)
    }

    /// Gives subnets back to the ACL that their VPC began with.
    async fn release(api: &Api, vpc: &str, subnets: &[&str]) -> Result<(), Trouble> {
        let all = api.all(Ec2, "DescribeNetworkAcls", json!({}), "NetworkAcls", NEXT).await?;
        let is_default = |it: &&Value| {
            let first = it.get("IsDefault");
            text(it, "VpcId") == vpc
                && first.is_some_and(|it| it.as_bool() == Some(true) || it.as_str() == Some("true"))
        };
        let Some(default) = all.iter().find(is_default) else { return Ok(()) };
        for subnet in subnets {
            Self::surround(api, text(default, "NetworkAclId"), subnet).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for NetworkAcl {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        described(api, "DescribeNetworkAcls", "NetworkAcls").await
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = json!({
            "VpcId": document.get("VpcId"),
            "TagSpecifications": api.tag_specification("network-acl", name),
        });
        let made = api.call(Ec2, "CreateNetworkAcl", input).await?;
        let acl = made.get("NetworkAcl").cloned().unwrap_or_default();
        self.update(api, &acl, document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let id = text(object, "NetworkAclId");
        if document.get("Entries").is_some() {
            let now = own_entries(object);
            let wanted: Vec<Value> = list(document, "Entries").iter().map(plain).collect();
            for entry in now.iter().filter(|entry| !wanted.iter().any(|it| place(it) == place(entry))) {
                let input =
                    json!({"NetworkAclId": id, "RuleNumber": entry.get("RuleNumber"), "Egress": entry.get("Egress")});
                gone(api.call(Ec2, "DeleteNetworkAclEntry", input).await)?;
            }
            for entry in wanted.iter().filter(|entry| !now.contains(entry)) {
                let known = now.iter().any(|it| place(it) == place(entry));
                let operation = if known { "ReplaceNetworkAclEntry" } else { "CreateNetworkAclEntry" };
                api.call(Ec2, operation, with(entry, json!({"NetworkAclId": id}))).await?;
            }
        }
        if document.get("Associations").is_some() {
            let now: Vec<&str> = list(object, "Associations").iter().map(|it| text(it, "SubnetId")).collect();
            let wanted: Vec<&str> = list(document, "Associations").iter().map(|it| text(it, "SubnetId")).collect();
            for subnet in wanted.iter().filter(|it| !now.contains(it)) {
                Self::surround(api, id, subnet).await?;
            }
            let old: Vec<&str> = now.into_iter().filter(|it| !wanted.contains(it)).collect();
            if !old.is_empty() {
                Self::release(api, text(object, "VpcId"), &old).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let subnets: Vec<&str> = list(object, "Associations").iter().map(|it| text(it, "SubnetId")).collect();
        if !subnets.is_empty() {
            Self::release(api, text(object, "VpcId"), &subnets).await?;
        }
        gone(api.call(Ec2, "DeleteNetworkAcl", json!({"NetworkAclId": object.get("NetworkAclId")})).await)
    }

    fn document(&self, object: &Value) -> Value {
        let associations: Vec<Value> =
            list(object, "Associations").iter().map(|it| json!({"SubnetId": it.get("SubnetId")})).collect();
        json!({"VpcId": object.get("VpcId"), "Entries": own_entries(object), "Associations": associations})
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "id").then(|| text(object, "NetworkAclId").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_compared_as_a_document_says_them() {
        let acl = json!({"Entries": [
            {"RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "6", "CidrBlock": "10.0.0.0/24",
                "PortRange": {"From": 1024, "To": 65535}},
            {"RuleNumber": "100", "Egress": "false", "RuleAction": "allow", "Protocol": -1, "CidrBlock": "0.0.0.0/0"},
            {"RuleNumber": 32767, "Egress": true, "RuleAction": "deny", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
        ]});
        assert_eq!(
            own_entries(&acl),
            [
                json!({"RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "6", "CidrBlock": "10.0.0.0/24",
                    "PortRange": {"From": 1024, "To": 65535}}),
                json!({"RuleNumber": 100, "Egress": false, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}),
            ]
        );
    }
}
