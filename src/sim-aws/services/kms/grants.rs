//! Grants: rights on a key that stand in no policy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    state::{Grant, Key},
    words,
};
use crate::{
    AwsError, Call, Cloud, input, moment,
    services::{
        iam::{Context, policy::Principal},
        page,
    },
};

/// Whether a grant on the key gives this principal the action.
pub fn is_granted(cloud: &Cloud, principal: &Principal, action: &str, arn: &str, context: &Context) -> bool {
    let Some(operation) = action.strip_prefix("kms:") else { return false };
    let named = |grantee: &str| match principal {
        Principal::User { arn, .. } => grantee == arn,
        Principal::Session { arn, role, .. } => grantee == arn || grantee == role,
        Principal::Service(name) => grantee == name,
        Principal::Federated(_) => false,
    };
    let given = |grant: &Grant| {
        named(&grant.grantee) && grant.operations.iter().any(|it| it == operation) && fits(grant, context)
    };
    cloud.kms.find(arn, cloud.now()).is_some_and(|key| key.grants.iter().any(given))
}

/// The encryption context is as the grant wants it.
fn fits(grant: &Grant, context: &Context) -> bool {
    let has = |(name, value): (&String, &String)| {
        context.get(&format!("kms:EncryptionContext:{name}")).is_some_and(|it| it == std::slice::from_ref(value))
    };
    let pairs = context.keys().filter(|name| name.starts_with("kms:EncryptionContext:")).count();
    grant.subset.iter().all(has)
        && (grant.equals.is_empty() || (grant.equals.iter().all(has) && pairs == grant.equals.len()))
}

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::usable_key(cloud, input::required(call, "KeyId")?)?.id.clone();
    let grantee = input::required(call, "GranteePrincipal")?;
    if !grantee.starts_with("arn:") && !grantee.ends_with(".amazonaws.com") {
        return Err(AwsError::new("InvalidArnException", format!("{grantee} is not a valid ARN")));
    }
    let operations = input::texts(&call.input, "Operations").into_iter().map(str::to_owned).collect::<Vec<_>>();
    input::required_list(call, "Operations")?;
    let pairs = |name: &str| {
        let all = input::object(&call.input, "Constraints").and_then(|it| it.get(name)).and_then(Value::as_object);
        let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        all.into_iter().flatten().filter_map(pair).collect::<BTreeMap<_, _>>()
    };
    let text = |member: &str| input::text(&call.input, member).map(str::to_owned);
    let grant = Grant {
        id: cloud.chance.text(b"0123456789abcdef", 64),
        token: cloud.chance.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40),
        name: text("Name"),
        created: cloud.now(),
        grantee: grantee.to_owned(),
        retiring: text("RetiringPrincipal"),
        operations,
        subset: pairs("EncryptionContextSubset"),
        equals: pairs("EncryptionContextEquals"),
    };
    let answer = json!({"GrantToken": grant.token, "GrantId": grant.id});
    if let Some(key) = cloud.kms.keys.get_mut(&key) {
        key.grants.push(grant);
    }
    Ok(answer)
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::key(cloud, input::required(call, "KeyId")?)?;
    let wanted = |grant: &&Grant| {
        input::text(&call.input, "GrantId").is_none_or(|id| id == grant.id)
            && input::text(&call.input, "GranteePrincipal").is_none_or(|arn| arn == grant.grantee)
    };
    let grants = key.grants.iter().filter(wanted).map(|grant| view(cloud, key, grant)).collect();
    Ok(page::KMS.answer(&call.input, "Grants", grants))
}

fn view(cloud: &Cloud, key: &Key, grant: &Grant) -> Value {
    let mut view = json!({
        "KeyId": key.arn, "GrantId": grant.id, "GranteePrincipal": grant.grantee, "Operations": grant.operations,
        "CreationDate": moment::of(cloud, grant.created),
        "IssuingAccount": format!("arn:aws:iam::{}:root", cloud.config.account),
    });
    for (member, value) in [("Name", &grant.name), ("RetiringPrincipal", &grant.retiring)] {
        if let Some(value) = value {
            view[member] = json!(value);
        }
    }
    for (member, pairs) in [("EncryptionContextSubset", &grant.subset), ("EncryptionContextEquals", &grant.equals)] {
        if !pairs.is_empty() {
            view["Constraints"][member] = json!(pairs);
        }
    }
    view
}

/// RevokeGrant and RetireGrant.
pub fn end(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let text = |member: &str| input::text(&call.input, member);
    let only = text("KeyId").map(|name| words::key(cloud, name).map(|key| key.id.clone())).transpose()?;
    for key in cloud.kms.keys.values_mut().filter(|key| only.as_ref().is_none_or(|id| *id == key.id)) {
        let before = key.grants.len();
        key.grants.retain(|grant| text("GrantId") != Some(&grant.id) && text("GrantToken") != Some(&grant.token));
        if key.grants.len() < before {
            return Ok(json!({}));
        }
    }
    let id = text("GrantId").unwrap_or("");
    Err(AwsError::new("NotFoundException", format!("Grant ID {id} not found")))
}
