//! Whether a connection arrives: the route out of its subnet, then every gate on the way there and on the way back.
//!
//! Security groups are stateful: who may ask may be answered. Network ACLs are not: the answer to a client's port needs an entry of its own, on
//! both sides. Inside one subnet no ACL is asked.

use std::net::Ipv4Addr;

use super::{AwsService, Destination, INTERNET, InterfaceId, Way, names::endpoint_interfaces};
use crate::{
    Cloud,
    services::ec2::{
        Interface, NatState, PartOf, Reach, S3_PREFIX_LIST, State, Via, acl_around, route_table_of, s3_range,
    },
};

/// How a connection travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Inside the VPC.
    Local,
    /// By a VPC endpoint.
    Endpoint(String),
    /// By the internet gateway, from an address of its own.
    InternetGateway,
    /// By a NAT gateway.
    Nat(String),
}

/// Where a connection is lost. The sender sees the same silence whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The interface that it comes from does not exist.
    NoSource,
    /// Nobody has the address.
    Nobody,
    /// The VPC resolves no names.
    NoNames,
    /// A zone on the way is down.
    ZoneDown,
    /// The sender's security groups.
    GroupOut,
    /// The receiver's security groups.
    GroupIn,
    /// A network ACL, for the question.
    Acl,
    /// A network ACL, for the answer.
    AclBack,
    /// No route, or one that leads nowhere.
    NoRoute,
    /// An internet gateway does nothing for an interface without a public address.
    NoPublicAddress,
    /// The NAT gateway is not up, or has no way out itself.
    NatDown,
}

/// The HTTPS port of AWS' services.
const HTTPS: u16 = 443;
/// Ports from which balancers, NAT gateways and clients of any system connect.
const ANY_CLIENT: (u16, u16) = (1024, 65_535);
/// Ports from which Linux connects.
const LINUX_CLIENT: (u16, u16) = (32_768, 60_999);

/// What becomes of a connection from this interface. An interface that does not exist reaches nobody.
pub fn way(cloud: &Cloud, from: &InterfaceId, to: &Destination) -> Way {
    if path(cloud, from, to).is_ok() { Way::Open } else { Way::Silent }
}

/// What becomes of a connection from somewhere on the internet to an interface's public address.
pub fn way_in(cloud: &Cloud, from: Ipv4Addr, to: &InterfaceId, port: u16) -> Way {
    let found = cloud.ec2.interfaces.get(&to.0).ok_or(Lost::Nobody);
    match found.and_then(|to| enter(&cloud.ec2, from, to, port)) {
        Ok(()) => Way::Open,
        Err(_) => Way::Silent,
    }
}

/// How a connection travels.
///
/// # Errors
/// Where it is lost.
pub fn path(cloud: &Cloud, from: &InterfaceId, to: &Destination) -> Result<Path, Lost> {
    let ec2 = &cloud.ec2;
    let source = ec2.interfaces.get(&from.0).ok_or(Lost::NoSource)?;
    is_up(ec2, source)?;
    match *to {
        Destination::Address(address, port) => to_address(ec2, source, address, port),
        Destination::Internet => outside(ec2, source, INTERNET, HTTPS).map(|(path, _)| path),
        Destination::Service(service) => to_service(cloud, source, service),
    }
}

fn is_up(ec2: &State, interface: &Interface) -> Result<(), Lost> {
    if ec2.lost_zones.contains(&interface.zone) { Err(Lost::ZoneDown) } else { Ok(()) }
}

