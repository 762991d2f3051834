//! A request through a balancer: which rule, which target, and what the client gets where there is none.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use breakfix_workload::{CallError, Request, Response};

use super::{
    action::Action,
    health::Known,
    metric::{Answered, count},
    state::{Kind, Listener},
    target::{self, Target},
};
use crate::{
    Cloud,
    network::{Destination, Exchange, INTERNET, InterfaceId, Way, exchange_timed, way, way_in},
};

/// How long a balancer waits for a connection to a target.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a client tries to connect.
const CLIENT_GIVES_UP: Duration = Duration::from_secs(30);
/// There and back, from the internet.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// How one request fares from a client on the internet to the balancer of this DNS name and back: 502, 503 and 504 are the balancer's own
/// answers; `TimedOut` where its security group, an ACL or a route lets nothing through; `Refused` where no listener has the port.
pub fn answer(cloud: &mut Cloud, dns_name: &str, port: u16, request: &Request) -> Exchange {
    let name = dns_name.to_ascii_lowercase();
    let Some(arn) = by_name(cloud, &name) else {
        return Exchange { result: Err(CallError::NameUnknown(dns_name.to_owned())), took: ROUND_TRIP };
    };
    let turn = cloud.elbv2.balancers.get(&arn).map_or(0, |it| it.turn);
    let is_open = |node: &String| way_in(cloud, INTERNET, &InterfaceId(node.clone()), port) == Way::Open;
    // The name has an address in each zone; a client that gets no answer from one tries the next.
    let open: Vec<String> = nodes(cloud, &arn).into_iter().filter(is_open).collect();
    let Some(node) = pick(&open, turn).cloned() else {
        return Exchange { result: Err(CallError::TimedOut), took: CLIENT_GIVES_UP };
    };
    let request = match request.header("host") {
        Some(_) => request.clone(),
        None => request.clone().with_header("host", &name),
    };
    let Exchange { result, took } = serve(cloud, &arn, &node, INTERNET, port, &request);
    Exchange { result, took: took + ROUND_TRIP }
}

/// The balancer that has a DNS name.
pub(crate) fn by_name(cloud: &Cloud, name: &str) -> Option<String> {
    cloud.elbv2.balancers.iter().find(|(_, it)| it.dns_name.to_ascii_lowercase() == name).map(|(arn, _)| arn.clone())
}

/// The interfaces of a balancer's nodes in the zones that are up.
pub(crate) fn nodes(cloud: &Cloud, balancer: &str) -> Vec<String> {
    let Some(balancer) = cloud.elbv2.balancers.get(balancer).filter(|it| it.is_active) else { return Vec::new() };
    let is_up = |id: &&String| cloud.ec2.interfaces.get(*id).is_some_and(|it| !cloud.ec2.lost_zones.contains(&it.zone));
    balancer.subnets.values().filter(is_up).cloned().collect()
}

fn pick<T>(list: &[T], turn: u64) -> Option<&T> {
    let length = u64::try_from(list.len()).ok().filter(|it| *it > 0)?;
    list.get(usize::try_from(turn % length).ok()?)
}

/// A request that has arrived at a node.
pub(crate) fn serve(
    cloud: &mut Cloud,
    arn: &str,
    node: &str,
    client: Ipv4Addr,
    port: u16,
    request: &Request,
) -> Exchange {
    let at_once = |result| Exchange { result, took: Duration::from_millis(1) };
    let Some(balancer) = cloud.elbv2.balancers.get_mut(arn) else { return at_once(Err(CallError::Refused)) };
    balancer.turn = balancer.turn.wrapping_add(1);
    let kind = balancer.kind;
    let found = cloud.elbv2.listeners.iter().find(|(_, it)| it.balancer == arn && it.port == port);
    let Some((listener_arn, listener)) = found.map(|(arn, it)| (arn.clone(), it.clone())) else {
        return at_once(Err(CallError::Refused));
    };
    let rules = cloud.elbv2.rules_of(&listener_arn);
    let rule = rules.into_iter().find(|(_, rule)| rule.conditions.iter().all(|it| it.accepts(request, client)));
    let Some(action) = rule.and_then(|(_, rule)| rule.actions.first().cloned()) else {
        return at_once(Ok(page(503, "Service Temporarily Unavailable")));
    };
    match action {
        Action::FixedResponse { status, body, content_type } => {
            let mut response = Response::text(status, body);
            response.headers.insert("content-type".to_owned(), content_type);
            response.headers.insert("server".to_owned(), "awselb/2.0".to_owned());
            at_once(Ok(response))
        }
        Action::Redirect { .. } => at_once(Ok(redirect(&action, &listener, request))),
        Action::Forward { groups, .. } => {
            let group = draw(cloud, &groups);
            let request = forwarded(request, client, &listener);
            let request = if kind == Kind::Application { &request } else { &request.clone() };
            forward(cloud, arn, node, &group, kind, request)
        }
    }
}

/// The group of this request, by weight. Where all weights are 0 nobody is asked.
fn draw(cloud: &mut Cloud, groups: &[(String, u32)]) -> String {
    if let [(only, 1..)] = groups {
        return only.clone();
    }
    let total: u64 = groups.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut place = cloud.chance.below(total);
    for (arn, weight) in groups {
        match place.checked_sub(u64::from(*weight)) {
            None => return arn.clone(),
            Some(rest) => place = rest,
        }
    }
    String::new()
}

