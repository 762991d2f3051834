//! Network ACLs: numbered, stateless, around subnets.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    cidr::Cidr,
    error::{bad_value, in_use, malformed_cidr, missing_one_of, no_such},
    resource::{Resource, describe_one, find, new_id, tag_new},
    vpc::Vpc,
};
use crate::{AwsError, Cloud, input};

/// A network ACL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    pub vpc_id: String,
    pub is_default: bool,
    /// By direction (`true`: egress) and number; the lowest that matches decides.
    pub entries: BTreeMap<Place, Entry>,
    /// By association id: the subnet.
    pub associations: BTreeMap<String, String>,
}

/// An entry's place in its list. Written as a text such as `ingress/100`, for JSON has no maps keyed by pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place {
    pub is_egress: bool,
    pub number: u16,
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        format!("{}/{}", if place.is_egress { "egress" } else { "ingress" }, place.number)
    }
}

impl TryFrom<String> for Place {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (direction, number) = text.split_once('/').ok_or("no direction")?;
        Ok(Self { is_egress: direction == "egress", number: number.parse().map_err(|_| "no number")? })
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub is_allow: bool,
    /// The protocol's number, `-1` for all.
    pub protocol: String,
    pub cidr: Cidr,
    /// First and last port, for TCP and UDP.
    pub ports: Option<(u16, u16)>,
    /// Type and code, for ICMP.
    pub icmp: Option<(i64, i64)>,
}

/// The number that the last entry of each list is shown with: it denies everything, and nobody can change it.
const LAST: u16 = 32_767;

impl Acl {
    /// Whether TCP between the subnet and this address passes for every one of these ports. A client's port is drawn from a range: what lets
    /// only a part of that range through loses connections, and counts as closed.
    pub fn lets_tcp(&self, is_egress: bool, address: Ipv4Addr, ports: (u16, u16)) -> bool {
        let (mut next, last) = ports;
        loop {
            // The decision for `next` holds up to the nearest border of an entry.
            let mut border = last;
            let mut is_open = false;
            for entry in self.of(is_egress).filter(|it| it.is_about_tcp() && it.cidr.contains(address)) {
                let (from, to) = entry.ports.unwrap_or((0, u16::MAX));
                if (from..=to).contains(&next) {
                    is_open = entry.is_allow;
                    border = border.min(to);
                    break;
                }
                if from > next {
                    border = border.min(from - 1);
                }
            }
            if !is_open {
                return false;
            }
            if border >= last {
                return true;
            }
            next = border + 1;
        }
    }

    /// Its entries of one direction, the lowest number first.
    fn of(&self, is_egress: bool) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |(place, _)| place.is_egress == is_egress).map(|(_, entry)| entry)
    }
}

impl Entry {
    fn everything(is_allow: bool) -> Self {
        Self { is_allow, protocol: "-1".to_owned(), cidr: Cidr::ANYWHERE, ports: None, icmp: None }
    }

    fn is_about_tcp(&self) -> bool {
        matches!(self.protocol.as_str(), "-1" | "6")
    }

    fn view(&self, place: Place) -> Value {
        let mut view = json!({
            "Egress": place.is_egress,
            "RuleNumber": place.number,
            "RuleAction": if self.is_allow { "allow" } else { "deny" },
            "Protocol": self.protocol,
            "CidrBlock": self.cidr,
        });
        if let Some(members) = view.as_object_mut() {
            if let Some((from, to)) = self.ports {
                members.insert("PortRange".to_owned(), json!({"From": from, "To": to}));
            }
            if let Some((kind, code)) = self.icmp {
                members.insert("IcmpTypeCode".to_owned(), json!({"Type": kind, "Code": code}));
            }
        }
        view
    }
}

