//! Service Connect of a service: what it offers in a namespace, and whom its tasks find there.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    find::invalid,
    state::{Service, ServiceStatus},
};
use crate::{
    AwsError, Cloud,
    input::{flag, has, integer, list, text},
    services::servicediscovery::{self, Namespace},
    tasks::{Connect, Endpoint, NetworkMode, Plan, PortPlan, Served, Task},
};

/// How long the proxy waits for an answer unless `timeout.perRequestTimeoutSeconds` says otherwise (API reference, TimeoutConfiguration).
const PATIENCE: u64 = 15;

/// One entry of `serviceConnectConfiguration.services`, read.
struct Offer {
    discovery_name: String,
    dns_name: String,
    alias_port: Option<u16>,
    port: u16,
    patience: Option<Duration>,
}

/// The configuration of a revision, where it is on.
fn configuration(revision: &Map<String, Value>) -> Option<&Value> {
    revision.get("serviceConnectConfiguration").filter(|it| flag(it, "enabled") == Some(true))
}

/// A revision's configuration fits its task definition and its namespace.
///
/// # Errors
/// `InvalidParameterException`, `NamespaceNotFoundException`; `UnsupportedFeatureException` for what is not modelled.
pub(super) fn check(
    cloud: &Cloud,
    cluster: &str,
    service: Option<&str>,
    plan: &Plan,
    revision: &Map<String, Value>,
) -> Result<(), AwsError> {
    let Some(configuration) = configuration(revision) else { return Ok(()) };
    refuse_unknown(configuration)?;
    match plan.network {
        NetworkMode::AwsVpc => {}
        NetworkMode::Bridge => return Err(unsupported("Service Connect in the network mode bridge")),
        NetworkMode::Host | NetworkMode::None => {
            return Err(invalid("Service Connect supports the network modes awsvpc and bridge only."));
        }
    }
    let namespace = namespace(cloud, cluster, configuration)?;
    for offer in offers(plan, configuration, &namespace.name)? {
        let taken = holder(cloud, &namespace.id, &offer.discovery_name);
        if taken.is_some_and(|holder| Some(holder) != service) {
            let name = offer.discovery_name;
            return Err(invalid(format!(
                "The discoveryName {name} is already in use in the namespace {}.",
                namespace.name
            )));
        }
    }
    Ok(())
}

fn unsupported(what: &str) -> AwsError {
    AwsError::new("UnsupportedFeatureException", format!("the breakfix simulator does not model {what}"))
}

fn refuse_unknown(configuration: &Value) -> Result<(), AwsError> {
    for member in ["logConfiguration", "accessLogConfiguration"] {
        if has(configuration, member) {
            return Err(unsupported(&format!(
                "logs of Service Connect's proxy (serviceConnectConfiguration.{member})"
            )));
        }
    }
    for service in list(configuration, "services") {
        if has(service, "tls") {
            return Err(unsupported("TLS of Service Connect (serviceConnectConfiguration.services[].tls)"));
        }
        if list(service, "clientAliases").iter().any(|it| has(it, "testTrafficRules")) {
            return Err(unsupported(
                "test traffic (serviceConnectConfiguration.services[].clientAliases[].testTrafficRules)",
            ));
        }
    }
    Ok(())
}

/// The namespace that a configuration names, or the cluster's own.
fn namespace<'a>(cloud: &'a Cloud, cluster: &'a str, configuration: &'a Value) -> Result<&'a Namespace, AwsError> {
    let of_cluster = || cloud.ecs.clusters.get(cluster).and_then(|it| it.connect_namespace.as_deref());
    let Some(name) = text(configuration, "namespace").filter(|it| !it.is_empty()).or_else(of_cluster) else {
        return Err(invalid(
            "A namespace is required for Service Connect: specify one, or set a default namespace for the cluster.",
        ));
    };
    servicediscovery::namespace_named(cloud, name).ok_or_else(|| {
        AwsError::new("NamespaceNotFoundException", format!("The specified namespace wasn't found: {name}"))
    })
}

/// The entries of `services`, with their defaults: the discovery name is the port's, the alias is `discoveryName.namespace`.
fn offers(plan: &Plan, configuration: &Value, namespace: &str) -> Result<Vec<Offer>, AwsError> {
    let named = |name: &str| -> Option<&PortPlan> {
        plan.containers.iter().flat_map(|it| &it.ports).find(|it| it.name.as_deref() == Some(name))
    };
    let offer = |service: &Value| {
        let port_name = text(service, "portName").unwrap_or_default();
        let Some(port) = named(port_name) else {
            return Err(invalid(format!("The portName {port_name} does not exist in the task definition.")));
        };
        let aliases = list(service, "clientAliases");
        if aliases.len() > 1 {
            return Err(invalid("clientAliases can have at most 1 item."));
        }
        let discovery_name = text(service, "discoveryName").unwrap_or(port_name).to_owned();
        let alias = aliases.first();
        let number = |value: Option<i64>| value.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        let alias_port = number(alias.and_then(|it| integer(it, "port")));
        if alias.is_some() && alias_port.is_none() {
            return Err(invalid("The port of a client alias must be between 1 and 65535."));
        }
        let dns_name = alias.and_then(|it| text(it, "dnsName")).map(str::to_ascii_lowercase);
        let timeout = service.get("timeout").and_then(|it| integer(it, "perRequestTimeoutSeconds"));
        let seconds = timeout.and_then(|it| u64::try_from(it).ok()).unwrap_or(PATIENCE);
        // Zero: it waits for ever.
        let patience = if seconds == 0 { Duration::MAX } else { Duration::from_secs(seconds) };
        Ok(Offer {
            dns_name: dns_name.unwrap_or_else(|| format!("{discovery_name}.{namespace}")),
            discovery_name,
            alias_port,
            port: number(integer(service, "ingressPortOverride")).unwrap_or(port.container),
            patience: port.is_http.then_some(patience),
        })
    };
    list(configuration, "services").iter().map(offer).collect()
}

