//! The operations of Parameter Store.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    names,
    state::{Parameter, Version},
};
use crate::{
    AwsError, Call, Caller, Cloud, input, moment,
    services::{
        kms::{self, crypto::Use},
        page::Paging,
    },
};

/// Versions that are kept (quotas).
const MOST_VERSIONS: usize = 100;

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "Name")?;
    names::check(name)?;
    let value = input::required(call, "Value")?.to_owned();
    let before = cloud.ssm.parameters.get(name).cloned();
    let overwrite = input::flag(&call.input, "Overwrite").unwrap_or(false);
    if before.is_some() && !overwrite {
        let sentence =
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
        return Err(AwsError::new("ParameterAlreadyExists", sentence));
    }
    let last = before.as_ref().and_then(|parameter| parameter.versions.last());
    let kind = match (input::text(&call.input, "Type"), last) {
        (Some(kind @ ("String" | "StringList" | "SecureString")), _) => kind.to_owned(),
        (Some(kind), _) => {
            let what = format!(
                "Value '{kind}' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, \
                 String]"
            );
            return Err(input::invalid("ssm", &what));
        }
        (None, Some(last)) => last.kind.clone(),
        (None, None) => {
            return Err(AwsError::new(
                "ValidationException",
                "A parameter type is required when you create a parameter.",
            ));
        }
    };
    let tier =
        input::text(&call.input, "Tier").filter(|tier| *tier != "Intelligent-Tiering").unwrap_or("Standard").to_owned();
    let most = if tier == "Advanced" { 8_192 } else { 4_096 };
    if value.len() > most {
        let sentence = if tier == "Advanced" {
            "Advanced tier parameters support a maximum parameter value of 8192 characters."
        } else {
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade \
             the parameter to use the advanced-parameter tier. For more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        };
        return Err(AwsError::new("ValidationException", sentence));
    }
    let text = |member: &str| input::text(&call.input, member).map(str::to_owned);
    let key = match kind.as_str() {
        "SecureString" => {
            Some(encrypted(cloud, call, name, last.and_then(|it| it.key.as_ref()).map(|(name, _)| name.clone()))?)
        }
        _ => None,
    };
    let version = Version {
        number: last.map_or(1, |last| last.number + 1),
        kind,
        value,
        key,
        description: text("Description").or_else(|| last.and_then(|last| last.description.clone())),
        pattern: text("AllowedPattern"),
        tier: tier.clone(),
        data_type: text("DataType").unwrap_or_else(|| "text".to_owned()),
        modified: cloud.now(),
        by: call.caller.arn.clone(),
        labels: Vec::new(),
    };
    let number = version.number;
    let fresh = || Parameter { name: name.to_owned(), tags: tags(&call.input), versions: Vec::new() };
    let mut parameter = before.unwrap_or_else(fresh);
    parameter.versions.push(version);
    if parameter.versions.len() > MOST_VERSIONS {
        parameter.versions.remove(0);
    }
    cloud.ssm.parameters.insert(name.to_owned(), parameter);
    Ok(json!({"Version": number, "Tier": tier}))
}

/// The key of a `SecureString`: as named and by id. The caller must be able to encrypt with it.
fn encrypted(cloud: &mut Cloud, call: &Call, name: &str, before: Option<String>) -> Result<(String, String), AwsError> {
    let wish = input::text(&call.input, "KeyId").map(str::to_owned).or(before);
    let named = wish.unwrap_or_else(|| "alias/aws/ssm".to_owned());
    let id = if named == "alias/aws/ssm" {
        kms::state::of_service(cloud, "ssm")
    } else {
        let found = cloud.kms.find(&named, cloud.now()).map(|key| key.id.clone());
        found.ok_or_else(|| {
            let sentence = format!("Key '{named}' does not exist");
            AwsError::new("InvalidKeyId", format!("{sentence} {}", tail("NotFoundException")))
        })?
    };
    use_key(cloud, &call.caller, "Encrypt", &id, name)?;
    Ok((named, id))
}

/// KMS for a parameter, with the encryption context that Parameter Store gives; what KMS says is passed on, with where it comes from.
fn use_key(cloud: &Cloud, caller: &Caller, operation: &str, key: &str, name: &str) -> Result<(), AwsError> {
    let context = BTreeMap::from([("PARAMETER_ARN".to_owned(), names::arn(cloud, name))]);
    Use { caller, via: Some("ssm"), context }.check(cloud, operation, key).map_err(|error| {
        let code = if error.code == "AccessDeniedException" { "AccessDeniedException" } else { "InvalidKeyId" };
        AwsError::new(code, format!("{} {}", error.message, tail(&error.code)))
    })
}