impl Resource for Acl {
    const IDS: &'static str = "NetworkAclIds";
    const SET: &'static str = "NetworkAcls";
    const TYPE: &'static str = "network-acl";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("network-acl-id", "NetworkAclId"),
        ("vpc-id", "VpcId"),
        ("default", "IsDefault"),
        ("owner-id", "OwnerId"),
        ("association.association-id", "Associations.NetworkAclAssociationId"),
        ("association.network-acl-id", "Associations.NetworkAclId"),
        ("association.subnet-id", "Associations.SubnetId"),
        ("entry.cidr", "Entries.CidrBlock"),
        ("entry.port-range.from", "Entries.PortRange.From"),
        ("entry.port-range.to", "Entries.PortRange.To"),
        ("entry.protocol", "Entries.Protocol"),
        ("entry.rule-action", "Entries.RuleAction"),
        ("entry.egress", "Entries.Egress"),
        ("entry.rule-number", "Entries.RuleNumber"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.acls
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let mut entries = Vec::new();
        for is_egress in [true, false] {
            let listed = self.entries.iter().filter(|(place, _)| place.is_egress == is_egress);
            entries.extend(listed.map(|(place, entry)| entry.view(*place)));
            entries.push(Entry::everything(false).view(Place { is_egress, number: LAST }));
        }
        let associations: Vec<Value> = self
            .associations
            .iter()
            .map(|(it, subnet)| json!({"NetworkAclAssociationId": it, "NetworkAclId": id, "SubnetId": subnet}))
            .collect();
        json!({
            "NetworkAclId": id,
            "VpcId": self.vpc_id,
            "IsDefault": self.is_default,
            "OwnerId": cloud.config.account,
            "Entries": entries,
            "Associations": associations,
        })
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidNetworkAclID.NotFound", "networkAcl", id)
    }
}

/// The ACL around a subnet.
pub fn around<'a>(ec2: &'a State, subnet_id: &str) -> Option<&'a Acl> {
    ec2.acls.values().find(|it| it.associations.values().any(|subnet| subnet == subnet_id))
}

/// A default ACL allows everything; another one begins with nothing allowed.
pub(super) fn make(cloud: &mut Cloud, vpc_id: &str, is_default: bool) -> String {
    let id = new_id(cloud, "acl");
    let place = |is_egress| (Place { is_egress, number: 100 }, Entry::everything(true));
    let entries = if is_default { BTreeMap::from([place(false), place(true)]) } else { BTreeMap::new() };
    let acl = Acl { vpc_id: vpc_id.to_owned(), is_default, entries, associations: BTreeMap::new() };
    cloud.ec2.acls.insert(id.clone(), acl);
    id
}

/// A new subnet stands under its VPC's default ACL.
pub(super) fn adopt(cloud: &mut Cloud, vpc_id: &str, subnet_id: &str) {
    let association = new_id(cloud, "aclassoc");
    let default = cloud.ec2.acls.values_mut().find(|it| it.vpc_id == vpc_id && it.is_default);
    if let Some(acl) = default {
        acl.associations.insert(association, subnet_id.to_owned());
    }
}

fn acl_id(request: &Value) -> Result<&str, AwsError> {
    input::text(request, "NetworkAclId").ok_or_else(|| missing_one_of("networkAclId"))
}

/// `CreateNetworkAcl`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let vpc_id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?;
    find::<Vpc>(cloud, vpc_id)?;
    let id = make(cloud, vpc_id, false);
    tag_new(cloud, request, Acl::TYPE, &id);
    Ok(json!({"NetworkAcl": describe_one::<Acl>(cloud, &id)?}))
}

/// `DeleteNetworkAcl`: refused for the default one, and while it stands around a subnet.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = acl_id(request)?;
    let acl = find::<Acl>(cloud, id)?;
    if acl.is_default {
        return Err(AwsError::new("InvalidParameterValue", format!("cannot delete default network ACL {id}")));
    }
    if !acl.associations.is_empty() {
        return Err(in_use("networkAcl", id));
    }
    cloud.ec2.acls.remove(id);
    Ok(json!({}))
}

/// `ReplaceNetworkAclAssociation`: puts another ACL around a subnet.
pub(super) fn replace_association(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let association = input::text(request, "AssociationId").ok_or_else(|| missing_one_of("associationId"))?;
    let id = acl_id(request)?;
    let vpc_id = find::<Acl>(cloud, id)?.vpc_id.clone();
    let holder = cloud.ec2.acls.values_mut().find(|it| it.associations.contains_key(association));
    let Some(holder) = holder else {
        return Err(no_such("InvalidAssociationID.NotFound", "association", association));
    };
    if holder.vpc_id != vpc_id {
        return Err(AwsError::new(
            "InvalidParameterValue",
            format!("{id} and {association} belong to different networks"),
        ));
    }
    let subnet = holder.associations.remove(association);
    let new = new_id(cloud, "aclassoc");
    if let (Some(acl), Some(subnet)) = (cloud.ec2.acls.get_mut(id), subnet) {
        acl.associations.insert(new.clone(), subnet);
    }
    Ok(json!({"NewAssociationId": new}))
}

