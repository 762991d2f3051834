//! Instances: registering them by hand, and finding them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    PAGES,
    state::{self, Instance},
    words,
};
use crate::{AwsError, Call, Cloud, input};

pub fn register(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let service = words::service(cloud, call, "ServiceId")?;
    let (service_id, has_dns) = (service.id.clone(), service.records.iter().any(|(kind, _)| kind == "A"));
    let id = input::required(call, "InstanceId")?;
    let given = input::object(&call.input, "Attributes").into_iter().flatten();
    let attributes: BTreeMap<String, String> =
        given.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    if has_dns && !attributes.contains_key("AWS_INSTANCE_IPV4") {
        let sentence = "AWS_INSTANCE_IPV4 is required in attributes because the service has an A record";
        return Err(AwsError::new("InvalidInput", sentence));
    }
    state::register(cloud, &service_id, id, attributes);
    Ok(words::done(cloud, "REGISTER_INSTANCE", &[("INSTANCE", id), ("SERVICE", &service_id)]))
}

pub fn deregister(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let service_id = words::service(cloud, call, "ServiceId")?.id.clone();
    let id = input::required(call, "InstanceId")?;
    if !state::deregister(cloud, &service_id, id) {
        return Err(no_instance(id));
    }
    Ok(words::done(cloud, "DEREGISTER_INSTANCE", &[("INSTANCE", id), ("SERVICE", &service_id)]))
}

fn no_instance(id: &str) -> AwsError {
    AwsError::new("InstanceNotFound", format!("Instance not found: {id}"))
}

fn view(id: &str, instance: &Instance) -> Value {
    json!({"Id": id, "Attributes": instance.attributes})
}

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = input::required(call, "InstanceId")?;
    let instance = words::service(cloud, call, "ServiceId")?.instances.get(id).ok_or_else(|| no_instance(id))?;
    Ok(json!({"Instance": view(id, instance)}))
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let instances = words::service(cloud, call, "ServiceId")?.instances.iter();
    Ok(PAGES.answer(&call.input, "Instances", instances.map(|(id, instance)| view(id, instance)).collect()))
}

pub fn health(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let service = words::service(cloud, call, "ServiceId")?;
    let asked = input::texts(&call.input, "Instances");
    if let Some(unknown) = asked.iter().find(|id| !service.instances.contains_key(**id)) {
        return Err(no_instance(unknown));
    }
    let wanted = service.instances.iter().filter(|(id, _)| asked.is_empty() || asked.contains(&id.as_str()));
    let status = wanted.map(|(id, instance)| (id.clone(), json!(word(instance)))).collect::<serde_json::Map<_, _>>();
    Ok(json!({"Status": status}))
}

fn word(instance: &Instance) -> &'static str {
    if instance.healthy { "HEALTHY" } else { "UNHEALTHY" }
}

pub fn set_health(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let service = words::service(cloud, call, "ServiceId")?;
    let id = input::required(call, "InstanceId")?;
    if !service.instances.contains_key(id) {
        return Err(no_instance(id));
    }
    let service_id = service.id.clone();
    let healthy = input::required(call, "Status")? == "HEALTHY";
    if !state::set_health(cloud, &service_id, id, healthy) {
        let sentence = format!("Custom health check is not configured for service {service_id}");
        return Err(AwsError::new("CustomHealthNotFound", sentence));
    }
    Ok(json!({}))
}

/// By names; healthy ones, or all where none is healthy, unless told otherwise.
pub fn discover(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let (namespace, name) = (input::required(call, "NamespaceName")?, input::required(call, "ServiceName")?);
    let state = &cloud.servicediscovery;
    let found =
        state.namespaces.values().find(|it| it.name == namespace).ok_or_else(|| words::no_namespace(namespace))?;
    let service = state.services.values().find(|it| it.namespace == found.id && it.name == name);
    let service = service.ok_or_else(|| AwsError::new("ServiceNotFound", format!("Service not found: {name}")))?;
    let any_healthy = service.instances.values().any(|instance| instance.healthy);
    let asked = input::text(&call.input, "HealthStatus").unwrap_or("HEALTHY_OR_ELSE_ALL");
    let pairs = input::object(&call.input, "QueryParameters");
    let wanted = |instance: &Instance| {
        let fits = match asked {
            "HEALTHY" => instance.healthy,
            "UNHEALTHY" => !instance.healthy,
            "ALL" => true,
            _ => instance.healthy || !any_healthy,
        };
        let has =
            |(name, value): (&String, &Value)| instance.attributes.get(name).map(String::as_str) == value.as_str();
        fits && pairs.into_iter().flatten().all(has)
    };
    let most = input::integer(&call.input, "MaxResults").and_then(|it| usize::try_from(it).ok()).unwrap_or(100);
    let instances = service.instances.iter().filter(|(_, instance)| wanted(instance)).take(most);
    let view = |(id, instance): (&String, &Instance)| {
        json!({
            "InstanceId": id, "NamespaceName": namespace, "ServiceName": name, "HealthStatus": word(instance),
            "Attributes": instance.attributes,
        })
    };
    Ok(json!({"Instances": instances.map(view).collect::<Vec<_>>(), "InstancesRevision": state.revision}))
}
