//! VPC endpoints: ways to AWS services that need no internet.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Ec2Event, State,
    error::{missing_one_of, no_such},
    group::{self, SecurityGroup},
    interface::{self, PartOf, delete_interface},
    prefix_list,
    resource::{Resource, describe_one, find, new_id, tag_new},
    route_table::{Reach, Route, RouteTable, Via},
    subnet::Subnet,
    vpc::Vpc,
};
use crate::{AwsError, Cloud, event::Event, input, moment, network::InterfaceId};

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub vpc_id: String,
    /// `com.amazonaws.eu-central-1.ecr.api`.
    pub service: String,
    pub kind: EndpointKind,
    /// Whether the service's own name leads here for the whole VPC.
    pub private_dns: bool,
    pub policy: Option<String>,
    pub state: EndpointState,
    pub created: SimTime,
    /// Of a gateway endpoint.
    pub route_tables: Vec<String>,
    /// Of an interface endpoint: the interface in each subnet.
    pub subnets: BTreeMap<String, String>,
    pub groups: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointKind {
    Gateway,
    Interface,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointState {
    Pending,
    Available,
    Deleting,
}

/// How long an interface endpoint takes to come up, and to go.
const COMES: Duration = Duration::from_secs(60);
const GOES: Duration = Duration::from_secs(30);

/// Last parts of the names of services that have interface endpoints; `s3` has a gateway too.
const SERVICES: &[&str] = &[
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "elasticfilesystem",
    "kms",
    "logs",
    "monitoring",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "ssm",
    "ssmmessages",
    "sts",
];

const FULL_ACCESS: &str =
    "{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"*\"}]}";

impl Resource for Endpoint {
    const IDS: &'static str = "VpcEndpointIds";
    const SET: &'static str = "VpcEndpoints";
    const TYPE: &'static str = "vpc-endpoint";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("vpc-endpoint-id", "VpcEndpointId"),
        ("vpc-id", "VpcId"),
        ("service-name", "ServiceName"),
        ("vpc-endpoint-state", "State"),
        ("vpc-endpoint-type", "VpcEndpointType"),
        ("ip-address-type", "IpAddressType"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.endpoints
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let groups = group::borne(&self.groups, cloud);
        let (region, last) = (&cloud.config.region, self.service_word());
        let mut names = Vec::new();
        if self.kind == EndpointKind::Interface {
            names.push(json!({"DnsName": format!("{id}.{last}.{region}.vpce.amazonaws.com")}));
            if self.private_dns {
                names.push(json!({"DnsName": format!("{last}.{region}.amazonaws.com")}));
            }
        }
        json!({
            "VpcEndpointId": id,
            "VpcEndpointType": self.kind,
            "VpcId": self.vpc_id,
            "ServiceName": self.service,
            "State": self.state,
            "PolicyDocument": self.policy.as_deref().unwrap_or(FULL_ACCESS),
            "RouteTableIds": self.route_tables,
            "SubnetIds": self.subnets.keys().collect::<Vec<_>>(),
            "Groups": groups,
            "IpAddressType": "ipv4",
            "PrivateDnsEnabled": self.private_dns,
            "RequesterManaged": false,
            "NetworkInterfaceIds": self.subnets.values().collect::<Vec<_>>(),
            "DnsEntries": names,
            "CreationTimestamp": moment::of(cloud, self.created),
            "OwnerId": cloud.config.account,
        })
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidVpcEndpointId.NotFound", "Vpc Endpoint", id)
    }
}

impl Endpoint {
    /// `ecr.api`.
    fn service_word(&self) -> &str {
        self.service.splitn(4, '.').last().unwrap_or_default()
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

/// `CreateVpcEndpoint`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let vpc_id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?;
    find::<Vpc>(cloud, vpc_id)?;
    let service = input::text(request, "ServiceName").ok_or_else(|| missing_one_of("serviceName"))?;
    let kind = match input::text(request, "VpcEndpointType").unwrap_or("Gateway") {
        "Gateway" => EndpointKind::Gateway,
        "Interface" => EndpointKind::Interface,
        other => return Err(AwsError::not_simulated("ec2", &format!("CreateVpcEndpoint of type {other}"))),
    };
    let word = service.strip_prefix(&format!("com.amazonaws.{}.", cloud.config.region)).unwrap_or_default();
    if !SERVICES.contains(&word) {
        let text = format!("The Vpc Endpoint Service '{service}' does not exist");
        return Err(AwsError::new("InvalidServiceName", text));
    }
    if kind == EndpointKind::Gateway && word != "s3" {
        let text =
            format!("Endpoint type (Gateway) does not match available service types ([Interface]) of {service}.");
        return Err(AwsError::new("InvalidParameter", text));
    }
    let is_interface = kind == EndpointKind::Interface;
    let private_dns = is_interface && input::flag(request, "PrivateDnsEnabled").unwrap_or(word != "s3");
    if private_dns {
        may_have_private_dns(cloud, vpc_id, service, None)?;
    }
    let id = new_id(cloud, "vpce");
    let state = if is_interface { EndpointState::Pending } else { EndpointState::Available };
    let groups = if is_interface { group::default_of(cloud, vpc_id) } else { Vec::new() };
    let endpoint = Endpoint {
        vpc_id: vpc_id.to_owned(),
        service: service.to_owned(),
        kind,
        private_dns,
        policy: input::text(request, "PolicyDocument").map(str::to_owned),
        state,
        created: cloud.now(),
        route_tables: Vec::new(),
        subnets: BTreeMap::new(),
        groups,
    };
    let mut change = Change {
        add_tables: owned(input::texts(request, "RouteTableIds")),
        add_subnets: owned(input::texts(request, "SubnetIds")),
        ..Change::default()
    };
    let groups = owned(input::texts(request, "SecurityGroupIds"));
    if !groups.is_empty() {
        change.remove_groups.clone_from(&endpoint.groups);
        change.add_groups = groups;
    }
    check(cloud, &endpoint, &change)?;
    cloud.ec2.endpoints.insert(id.clone(), endpoint);
    if let Err(refusal) = apply(cloud, &id, &change) {
        remove(cloud, &id);
        return Err(refusal);
    }
    tag_new(cloud, request, Endpoint::TYPE, &id);
    if is_interface {
        cloud.after(COMES, Event::Ec2(Ec2Event::Endpoint(id.clone())));
    }
    Ok(json!({"VpcEndpoint": describe_one::<Endpoint>(cloud, &id)?}))
}

/// Private names need the VPC's own resolver, and nobody else's claim on the name.
fn may_have_private_dns(cloud: &Cloud, vpc_id: &str, service: &str, own: Option<&str>) -> Result<(), AwsError> {
    let vpc = find::<Vpc>(cloud, vpc_id)?;
    if !(vpc.dns_support && vpc.dns_hostnames) {
        let text = format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc_id}"
        );
        return Err(AwsError::new("InvalidParameter", text));
    }
    let rival = |(id, it): (&String, &Endpoint)| {
        own != Some(id.as_str()) && it.vpc_id == vpc_id && it.service == service && it.private_dns
    };
    if cloud.ec2.endpoints.iter().any(rival) {
        let word = service.splitn(4, '.').last().unwrap_or_default();
        let text = format!(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for \
             {word}.{}.amazonaws.com in the VPC {vpc_id}",
            cloud.config.region
        );
        return Err(AwsError::new("InvalidParameter", text));
    }
    Ok(())
}