fn place(request: &Value) -> Result<Place, AwsError> {
    let number = input::integer(request, "RuleNumber").ok_or_else(|| missing_one_of("ruleNumber"))?;
    let is_egress = input::flag(request, "Egress").unwrap_or(false);
    match u16::try_from(number) {
        Ok(number @ 1..=32_766) => Ok(Place { is_egress, number }),
        _ => Err(bad_value(&number.to_string(), "ruleNumber", "It must be between 1 and 32766.")),
    }
}

fn entry(request: &Value) -> Result<Entry, AwsError> {
    let text = input::text(request, "CidrBlock").ok_or_else(|| missing_one_of("cidrBlock"))?;
    let cidr = text.parse().map_err(|_| malformed_cidr(text, "cidrBlock"))?;
    let is_allow = match input::text(request, "RuleAction").unwrap_or_default().to_lowercase().as_str() {
        "allow" => true,
        "deny" => false,
        other => return Err(bad_value(other, "ruleAction", "It must be allow or deny.")),
    };
    let given = input::text(request, "Protocol").map(str::to_owned);
    let given = given.or_else(|| input::integer(request, "Protocol").map(|it| it.to_string()));
    let protocol = match given.ok_or_else(|| missing_one_of("protocol"))?.to_lowercase().as_str() {
        "all" | "-1" => "-1".to_owned(),
        "tcp" => "6".to_owned(),
        "udp" => "17".to_owned(),
        "icmp" => "1".to_owned(),
        number if number.parse::<u8>().is_ok() => number.to_owned(),
        other => return Err(bad_value(other, "protocol", "Unknown protocol.")),
    };
    let ports = match request.get("PortRange") {
        Some(range) if matches!(protocol.as_str(), "6" | "17") => {
            let port = |member| input::integer(range, member).and_then(|it| u16::try_from(it).ok());
            match (port("From"), port("To")) {
                (Some(from), Some(to)) if from <= to => Some((from, to)),
                _ => return Err(bad_value(&range.to_string(), "portRange", "This is not a range of ports.")),
            }
        }
        None if matches!(protocol.as_str(), "6" | "17") => return Err(missing_one_of("portRange")),
        _ => None,
    };
    let icmp = request
        .get("IcmpTypeCode")
        .map(|it| (input::integer(it, "Type").unwrap_or(-1), input::integer(it, "Code").unwrap_or(-1)));
    Ok(Entry { is_allow, protocol, cidr, ports, icmp })
}

/// `CreateNetworkAclEntry`, or `ReplaceNetworkAclEntry`.
pub(super) fn put_entry(cloud: &mut Cloud, request: &Value, is_new: bool) -> Result<Value, AwsError> {
    let id = acl_id(request)?;
    let (place, entry) = (place(request)?, entry(request)?);
    let Some(acl) = cloud.ec2.acls.get_mut(id) else { return Err(Acl::absent(id)) };
    if is_new && acl.entries.contains_key(&place) {
        let text = format!("The network acl entry identified by {} already exists.", place.number);
        return Err(AwsError::new("NetworkAclEntryAlreadyExists", text));
    }
    if !is_new && !acl.entries.contains_key(&place) {
        return Err(no_entry(place));
    }
    acl.entries.insert(place, entry);
    Ok(json!({}))
}

/// `DeleteNetworkAclEntry`.
pub(super) fn delete_entry(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = acl_id(request)?;
    let place = place(request)?;
    let Some(acl) = cloud.ec2.acls.get_mut(id) else { return Err(Acl::absent(id)) };
    acl.entries.remove(&place).map(|_| json!({})).ok_or_else(|| no_entry(place))
}

fn no_entry(place: Place) -> AwsError {
    let text = format!("The network acl entry identified by {} does not exist.", place.number);
    AwsError::new("InvalidNetworkAclEntry.NotFound", text)
}
