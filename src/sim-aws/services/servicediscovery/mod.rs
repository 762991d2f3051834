//! AWS Cloud Map: names of services, private DNS and DiscoverInstances.

mod catalogue;
mod instances;
mod state;
#[cfg(test)]
mod tests;
mod words;

use serde_json::Value;

pub use self::state::{
    Instance, Namespace, Operation, Service, State, deregister, ensure, make_http, namespace_named, register, resolve,
    set_health,
};
use super::{iam::Need, page::Paging};
use crate::{AwsError, Call, Cloud, input};

const PAGES: Paging = Paging::upper(100);

/// What a request needs before it is looked at: on the service's or the namespace's ARN.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = format!("servicediscovery:{operation}");
    let text = |member: &str| input::text(request, member);
    let id = text("ServiceId").or_else(|| text("Id")).or_else(|| text("NamespaceId")).or_else(|| text("ResourceARN"));
    let resource = match id {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(id) if id.starts_with("ns-") => words::arn(cloud, &format!("namespace/{id}")),
        Some(id) => words::arn(cloud, &format!("service/{id}")),
        None => "*".to_owned(),
    };
    let mut need = Need::new(action, resource);
    for (member, key) in
        [("NamespaceName", "servicediscovery:NamespaceName"), ("ServiceName", "servicediscovery:ServiceName")]
    {
        if let Some(value) = text(member) {
            need = need.with(key, value);
        }
    }
    vec![need]
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreatePrivateDnsNamespace" | "CreateHttpNamespace" => catalogue::create_namespace(cloud, call),
        "GetNamespace" => catalogue::get_namespace(cloud, call),
        "ListNamespaces" => Ok(catalogue::list_namespaces(cloud, call)),
        "DeleteNamespace" => catalogue::delete_namespace(cloud, call),
        "CreateService" => catalogue::create_service(cloud, call),
        "GetService" => catalogue::get_service(cloud, call),
        "ListServices" => Ok(catalogue::list_services(cloud, call)),
        "UpdateService" => catalogue::update_service(cloud, call),
        "DeleteService" => catalogue::delete_service(cloud, call),
        "GetOperation" => catalogue::get_operation(cloud, call),
        "TagResource" | "UntagResource" | "ListTagsForResource" => catalogue::tagging(cloud, call),
        "RegisterInstance" => instances::register(cloud, call),
        "DeregisterInstance" => instances::deregister(cloud, call),
        "GetInstance" => instances::get(cloud, call),
        "ListInstances" => instances::list(cloud, call),
        "GetInstancesHealthStatus" => instances::health(cloud, call),
        "UpdateInstanceCustomHealthStatus" => instances::set_health(cloud, call),
        "DiscoverInstances" => instances::discover(cloud, call),
        other => Err(AwsError::not_simulated("servicediscovery", other)),
    }
}
