//! A question from inside a VPC: an interface of the asker's own, there for one request and gone after it.

use std::{net::SocketAddrV4, time::Duration};

use breakfix_workload::{CallError, Request};

use super::{Exchange, InterfaceId, exchange_timed, resolve};
use crate::{
    AwsError, Cloud,
    services::ec2::{PartOf, delete_interface, make_interface},
};

/// Looking a name up that does not exist.
const LOOKED_UP: Duration = Duration::from_millis(2);

/// Asks a host, by its name or its address, from this subnet and in these security groups. An empty list is no group at all: nothing stands
/// in the way of the question, and no rule that names a group lets it in.
///
/// # Errors
/// `InvalidSubnetID.NotFound`, `InsufficientFreeAddressesInSubnet`: nobody can stand there.
pub fn ask_from(
    cloud: &mut Cloud,
    (subnet, groups): (&str, &[String]),
    (host, port): (&str, u16),
    request: &Request,
    timeout: Duration,
) -> Result<Exchange, AwsError> {
    let interface = make_interface(cloud, subnet, groups.to_vec(), false, "probe", PartOf::Task)?;
    let exchange = ask(cloud, &interface.id, (host, port), request, timeout);
    delete_interface(cloud, &interface.id);
    Ok(exchange)
}

fn ask(
    cloud: &mut Cloud,
    from: &InterfaceId,
    (host, port): (&str, u16),
    request: &Request,
    timeout: Duration,
) -> Exchange {
    let mut exchange = Exchange { result: Err(CallError::NameUnknown(host.to_owned())), took: LOOKED_UP };
    let request = match request.header("host") {
        Some(_) => request.clone(),
        None => request.clone().with_header("host", host),
    };
    // A name may have several addresses; who gets no connection at one goes on to the next.
    let mut left = timeout;
    for address in resolve(cloud, from, host).unwrap_or_default() {
        let Exchange { result, took } = exchange_timed(cloud, from, SocketAddrV4::new(address, port), &request, left);
        left = left.saturating_sub(took);
        let is_over = !matches!(result, Err(CallError::Refused | CallError::TimedOut));
        exchange = Exchange { result, took: timeout.saturating_sub(left) };
        if is_over || left.is_zero() {
            break;
        }
    }
    exchange
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::testbed::Net;

    fn asked(net: &mut Net, groups: &[&str], host: &str) -> Exchange {
        let groups: Vec<String> = groups.iter().map(|it| net.id(it)).collect();
        let subnet = net.id("private-b");
        let request = Request::new("GET", "/");
        ask_from(&mut net.cloud, (&subnet, &groups), (host, 8080), &request, Duration::from_secs(5)).unwrap()
    }

    #[test]
    fn who_asks_decides() {
        let mut net = Net::new();
        let task = net.cloud.ec2.interfaces[&net.id("task")].address.to_string();
        // Nobody listens there: told so at once by who may ask, silence for the others.
        assert_eq!(asked(&mut net, &["alb"], &task).result, Err(CallError::Refused));
        for strangers in [&[] as &[&str], &["other"], &["web"]] {
            let Exchange { result, took } = asked(&mut net, strangers, &task);
            assert_eq!((result, took), (Err(CallError::TimedOut), Duration::from_secs(5)));
        }
    }

    #[test]
    fn a_name_that_is_none_is_told_at_once() {
        let mut net = Net::new();
        let unknown = asked(&mut net, &[], "nobody.shop.local").result;
        assert_eq!(unknown, Err(CallError::NameUnknown("nobody.shop.local".to_owned())));
    }

    #[test]
    fn nothing_is_left_behind() {
        let mut net = Net::new();
        let before = net.cloud.ec2.interfaces.len();
        asked(&mut net, &["alb"], "10.0.11.9");
        assert_eq!(net.cloud.ec2.interfaces.len(), before);
        let none = ask_from(
            &mut net.cloud,
            ("subnet-0", &[]),
            ("10.0.11.9", 80),
            &Request::new("GET", "/"),
            Duration::from_secs(5),
        );
        assert_eq!(none.unwrap_err().code, "InvalidSubnetID.NotFound");
    }
}