/// What is to be added to an endpoint and taken from it.
#[derive(Default)]
struct Change {
    add_tables: Vec<String>,
    remove_tables: Vec<String>,
    add_subnets: Vec<String>,
    remove_subnets: Vec<String>,
    add_groups: Vec<String>,
    remove_groups: Vec<String>,
}

fn check(cloud: &Cloud, endpoint: &Endpoint, change: &Change) -> Result<(), AwsError> {
    let foreign = |what: &str, id: &str| {
        let text = format!("{what} {id} and VPC {} belong to different networks", endpoint.vpc_id);
        AwsError::new("InvalidParameter", text)
    };
    for id in &change.add_tables {
        let table = find::<RouteTable>(cloud, id)?;
        if table.vpc_id != endpoint.vpc_id {
            return Err(foreign("Route table", id));
        }
        let to = Reach::PrefixList(prefix_list::S3.to_owned());
        if table.routes.iter().any(|it| it.to == to) && !endpoint.route_tables.contains(id) {
            let text =
                format!("route table {id} already has a route with destination-prefix-list-id {}", prefix_list::S3);
            return Err(AwsError::new("RouteAlreadyExists", text));
        }
    }
    let mut zones: Vec<&str> = Vec::new();
    for id in endpoint.subnets.keys().filter(|id| !change.remove_subnets.contains(id)).chain(&change.add_subnets) {
        let subnet = find::<Subnet>(cloud, id)?;
        if subnet.vpc_id != endpoint.vpc_id {
            return Err(foreign("Subnet", id));
        }
        if zones.contains(&subnet.zone.as_str()) && !endpoint.subnets.contains_key(id) {
            let text = format!("Found another VPC endpoint subnet in the availability zone of {id}.");
            return Err(AwsError::new("DuplicateSubnetsInSameZone", text));
        }
        zones.push(&subnet.zone);
    }
    for id in &change.add_groups {
        if find::<SecurityGroup>(cloud, id)?.vpc_id != endpoint.vpc_id {
            return Err(foreign("Security group", id));
        }
    }
    Ok(())
}

