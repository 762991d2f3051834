//! A request at its end: the program that listens at an address answers it, and its answer takes the time it takes.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::Duration,
};

use breakfix_workload::{CallError, End, Machine as _, Outcome, Request, SIGKILL, Stream};

use super::{
    health,
    machine::{Inside, ROUND_TRIP},
    run::{self, Ending},
};
use crate::{Cloud, network::Exchange};

/// Sends a request to whoever listens at an address, as it arrives there after its way, and waits at most `timeout`: `Refused` where nobody
/// listens, `TimedOut` where the answer takes longer.
pub fn exchange(
    cloud: &mut Cloud,
    to: SocketAddrV4,
    _from: Ipv4Addr,
    request: &Request,
    timeout: Duration,
) -> Exchange {
    let lead = cloud.tasks.ahead;
    match listener(cloud, to, lead) {
        Some((task, container)) => deliver(cloud, &task, &container, request, timeout, lead),
        None => Exchange { result: Err(CallError::Refused), took: ROUND_TRIP },
    }
}

/// Whether somebody listens at an address, for a caller that is so far ahead of the clock.
pub(super) fn listens(cloud: &Cloud, to: SocketAddrV4, lead: Duration) -> bool {
    listener(cloud, to, lead).is_some()
}

fn listener(cloud: &Cloud, to: SocketAddrV4, lead: Duration) -> Option<(String, String)> {
    let here = cloud.tasks.tasks.values().filter(|task| task.link.as_ref().is_some_and(|it| it.address == *to.ip()));
    for task in here {
        let is_own = task.link.as_ref().is_some_and(|link| link.is_own);
        for container in &task.containers {
            let mut ports = container.bindings.iter().filter(|it| it.host == to.port() && !it.is_udp);
            let port = match is_own || container.bindings.is_empty() && task.plan.network == super::NetworkMode::Host {
                true => Some(to.port()),
                false => ports.next().map(|binding| binding.container),
            };
            if port.is_some_and(|port| accepts(cloud, &task.id, &container.name, *to.ip(), port, lead)) {
                return Some((task.id.clone(), container.name.clone()));
            }
        }
    }
    None
}

/// The container of a task that listens on a port of their own loopback interface.
pub(super) fn local(cloud: &Cloud, task: &str, port: u16, lead: Duration) -> Option<String> {
    let containers = &cloud.tasks.get(task)?.containers;
    let found = containers.iter().find(|it| accepts(cloud, task, &it.name, Ipv4Addr::LOCALHOST, port, lead));
    found.map(|container| container.name.clone())
}

fn accepts(cloud: &Cloud, task: &str, container: &str, address: Ipv4Addr, port: u16, lead: Duration) -> bool {
    let at = cloud.now() + lead;
    let Some(run) = run::of(cloud, task, container) else { return false };
    if run.ending.is_some_and(|ending| ending.at <= at) {
        return false;
    }
    let to = SocketAddr::from((address, port));
    let uptime = at - run.started;
    run::program(cloud, task, container).is_some_and(|it| it.listens().iter().any(|it| it.accepts(to, uptime)))
}

/// Hands a request to a container's program.
pub(super) fn deliver(
    cloud: &mut Cloud,
    task: &str,
    container: &str,
    request: &Request,
    timeout: Duration,
    lead: Duration,
) -> Exchange {
    let Some(program) = run::program(cloud, task, container) else {
        return Exchange { result: Err(CallError::Refused), took: ROUND_TRIP };
    };
    let mut inside = Inside::main(cloud, task, container, lead + ROUND_TRIP);
    let outcome = program.handle(request, &mut inside);
    let spent = inside.lead.saturating_sub(lead);
    let at = cloud.now() + lead + spent;
    if let Some(victim) = run::out_of_memory(cloud, task, container, at) {
        run::end_at(cloud, task, &victim, Ending { at, end: End::Signal(SIGKILL), is_oom: true });
        return Exchange { result: Err(CallError::Reset), took: spent };
    }
    run::rearm(cloud, task, container);
    health::stir(cloud, task);
    let took = match &outcome {
        Outcome::Answer { cpu, delay, .. } => spent + computing(cloud, task, container, *cpu) + *delay,
        Outcome::Hang => Duration::MAX,
    };
    if let Outcome::Answer { entry: Some(entry), .. } = &outcome {
        let mut inside = Inside::main(cloud, task, container, lead + took);
        let line = entry.line(inside.uptime());
        inside.print(Stream::Out, &line);
    }
    match outcome {
        Outcome::Answer { response, .. } if took <= timeout => Exchange { result: Ok(response), took },
        _ => Exchange { result: Err(CallError::TimedOut), took: timeout },
    }
}

/// How long a program computes with the part of a processor that its task has. Fargate gives a task no more than it reserves; on an
/// instance the share counts only where others compute, which the model leaves out.
fn computing(cloud: &Cloud, task: &str, container: &str, cpu: Duration) -> Duration {
    let units = cloud.tasks.get(task).and_then(|task| match task.host {
        super::Host::Fargate => task.plan.cpu.or(task.plan.container(container).map(|it| it.cpu)),
        super::Host::Instance(_) => None,
    });
    match units.filter(|units| *units > 0) {
        Some(units) if units < 1024 => cpu.mul_f64(1024.0 / units as f64),
        _ => cpu,
    }
}
