//! Rules of security groups: what they let through, and how they are read and shown.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    State,
    cidr::Cidr,
    error::{bad_value, malformed_cidr},
    group::SecurityGroup,
    prefix_list,
    resource::{Resource, find},
};
use crate::{AwsError, Cloud, input};

/// One permission: a protocol, ports, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub is_egress: bool,
    /// `tcp`, `udp`, `icmp`, `-1` for everything, or a number.
    pub protocol: String,
    /// First and last port; -1 where the protocol has none.
    pub from: i64,
    pub to: i64,
    pub peer: Peer,
    pub description: Option<String>,
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    Cidr(Cidr),
    /// IPv6 is kept and shown; no simulated interface has an IPv6 address.
    CidrV6(String),
    PrefixList(String),
    Group(String),
}

impl Rule {
    /// All protocols and ports.
    pub(super) fn everything(is_egress: bool, peer: Peer) -> Self {
        Self { is_egress, protocol: "-1".to_owned(), from: -1, to: -1, peer, description: None }
    }

    /// Whether it lets TCP to this port through, from or to an address whose interface wears these groups.
    pub fn lets_tcp(&self, ec2: &State, port: u16, address: Ipv4Addr, groups: &[String]) -> bool {
        let is_port = match self.protocol.as_str() {
            "-1" => true,
            "tcp" => (self.from..=self.to).contains(&i64::from(port)),
            _ => false,
        };
        let is_peer = match &self.peer {
            Peer::Cidr(cidr) => cidr.contains(address),
            Peer::CidrV6(_) => false,
            Peer::PrefixList(id) => prefix_list::cidrs(ec2, id).iter().any(|cidr| cidr.contains(address)),
            Peer::Group(id) => groups.contains(id),
        };
        is_port && is_peer
    }

    /// The same permission, whatever its description.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.is_egress, &self.protocol, self.from, self.to, &self.peer)
            == (other.is_egress, &other.protocol, other.from, other.to, &other.peer)
    }

    /// As a refusal names it.
    pub(super) fn words(&self) -> String {
        let peer = match &self.peer {
            Peer::Cidr(cidr) => cidr.to_string(),
            Peer::CidrV6(id) | Peer::PrefixList(id) | Peer::Group(id) => id.clone(),
        };
        let protocol = match self.protocol.as_str() {
            "-1" => return format!("peer: {peer}, ALL, ALLOW"),
            other => other.to_uppercase(),
        };
        format!("peer: {peer}, {protocol}, from port: {}, to port: {}, ALLOW", self.from, self.to)
    }
}

/// The name of a protocol, however it was given.
fn protocol_name(text: &str) -> String {
    match text {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        "all" => "-1".to_owned(),
        other => other.to_lowercase(),
    }
}

/// Reads `IpPermissions`, or the flat members that say the same.
pub(super) fn read(cloud: &Cloud, request: &Value, is_egress: bool) -> Result<Vec<Rule>, AwsError> {
    let list = input::list(request, "IpPermissions");
    if !list.is_empty() {
        let mut rules = Vec::new();
        for permission in list {
            rules.extend(read_permission(cloud, permission, is_egress)?);
        }
        return Ok(rules);
    }
    if !input::has(request, "IpProtocol") && !input::has(request, "SourceSecurityGroupName") {
        return Ok(Vec::new());
    }
    let mut permission = Map::new();
    for member in ["IpProtocol", "FromPort", "ToPort"] {
        if let Some(value) = request.get(member) {
            permission.insert(member.to_owned(), value.clone());
        }
    }
    if let Some(cidr) = request.get("CidrIp") {
        permission.insert("IpRanges".to_owned(), json!([{"CidrIp": cidr}]));
    }
    if let Some(name) = request.get("SourceSecurityGroupName") {
        permission.insert("UserIdGroupPairs".to_owned(), json!([{"GroupName": name}]));
    }
    read_permission(cloud, &Value::Object(permission), is_egress)
}

fn read_permission(cloud: &Cloud, permission: &Value, is_egress: bool) -> Result<Vec<Rule>, AwsError> {
    let protocol = protocol_name(input::text(permission, "IpProtocol").unwrap_or("-1"));
    let (from, to) = ports(permission, &protocol)?;
    let described = |item: &Value| input::text(item, "Description").map(str::to_owned);
    let mut peers = Vec::new();
    for range in input::list(permission, "IpRanges") {
        let text = input::text(range, "CidrIp").unwrap_or_default();
        let cidr = text
            .parse()
            .map_err(|_| AwsError::new("InvalidParameterValue", format!("CIDR block {text} is malformed")))?;
        peers.push((Peer::Cidr(cidr), described(range)));
    }
    for range in input::list(permission, "Ipv6Ranges") {
        let text = input::text(range, "CidrIpv6").unwrap_or_default();
        peers.push((Peer::CidrV6(text.to_owned()), described(range)));
    }
    for list in input::list(permission, "PrefixListIds") {
        let id = input::text(list, "PrefixListId").unwrap_or_default();
        prefix_list::must_exist(cloud, id)?;
        peers.push((Peer::PrefixList(id.to_owned()), described(list)));
    }
    for pair in input::list(permission, "UserIdGroupPairs") {
        let id = super::group::named(cloud, pair)?;
        peers.push((Peer::Group(id), described(pair)));
    }
    if peers.is_empty() {
        return Err(AwsError::new("MissingParameter", "The request must contain the parameter cidrIp or groupId"));
    }
    let rule = |(peer, description)| Rule { is_egress, protocol: protocol.clone(), from, to, peer, description };
    Ok(peers.into_iter().map(rule).collect())
}

