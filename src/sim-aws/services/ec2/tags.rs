//! `CreateTags`, `DeleteTags`, `DescribeTags`.

use serde_json::{Value, json};

use super::{
    error::{missing_one_of, no_such},
    resource::{Filters, add_tags, page},
};
use crate::{AwsError, Cloud, input};

/// The kind of a resource, by its id; `None` where there is none of it.
fn kind(cloud: &Cloud, id: &str) -> Option<&'static str> {
    let ec2 = &cloud.ec2;
    let (prefix, _) = id.rsplit_once('-')?;
    let (kind, is_there) = match prefix {
        "vpc" => ("vpc", ec2.vpcs.contains_key(id)),
        "subnet" => ("subnet", ec2.subnets.contains_key(id)),
        "igw" => ("internet-gateway", ec2.internet_gateways.contains_key(id)),
        "nat" => ("natgateway", ec2.nat_gateways.contains_key(id)),
        "eipalloc" => ("elastic-ip", ec2.addresses.contains_key(id)),
        "rtb" => ("route-table", ec2.route_tables.contains_key(id)),
        "vpce" => ("vpc-endpoint", ec2.endpoints.contains_key(id)),
        "sg" => ("security-group", ec2.groups.contains_key(id)),
        "sgr" => ("security-group-rule", ec2.groups.values().any(|it| it.rules.contains_key(id))),
        "acl" => ("network-acl", ec2.acls.contains_key(id)),
        "eni" => ("network-interface", ec2.interfaces.contains_key(id)),
        "i" => ("instance", ec2.instances.contains_key(id)),
        "lt" => ("launch-template", ec2.launch_templates.contains_key(id)),
        _ => return None,
    };
    is_there.then_some(kind)
}

/// `CreateTags`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let ids = input::texts(request, "Resources");
    if ids.is_empty() {
        return Err(missing_one_of("resourceIdSet"));
    }
    for id in &ids {
        kind(cloud, id).ok_or_else(|| no_such("InvalidID", "resource", id))?;
    }
    for id in ids {
        add_tags(cloud, id, input::list(request, "Tags"));
    }
    Ok(json!({}))
}

/// `DeleteTags`: all of them where the request names none; only this value where it names one.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Value {
    let wanted = input::list(request, "Tags");
    for id in input::texts(request, "Resources") {
        if wanted.is_empty() {
            cloud.ec2.tags.remove(id);
        } else if let Some(tags) = cloud.ec2.tags.get_mut(id) {
            tags.retain(|key, value| {
                !wanted.iter().any(|it| {
                    input::text(it, "Key") == Some(key) && input::text(it, "Value").is_none_or(|wanted| wanted == value)
                })
            });
        }
    }
    json!({})
}

const FILTERS: &[(&str, &str)] =
    &[("key", "Key"), ("value", "Value"), ("resource-id", "ResourceId"), ("resource-type", "ResourceType")];

/// `DescribeTags`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, FILTERS)?;
    let mut views = Vec::new();
    for (id, tags) in &cloud.ec2.tags {
        let kind = kind(cloud, id).unwrap_or_default();
        for (key, value) in tags {
            let view = json!({"ResourceId": id, "ResourceType": kind, "Key": key, "Value": value});
            if filters.accept(&view, FILTERS, "Tags") {
                views.push(view);
            }
        }
    }
    page(request, "Tags", views)
}
