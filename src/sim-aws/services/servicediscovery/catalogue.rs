//! Namespaces and services.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    PAGES,
    state::{Namespace, Operation, Service},
    words,
};
use crate::{AwsError, Call, Cloud, input, moment};

/// CreatePrivateDnsNamespace and CreateHttpNamespace.
pub fn create_namespace(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "Name")?;
    let private = call.operation == "CreatePrivateDnsNamespace";
    let vpc = if private { Some(input::required(call, "Vpc")?.to_owned()) } else { None };
    let kind = if private { "DNS_PRIVATE" } else { "HTTP" };
    let same = |other: &&Namespace| other.name == name && other.kind == kind && other.vpc == vpc;
    if let Some(other) = cloud.servicediscovery.namespaces.values().find(same) {
        let mut error = AwsError::new("NamespaceAlreadyExists", format!("Namespace with name {name} already exists"));
        error.more.insert("NamespaceId".to_owned(), json!(other.id));
        return Err(error);
    }
    if let Some(vpc) = vpc.as_ref().filter(|vpc| !cloud.ec2.vpcs.contains_key(*vpc)) {
        return Err(AwsError::new("InvalidInput", format!("The VPC {vpc} does not exist in the Region")));
    }
    let id = words::new_id(cloud, "ns-");
    let zone = private.then(|| format!("Z{}", cloud.chance.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 20)));
    let namespace = Namespace {
        arn: words::arn(cloud, &format!("namespace/{id}")),
        id: id.clone(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        vpc,
        zone,
        description: input::text(&call.input, "Description").map(str::to_owned),
        created: cloud.now(),
        tags: words::tags(&call.input),
    };
    cloud.servicediscovery.namespaces.insert(id.clone(), namespace);
    Ok(words::done(cloud, "CREATE_NAMESPACE", &[("NAMESPACE", &id)]))
}

pub fn get_namespace(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let found = words::namespace(cloud, input::required(call, "Id")?)?;
    Ok(json!({"Namespace": namespace_view(cloud, found)}))
}

fn namespace_view(cloud: &Cloud, namespace: &Namespace) -> Value {
    let services = cloud.servicediscovery.services.values().filter(|it| it.namespace == namespace.id).count();
    let mut view = json!({
        "Id": namespace.id, "Arn": namespace.arn, "Name": namespace.name, "Type": namespace.kind, "ServiceCount": services,
        "CreateDate": moment::of(cloud, namespace.created),
        "Properties": {"HttpProperties": {"HttpName": namespace.name}},
    });
    if let Some(zone) = &namespace.zone {
        view["Properties"]["DnsProperties"] = json!({"HostedZoneId": zone, "SOA": {"TTL": 15}});
    }
    if let Some(description) = &namespace.description {
        view["Description"] = json!(description);
    }
    view
}

/// Every filter has a name, a condition (`EQ` unless told) and values.
fn passes(request: &Value, name: &str, actual: &str) -> bool {
    let filters = input::list(request, "Filters").iter().filter(|filter| input::text(filter, "Name") == Some(name));
    filters.into_iter().all(|filter| {
        let begins = input::text(filter, "Condition") == Some("BEGINS_WITH");
        input::texts(filter, "Values").into_iter().any(|it| if begins { actual.starts_with(it) } else { actual == it })
    })
}

pub fn list_namespaces(cloud: &Cloud, call: &Call) -> Value {
    let wanted = |it: &&Namespace| passes(&call.input, "NAME", &it.name) && passes(&call.input, "TYPE", &it.kind);
    let views = cloud.servicediscovery.namespaces.values().filter(wanted).map(|it| namespace_view(cloud, it)).collect();
    PAGES.answer(&call.input, "Namespaces", views)
}

pub fn delete_namespace(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = words::namespace(cloud, input::required(call, "Id")?)?.id.clone();
    if cloud.servicediscovery.services.values().any(|service| service.namespace == id) {
        let sentence =
            format!("The namespace {id} contains services; delete the services before deleting the namespace");
        return Err(AwsError::new("ResourceInUse", sentence));
    }
    cloud.servicediscovery.namespaces.remove(&id);
    Ok(words::done(cloud, "DELETE_NAMESPACE", &[("NAMESPACE", &id)]))
}

pub fn create_service(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "Name")?;
    let dns = call.input.get("DnsConfig").unwrap_or(&Value::Null);
    let wish = input::text(&call.input, "NamespaceId").or_else(|| input::text(dns, "NamespaceId"));
    let namespace = words::namespace(cloud, wish.ok_or_else(|| input::missing("servicediscovery", "namespaceId"))?)?;
    let (namespace_id, private) = (namespace.id.clone(), namespace.zone.is_some());
    let records = records(dns);
    if !records.is_empty() && !private {
        let sentence = "DnsConfig can't be specified for a service in an HTTP namespace";
        return Err(AwsError::new("InvalidInput", sentence));
    }
    let same = |other: &&Service| other.namespace == namespace_id && other.name.eq_ignore_ascii_case(name);
    if let Some(other) = cloud.servicediscovery.services.values().find(same) {
        let mut error = AwsError::new("ServiceAlreadyExists", format!("Service with name {name} already exists"));
        error.more.insert("ServiceId".to_owned(), json!(other.id));
        return Err(error);
    }
    let custom = call.input.get("HealthCheckCustomConfig").filter(|it| it.is_object());
    let threshold =
        custom.map(|it| input::integer(it, "FailureThreshold").and_then(|it| u64::try_from(it).ok()).unwrap_or(1));
    let id = words::new_id(cloud, "srv-");
    let service = Service {
        arn: words::arn(cloud, &format!("service/{id}")),
        id: id.clone(),
        name: name.to_owned(),
        namespace: namespace_id,
        description: input::text(&call.input, "Description").map(str::to_owned),
        records,
        routing: input::text(dns, "RoutingPolicy").unwrap_or("MULTIVALUE").to_owned(),
        custom_health: threshold,
        created: cloud.now(),
        tags: words::tags(&call.input),
        instances: BTreeMap::new(),
    };
    let view = service_view(cloud, &service);
    cloud.servicediscovery.services.insert(id, service);
    Ok(json!({"Service": view}))
}

