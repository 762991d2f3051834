//! Prefix lists of AWS: the ranges of a service, under one id.

use serde_json::{Value, json};

use super::{
    State,
    cidr::Cidr,
    error::no_such,
    resource::{Filters, page},
};
use crate::{AwsError, Cloud, input};

/// The list of S3 in the simulated region. Its id is the same for all accounts.
pub const S3: &str = "pl-6ea54007";

/// The range that the list stands for.
pub(crate) fn s3_range() -> Cidr {
    Cidr::around([52, 219, 168, 0].into(), 24)
}

/// The ranges of a list.
pub(super) fn cidrs(_ec2: &State, id: &str) -> Vec<Cidr> {
    if id == S3 { vec![s3_range()] } else { Vec::new() }
}

pub(super) fn must_exist(_cloud: &Cloud, id: &str) -> Result<(), AwsError> {
    if id == S3 { Ok(()) } else { Err(no_such("InvalidPrefixListID.NotFound", "prefix list", id)) }
}

const FILTERS: &[(&str, &str)] = &[("prefix-list-id", "PrefixListId"), ("prefix-list-name", "PrefixListName")];

/// `DescribePrefixLists`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, FILTERS)?;
    let ids = input::texts(request, "PrefixListIds");
    for id in &ids {
        must_exist(cloud, id)?;
    }
    let view = json!({
        "PrefixListId": S3,
        "PrefixListName": format!("com.amazonaws.{}.s3", cloud.config.region),
        "Cidrs": cidrs(&cloud.ec2, S3),
    });
    let views = if filters.accept(&view, FILTERS, "Tags") { vec![view] } else { Vec::new() };
    page(request, "PrefixLists", views)
}

const MANAGED_FILTERS: &[(&str, &str)] =
    &[("prefix-list-id", "PrefixListId"), ("prefix-list-name", "PrefixListName"), ("owner-id", "OwnerId")];

/// `DescribeManagedPrefixLists`.
pub(super) fn describe_managed(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let filters = Filters::read(request, MANAGED_FILTERS)?;
    for id in input::texts(request, "PrefixListIds") {
        must_exist(cloud, id)?;
    }
    let view = json!({
        "PrefixListId": S3,
        "PrefixListName": format!("com.amazonaws.{}.s3", cloud.config.region),
        "PrefixListArn": format!("arn:aws:ec2:{}:aws:prefix-list/{S3}", cloud.config.region),
        "AddressFamily": "IPv4",
        "OwnerId": "AWS",
        "State": "create-complete",
        "Tags": [],
    });
    let views = if filters.accept(&view, MANAGED_FILTERS, "Tags") { vec![view] } else { Vec::new() };
    page(request, "PrefixLists", views)
}
