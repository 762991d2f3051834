//! The kinds of an ECS lab, and how its documents name what exists only once it was made.
//!
//! A document's body has the members of the API's create call; `kind` and `name` stand beside them. Where AWS wants an ARN or an id that is
//! given at creation, a document of the same lab is named instead: `${TargetGroup/web.arn}`, `${Subnet/app-a.id}`. `${aws.account}` and
//! `${aws.region}` stand for where the lab runs. All of it is filled in when a document is sent.

use std::collections::BTreeSet;

use serde_json::Value;

/// A kind and what a reference may ask of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcsKind {
    pub name: &'static str,
    /// `arn`, `id`, `dns` (a balancer's name), `uri` (a repository's), `full_name` (what metrics call a balancer and a target group).
    pub attributes: &'static [&'static str],
}

const ARN: &[&str] = &["arn"];
const ID: &[&str] = &["id"];

/// Every kind, in the order in which a system is built: what comes later needs what comes earlier.
pub const KINDS: [EcsKind; 39] = [
    EcsKind { name: "Vpc", attributes: ID },
    EcsKind { name: "InternetGateway", attributes: ID },
    EcsKind { name: "Subnet", attributes: ID },
    EcsKind { name: "Address", attributes: ID },
    EcsKind { name: "NatGateway", attributes: ID },
    EcsKind { name: "RouteTable", attributes: ID },
    EcsKind { name: "NetworkAcl", attributes: ID },
    EcsKind { name: "SecurityGroup", attributes: ID },
    EcsKind { name: "VpcEndpoint", attributes: ID },
    EcsKind { name: "Key", attributes: &["arn", "id"] },
    EcsKind { name: "Secret", attributes: ARN },
    EcsKind { name: "Parameter", attributes: ARN },
    EcsKind { name: "LogGroup", attributes: ARN },
    EcsKind { name: "Repository", attributes: &["arn", "uri"] },
    EcsKind { name: "Image", attributes: &[] },
    EcsKind { name: "Policy", attributes: ARN },
    EcsKind { name: "Role", attributes: ARN },
    EcsKind { name: "InstanceProfile", attributes: ARN },
    EcsKind { name: "FileSystem", attributes: &["arn", "id"] },
    EcsKind { name: "MountTarget", attributes: ID },
    EcsKind { name: "AccessPoint", attributes: &["arn", "id"] },
    EcsKind { name: "Namespace", attributes: &["arn", "id"] },
    EcsKind { name: "DiscoveryService", attributes: &["arn", "id"] },
    EcsKind { name: "LoadBalancer", attributes: &["arn", "dns", "full_name"] },
    EcsKind { name: "TargetGroup", attributes: &["arn", "full_name"] },
    EcsKind { name: "Listener", attributes: ARN },
    EcsKind { name: "Rule", attributes: ARN },
    EcsKind { name: "Cluster", attributes: ARN },
    EcsKind { name: "LaunchTemplate", attributes: ID },
    EcsKind { name: "Instance", attributes: ID },
    EcsKind { name: "AutoScalingGroup", attributes: ARN },
    EcsKind { name: "CapacityProvider", attributes: ARN },
    EcsKind { name: "ContainerInstance", attributes: ARN },
    EcsKind { name: "TaskDefinition", attributes: ARN },
    EcsKind { name: "Service", attributes: ARN },
    EcsKind { name: "Task", attributes: ARN },
    EcsKind { name: "ScalableTarget", attributes: ARN },
    EcsKind { name: "ScalingPolicy", attributes: ARN },
    EcsKind { name: "Alarm", attributes: ARN },
];

/// Where a lab runs; what may stand after `aws.` inside `${…}`.
pub const PLACES: [&str; 2] = ["aws.account", "aws.region"];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static EcsKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The names of all kinds.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// One `${Kind/name.attribute}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub kind: String,
    pub name: String,
    pub attribute: String,
}

impl Reference {
    /// From what stands inside `${…}`. Names may hold slashes and dots (`Repository/shop/web.uri`).
    pub fn read(inside: &str) -> Option<Self> {
        let (kind, rest) = inside.split_once('/')?;
        let (name, attribute) = rest.rsplit_once('.')?;
        let fits = kind.starts_with(|first: char| first.is_ascii_uppercase()) && !name.is_empty();
        fits.then(|| Self { kind: kind.to_owned(), name: name.to_owned(), attribute: attribute.to_owned() })
    }
}

/// Whether what stands inside `${…}` is filled in when a document is sent, not when it is read.
pub(crate) fn is_for_later(inside: &str) -> bool {
    PLACES.contains(&inside) || Reference::read(inside).is_some()
}

/// Every reference in the texts of a value.
pub fn references(value: &Value) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    each_text(value, &mut |text| found.extend(insides(text).filter_map(Reference::read)));
    found
}

/// Replaces every `${…}` that is a reference or a place by what `known` says of its inside.
///
/// # Errors
/// The first inside of which nothing is known.
pub fn fill(value: &mut Value, known: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    match value {
        Value::String(text) if text.contains("${") => {
            let mut filled = text.clone();
            for inside in insides(text).filter(|inside| is_for_later(inside)) {
                let new = known(inside).ok_or_else(|| inside.to_owned())?;
                filled = filled.replace(&format!("${{{inside}}}"), &new);
            }
            *text = filled;
            Ok(())
        }
        Value::Array(entries) => entries.iter_mut().try_for_each(|entry| fill(entry, known)),
        Value::Object(map) => map.values_mut().try_for_each(|value| fill(value, known)),
        _ => Ok(()),
    }
}

fn insides(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn each_text(value: &Value, see: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(entries) => entries.iter().for_each(|entry| each_text(entry, see)),
        Value::Object(map) => map.values().for_each(|value| each_text(value, see)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_names_a_kind_a_name_and_what_is_asked() {
        let read = |text: &str| Reference::read(text).map(|it| (it.kind, it.name, it.attribute));
        let three = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(read("TargetGroup/web.arn"), three("TargetGroup", "web", "arn"));
        assert_eq!(read("Repository/shop/web.uri"), three("Repository", "shop/web", "uri"));
        assert_eq!(read("Parameter//shop/price-list.arn"), three("Parameter", "/shop/price-list", "arn"));
        assert_eq!(read("Namespace/shop.local.id"), three("Namespace", "shop.local", "id"));
        for other in ["version", "live.db", "nonce", "aws.region", "targetGroup/web.arn", "TargetGroup/web", "A/.arn"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_known_is_filled_in_at_any_depth() {
        let mut value = json!({"a": ["x${Role/web.arn}y", {"b": "${aws.region}/${version}"}]});
        let known = |inside: &str| match inside {
            "Role/web.arn" => Some("ARN".to_owned()),
            "aws.region" => Some("eu-central-1".to_owned()),
            _ => None,
        };
        fill(&mut value, &known).unwrap();
        assert_eq!(value, json!({"a": ["xARNy", {"b": "eu-central-1/${version}"}]}));
        assert_eq!(fill(&mut json!("${Role/api.arn}"), &known), Err("Role/api.arn".to_owned()));
    }

    #[test]
    fn every_reference_is_found_once() {
        let value = json!({"a": "${Subnet/a.id}", "b": ["${Subnet/a.id}", "${Vpc/shop.id} ${x}"]});
        let names: Vec<String> = references(&value).into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["a", "shop"]);
    }

    #[test]
    fn kinds_are_named_once() {
        let names: BTreeSet<&str> = names().into_iter().collect();
        assert_eq!(names.len(), KINDS.len());
    }
}
