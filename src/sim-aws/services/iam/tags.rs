//! Tags of roles, users, policies and instance profiles.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{policies, roles, users, view};
use crate::{AwsError, Call, Cloud, input, services::page};

/// `Tags: [{Key, Value}]` of a request.
pub fn read(request: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| {
        let value = input::text(tag, "Value").unwrap_or("");
        Some((input::text(tag, "Key")?.to_owned(), value.to_owned()))
    };
    input::list(request, "Tags").iter().filter_map(pair).collect()
}

/// TagRole, TagUser, TagPolicy, TagInstanceProfile.
pub fn add(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let more = read(&call.input);
    of_mut(cloud, call)?.extend(more);
    Ok(json!({}))
}

/// UntagRole, UntagUser, UntagPolicy, UntagInstanceProfile.
pub fn remove(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let tags = of_mut(cloud, call)?;
    for key in input::texts(&call.input, "TagKeys") {
        tags.remove(key);
    }
    Ok(json!({}))
}

/// ListRoleTags, ListUserTags, ListPolicyTags, ListInstanceProfileTags.
pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let tags = match call.operation.as_str() {
        "ListRoleTags" => &roles::of(cloud, call)?.tags,
        "ListUserTags" => &users::of(cloud, call)?.tags,
        "ListInstanceProfileTags" => &roles::profile(cloud, call)?.tags,
        _ => &policies::of(cloud, call)?.tags,
    };
    let tags = view::tags(tags).as_array().cloned().unwrap_or_default();
    Ok(page::IAM.answer(&call.input, "Tags", tags))
}

fn of_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut BTreeMap<String, String>, AwsError> {
    Ok(match call.operation.as_str() {
        "TagRole" | "UntagRole" => &mut roles::of_mut(cloud, call)?.tags,
        "TagUser" | "UntagUser" => &mut users::of_mut(cloud, call)?.tags,
        "TagInstanceProfile" | "UntagInstanceProfile" => &mut roles::profile_mut(cloud, call)?.tags,
        _ => &mut policies::of_mut(cloud, call)?.tags,
    })
}
