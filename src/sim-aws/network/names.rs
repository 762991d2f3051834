//! What a name means to who asks for it.

use std::net::Ipv4Addr;

use super::{AwsService, InterfaceId};
use crate::{
    Cloud,
    services::{
        ec2::{EndpointKind, EndpointState, Interface, State},
        elbv2, servicediscovery,
    },
};

/// The addresses of a name as the resolver of this interface's VPC knows it: balancers, AWS services, private names of the VPC.
/// `None`: no such name, or a VPC without names (`enableDnsSupport` off).
pub fn resolve(cloud: &Cloud, from: &InterfaceId, name: &str) -> Option<Vec<Ipv4Addr>> {
    if let Ok(address) = name.parse() {
        return Some(vec![address]);
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let source = cloud.ec2.interfaces.get(&from.0)?;
    if !cloud.ec2.vpcs.get(&source.vpc_id)?.dns_support {
        return None;
    }
    let service = service_of(cloud, &name).map(|service| service_addresses(&cloud.ec2, &source.vpc_id, service));
    let registered = || servicediscovery::resolve(cloud, &source.vpc_id, &name);
    service.or_else(|| balancer_name(cloud, &name)).or_else(registered).or_else(|| interface_name(cloud, &name))
}

/// The interfaces of the endpoint that has a service's own name in a VPC, with the endpoint's id.
pub(super) fn endpoint_interfaces<'a>(
    ec2: &'a State,
    vpc_id: &str,
    service: AwsService,
) -> Option<(&'a str, Vec<&'a Interface>)> {
    let (id, endpoint) = ec2.endpoints.iter().find(|(_, it)| {
        it.vpc_id == vpc_id
            && it.kind == EndpointKind::Interface
            && it.private_dns
            && it.state == EndpointState::Available
            && AwsService::of_endpoint(&it.service) == Some(service)
    })?;
    Some((id, endpoint.subnets.values().filter_map(|it| ec2.interfaces.get(it)).collect()))
}

fn service_addresses(ec2: &State, vpc_id: &str, service: AwsService) -> Vec<Ipv4Addr> {
    match endpoint_interfaces(ec2, vpc_id, service) {
        Some((_, interfaces)) => interfaces.into_iter().map(|it| it.address).collect(),
        None => vec![service.public_address()],
    }
}

/// The service whose host this is: `api.ecr.eu-central-1.amazonaws.com`, `ACCOUNT.dkr.ecr.…`, `BUCKET.s3.…`.
fn service_of(cloud: &Cloud, name: &str) -> Option<AwsService> {
    let host = name.strip_suffix(&format!(".{}.amazonaws.com", cloud.config.region))?;
    match host {
        "api.ecr" => Some(AwsService::EcrApi),
        _ if host.ends_with(".dkr.ecr") => Some(AwsService::EcrDkr),
        _ if host.ends_with(".s3") => Some(AwsService::S3),
        _ => AwsService::ALL.into_iter().find(|it| it.endpoint() == host),
    }
}

/// The addresses of a balancer's nodes: the public ones of one that faces the internet, inside the VPC too.
fn balancer_name(cloud: &Cloud, name: &str) -> Option<Vec<Ipv4Addr>> {
    let arn = elbv2::by_name(cloud, name)?;
    let nodes = elbv2::nodes(cloud, &arn);
    let interfaces = nodes.iter().filter_map(|id| cloud.ec2.interfaces.get(id));
    Some(interfaces.map(|it| it.public_address.unwrap_or(it.address)).collect())
}

/// `ip-10-0-1-17.eu-central-1.compute.internal`: the name that every interface has.
fn interface_name(cloud: &Cloud, name: &str) -> Option<Vec<Ipv4Addr>> {
    let host = name.strip_suffix(&format!(".{}.compute.internal", cloud.config.region))?;
    host.strip_prefix("ip-")?.replace('-', ".").parse().ok().map(|address| vec![address])
}
