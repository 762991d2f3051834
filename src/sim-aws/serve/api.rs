//! One request to the API, from the wire to the cloud and back.

use breakfix_sim::serve::host::Refused;
use serde_json::Value;

use super::{Host, ids::Ids, input::only_reads, throttle::Throttle};
use crate::{
    AwsError, Call, Caller, Cloud,
    wire::{Asked, Protocol, Request, Response, answer, asked, gate, refusal::Refusal},
};

/// Services whose endpoints know every region's resources, or have none.
const GLOBAL: [&str; 2] = ["iam", "sts"];

/// Answers a request.
pub fn respond(host: &Host, ids: &Ids, throttle: &Throttle, request: &Request) -> Response {
    let id = ids.next();
    let (protocol, asked) = asked::open(request);
    let asked = match asked {
        Ok(asked) => asked,
        Err(unreadable) => return answer::refusal(protocol, unreadable.model, &unreadable.error, &id),
    };
    let done = if throttle.refuses(asked.model.name) {
        Err(Refusal::Throttled.error(protocol))
    } else {
        carry_out(host, request, &asked, protocol)
    };
    match done {
        Ok(value) => answer::answer(protocol, asked.model, asked.operation, &value, &id),
        Err(error) => answer::refusal(protocol, Some(asked.model), &error, &id),
    }
}

fn carry_out(host: &Host, request: &Request, asked: &Asked, protocol: Protocol) -> Result<Value, AwsError> {
    let (caller, home) = host
        .look(|cloud| (gate::caller(cloud, request, asked, protocol), cloud.config.region.clone()))
        .map_err(|failed| internal(&failed.into()))?;
    let call = call(asked, caller?);
    match &asked.signed {
        Some(signed) if signed.region != home && !GLOBAL.contains(&asked.model.name) => {
            elsewhere(host, &call, &signed.region)
        }
        _ => hand_in(host, call),
    }
}

fn call(asked: &Asked, caller: Caller) -> Call {
    Call {
        service: asked.model.name.to_owned(),
        operation: asked.operation.name.to_owned(),
        input: asked.input.clone(),
        caller,
    }
}

/// Hands a call to the cloud; one that only reads leaves no trace.
///
/// # Errors
/// The service refuses, or the simulator cannot take it.
pub fn hand_in(host: &Host, call: Call) -> Result<Value, AwsError> {
    if only_reads(&call.operation) {
        return host.look(|cloud| cloud.call(&call)).map_err(|failed| internal(&failed.into()))?;
    }
    host.act(call).map_err(|refused| internal(&refused))?
}

/// Another region than the one that is simulated: the same account with nothing in it. One may look around there, as in reality.
fn elsewhere(host: &Host, call: &Call, region: &str) -> Result<Value, AwsError> {
    if !only_reads(&call.operation) {
        return Err(AwsError::not_simulated(&call.service, &format!("{} in {region}", call.operation)));
    }
    let there = host.look(|cloud| {
        let mut there = Cloud::empty(crate::Config { region: region.to_owned(), ..cloud.config.clone() });
        (there.iam, there.sts) = (cloud.iam.clone(), cloud.sts.clone());
        there.call(call)
    });
    there.map_err(|failed| internal(&failed.into()))?
}

/// A failure of ours, as the services say it of theirs.
fn internal(refused: &Refused) -> AwsError {
    AwsError::new("InternalFailure", refused.to_string()).status(500)
}