fn to_service(cloud: &Cloud, source: &Interface, service: AwsService) -> Result<Path, Lost> {
    let ec2 = &cloud.ec2;
    if !ec2.vpcs.get(&source.vpc_id).is_some_and(|vpc| vpc.dns_support) {
        return Err(Lost::NoNames);
    }
    let Some((endpoint, interfaces)) = endpoint_interfaces(ec2, &source.vpc_id, service) else {
        return outside(ec2, source, service.public_address(), HTTPS).map(|(path, _)| path);
    };
    // The name has an address in each of the endpoint's subnets; a client that fails at one goes on to the next.
    let tries = interfaces.into_iter().map(|to| inside(ec2, source, to, HTTPS));
    let mut lost = Lost::Nobody;
    for result in tries {
        match result {
            Ok(()) => return Ok(Path::Endpoint(endpoint.to_owned())),
            Err(why) => lost = why,
        }
    }
    Err(lost)
}

fn to_address(ec2: &State, source: &Interface, address: Ipv4Addr, port: u16) -> Result<Path, Lost> {
    if ec2.vpcs.get(&source.vpc_id).is_some_and(|vpc| vpc.cidr.contains(address)) {
        let to = ec2.interfaces.values().find(|it| it.vpc_id == source.vpc_id && it.address == address);
        return inside(ec2, source, to.ok_or(Lost::Nobody)?, port).map(|()| Path::Local);
    }
    let (path, seen_as) = outside(ec2, source, address, port)?;
    // A public address may be one of this account's own: then the connection comes back in from the internet.
    if let Some(to) = ec2.interfaces.values().find(|it| it.public_address == Some(address)) {
        enter(ec2, seen_as, to, port)?;
    }
    Ok(path)
}

/// From interface to interface of one VPC: always the local route.
fn inside(ec2: &State, source: &Interface, to: &Interface, port: u16) -> Result<(), Lost> {
    is_up(ec2, to)?;
    group_out(ec2, source, to.address, &to.groups, port)?;
    if source.subnet_id != to.subnet_id {
        acl(ec2, &source.subnet_id, true, to.address, (port, port)).ok_or(Lost::Acl)?;
        acl(ec2, &to.subnet_id, false, source.address, (port, port)).ok_or(Lost::Acl)?;
    }
    group_in(ec2, to, source.address, &source.groups, port)?;
    if source.subnet_id != to.subnet_id {
        let back = client_ports(source);
        acl(ec2, &to.subnet_id, true, source.address, back).ok_or(Lost::AclBack)?;
        acl(ec2, &source.subnet_id, false, to.address, back).ok_or(Lost::AclBack)?;
    }
    Ok(())
}

/// Out of the VPC; with the address under which the world sees it.
fn outside(ec2: &State, source: &Interface, address: Ipv4Addr, port: u16) -> Result<(Path, Ipv4Addr), Lost> {
    group_out(ec2, source, address, &[], port)?;
    acl(ec2, &source.subnet_id, true, address, (port, port)).ok_or(Lost::Acl)?;
    acl(ec2, &source.subnet_id, false, address, client_ports(source)).ok_or(Lost::AclBack)?;
    match route(ec2, &source.subnet_id, address).ok_or(Lost::NoRoute)? {
        Via::Local => Err(Lost::Nobody),
        Via::InternetGateway(_) => {
            let own = source.public_address.ok_or(Lost::NoPublicAddress)?;
            Ok((Path::InternetGateway, own))
        }
        Via::Endpoint(id) => Ok((Path::Endpoint(id.clone()), source.address)),
        Via::NatGateway(id) => {
            let seen_as = by_nat(ec2, source, id, address, port)?;
            Ok((Path::Nat(id.clone()), seen_as))
        }
    }
}

