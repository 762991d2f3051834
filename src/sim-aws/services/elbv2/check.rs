//! One health check: every node of the balancer asks the target, as it would send it a request.

use std::{net::SocketAddrV4, time::Duration};

use breakfix_workload::{CallError, Request};
use serde::{Deserialize, Serialize};

use super::{TargetRef, serve::nodes, state::HealthCheck, target};
use crate::{
    Cloud,
    network::{Exchange, InterfaceId, exchange_timed},
};

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Pass,
    Fail { reason: String, description: String },
}

fn fail(reason: &str, description: &str) -> Outcome {
    Outcome::Fail { reason: reason.to_owned(), description: description.to_owned() }
}

/// Asks, from every node; the target must pass for all of them. `None`: there is no such target any more.
pub(super) fn ask(cloud: &mut Cloud, at: &TargetRef) -> Option<(Outcome, Duration)> {
    let group = cloud.elbv2.groups.get(&at.group)?;
    let found = group.targets.get(&target::key(&at.id, at.port))?;
    let check = group.check.clone();
    let address = target::address(cloud, found)?;
    let port = check.port.parse().unwrap_or(at.port);
    let (balancer, _) = cloud.elbv2.balancer_of(&at.group)?;
    let nodes = nodes(cloud, balancer);
    let timeout = Duration::from_secs(check.timeout.into());
    let to = SocketAddrV4::new(address, port);
    let request = Request::get(&check.path)
        .with_header("host", &to.to_string())
        .with_header("user-agent", "ELB-HealthChecker/2.0")
        .with_header("connection", "close");
    let mut longest = Duration::ZERO;
    if nodes.is_empty() {
        return Some((fail("Target.Timeout", "Request timed out"), timeout));
    }
    for node in nodes {
        let Exchange { result, took } = exchange_timed(cloud, &InterfaceId(node), to, &request, timeout);
        longest = longest.max(took);
        let outcome = judge(&check, &result);
        if outcome != Outcome::Pass {
            return Some((outcome, took));
        }
    }
    Some((Outcome::Pass, longest))
}

/// What an answer means to a check.
fn judge(check: &HealthCheck, result: &Result<breakfix_workload::Response, CallError>) -> Outcome {
    match (check.protocol.as_str(), result) {
        (_, Err(CallError::TimedOut)) if check.protocol != "TCP" => fail("Target.Timeout", "Request timed out"),
        // A program that speaks plain HTTP fails in the TLS handshake.
        ("HTTPS", _) => fail("Target.FailedHealthChecks", "Health checks failed"),
        ("HTTP", Ok(response)) => {
            let status = response.status;
            let is_accepted =
                super::target_group::codes(&check.matcher).iter().any(|(low, high)| (*low..=*high).contains(&status));
            if is_accepted {
                return Outcome::Pass;
            }
            fail("Target.ResponseCodeMismatch", &format!("Health checks failed with these codes: [{status}]"))
        }
        ("TCP", Ok(_) | Err(CallError::Garbled(_) | CallError::Reset)) => Outcome::Pass,
        _ => fail("Target.FailedHealthChecks", "Health checks failed"),
    }
}

#[cfg(test)]
mod tests {
    use breakfix_workload::Response;

    use super::*;

    #[test]
    fn an_answer_means_what_the_matcher_says() {
        let check = |protocol: &str, matcher: &str| HealthCheck {
            protocol: protocol.to_owned(),
            port: "traffic-port".to_owned(),
            path: "/".to_owned(),
            interval: 30,
            timeout: 5,
            healthy: 5,
            unhealthy: 2,
            matcher: matcher.to_owned(),
        };
        let says = |status: u16| Ok(Response::text(status, ""));
        let reason = |check: &HealthCheck, result| match judge(check, &result) {
            Outcome::Pass => "pass".to_owned(),
            Outcome::Fail { reason, description } => format!("{reason}: {description}"),
        };
        let plain = check("HTTP", "200");
        assert_eq!(reason(&plain, says(200)), "pass");
        let mismatch = "Target.ResponseCodeMismatch: Health checks failed with these codes: [404]";
        assert_eq!(reason(&plain, says(404)), mismatch);
        assert_eq!(reason(&check("HTTP", "200,302-404"), says(404)), "pass");
        assert_eq!(reason(&plain, Err(CallError::TimedOut)), "Target.Timeout: Request timed out");
        assert_eq!(reason(&plain, Err(CallError::Refused)), "Target.FailedHealthChecks: Health checks failed");
        assert_eq!(reason(&check("HTTPS", "200"), says(200)), "Target.FailedHealthChecks: Health checks failed");
        assert_eq!(reason(&check("TCP", "200"), says(500)), "pass");
        assert_eq!(
            reason(&check("TCP", "200"), Err(CallError::Refused)),
            "Target.FailedHealthChecks: Health checks failed"
        );
    }
}
