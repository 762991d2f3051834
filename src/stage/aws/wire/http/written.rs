//! What a caller over the wire would read of an answer: written as XML by the simulator's rules, read by ours.

use breakfix_sim_aws::wire::{Protocol, answer::answer, model};
use serde_json::Value;

use super::{super::Service, reply::Reply};

/// `None` where the service answers in JSON.
pub(in crate::aws) fn as_written(service: Service, operation: &str, value: &Value) -> Option<Value> {
    let model = model::of(service.signing_name())?;
    let protocol = match service {
        Service::Ec2 => Protocol::Ec2,
        Service::Elbv2 | Service::Iam | Service::Sts | Service::AutoScaling | Service::CloudWatch => Protocol::Query,
        _ => return None,
    };
    let known = model.operations.get(operation).unwrap_or_else(|| panic!("no model has {operation}"));
    let response = answer(protocol, model, known, value, "id");
    let reply = Reply { status: response.status, date: None, body: response.body };
    Some(reply.xml(service, operation).unwrap().value)
}
