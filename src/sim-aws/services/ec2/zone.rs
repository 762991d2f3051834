//! Availability zones.

use serde_json::{Value, json};

use super::resource::{Filters, page};
use crate::{AwsError, Cloud, input};

/// The letters of the region's zones.
pub(super) const ZONES: [char; 3] = ['a', 'b', 'c'];

/// `euc1-az1` of `eu-central-1a`: the zone under the name that all accounts share.
pub(crate) fn zone_id(cloud: &Cloud, zone: &str) -> String {
    let letter = zone.chars().last().unwrap_or('a');
    let number = ZONES.iter().position(|it| *it == letter).unwrap_or(0) + 1;
    format!("{}-az{number}", short_region(&cloud.config.region))
}

/// `euc1` of `eu-central-1`: first two letters, first letter of the compass word (or two), number.
fn short_region(region: &str) -> String {
    let mut parts = region.split('-');
    let area = parts.next().unwrap_or_default();
    let compass = parts.next().unwrap_or_default();
    let number = parts.next().unwrap_or_default();
    let letters = match compass {
        "northeast" => "ne",
        "northwest" => "nw",
        "southeast" => "se",
        "southwest" => "sw",
        other => other.get(..1).unwrap_or_default(),
    };
    format!("{area}{letters}{number}")
}

/// Whether the region has this zone.
pub(crate) fn exists(cloud: &Cloud, zone: &str) -> bool {
    zone.strip_prefix(cloud.config.region.as_str())
        .is_some_and(|rest| ZONES.iter().any(|letter| rest == letter.to_string()))
}

const FILTERS: &[(&str, &str)] = &[
    ("zone-name", "ZoneName"),
    ("zone-id", "ZoneId"),
    ("zone-type", "ZoneType"),
    ("state", "State"),
    ("region-name", "RegionName"),
    ("opt-in-status", "OptInStatus"),
];

/// `DescribeAvailabilityZones`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, FILTERS)?;
    let names = input::texts(request, "ZoneNames");
    let region = &cloud.config.region;
    if let Some(wrong) = names.iter().find(|name| !exists(cloud, name)) {
        return Err(AwsError::new("InvalidParameterValue", format!("Invalid availability zone: [{wrong}]")));
    }
    let views = ZONES
        .iter()
        .map(|letter| format!("{region}{letter}"))
        .filter(|name| names.is_empty() || names.contains(&name.as_str()))
        .map(|name| {
            let state = if cloud.ec2.lost_zones.contains(&name) { "impaired" } else { "available" };
            json!({
                "ZoneName": name,
                "ZoneId": zone_id(cloud, &name),
                "ZoneType": "availability-zone",
                "State": state,
                "OptInStatus": "opt-in-not-required",
                "RegionName": region,
                "GroupName": region,
                "NetworkBorderGroup": region,
                "Messages": [],
            })
        })
        .filter(|view| filters.accept(view, FILTERS, "Tags"))
        .collect();
    page(request, "AvailabilityZones", views)
}