fn records(dns: &Value) -> Vec<(String, u64)> {
    let record = |it: &Value| {
        let ttl = input::integer(it, "TTL").and_then(|ttl| u64::try_from(ttl).ok()).unwrap_or(60);
        Some((input::text(it, "Type")?.to_owned(), ttl))
    };
    input::list(dns, "DnsRecords").iter().filter_map(record).collect()
}

fn service_view(cloud: &Cloud, service: &Service) -> Value {
    let mut view = json!({
        "Id": service.id, "Arn": service.arn, "Name": service.name, "NamespaceId": service.namespace,
        "InstanceCount": service.instances.len(), "CreateDate": moment::of(cloud, service.created),
        "Type": if service.records.is_empty() { "HTTP" } else { "DNS_HTTP" },
    });
    if !service.records.is_empty() {
        let records = service.records.iter().map(|(kind, ttl)| json!({"Type": kind, "TTL": ttl})).collect::<Vec<_>>();
        view["DnsConfig"] =
            json!({"NamespaceId": service.namespace, "RoutingPolicy": service.routing, "DnsRecords": records});
    }
    if let Some(threshold) = service.custom_health {
        view["HealthCheckCustomConfig"] = json!({"FailureThreshold": threshold});
    }
    if let Some(description) = &service.description {
        view["Description"] = json!(description);
    }
    view
}

pub fn get_service(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"Service": service_view(cloud, words::service(cloud, call, "Id")?)}))
}

pub fn list_services(cloud: &Cloud, call: &Call) -> Value {
    let wanted = |it: &&Service| passes(&call.input, "NAMESPACE_ID", &it.namespace);
    let view = |service: &Service| {
        let mut view = service_view(cloud, service);
        if let Some(members) = view.as_object_mut() {
            members.remove("NamespaceId");
        }
        view
    };
    PAGES.answer(&call.input, "Services", cloud.servicediscovery.services.values().filter(wanted).map(view).collect())
}

/// Description, records and their times to live.
pub fn update_service(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let change = call.input.get("Service").unwrap_or(&Value::Null);
    let service = words::service_mut(cloud, call, "Id")?;
    if let Some(description) = input::text(change, "Description") {
        service.description = Some(description.to_owned());
    }
    if let Some(dns) = change.get("DnsConfig") {
        service.records = records(dns);
    }
    let id = service.id.clone();
    Ok(words::done(cloud, "UPDATE_SERVICE", &[("SERVICE", &id)]))
}

pub fn delete_service(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let service = words::service(cloud, call, "Id")?;
    if !service.instances.is_empty() {
        let sentence = format!(
            "Service contains registered instances; delete the instances before deleting the service: {}",
            service.id
        );
        return Err(AwsError::new("ResourceInUse", sentence));
    }
    let id = service.id.clone();
    cloud.servicediscovery.services.remove(&id);
    Ok(json!({}))
}

pub fn get_operation(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = input::required(call, "OperationId")?;
    let Operation { kind, targets, at } = cloud
        .servicediscovery
        .operations
        .get(id)
        .ok_or_else(|| AwsError::new("OperationNotFound", format!("Operation not found: {id}")))?;
    Ok(json!({"Operation": {
        "Id": id, "Type": kind, "Status": "SUCCESS", "CreateDate": moment::of(cloud, *at), "UpdateDate": moment::of(cloud, *at),
        "Targets": targets,
    }}))
}

/// TagResource, UntagResource, ListTagsForResource.
pub fn tagging(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "ResourceARN")?;
    let more = words::tags(&call.input);
    let state = &mut cloud.servicediscovery;
    let id = arn.rsplit('/').next().unwrap_or(arn);
    let tags = match (state.namespaces.get_mut(id), state.services.get_mut(id)) {
        (Some(namespace), _) => &mut namespace.tags,
        (None, Some(service)) => &mut service.tags,
        (None, None) => return Err(AwsError::new("ResourceNotFoundException", format!("Resource not found: {arn}"))),
    };
    match call.operation.as_str() {
        "TagResource" => tags.extend(more),
        "UntagResource" => {
            for key in input::texts(&call.input, "TagKeys") {
                tags.remove(key);
            }
        }
        _ => {
            let list = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>();
            return Ok(json!({"Tags": list}));
        }
    }
    Ok(json!({}))
}