fn apply(cloud: &mut Cloud, id: &str, change: &Change) -> Result<(), AwsError> {
    let route = || Route { to: Reach::PrefixList(prefix_list::S3.to_owned()), via: Via::Endpoint(id.to_owned()) };
    for table_id in &change.remove_tables {
        if let Some(table) = cloud.ec2.route_tables.get_mut(table_id) {
            table.routes.retain(|it| it.via != Via::Endpoint(id.to_owned()));
        }
    }
    for table_id in &change.add_tables {
        if let Some(table) = cloud.ec2.route_tables.get_mut(table_id)
            && !table.routes.contains(&route())
        {
            table.routes.push(route());
        }
    }
    let Some(endpoint) = cloud.ec2.endpoints.get_mut(id) else { return Err(Endpoint::absent(id)) };
    endpoint.route_tables.retain(|it| !change.remove_tables.contains(it));
    endpoint.groups.retain(|it| !change.remove_groups.contains(it));
    for (list, new) in [(&mut endpoint.route_tables, &change.add_tables), (&mut endpoint.groups, &change.add_groups)] {
        for it in new {
            if !list.contains(it) {
                list.push(it.clone());
            }
        }
    }
    let groups = endpoint.groups.clone();
    let mut gone = Vec::new();
    for subnet in &change.remove_subnets {
        gone.extend(endpoint.subnets.remove(subnet));
    }
    let held: Vec<String> = endpoint.subnets.keys().cloned().collect();
    for interface in gone {
        delete_interface(cloud, &InterfaceId(interface));
    }
    for subnet in change.add_subnets.iter().filter(|it| !held.contains(it)) {
        let description = format!("VPC Endpoint Interface {id}");
        let part_of = PartOf::Endpoint(id.to_owned());
        let made = interface::make(cloud, subnet, groups.clone(), false, &description, part_of)?;
        if let Some(endpoint) = cloud.ec2.endpoints.get_mut(id) {
            endpoint.subnets.insert(subnet.clone(), made.id.0);
        }
    }
    for interface in cloud.ec2.interfaces.values_mut() {
        if interface.part_of == PartOf::Endpoint(id.to_owned()) {
            interface.groups.clone_from(&groups);
        }
    }
    Ok(())
}

