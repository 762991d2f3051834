//! One HTTP request over the network: the way first, then whoever listens.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use breakfix_workload::{CallError, Request, Response};

use super::{Destination, InterfaceId, carry, path};
use crate::{
    Cloud,
    services::{
        ec2::{Interface, PartOf},
        elbv2,
    },
    tasks,
};

/// What came of a request, and the virtual time from its first packet until the caller knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub result: Result<Response, CallError>,
    pub took: Duration,
}

/// Sends a request from an interface to an address and waits at most `timeout` for the answer.
///
/// # Errors
/// `TimedOut` where the way is silent or the answer too late; `Refused` where nobody listens; whatever the program does to the connection.
pub fn exchange(
    cloud: &mut Cloud,
    from: &InterfaceId,
    to: SocketAddrV4,
    request: &Request,
    timeout: Duration,
) -> Result<Response, CallError> {
    exchange_timed(cloud, from, to, request, timeout).result
}

/// [`exchange`], with the time that it took.
pub fn exchange_timed(
    cloud: &mut Cloud,
    from: &InterfaceId,
    to: SocketAddrV4,
    request: &Request,
    timeout: Duration,
) -> Exchange {
    let destination = Destination::Address(*to.ip(), to.port());
    let source = cloud.ec2.interfaces.get(&from.0).cloned();
    let (Ok(_), Some(source)) = (path(cloud, from, &destination), source) else {
        return Exchange { result: Err(CallError::TimedOut), took: timeout };
    };
    let there = there(cloud, &source.vpc_id, *to.ip());
    let answer = match &there {
        Some(Interface { id, part_of: PartOf::Balancer(arn), .. }) => {
            let Exchange { result, took } = elbv2::serve(cloud, arn, &id.0, source.address, to.port(), request);
            if took > timeout {
                Exchange { result: Err(CallError::TimedOut), took: timeout }
            } else {
                Exchange { result, took }
            }
        }
        // A public address leads to its interface's private one.
        Some(found) => {
            tasks::exchange(cloud, SocketAddrV4::new(found.address, to.port()), source.address, request, timeout)
        }
        None => tasks::exchange(cloud, to, source.address, request, timeout),
    };
    let answered = answer.result.as_ref().map_or(0, |it| it.body.len());
    carry(cloud, from, &destination, (request.body.len() + answered) as u64);
    answer
}

/// The interface at an address: private in this VPC, or public.
fn there(cloud: &Cloud, vpc_id: &str, address: Ipv4Addr) -> Option<Interface> {
    let mut interfaces = cloud.ec2.interfaces.values();
    interfaces.find(|it| (it.vpc_id == vpc_id && it.address == address) || it.public_address == Some(address)).cloned()
}
