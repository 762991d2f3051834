//! Calls to others: from a name to addresses to an answer.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{CallError, Machine, Request, ResolveError, Response, Url, resolver};

/// An answer and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub response: Response,
    pub address: SocketAddr,
}

/// Resolve the URL's host and call its addresses in turn until one of them takes the request; `timeout` covers all of it.
///
/// The request's target is used as it is; `Host` is set from the URL unless the request has one.
///
/// # Errors
/// The name has no address, or the last address tried gave no answer.
pub fn fetch(url: &Url, request: &Request, timeout: Duration, machine: &mut dyn Machine) -> Result<Fetched, CallError> {
    let mut request = request.clone();
    request.headers.entry("host".to_owned()).or_insert_with(|| url.authority());
    each_address(&url.host, url.port, timeout, machine, |address, left, machine| {
        machine.exchange(address, &request, left).map(|response| Fetched { response, address })
    })
}

/// Resolve a host and open a TCP connection to it; tells the address that accepted.
///
/// # Errors
/// The name has no address, or none accepted.
pub fn reach(host: &str, port: u16, timeout: Duration, machine: &mut dyn Machine) -> Result<SocketAddr, CallError> {
    each_address(host, port, timeout, machine, |address, left, machine| {
        machine.connect(address, left).map(|()| address)
    })
}

/// Try the addresses of a host in turn. Only failures to connect lead to the next address: a request that may have been
/// heard is not sent twice.
fn each_address<T>(
    host: &str,
    port: u16,
    timeout: Duration,
    machine: &mut dyn Machine,
    mut attempt: impl FnMut(SocketAddr, Duration, &mut dyn Machine) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let deadline = machine.uptime().saturating_add(timeout);
    let mut last = CallError::NameUnknown(host.to_owned());
    for ip in addresses(host, timeout, machine)? {
        let left = deadline.saturating_sub(machine.uptime());
        if left.is_zero() {
            return Err(CallError::TimedOut);
        }
        match attempt(SocketAddr::new(ip, port), left, machine) {
            Err(error @ (CallError::Refused | CallError::Unreachable)) => last = error,
            other => return other,
        }
    }
    Err(last)
}

fn addresses(host: &str, timeout: Duration, machine: &mut dyn Machine) -> Result<Vec<IpAddr>, CallError> {
    resolver::resolve(host, Some(timeout), machine).map(|found| found.addresses).map_err(|error| match error {
        ResolveError::NoSuchName | ResolveError::NoAddress => CallError::NameUnknown(host.to_owned()),
        ResolveError::NoAnswer | ResolveError::Failed => CallError::NamesSilent(host.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DnsReply, MemoryMachine};

    /// A machine that knows `shop` at two addresses.
    fn machine() -> MemoryMachine {
        let mut machine = MemoryMachine::new();
        let addresses = vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        machine.names.insert("shop".into(), DnsReply::Addresses { canonical: "shop".into(), addresses });
        machine
    }

    fn call(machine: &mut MemoryMachine) -> Result<SocketAddr, CallError> {
        let url = Url::parse("http://shop/").unwrap();
        fetch(&url, &Request::get("/"), Duration::from_secs(5), machine).map(|fetched| fetched.address)
    }

    #[test]
    fn the_next_address_is_tried_where_nobody_listens() {
        let mut machine = machine();
        machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "")));
        assert_eq!(call(&mut machine), Ok(SocketAddr::from(([10, 0, 0, 2], 80))));
        assert_eq!(reach("shop", 80, Duration::from_secs(5), &mut machine), Ok(SocketAddr::from(([10, 0, 0, 2], 80))));
        assert_eq!(reach("shop", 81, Duration::from_secs(5), &mut machine), Err(CallError::Refused));
    }

    #[test]
    fn a_request_that_may_have_been_heard_is_not_sent_twice() {
        let mut machine = machine();
        machine.answer([10, 0, 0, 1], 80, Err(CallError::Reset));
        machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "")));
        assert_eq!(call(&mut machine), Err(CallError::Reset));
        assert_eq!(machine.calls.len(), 1);
    }

    #[test]
    fn silence_of_names_is_not_a_missing_name() {
        let mut machine = machine();
        machine.name_servers_silent = true;
        assert_eq!(call(&mut machine), Err(CallError::NamesSilent("shop".into())));
        assert_eq!(machine.now, Duration::from_secs(5));
    }
}