/// `ModifyVpcEndpoint`.
pub(super) fn modify(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "VpcEndpointId").ok_or_else(|| missing_one_of("vpcEndpointId"))?;
    let endpoint = find::<Endpoint>(cloud, id)?;
    let change = Change {
        add_tables: owned(input::texts(request, "AddRouteTableIds")),
        remove_tables: owned(input::texts(request, "RemoveRouteTableIds")),
        add_subnets: owned(input::texts(request, "AddSubnetIds")),
        remove_subnets: owned(input::texts(request, "RemoveSubnetIds")),
        add_groups: owned(input::texts(request, "AddSecurityGroupIds")),
        remove_groups: owned(input::texts(request, "RemoveSecurityGroupIds")),
    };
    check(cloud, endpoint, &change)?;
    let private_dns = input::flag(request, "PrivateDnsEnabled");
    if private_dns == Some(true) {
        may_have_private_dns(cloud, &endpoint.vpc_id, &endpoint.service, Some(id))?;
    }
    apply(cloud, id, &change)?;
    if let Some(endpoint) = cloud.ec2.endpoints.get_mut(id) {
        if let Some(on) = private_dns {
            endpoint.private_dns = on;
        }
        if let Some(policy) = input::text(request, "PolicyDocument") {
            endpoint.policy = Some(policy.to_owned());
        }
        if input::flag(request, "ResetPolicy") == Some(true) {
            endpoint.policy = None;
        }
    }
    Ok(json!({"Return": true}))
}

/// `DeleteVpcEndpoints`.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Value {
    let mut unsuccessful = Vec::new();
    for id in input::texts(request, "VpcEndpointIds") {
        match cloud.ec2.endpoints.get_mut(id) {
            None => {
                let AwsError { code, message, .. } = Endpoint::absent(id);
                unsuccessful.push(json!({"ResourceId": id, "Error": {"Code": code, "Message": message}}));
            }
            Some(endpoint) if endpoint.kind == EndpointKind::Gateway => remove(cloud, id),
            Some(endpoint) => {
                endpoint.state = EndpointState::Deleting;
                cloud.after(GOES, Event::Ec2(Ec2Event::Endpoint(id.to_owned())));
            }
        }
    }
    json!({"Unsuccessful": unsuccessful})
}

fn remove(cloud: &mut Cloud, id: &str) {
    let Some(endpoint) = cloud.ec2.endpoints.remove(id) else { return };
    for table in cloud.ec2.route_tables.values_mut() {
        table.routes.retain(|it| it.via != Via::Endpoint(id.to_owned()));
    }
    for interface in endpoint.subnets.into_values() {
        delete_interface(cloud, &InterfaceId(interface));
    }
    cloud.ec2.tags.remove(id);
}

/// The next step of its life is due.
pub(super) fn step(cloud: &mut Cloud, id: &str) {
    let Some(endpoint) = cloud.ec2.endpoints.get_mut(id) else { return };
    match endpoint.state {
        EndpointState::Pending => endpoint.state = EndpointState::Available,
        EndpointState::Deleting => remove(cloud, id),
        EndpointState::Available => {}
    }
}

/// `DescribeVpcEndpointServices`.
pub(super) fn describe_services(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let wanted = input::texts(request, "ServiceNames");
    let names: Vec<String> =
        SERVICES.iter().map(|word| format!("com.amazonaws.{}.{word}", cloud.config.region)).collect();
    if let Some(wrong) = wanted.iter().find(|it| !names.iter().any(|name| name == *it)) {
        let text = format!("The Vpc Endpoint Service '{wrong}' does not exist");
        return Err(AwsError::new("InvalidServiceName", text));
    }
    let chosen: Vec<&String> = names.iter().filter(|it| wanted.is_empty() || wanted.contains(&it.as_str())).collect();
    let details: Vec<Value> = chosen
        .iter()
        .map(|name| {
            let mut kinds = vec![json!({"ServiceType": "Interface"})];
            if name.ends_with(".s3") {
                kinds.push(json!({"ServiceType": "Gateway"}));
            }
            json!({"ServiceName": name, "ServiceType": kinds, "Owner": "amazon", "AcceptanceRequired": false})
        })
        .collect();
    Ok(json!({"ServiceNames": chosen, "ServiceDetails": details}))
}
