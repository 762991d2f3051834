//! Route tables, their associations and their routes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State,
    cidr::Cidr,
    error::{in_use, malformed_cidr, missing_one_of, no_such},
    internet_gateway::InternetGateway,
    nat_gateway::{NatGateway, NatState},
    resource::{Resource, describe_one, find, new_id, tag_new},
    subnet::Subnet,
    vpc::Vpc,
};
use crate::{AwsError, Cloud, input};

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    pub vpc_id: String,
    /// By association id: the subnet, or none for the main association.
    pub associations: BTreeMap<String, Option<String>>,
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub to: Reach,
    pub via: Via,
}

/// What a route is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reach {
    Cidr(Cidr),
    /// A prefix list of AWS.
    PrefixList(String),
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Via {
    Local,
    InternetGateway(String),
    NatGateway(String),
    /// A gateway endpoint.
    Endpoint(String),
}

impl RouteTable {
    /// Whether it serves the subnets that have no table of their own.
    pub fn is_main(&self) -> bool {
        self.associations.values().any(Option::is_none)
    }
}

impl Via {
    /// Whether it leads anywhere at present; else the route is a black hole.
    pub fn is_there(&self, ec2: &State, vpc_id: &str) -> bool {
        match self {
            Self::Local => true,
            Self::InternetGateway(id) => {
                ec2.internet_gateways.get(id).is_some_and(|it| it.vpc_id.as_deref() == Some(vpc_id))
            }
            Self::NatGateway(id) => {
                ec2.nat_gateways.get(id).is_some_and(|it| matches!(it.state, NatState::Pending | NatState::Available))
            }
            Self::Endpoint(id) => ec2.endpoints.contains_key(id),
        }
    }
}

impl Resource for RouteTable {
    const IDS: &'static str = "RouteTableIds";
    const SET: &'static str = "RouteTables";
    const TYPE: &'static str = "route-table";
    const FILTERS: &'static [(&'static str, &'static str)] = &[
        ("route-table-id", "RouteTableId"),
        ("vpc-id", "VpcId"),
        ("owner-id", "OwnerId"),
        ("association.subnet-id", "Associations.SubnetId"),
        ("association.main", "Associations.Main"),
        ("association.route-table-association-id", "Associations.RouteTableAssociationId"),
        ("association.route-table-id", "Associations.RouteTableId"),
        ("route.destination-cidr-block", "Routes.DestinationCidrBlock"),
        ("route.destination-prefix-list-id", "Routes.DestinationPrefixListId"),
        ("route.gateway-id", "Routes.GatewayId"),
        ("route.nat-gateway-id", "Routes.NatGatewayId"),
        ("route.origin", "Routes.Origin"),
        ("route.state", "Routes.State"),
    ];

    fn all(state: &State) -> &BTreeMap<String, Self> {
        &state.route_tables
    }

    fn view(&self, id: &str, cloud: &Cloud) -> Value {
        let associations: Vec<Value> = self
            .associations
            .iter()
            .map(|(association, subnet)| {
                let mut view = json!({
                    "RouteTableAssociationId": association,
                    "RouteTableId": id,
                    "Main": subnet.is_none(),
                    "AssociationState": {"State": "associated"},
                });
                if let (Some(members), Some(subnet)) = (view.as_object_mut(), subnet) {
                    members.insert("SubnetId".to_owned(), json!(subnet));
                }
                view
            })
            .collect();
        let routes: Vec<Value> = self.routes.iter().map(|route| view(route, &cloud.ec2, &self.vpc_id)).collect();
        json!({
            "RouteTableId": id,
            "VpcId": self.vpc_id,
            "OwnerId": cloud.config.account,
            "Associations": associations,
            "Routes": routes,
            "PropagatingVgws": [],
        })
    }

    fn absent(id: &str) -> AwsError {
        no_such("InvalidRouteTableID.NotFound", "routeTable", id)
    }
}

fn view(route: &Route, ec2: &State, vpc_id: &str) -> Value {
    let (member, id) = match &route.via {
        Via::Local => ("GatewayId", "local"),
        Via::InternetGateway(id) | Via::Endpoint(id) => ("GatewayId", id.as_str()),
        Via::NatGateway(id) => ("NatGatewayId", id.as_str()),
    };
    let (reach, to) = match &route.to {
        Reach::Cidr(cidr) => ("DestinationCidrBlock", cidr.to_string()),
        Reach::PrefixList(id) => ("DestinationPrefixListId", id.clone()),
    };
    json!({
        reach: to,
        member: id,
        "Origin": if route.via == Via::Local { "CreateRouteTable" } else { "CreateRoute" },
        "State": if route.via.is_there(ec2, vpc_id) { "active" } else { "blackhole" },
    })
}