/// What the target is told about the client.
fn forwarded(request: &Request, client: Ipv4Addr, listener: &Listener) -> Request {
    let chain = match request.header("x-forwarded-for") {
        Some(before) => format!("{before}, {client}"),
        None => client.to_string(),
    };
    request
        .clone()
        .with_header("x-forwarded-for", &chain)
        .with_header("x-forwarded-proto", &listener.protocol.to_lowercase())
        .with_header("x-forwarded-port", &listener.port.to_string())
}

/// The targets whose turn it can be: the healthy ones; where there is none, all that are in use (fail-open).
fn candidates(cloud: &Cloud, balancer: &str, node: &str, group_arn: &str) -> Vec<Target> {
    let Some(group) = cloud.elbv2.groups.get(group_arn) else { return Vec::new() };
    let setting =
        |of: &std::collections::BTreeMap<String, String>| of.get("load_balancing.cross_zone.enabled").cloned();
    let of_balancer = cloud.elbv2.balancers.get(balancer).and_then(|it| setting(&it.attributes));
    let crosses = match setting(&group.attributes).as_deref() {
        Some("true") => true,
        Some("false") => false,
        _ => of_balancer.as_deref() != Some("false"),
    };
    let zone = cloud.ec2.interfaces.get(node).map(|it| it.zone.clone());
    let usable: Vec<&Target> = group
        .targets
        .values()
        .filter(|it| it.is_checked && !it.is_draining)
        .filter(|it| crosses || it.zone == zone || it.zone.as_deref() == Some("all"))
        .collect();
    let healthy: Vec<Target> = usable.iter().filter(|it| it.known == Known::Healthy).map(|it| (*it).clone()).collect();
    if healthy.is_empty() { usable.into_iter().cloned().collect() } else { healthy }
}

fn forward(cloud: &mut Cloud, arn: &str, node: &str, group: &str, kind: Kind, request: &Request) -> Exchange {
    let millisecond = Duration::from_millis(1);
    let own = |cloud: &mut Cloud, status, words, error, took| {
        count(cloud, group, &Answered::ByBalancer);
        let result = if kind == Kind::Application { Ok(page(status, words)) } else { Err(error) };
        Exchange { result, took }
    };
    let turn = cloud.elbv2.balancers.get(arn).map_or(0, |it| it.turn);
    let candidates = candidates(cloud, arn, node, group);
    let chosen = pick(&candidates, turn).and_then(|it| Some((target::address(cloud, it)?, it.port)));
    let Some((address, port)) = chosen else {
        return own(cloud, 503, "Service Temporarily Unavailable", CallError::Reset, millisecond);
    };
    let from = InterfaceId(node.to_owned());
    if way(cloud, &from, &Destination::Address(address, port)) == Way::Silent {
        return own(cloud, 504, "Gateway Time-out", CallError::TimedOut, CONNECT);
    }
    if cloud.elbv2.groups.get(group).is_some_and(|it| it.protocol == "HTTPS") {
        // A program that speaks plain HTTP fails in the TLS handshake.
        return own(cloud, 502, "Bad Gateway", CallError::Reset, millisecond);
    }
    let idle =
        cloud.elbv2.balancers.get(arn).and_then(|it| it.attributes.get("idle_timeout.timeout_seconds")?.parse().ok());
    let idle = Duration::from_secs(idle.unwrap_or(60));
    let Exchange { result, took } = exchange_timed(cloud, &from, SocketAddrV4::new(address, port), request, idle);
    match result {
        Ok(response) => {
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            count(cloud, group, &Answered::ByTarget(response.status, millis));
            Exchange { result: Ok(response), took }
        }
        Err(CallError::TimedOut) => own(cloud, 504, "Gateway Time-out", CallError::TimedOut, took),
        Err(error) => own(cloud, 502, "Bad Gateway", error, took),
    }
}

/// An error page of the balancer's own.
fn page(status: u16, words: &str) -> Response {
    let title = format!("{status} {words}");
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = Response::text(status, body);
    response.headers.insert("content-type".to_owned(), "text/html".to_owned());
    response.headers.insert("server".to_owned(), "awselb/2.0".to_owned());
    response
}

fn redirect(action: &Action, listener: &Listener, request: &Request) -> Response {
    let Action::Redirect { protocol, host, port, path, query, status } = action else {
        return page(500, "Internal Server Error");
    };
    let own_host = request.header("host").unwrap_or_default();
    let own_host = own_host.split_once(':').map_or(own_host, |(name, _)| name);
    let own_query = request.target.split_once('?').map_or("", |(_, query)| query);
    let fill = |text: &str| {
        text.replace("#{protocol}", &listener.protocol)
            .replace("#{host}", own_host)
            .replace("#{port}", &listener.port.to_string())
            .replace("#{path}", request.path().trim_start_matches('/'))
            .replace("#{query}", own_query)
    };
    let mut place = format!("{}://{}:{}{}", fill(protocol).to_lowercase(), fill(host), fill(port), fill(path));
    let query = fill(query);
    if !query.is_empty() {
        place.push('?');
        place.push_str(&query);
    }
    let words = if *status == 301 { "Moved Permanently" } else { "Found" };
    let mut response = page(*status, words);
    response.headers.insert("location".to_owned(), place);
    response
}
