//! Security groups: the groups themselves. Their rules are in `rule.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    cidr::Cidr,
    error::{missing_one_of, no_such},
    resource::{Resource, describe_one, find, new_id, tag_new},
    rule::{Peer, Rule, permissions},
    vpc::Vpc,
};
use crate::{AwsError, Cloud, input};

/// The name of the group that each VPC has.
pub(super) const DEFAULT: &str = "default";

/// A stateful firewall that interfaces wear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub name: String,
    pub description: String,
    pub vpc_id: String,
    /// By rule id.
    pub rules: BTreeMap<String, Rule>,
}

impl Resource for SecurityGroup {
    const IDS: &'static str = "GroupIds";
    const SET: &'static str = "SecurityGroups";
    const TYPE: &'static str = "security-group";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("group-id", "GroupId"),
        ("group-name", "GroupName"),
        ("vpc-id", "VpcId"),
        ("description", "Description"),
        ("owner-id", "OwnerId"),
        ("ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"),
        ("ip-permission.from-port", "IpPermissions.FromPort"),
        ("ip-permission.to-port", "IpPermissions.ToPort"),
        ("ip-permission.protocol", "IpPermissions.IpProtocol"),
        ("ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId"),
        ("ip-permission.prefix-list-id", "IpPermissions.PrefixListIds.PrefixListId"),
        ("egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp"),
        ("egress.ip-permission.from-port", "IpPermissionsEgress.FromPort"),
        ("egress.ip-permission.to-port", "IpPermissionsEgress.ToPort"),
        ("egress.ip-permission.protocol", "IpPermissionsEgress.IpProtocol"),
        ("egress.ip-permission.group-id", "IpPermissionsEgress.UserIdGroupPairs.GroupId"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.groups
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let config = &cloud.config;
        json!({
            "GroupId": id,
            "GroupName": self.name,
            "Description": self.description,
            "VpcId": self.vpc_id,
            "OwnerId": config.account,
            "SecurityGroupArn": format!("arn:aws:ec2:{}:{}:security-group/{id}", config.region, config.account),
            "IpPermissions": permissions(self, false, &config.account),
            "IpPermissionsEgress": permissions(self, true, &config.account),
        })
    }

    fn absent(id: &str) -> AwsError {
        AwsError::new("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
    }
}

/// Groups by id, as whatever bears them shows them.
pub(super) fn borne<'a>(ids: impl IntoIterator<Item = &'a String>, cloud: &Cloud) -> Vec<Value> {
    ids.into_iter().filter_map(|id| Some(json!({"GroupId": id, "GroupName": cloud.ec2.groups.get(id)?.name}))).collect()
}

/// The default group of a VPC, as a list.
pub(super) fn default_of(cloud: &Cloud, vpc_id: &str) -> Vec<String> {
    let mut groups = cloud.ec2.groups.iter();
    groups.find(|(_, it)| it.vpc_id == vpc_id && it.name == DEFAULT).map(|(id, _)| id.clone()).into_iter().collect()
}

fn make(cloud: &mut Cloud, name: &str, description: &str, vpc_id: &str) -> String {
    let id = new_id(cloud, "sg");
    let out = Rule::everything(true, Peer::Cidr(Cidr::ANYWHERE));
    let group = SecurityGroup {
        name: name.to_owned(),
        description: description.to_owned(),
        vpc_id: vpc_id.to_owned(),
        rules: BTreeMap::from([(new_id(cloud, "sgr"), out)]),
    };
    cloud.ec2.groups.insert(id.clone(), group);
    id
}

/// The group that a new VPC has: its members reach each other.
pub(super) fn make_default(cloud: &mut Cloud, vpc_id: &str) {
    let id = make(cloud, DEFAULT, "default VPC security group", vpc_id);
    let rule_id = new_id(cloud, "sgr");
    if let Some(group) = cloud.ec2.groups.get_mut(&id) {
        group.rules.insert(rule_id, Rule::everything(false, Peer::Group(id.clone())));
    }
}