fn tail(code: &str) -> String {
    format!(
        "(Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: 00000000-0000-0000-0000-000000000000; Proxy: null)"
    )
}

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let wanted = input::required(call, "Name")?;
    Ok(json!({"Parameter": view(cloud, call, wanted)?}))
}

/// Ten at once; names that are not there are told apart.
pub fn get_many(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    input::required_list(call, "Names")?;
    let names = input::texts(&call.input, "Names");
    if names.len() > 10 {
        let what = format!(
            "Value '[{}]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 10",
            names.join(", ")
        );
        return Err(input::invalid("ssm", &what));
    }
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in names {
        match view(cloud, call, name) {
            Ok(view) => found.push(view),
            Err(error) if error.code.starts_with("Parameter") => invalid.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
}

pub fn get_by_path(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let path = input::required(call, "Path")?;
    if !path.starts_with('/') {
        let sentence = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \
                        \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).";
        return Err(AwsError::new("ValidationException", sentence));
    }
    let recursive = input::flag(&call.input, "Recursive").unwrap_or(false);
    let folder = format!("{}/", path.trim_end_matches('/'));
    let inside = |name: &&String| name.strip_prefix(&folder).is_some_and(|rest| recursive || !rest.contains('/'));
    let names = cloud.ssm.parameters.keys().filter(inside).collect::<Vec<_>>();
    let views = names.into_iter().map(|name| view(cloud, call, name)).collect::<Result<Vec<_>, _>>()?;
    Ok(Paging::upper(10).answer(&call.input, "Parameters", views))
}

fn view(cloud: &Cloud, call: &Call, wanted: &str) -> Result<Value, AwsError> {
    let (parameter, version) = names::find(cloud, wanted)?;
    let mut view = json!({
        "Name": parameter.name, "Type": version.kind, "Value": value(cloud, call, parameter, version)?,
        "Version": version.number, "LastModifiedDate": moment::of(cloud, version.modified),
        "ARN": names::arn(cloud, &parameter.name), "DataType": version.data_type,
    });
    if let Some(selector) = names::split(cloud, wanted).1 {
        view["Selector"] = json!(format!(":{selector}"));
    }
    Ok(view)
}

/// A `SecureString` is ciphertext unless its decryption is asked for and allowed.
fn value(cloud: &Cloud, call: &Call, parameter: &Parameter, version: &Version) -> Result<String, AwsError> {
    let Some((_, key)) = &version.key else { return Ok(version.value.clone()) };
    if input::flag(&call.input, "WithDecryption") == Some(true) {
        use_key(cloud, &call.caller, "Decrypt", key, &parameter.name)?;
        return Ok(version.value.clone());
    }
    let context = BTreeMap::from([("PARAMETER_ARN".to_owned(), names::arn(cloud, &parameter.name))]);
    Ok(kms::crypto::seal(key, context, &STANDARD.encode(&version.value)))
}

pub fn history(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "Name")?;
    let parameter = cloud.ssm.parameters.get(names::split(cloud, name).0).ok_or_else(names::not_found)?;
    let entry = |version: &Version| {
        let mut entry = metadata(cloud, parameter, version);
        entry["Value"] = json!(value(cloud, call, parameter, version)?);
        entry["Labels"] = json!(version.labels);
        if let Some(members) = entry.as_object_mut() {
            members.remove("ARN");
        }
        Ok(entry)
    };
    let entries = parameter.versions.iter().map(entry).collect::<Result<Vec<_>, AwsError>>()?;
    Ok(Paging::upper(50).answer(&call.input, "Parameters", entries))
}

fn metadata(cloud: &Cloud, parameter: &Parameter, version: &Version) -> Value {
    let mut view = json!({
        "Name": parameter.name, "ARN": names::arn(cloud, &parameter.name), "Type": version.kind,
        "LastModifiedDate": moment::of(cloud, version.modified), "LastModifiedUser": version.by, "Version": version.number,
        "Tier": version.tier, "Policies": [], "DataType": version.data_type,
    });
    let named = version.key.as_ref().map(|(name, _)| name);
    for (member, value) in
        [("KeyId", named), ("Description", version.description.as_ref()), ("AllowedPattern", version.pattern.as_ref())]
    {
        if let Some(value) = value {
            view[member] = json!(value);
        }
    }
    view
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let filters = input::list(&call.input, "ParameterFilters").iter().chain(input::list(&call.input, "Filters"));
    let filters = filters.collect::<Vec<_>>();
    let mut views = Vec::new();
    for parameter in cloud.ssm.parameters.values() {
        let Some(version) = parameter.versions.last() else { continue };
        let mut wanted = true;
        for filter in &filters {
            wanted &= passes(parameter, version, filter)?;
        }
        if wanted {
            views.push(metadata(cloud, parameter, version));
        }
    }
    Ok(Paging::upper(50).answer(&call.input, "Parameters", views))
}