/// The service (ARN) that offers a discovery name in a namespace.
fn holder<'a>(cloud: &'a Cloud, namespace: &str, discovery_name: &str) -> Option<&'a str> {
    let known = cloud.servicediscovery.services.values();
    let known = known.filter(|it| it.namespace == namespace).find(|it| it.name == discovery_name)?;
    let holds = |it: &&Service| it.status != ServiceStatus::Inactive && it.discoveries.contains(&known.id);
    // A Cloud Map service that somebody else made stands in the way too: nobody's ARN is empty.
    Some(cloud.ecs.services.values().find(holds).map_or("", |it| it.arn.as_str()))
}

/// What Service Connect is to the tasks of a deployment that begins now: makes what is missing in Cloud Map, and takes down the endpoints that
/// the namespace has at this moment. Later ones are for later deployments.
pub(super) fn begin(cloud: &mut Cloud, service_arn: &str) -> Connect {
    let Some(service) = cloud.ecs.services.get(service_arn) else { return Connect::default() };
    let (cluster, revision) = (service.cluster.clone(), service.revision.clone());
    let Some(found) = configuration(&revision) else { return Connect::default() };
    let Ok(Namespace { id: namespace_id, name, .. }) = namespace(cloud, &cluster, found).cloned() else {
        return Connect::default();
    };
    let mut serves = Vec::new();
    for offer in offered(cloud, &revision, &name) {
        let discovery = servicediscovery::ensure(cloud, &namespace_id, &offer.discovery_name);
        if let Some(service) = cloud.ecs.services.get_mut(service_arn)
            && !service.discoveries.contains(&discovery)
        {
            service.discoveries.push(discovery.clone());
        }
        serves.push(Served { discovery, port: offer.port });
    }
    Connect { serves, endpoints: endpoints(cloud, &namespace_id) }
}

fn offered(cloud: &Cloud, revision: &Map<String, Value>, namespace: &str) -> Vec<Offer> {
    let named = revision.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
    let Some(definition) = super::find::definition(&cloud.ecs, named) else { return Vec::new() };
    let plan = super::task_calls::plan(cloud, definition, &Value::Null);
    configuration(revision).and_then(|it| offers(&plan, it, namespace).ok()).unwrap_or_default()
}

/// Every endpoint of a namespace, by name.
fn endpoints(cloud: &Cloud, namespace_id: &str) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for service in cloud.ecs.services.values().filter(|it| it.status == ServiceStatus::Active) {
        let Some(configuration) = configuration(&service.revision) else { continue };
        let Ok(namespace) = namespace(cloud, &service.cluster, configuration) else { continue };
        if namespace.id != namespace_id {
            continue;
        }
        for offer in offered(cloud, &service.revision, &namespace.name) {
            let known = cloud.servicediscovery.services.values();
            let discovery = known.filter(|it| it.namespace == namespace_id).find(|it| it.name == offer.discovery_name);
            if let (Some(port), Some(discovery)) = (offer.alias_port, discovery) {
                let discovery = discovery.id.clone();
                found.push(Endpoint { name: offer.dns_name, port, discovery, patience: offer.patience });
            }
        }
    }
    found.sort_by(|one, other| (&one.name, one.port).cmp(&(&other.name, other.port)));
    found
}

/// `serviceConnectResources` of a deployment.
pub(super) fn resources(cloud: &Cloud, connect: &Connect) -> Option<Value> {
    let known = connect.serves.iter().filter_map(|it| cloud.servicediscovery.services.get(&it.discovery));
    let list: Vec<Value> = known.map(|it| json!({"discoveryName": it.name, "discoveryArn": it.arn})).collect();
    (!list.is_empty()).then_some(Value::Array(list))
}

/// A service that is over leaves no names behind.
pub(super) fn end(cloud: &mut Cloud, service_arn: &str) {
    let Some(service) = cloud.ecs.services.get_mut(service_arn) else { return };
    for id in std::mem::take(&mut service.discoveries) {
        if cloud.servicediscovery.services.get(&id).is_some_and(|it| it.instances.is_empty()) {
            cloud.servicediscovery.services.remove(&id);
        }
    }
}

/// The instances that a task is in Cloud Map: id of the service, and what is told of its port.
pub(super) fn instances(task: &Task) -> Vec<(String, BTreeMap<String, String>)> {
    let instance =
        |it: &Served| (it.discovery.clone(), BTreeMap::from([("AWS_INSTANCE_PORT".to_owned(), it.port.to_string())]));
    task.connect.serves.iter().map(instance).collect()
}

/// The default namespace of a cluster, by its ARN: one of that name is made where there is none (API reference,
/// ClusterServiceConnectDefaultsRequest). None for an empty name, which takes the default away.
pub(super) fn default_namespace(cloud: &mut Cloud, name: &str) -> Result<Option<String>, AwsError> {
    if name.is_empty() {
        return Ok(None);
    }
    if let Some(found) = servicediscovery::namespace_named(cloud, name) {
        return Ok(Some(found.arn.clone()));
    }
    if name.starts_with("arn:") {
        let sentence = format!("The specified namespace wasn't found: {name}");
        return Err(AwsError::new("NamespaceNotFoundException", sentence));
    }
    Ok(Some(servicediscovery::make_http(cloud, name)))
}