fn ports(permission: &Value, protocol: &str) -> Result<(i64, i64), AwsError> {
    let (from, to) = (input::integer(permission, "FromPort"), input::integer(permission, "ToPort"));
    match protocol {
        "-1" => Ok((-1, -1)),
        "tcp" | "udp" => {
            let (Some(from), Some(to)) = (from, to) else {
                let text = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
                return Err(AwsError::new("InvalidParameterValue", text));
            };
            // -1 to -1 means every port, as 0 to 65535 does.
            let (from, to) = if (from, to) == (-1, -1) { (0, 65_535) } else { (from, to) };
            if from > to || !(0..=65_535).contains(&from) || !(0..=65_535).contains(&to) {
                return Err(AwsError::new("InvalidParameterValue", format!("Invalid TCP port range ({from}:{to})")));
            }
            Ok((from, to))
        }
        "icmp" | "icmpv6" => Ok((from.unwrap_or(-1), to.unwrap_or(-1))),
        other if other.parse::<u8>().is_ok() => Ok((-1, -1)),
        other => Err(bad_value(other, "ipProtocol", "Invalid IP protocol.")),
    }
}

/// `IpPermissions` of a group: rules of the same protocol and ports stand together.
pub(super) fn permissions(group: &SecurityGroup, is_egress: bool, account: &str) -> Vec<Value> {
    let mut sets: BTreeMap<(&str, i64, i64), Vec<&Rule>> = BTreeMap::new();
    for rule in group.rules.values().filter(|rule| rule.is_egress == is_egress) {
        sets.entry((&rule.protocol, rule.from, rule.to)).or_default().push(rule);
    }
    sets.into_iter().map(|((protocol, from, to), rules)| permission(protocol, (from, to), &rules, account)).collect()
}

fn permission(protocol: &str, (from, to): (i64, i64), rules: &[&Rule], account: &str) -> Value {
    let (mut ranges, mut ranges_v6, mut lists, mut pairs) = (vec![], vec![], vec![], vec![]);
    for rule in rules {
        let (list, mut item) = match &rule.peer {
            Peer::Cidr(cidr) => (&mut ranges, json!({"CidrIp": cidr})),
            Peer::CidrV6(cidr) => (&mut ranges_v6, json!({"CidrIpv6": cidr})),
            Peer::PrefixList(id) => (&mut lists, json!({"PrefixListId": id})),
            Peer::Group(id) => (&mut pairs, json!({"GroupId": id, "UserId": account})),
        };
        if let (Some(members), Some(text)) = (item.as_object_mut(), &rule.description) {
            members.insert("Description".to_owned(), json!(text));
        }
        list.push(item);
    }
    let mut view = json!({
        "IpProtocol": protocol,
        "IpRanges": ranges,
        "Ipv6Ranges": ranges_v6,
        "PrefixListIds": lists,
        "UserIdGroupPairs": pairs,
    });
    if let (Some(members), true) = (view.as_object_mut(), protocol != "-1") {
        members.insert("FromPort".to_owned(), json!(from));
        members.insert("ToPort".to_owned(), json!(to));
    }
    view
}

/// A rule as `DescribeSecurityGroupRules` shows it, but for its tags.
pub(super) fn view(rule_id: &str, rule: &Rule, group_id: &str, cloud: &Cloud) -> Value {
    let config = &cloud.config;
    let mut view = json!({
        "SecurityGroupRuleId": rule_id,
        "SecurityGroupRuleArn":
            format!("arn:aws:ec2:{}:{}:security-group-rule/{rule_id}", config.region, config.account),
        "GroupId": group_id,
        "GroupOwnerId": config.account,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from,
        "ToPort": rule.to,
    });
    let (member, value) = match &rule.peer {
        Peer::Cidr(cidr) => ("CidrIpv4", json!(cidr)),
        Peer::CidrV6(cidr) => ("CidrIpv6", json!(cidr)),
        Peer::PrefixList(id) => ("PrefixListId", json!(id)),
        Peer::Group(id) => ("ReferencedGroupInfo", json!({"GroupId": id, "UserId": config.account})),
    };
    if let Some(members) = view.as_object_mut() {
        members.insert(member.to_owned(), value);
        if let Some(text) = &rule.description {
            members.insert("Description".to_owned(), json!(text));
        }
    }
    view
}

/// A `SecurityGroupRule` of `ModifySecurityGroupRules`.
pub(super) fn read_one(cloud: &Cloud, given: &Value, is_egress: bool) -> Result<Rule, AwsError> {
    let protocol = protocol_name(input::text(given, "IpProtocol").unwrap_or("-1"));
    let (from, to) = ports(given, &protocol)?;
    let peer = if let Some(text) = input::text(given, "CidrIpv4") {
        Peer::Cidr(text.parse().map_err(|_| malformed_cidr(text, "cidrIpv4"))?)
    } else if let Some(text) = input::text(given, "CidrIpv6") {
        Peer::CidrV6(text.to_owned())
    } else if let Some(id) = input::text(given, "PrefixListId") {
        prefix_list::must_exist(cloud, id)?;
        Peer::PrefixList(id.to_owned())
    } else if let Some(id) = input::text(given, "ReferencedGroupId") {
        find::<SecurityGroup>(cloud, id).map_err(|_| SecurityGroup::absent(id))?;
        Peer::Group(id.to_owned())
    } else {
        return Err(AwsError::new("MissingParameter", "The request must contain a source or a destination"));
    };
    Ok(Rule { is_egress, protocol, from, to, peer, description: input::text(given, "Description").map(str::to_owned) })
}