/// The table that serves a subnet: its own, or the main one of its VPC.
pub fn serving<'a>(ec2: &'a State, subnet_id: &str) -> Option<&'a RouteTable> {
    let vpc_id = &ec2.subnets.get(subnet_id)?.vpc_id;
    let own = ec2.route_tables.values().find(|it| it.associations.values().flatten().any(|subnet| subnet == subnet_id));
    own.or_else(|| ec2.route_tables.values().find(|it| it.vpc_id == *vpc_id && it.is_main()))
}

/// `CreateRouteTable`: with the local route.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let vpc_id = input::text(request, "VpcId").ok_or_else(|| missing_one_of("vpcId"))?;
    let cidr = find::<Vpc>(cloud, vpc_id)?.cidr;
    let id = make(cloud, vpc_id, cidr, false);
    tag_new(cloud, request, RouteTable::TYPE, &id);
    Ok(json!({"RouteTable": describe_one::<RouteTable>(cloud, &id)?}))
}

pub(super) fn make(cloud: &mut Cloud, vpc_id: &str, cidr: Cidr, is_main: bool) -> String {
    let id = new_id(cloud, "rtb");
    let mut associations = BTreeMap::new();
    if is_main {
        associations.insert(new_id(cloud, "rtbassoc"), None);
    }
    let routes = vec![Route { to: Reach::Cidr(cidr), via: Via::Local }];
    cloud.ec2.route_tables.insert(id.clone(), RouteTable { vpc_id: vpc_id.to_owned(), associations, routes });
    id
}

/// The default route of a default VPC.
pub(super) fn route_main_to_gateway(cloud: &mut Cloud, vpc_id: &str, gateway: &str) {
    let main = cloud.ec2.route_tables.values_mut().find(|it| it.vpc_id == vpc_id && it.is_main());
    if let Some(main) = main {
        main.routes.push(Route { to: Reach::Cidr(Cidr::ANYWHERE), via: Via::InternetGateway(gateway.to_owned()) });
    }
}

fn table_id(request: &Value) -> Result<&str, AwsError> {
    input::text(request, "RouteTableId").ok_or_else(|| missing_one_of("routeTableId"))
}

/// `DeleteRouteTable`: refused while it serves a subnet, and always for the main one.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = table_id(request)?;
    if !find::<RouteTable>(cloud, id)?.associations.is_empty() {
        return Err(in_use("routeTable", id));
    }
    for endpoint in cloud.ec2.endpoints.values_mut() {
        endpoint.route_tables.retain(|it| it != id);
    }
    cloud.ec2.route_tables.remove(id);
    Ok(json!({}))
}

/// `AssociateRouteTable` with a subnet that has no table of its own.
pub(super) fn associate(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = table_id(request)?;
    let subnet_id = input::text(request, "SubnetId").ok_or_else(|| missing_one_of("subnetId"))?;
    let vpc_id = find::<RouteTable>(cloud, id)?.vpc_id.clone();
    if find::<Subnet>(cloud, subnet_id)?.vpc_id != vpc_id {
        let text = format!("Route table {id} and subnet {subnet_id} belong to different networks");
        return Err(AwsError::new("InvalidParameterValue", text));
    }
    let others = cloud.ec2.route_tables.values();
    if others.flat_map(|it| it.associations.values()).flatten().any(|it| it == subnet_id) {
        let text = format!("the specified association for route table {id} conflicts with an existing association");
        return Err(AwsError::new("Resource.AlreadyAssociated", text));
    }
    let association = new_id(cloud, "rtbassoc");
    if let Some(table) = cloud.ec2.route_tables.get_mut(id) {
        table.associations.insert(association.clone(), Some(subnet_id.to_owned()));
    }
    Ok(json!({"AssociationId": association, "AssociationState": {"State": "associated"}}))
}

fn holder_of(cloud: &Cloud, association: &str) -> Result<(String, Option<String>), AwsError> {
    cloud
        .ec2
        .route_tables
        .iter()
        .find_map(|(id, it)| Some((id.clone(), it.associations.get(association)?.clone())))
        .ok_or_else(|| no_such("InvalidAssociationID.NotFound", "association", association))
}

/// `DisassociateRouteTable`: the subnet falls back to the main table.
pub(super) fn disassociate(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let association = input::text(request, "AssociationId").ok_or_else(|| missing_one_of("associationId"))?;
    let (holder, subnet) = holder_of(cloud, association)?;
    if subnet.is_none() {
        let text = format!("cannot disassociate the main route table association {association}");
        return Err(AwsError::new("InvalidParameterValue", text));
    }
    if let Some(table) = cloud.ec2.route_tables.get_mut(&holder) {
        table.associations.remove(association);
    }
    Ok(json!({}))
}

