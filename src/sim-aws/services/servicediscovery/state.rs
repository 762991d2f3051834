//! What Cloud Map keeps: namespaces, services, instances. What the real one does in operations that take a while is done at once here.

use std::{collections::BTreeMap, net::Ipv4Addr};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

use super::words;
use crate::Cloud;

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By id: `ns-…`.
    pub namespaces: BTreeMap<String, Namespace>,
    /// By id: `srv-…`.
    pub services: BTreeMap<String, Service>,
    /// By id.
    pub operations: BTreeMap<String, Operation>,
    /// Counts registrations; DiscoverInstances tells it.
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Namespace {
    pub id: String,
    pub arn: String,
    /// `shop.internal`.
    pub name: String,
    /// `DNS_PRIVATE` or `HTTP`.
    pub kind: String,
    /// Of a private one: where its names can be resolved.
    pub vpc: Option<String>,
    pub zone: Option<String>,
    pub description: Option<String>,
    pub created: SimTime,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub id: String,
    pub arn: String,
    pub name: String,
    pub namespace: String,
    pub description: Option<String>,
    /// Types and times to live in seconds: `("A", 10)`. Empty: found by DiscoverInstances alone.
    pub records: Vec<(String, u64)>,
    /// `MULTIVALUE` or `WEIGHTED`.
    pub routing: String,
    /// Failure threshold, where whoever registers reports health himself (ECS does).
    pub custom_health: Option<u64>,
    pub created: SimTime,
    pub tags: BTreeMap<String, String>,
    /// By id.
    pub instances: BTreeMap<String, Instance>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub attributes: BTreeMap<String, String>,
    pub healthy: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// `CREATE_NAMESPACE`, `REGISTER_INSTANCE` …
    pub kind: String,
    /// `NAMESPACE` → id.
    pub targets: BTreeMap<String, String>,
    pub at: SimTime,
}

impl State {
    /// By id or ARN.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name.rsplit('/').next().unwrap_or(name))
    }
}

/// A namespace by its name, its id or its ARN.
pub fn namespace_named<'a>(cloud: &'a Cloud, name: &str) -> Option<&'a Namespace> {
    let namespaces = &cloud.servicediscovery.namespaces;
    let by_id = namespaces.get(name.rsplit('/').next().unwrap_or(name));
    by_id.or_else(|| namespaces.values().find(|it| it.name == name))
}

/// Makes an HTTP namespace, as ECS does for a cluster that names one that does not exist. Returns its ARN.
pub fn make_http(cloud: &mut Cloud, name: &str) -> String {
    let id = words::new_id(cloud, "ns-");
    let namespace = Namespace {
        arn: words::arn(cloud, &format!("namespace/{id}")),
        id: id.clone(),
        name: name.to_owned(),
        kind: "HTTP".to_owned(),
        vpc: None,
        zone: None,
        description: None,
        created: cloud.now(),
        tags: BTreeMap::new(),
    };
    let arn = namespace.arn.clone();
    cloud.servicediscovery.namespaces.insert(id, namespace);
    arn
}

/// The service of this name in a namespace, made where there is none: without records, as ECS makes them for Service Connect. Returns its id.
pub fn ensure(cloud: &mut Cloud, namespace: &str, name: &str) -> String {
    let mut known = cloud.servicediscovery.services.values();
    if let Some(known) = known.find(|it| it.namespace == namespace && it.name == name) {
        return known.id.clone();
    }
    let id = words::new_id(cloud, "srv-");
    let service = Service {
        arn: words::arn(cloud, &format!("service/{id}")),
        id: id.clone(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        description: None,
        records: Vec::new(),
        routing: "MULTIVALUE".to_owned(),
        custom_health: None,
        created: cloud.now(),
        tags: BTreeMap::new(),
        instances: BTreeMap::new(),
    };
    cloud.servicediscovery.services.insert(id.clone(), service);
    id
}

/// Registers an instance, as ECS does for a task of a service with `serviceRegistries`. One of the same id is replaced.
/// False: there is no such service.
pub fn register(cloud: &mut Cloud, service: &str, id: &str, attributes: BTreeMap<String, String>) -> bool {
    let id_of_service = service.rsplit('/').next().unwrap_or(service);
    let Some(found) = cloud.servicediscovery.services.get_mut(id_of_service) else { return false };
    let healthy = attributes.get("AWS_INIT_HEALTH_STATUS").is_none_or(|status| status != "UNHEALTHY");
    found.instances.insert(id.to_owned(), Instance { attributes, healthy });
    cloud.servicediscovery.revision += 1;
    true
}

/// Takes an instance out. False: there was none.
pub fn deregister(cloud: &mut Cloud, service: &str, id: &str) -> bool {
    let id_of_service = service.rsplit('/').next().unwrap_or(service);
    let found = cloud.servicediscovery.services.get_mut(id_of_service).and_then(|it| it.instances.remove(id));
    cloud.servicediscovery.revision += u64::from(found.is_some());
    found.is_some()
}

/// Sets the health of an instance whose service has `HealthCheckCustomConfig`. False: there is none such.
pub fn set_health(cloud: &mut Cloud, service: &str, id: &str, healthy: bool) -> bool {
    let id_of_service = service.rsplit('/').next().unwrap_or(service);
    let service = cloud.servicediscovery.services.get_mut(id_of_service).filter(|it| it.custom_health.is_some());
    let Some(instance) = service.and_then(|it| it.instances.get_mut(id)) else { return false };
    instance.healthy = healthy;
    true
}

/// The addresses of `SERVICE.NAMESPACE` for who asks inside a VPC: at most eight of the healthy ones, of all where none is healthy
/// (Cloud Map developer guide, "Services": routing policy MULTIVALUE). None: no such name, which is also so while it has no instances.
pub fn resolve(cloud: &Cloud, vpc_id: &str, name: &str) -> Option<Vec<Ipv4Addr>> {
    let state = &cloud.servicediscovery;
    let of_vpc = |namespace: &&Namespace| namespace.vpc.as_deref() == Some(vpc_id);
    state.namespaces.values().filter(of_vpc).find_map(|namespace| {
        let label = name.strip_suffix(&namespace.name.to_ascii_lowercase())?.strip_suffix('.')?;
        let service = state.services.values().find(|service| {
            service.namespace == namespace.id
                && service.name.eq_ignore_ascii_case(label)
                && service.records.iter().any(|(kind, _)| kind == "A" || kind == "SRV")
        })?;
        let healthy = service.instances.values().any(|instance| instance.healthy);
        let wanted = service.instances.values().filter(|instance| instance.healthy || !healthy);
        let addresses = wanted.filter_map(|instance| instance.attributes.get("AWS_INSTANCE_IPV4")?.parse().ok());
        let most = if service.routing == "WEIGHTED" { 1 } else { 8 };
        let addresses = addresses.take(most).collect::<Vec<_>>();
        (!addresses.is_empty()).then_some(addresses)
    })
}