/// `CreateSecurityGroup`: nothing in, everything out.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = input::text(request, "GroupName").ok_or_else(|| missing_one_of("groupName"))?;
    let description = input::text(request, "Description").ok_or_else(|| missing_one_of("groupDescription"))?;
    let default_vpc = || cloud.ec2.vpcs.iter().find(|(_, it)| it.is_default).map(|(id, _)| id.as_str());
    let Some(vpc_id) = input::text(request, "VpcId").or_else(default_vpc).map(str::to_owned) else {
        return Err(AwsError::new("VPCIdNotSpecified", "No default VPC for this user"));
    };
    find::<Vpc>(cloud, &vpc_id)?;
    if name == DEFAULT || name.starts_with("sg-") {
        let text = format!("Cannot use reserved security group name: {name}");
        return Err(AwsError::new("InvalidParameterValue", text));
    }
    if cloud.ec2.groups.values().any(|it| it.vpc_id == vpc_id && it.name == name) {
        let text = format!("The security group '{name}' already exists for VPC '{vpc_id}'");
        return Err(AwsError::new("InvalidGroup.Duplicate", text));
    }
    let id = make(cloud, name, description, &vpc_id);
    tag_new(cloud, request, SecurityGroup::TYPE, &id);
    let view = describe_one::<SecurityGroup>(cloud, &id)?;
    Ok(json!({"GroupId": id, "Tags": view.get("Tags"), "SecurityGroupArn": view.get("SecurityGroupArn")}))
}

/// The group that a request names, by id, or by name in the default VPC.
pub(super) fn named(cloud: &Cloud, request: &Value) -> Result<String, AwsError> {
    if let Some(id) = input::text(request, "GroupId") {
        return find::<SecurityGroup>(cloud, id).map(|_| id.to_owned());
    }
    let name = input::text(request, "GroupName").ok_or_else(|| missing_one_of("groupName or groupId"))?;
    let ec2 = &cloud.ec2;
    let is_default_vpc = |id: &str| ec2.vpcs.get(id).is_some_and(|vpc| vpc.is_default);
    let found = ec2.groups.iter().find(|(_, it)| it.name == name && is_default_vpc(&it.vpc_id));
    found.map(|(id, _)| id.clone()).ok_or_else(|| SecurityGroup::absent(name))
}

/// `DeleteSecurityGroup`: refused while an interface wears it or a rule names it.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = named(cloud, request)?;
    let ec2 = &cloud.ec2;
    if find::<SecurityGroup>(cloud, &id)?.name == DEFAULT {
        let text = format!("the specified group: \"{id}\" name: \"{DEFAULT}\" cannot be deleted by a user");
        return Err(AwsError::new("CannotDelete", text));
    }
    let names_it = |rule: &Rule| rule.peer == Peer::Group(id.clone());
    let is_used = ec2.interfaces.values().any(|it| it.groups.contains(&id))
        || ec2.groups.iter().any(|(other, it)| *other != id && it.rules.values().any(names_it));
    if is_used {
        return Err(AwsError::new("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    cloud.ec2.groups.remove(&id);
    cloud.ec2.tags.remove(&id);
    Ok(json!({"Return": true, "GroupId": id}))
}

/// `DescribeSecurityGroups` by name (of the default VPC), beside the usual ways.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let names = input::texts(request, "GroupNames");
    if names.is_empty() {
        return super::resource::describe::<SecurityGroup>(cloud, request);
    }
    let mut views = Vec::new();
    for name in names {
        let id = named(cloud, &json!({"GroupName": name}))?;
        views.push(describe_one::<SecurityGroup>(cloud, &id)?);
    }
    Ok(json!({"SecurityGroups": views}))
}

/// The refusal where there is no rule of this id.
pub(super) fn no_rule(id: &str) -> AwsError {
    no_such("InvalidSecurityGroupRuleId.NotFound", "security group rule", id)
}