/// `ReplaceRouteTableAssociation`: also the way to another main table.
pub(super) fn replace_association(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let association = input::text(request, "AssociationId").ok_or_else(|| missing_one_of("associationId"))?;
    let id = table_id(request)?;
    let (holder, subnet) = holder_of(cloud, association)?;
    find::<RouteTable>(cloud, id)?;
    if let Some(table) = cloud.ec2.route_tables.get_mut(&holder) {
        table.associations.remove(association);
    }
    let new = new_id(cloud, "rtbassoc");
    if let Some(table) = cloud.ec2.route_tables.get_mut(id) {
        table.associations.insert(new.clone(), subnet);
    }
    Ok(json!({"NewAssociationId": new, "AssociationState": {"State": "associated"}}))
}

fn reach(request: &Value) -> Result<Cidr, AwsError> {
    let text = input::text(request, "DestinationCidrBlock").ok_or_else(|| missing_one_of("destinationCidrBlock"))?;
    text.parse().map_err(|_| malformed_cidr(text, "destinationCidrBlock"))
}

/// The target that a request names. Peering connections, instances and interfaces are not simulated as targets.
fn via(cloud: &Cloud, vpc_id: &str, request: &Value) -> Result<Via, AwsError> {
    if let Some(id) = input::text(request, "NatGatewayId") {
        let gateway = find::<NatGateway>(cloud, id)?;
        if gateway.vpc_id != vpc_id || matches!(gateway.state, NatState::Deleting | NatState::Deleted) {
            return Err(NatGateway::absent(id));
        }
        return Ok(Via::NatGateway(id.to_owned()));
    }
    match input::text(request, "GatewayId") {
        Some("local") => Ok(Via::Local),
        Some(id) if id.starts_with("igw-") => {
            if find::<InternetGateway>(cloud, id)?.vpc_id.as_deref() != Some(vpc_id) {
                let text = format!("route table and network gateway {id} belong to different networks");
                return Err(AwsError::new("InvalidParameterValue", text));
            }
            Ok(Via::InternetGateway(id.to_owned()))
        }
        Some(id) if id.starts_with("vpce-") => {
            let text = format!(
                "The gateway ID '{id}' cannot be a route's target; associate the route table with the endpoint"
            );
            Err(AwsError::new("InvalidParameterValue", text))
        }
        Some(id) => Err(no_such("InvalidGatewayID.NotFound", "gateway", id)),
        None => Err(AwsError::not_simulated("ec2", "CreateRoute to anything but an internet gateway or a NAT gateway")),
    }
}

/// `CreateRoute`.
pub(super) fn create_route(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = table_id(request)?;
    let table = find::<RouteTable>(cloud, id)?;
    let to = Reach::Cidr(reach(request)?);
    let via = via(cloud, &table.vpc_id, request)?;
    if table.routes.iter().any(|it| it.to == to && it.via == via) {
        return Ok(json!({"Return": true}));
    }
    if table.routes.iter().any(|it| it.to == to) {
        let text = format!("The route identified by {} already exists.", reach(request)?);
        return Err(AwsError::new("RouteAlreadyExists", text));
    }
    if let (Reach::Cidr(cidr), Some(vpc)) = (&to, cloud.ec2.vpcs.get(&table.vpc_id))
        && vpc.cidr.covers(*cidr)
    {
        // More specific than local is for middleboxes, which are not simulated.
        return Err(AwsError::not_simulated("ec2", "CreateRoute inside the VPC's own range"));
    }
    if let Some(table) = cloud.ec2.route_tables.get_mut(id) {
        table.routes.push(Route { to, via });
    }
    Ok(json!({"Return": true}))
}

/// `ReplaceRoute`.
pub(super) fn replace_route(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = table_id(request)?;
    let to = reach(request)?;
    let via = via(cloud, &find::<RouteTable>(cloud, id)?.vpc_id, request)?;
    let Some(table) = cloud.ec2.route_tables.get_mut(id) else { return Err(RouteTable::absent(id)) };
    match table.routes.iter_mut().find(|it| it.to == Reach::Cidr(to)) {
        None => {
            let text = format!("There is no route defined for '{to}' in the route table. Use CreateRoute instead.");
            Err(AwsError::new("InvalidParameterValue", text))
        }
        Some(route) => {
            route.via = via;
            Ok(json!({}))
        }
    }
}

/// `DeleteRoute`.
pub(super) fn delete_route(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = table_id(request)?;
    let to = reach(request)?;
    let Some(table) = cloud.ec2.route_tables.get_mut(id) else { return Err(RouteTable::absent(id)) };
    let Some(place) = table.routes.iter().position(|it| it.to == Reach::Cidr(to)) else {
        let text = format!("no route with destination-cidr-block {to} in route table {id}");
        return Err(AwsError::new("InvalidRoute.NotFound", text));
    };
    if table.routes.get(place).is_some_and(|it| it.via == Via::Local) {
        return Err(AwsError::new(
            "InvalidParameterValue",
            format!("cannot remove local route {to} in route table {id}"),
        ));
    }
    table.routes.remove(place);
    Ok(json!({}))
}
