//! The kinds of an ECS lab: how each is listed, made, changed and removed. One file a service, one row a kind.

mod acl;
mod containers;
mod data;
mod discovery;
mod ec2;
mod elbv2;
mod iam;
mod kms;
mod machines;
mod network;
mod rule;
mod scaling;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{api::Api, trouble::Trouble};

/// A kind. An object is what the API describes, with `Name` beside it; a document is what a lab writes.
#[async_trait]
pub(super) trait Kind: Send + Sync {
    /// Every object of the kind that may be the lab's, each with `Name`.
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble>;

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble>;

    /// Makes an object what the document says; what the document does not speak of stays.
    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble>;

    /// Asks for its removal. Gone already is fine.
    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble>;

    /// The object as a document would say it: what a patch is applied to.
    fn document(&self, object: &Value) -> Value;

    /// `arn`, `id` and the like.
    fn attribute(&self, object: &Value, attribute: &str) -> Option<String>;

    /// Whether it is what it is going to be: a gateway that is available. Most things are at once.
    fn is_ready(&self, _object: &Value) -> bool {
        true
    }

    /// Whether it came with something else and goes with that: it is seen and can be changed, and is neither deleted nor left behind.
    fn is_part(&self, _object: &Value) -> bool {
        false
    }
}

/// The kind of this name, as far as this breakfix can make it.
pub(super) fn find(name: &str) -> Option<&'static dyn Kind> {
    Some(match name {
        "Vpc" => &network::Vpc,
        "InternetGateway" => &network::InternetGateway,
        "Subnet" => &network::Subnet,
        "Address" => &network::Address,
        "NatGateway" => &network::NatGateway,
        "RouteTable" => &ec2::RouteTable,
        "NetworkAcl" => &acl::NetworkAcl,
        "SecurityGroup" => &ec2::SecurityGroup,
        "VpcEndpoint" => &network::VpcEndpoint,
        "LoadBalancer" => &elbv2::LoadBalancer,
        "TargetGroup" => &elbv2::TargetGroup,
        "Listener" => &elbv2::Listener,
        "Key" => &kms::Key,
        "Namespace" => &discovery::Namespace,
        "DiscoveryService" => &discovery::DiscoveryService,
        "Rule" => &rule::Rule,
        "Policy" => &iam::Policy,
        "Role" => &iam::Role,
        "LogGroup" => &data::LogGroup,
        "Secret" => &data::Secret,
        "Parameter" => &data::Parameter,
        "Repository" => &data::Repository,
        "Image" => &data::Image,
        "Cluster" => &containers::Cluster,
        "TaskDefinition" => &containers::TaskDefinition,
        "Service" => &containers::Service,
        "Task" => &containers::Task,
        "InstanceProfile" => &machines::InstanceProfile,
        "LaunchTemplate" => &machines::LaunchTemplate,
        "Instance" => &machines::Instance,
        "AutoScalingGroup" => &machines::AutoScalingGroup,
        "CapacityProvider" => &machines::CapacityProvider,
        "ContainerInstance" => &machines::ContainerInstance,
        "ScalableTarget" => &scaling::ScalableTarget,
        "ScalingPolicy" => &scaling::ScalingPolicy,
        "Alarm" => &scaling::Alarm,
        _ => return None,
    })
}

/// The names of the kinds that can be made here, what others need first.
pub(super) fn in_order() -> Vec<&'static str> {
    breakfix_lab::ecs::names().into_iter().filter(|name| find(name).is_some()).collect()
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The object under the name that the lab knows it by.
fn named(mut object: Value, name: &str) -> Value {
    if let Value::Object(map) = &mut object {
        map.insert("Name".to_owned(), Value::from(name));
    }
    object
}

/// A document with further members; what it says itself wins.
fn with(document: &Value, more: Value) -> Value {
    let mut all = match more {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if let Value::Object(own) = document {
        all.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Value::Object(all)
}

/// Without some members.
fn without(document: &Value, keys: &[&str]) -> Value {
    let mut left = document.clone();
    if let Value::Object(map) = &mut left {
        map.retain(|key, _| !keys.contains(&key.as_str()));
    }
    left
}

/// These members alone.
fn only(object: &Value, keys: &[&str]) -> Value {
    let map: Map<String, Value> =
        keys.iter().filter_map(|key| Some(((*key).to_owned(), object.get(key)?.clone()))).collect();
    Value::Object(map)
}

/// The members of a document that an object does not have like that.
fn changed(object: &Value, document: &Value, keys: &[&str]) -> Map<String, Value> {
    let differs = |key: &&&str| document.get(**key).is_some_and(|wanted| object.get(**key) != Some(wanted));
    keys.iter().filter(differs).filter_map(|key| Some(((*key).to_owned(), document.get(key)?.clone()))).collect()
}

/// Gone already is fine.
fn gone(result: Result<Value, Trouble>) -> Result<(), Trouble> {
    match result {
        Err(trouble) if trouble.is_missing() => Ok(()),
        Err(trouble) => Err(trouble),
        Ok(_) => Ok(()),
    }
}