fn passes(parameter: &Parameter, version: &Version, filter: &Value) -> Result<bool, AwsError> {
    let key = input::text(filter, "Key").unwrap_or("");
    let option = input::text(filter, "Option").unwrap_or(if key == "Path" { "OneLevel" } else { "Equals" });
    let actual = match key {
        "Name" | "Path" => Some(parameter.name.as_str()),
        "Type" => Some(version.kind.as_str()),
        "KeyId" => version.key.as_ref().map(|(name, _)| name.as_str()),
        "Tier" => Some(version.tier.as_str()),
        "DataType" => Some(version.data_type.as_str()),
        other => match other.strip_prefix("tag:") {
            Some(tag) => parameter.tags.get(tag).map(String::as_str),
            None => {
                let sentence = format!("The following filter key is not valid: {other}");
                return Err(AwsError::new("InvalidFilterKey", sentence));
            }
        },
    };
    let values = input::texts(filter, "Values");
    let Some(actual) = actual else { return Ok(false) };
    Ok(values.is_empty()
        || values.into_iter().any(|value| match option {
            "BeginsWith" => actual.trim_start_matches('/').starts_with(value.trim_start_matches('/')),
            "Contains" => actual.contains(value),
            "Recursive" | "OneLevel" => {
                let rest = actual.strip_prefix(&format!("{}/", value.trim_end_matches('/')));
                rest.is_some_and(|rest| option == "Recursive" || !rest.contains('/'))
            }
            _ => actual == value,
        }))
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = names::split(cloud, input::required(call, "Name")?).0.to_owned();
    cloud.ssm.parameters.remove(&name).ok_or_else(names::not_found)?;
    Ok(json!({}))
}

pub fn delete_many(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    input::required_list(call, "Names")?;
    let (gone, unknown): (Vec<_>, Vec<_>) =
        input::texts(&call.input, "Names").into_iter().partition(|name| cloud.ssm.parameters.remove(*name).is_some());
    Ok(json!({"DeletedParameters": gone, "InvalidParameters": unknown}))
}

/// LabelParameterVersion: a label is on one version of a parameter.
pub fn label(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "Name")?;
    let labels = input::texts(&call.input, "Labels").into_iter().map(str::to_owned).collect::<Vec<_>>();
    let parameter = cloud.ssm.parameters.get_mut(name).ok_or_else(names::not_found)?;
    let last = parameter.versions.last().map_or(0, |version| version.number);
    let wanted = input::integer(&call.input, "ParameterVersion").and_then(|it| u64::try_from(it).ok()).unwrap_or(last);
    if !parameter.versions.iter().any(|version| version.number == wanted) {
        let sentence =
            format!("Systems Manager could not find version {wanted} of {name}. Verify the version and try again.");
        return Err(AwsError::new("ParameterVersionNotFound", sentence));
    }
    for version in &mut parameter.versions {
        version.labels.retain(|label| !labels.contains(label));
        if version.number == wanted {
            version.labels.extend(labels.iter().cloned());
        }
    }
    Ok(json!({"InvalidLabels": [], "ParameterVersion": wanted}))
}

fn tags(request: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| Some((input::text(tag, "Key")?.to_owned(), input::text(tag, "Value")?.to_owned()));
    input::list(request, "Tags").iter().filter_map(pair).collect()
}

/// AddTagsToResource, RemoveTagsFromResource, ListTagsForResource: of parameters only.
pub fn tagging(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let kind = input::required(call, "ResourceType")?;
    let id = input::required(call, "ResourceId")?;
    let found = if kind == "Parameter" { cloud.ssm.parameters.get_mut(id) } else { None };
    let parameter = found.ok_or_else(|| {
        AwsError::new(
            "InvalidResourceId",
            "The resource ID is not valid. Verify that you entered the correct ID and try again.",
        )
    })?;
    match call.operation.as_str() {
        "AddTagsToResource" => parameter.tags.extend(tags(&call.input)),
        "RemoveTagsFromResource" => {
            for key in input::texts(&call.input, "TagKeys") {
                parameter.tags.remove(key);
            }
        }
        _ => {
            let list =
                parameter.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>();
            return Ok(json!({"TagList": list}));
        }
    }
    Ok(json!({}))
}
