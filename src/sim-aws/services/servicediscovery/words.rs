//! What all operations of Cloud Map share: look-ups, refusals, operations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::state::{Namespace, Operation, Service};
use crate::{AwsError, Call, Cloud, input};

pub fn no_namespace(id: &str) -> AwsError {
    AwsError::new("NamespaceNotFound", format!("Namespace not found: {id}"))
}

/// # Errors
/// `NamespaceNotFound`.
pub fn namespace<'a>(cloud: &'a Cloud, id: &str) -> Result<&'a Namespace, AwsError> {
    let known = cloud.servicediscovery.namespaces.get(id.rsplit('/').next().unwrap_or(id));
    known.ok_or_else(|| no_namespace(id))
}

/// # Errors
/// `ServiceNotFound`.
pub fn service<'a>(cloud: &'a Cloud, call: &Call, member: &str) -> Result<&'a Service, AwsError> {
    let id = input::required(call, member)?;
    cloud
        .servicediscovery
        .service(id)
        .ok_or_else(|| AwsError::new("ServiceNotFound", format!("Service not found: {id}")))
}

/// # Errors
/// `ServiceNotFound`.
pub fn service_mut<'a>(cloud: &'a mut Cloud, call: &Call, member: &str) -> Result<&'a mut Service, AwsError> {
    let id = service(cloud, call, member)?.id.clone();
    let known = cloud.servicediscovery.services.get_mut(&id);
    known.ok_or_else(|| AwsError::new("ServiceNotFound", format!("Service not found: {id}")))
}

/// Notes an operation that is already done, and answers with its id.
pub fn done(cloud: &mut Cloud, kind: &str, targets: &[(&str, &str)]) -> Value {
    let id = cloud.chance.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 32);
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let operation = Operation {
        kind: kind.to_owned(),
        targets: targets.iter().map(pair).collect::<BTreeMap<_, _>>(),
        at: cloud.now(),
    };
    cloud.servicediscovery.operations.insert(id.clone(), operation);
    json!({"OperationId": id})
}

/// `Tags` of a request.
pub fn tags(request: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| Some((input::text(tag, "Key")?.to_owned(), input::text(tag, "Value")?.to_owned()));
    input::list(request, "Tags").iter().filter_map(pair).collect()
}

/// 16 letters behind `ns-` and `srv-`.
pub fn new_id(cloud: &mut Cloud, prefix: &str) -> String {
    format!("{prefix}{}", cloud.chance.text(b"abcdefghijklmnopqrstuvwxyz234567", 16))
}

pub fn arn(cloud: &Cloud, what: &str) -> String {
    format!("arn:aws:servicediscovery:{}:{}:{what}", cloud.config.region, cloud.config.account)
}