/// Through a NAT gateway: it must be up, be reached, and have a way out of its own.
fn by_nat(ec2: &State, source: &Interface, id: &str, address: Ipv4Addr, port: u16) -> Result<Ipv4Addr, Lost> {
    let gateway = ec2.nat_gateways.get(id).filter(|it| it.state == NatState::Available).ok_or(Lost::NatDown)?;
    let nat = ec2.interfaces.get(&gateway.interface).ok_or(Lost::NatDown)?;
    is_up(ec2, nat)?;
    if nat.subnet_id != source.subnet_id {
        acl(ec2, &nat.subnet_id, false, source.address, (port, port)).ok_or(Lost::Acl)?;
        acl(ec2, &nat.subnet_id, true, source.address, client_ports(source)).ok_or(Lost::AclBack)?;
    }
    acl(ec2, &nat.subnet_id, true, address, (port, port)).ok_or(Lost::Acl)?;
    acl(ec2, &nat.subnet_id, false, address, ANY_CLIENT).ok_or(Lost::AclBack)?;
    match route(ec2, &nat.subnet_id, address) {
        Some(Via::InternetGateway(_)) => nat.public_address.ok_or(Lost::NatDown),
        // A NAT gateway in a subnet whose own way out is a NAT gateway goes round in circles.
        _ => Err(Lost::NatDown),
    }
}

/// From the internet to an interface's public address, and back by the same gateway.
fn enter(ec2: &State, from: Ipv4Addr, to: &Interface, port: u16) -> Result<(), Lost> {
    is_up(ec2, to)?;
    to.public_address.ok_or(Lost::NoPublicAddress)?;
    acl(ec2, &to.subnet_id, false, from, (port, port)).ok_or(Lost::Acl)?;
    group_in(ec2, to, from, &[], port)?;
    acl(ec2, &to.subnet_id, true, from, ANY_CLIENT).ok_or(Lost::AclBack)?;
    match route(ec2, &to.subnet_id, from) {
        Some(Via::InternetGateway(_)) => Ok(()),
        _ => Err(Lost::NoRoute),
    }
}

/// Where a subnet's packets to an address go: by the most specific route. `None`: there is none, or it is a black hole.
fn route<'a>(ec2: &'a State, subnet_id: &str, address: Ipv4Addr) -> Option<&'a Via> {
    let table = route_table_of(ec2, subnet_id)?;
    let best = table
        .routes
        .iter()
        .filter_map(|route| {
            let range = match &route.to {
                Reach::Cidr(cidr) => *cidr,
                Reach::PrefixList(id) if id == S3_PREFIX_LIST => s3_range(),
                Reach::PrefixList(_) => return None,
            };
            range.contains(address).then_some((range.bits(), &route.via))
        })
        .max_by_key(|(bits, _)| *bits)?;
    let (_, via) = best;
    via.is_there(ec2, &table.vpc_id).then_some(via)
}

fn acl(ec2: &State, subnet_id: &str, is_egress: bool, address: Ipv4Addr, ports: (u16, u16)) -> Option<()> {
    acl_around(ec2, subnet_id)?.lets_tcp(is_egress, address, ports).then_some(())
}

fn group_out(ec2: &State, source: &Interface, to: Ipv4Addr, groups: &[String], port: u16) -> Result<(), Lost> {
    let is_open = lets(ec2, &source.groups, true, to, groups, port);
    if is_open { Ok(()) } else { Err(Lost::GroupOut) }
}

fn group_in(ec2: &State, to: &Interface, from: Ipv4Addr, groups: &[String], port: u16) -> Result<(), Lost> {
    let is_open = lets(ec2, &to.groups, false, from, groups, port);
    if is_open { Ok(()) } else { Err(Lost::GroupIn) }
}

/// Whether any rule of any of these groups lets it through. What wears no group (a network balancer) has no such gate.
fn lets(ec2: &State, own: &[String], is_egress: bool, peer: Ipv4Addr, peer_groups: &[String], port: u16) -> bool {
    own.is_empty()
        || own
            .iter()
            .filter_map(|id| ec2.groups.get(id))
            .flat_map(|group| group.rules.values())
            .any(|rule| rule.is_egress == is_egress && rule.lets_tcp(ec2, port, peer, peer_groups))
}

fn client_ports(source: &Interface) -> (u16, u16) {
    match source.part_of {
        PartOf::Balancer(_) | PartOf::NatGateway(_) => ANY_CLIENT,
        _ => LINUX_CLIENT,
    }
}
