//! Creating secrets, and writing and reading their values.

use serde_json::{Value, json};

use super::{
    state::{CURRENT, Content, Secret, Version},
    view, words,
};
use crate::{AwsError, Call, Cloud, input, moment};

const SUFFIX: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Bytes of a value (quotas).
const LONGEST: usize = 65_536;

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "Name")?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "/_+=.@-".contains(letter);
    if name.len() > 512 || !name.chars().all(fits) {
        return Err(AwsError::new(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    if let Some(other) = cloud.secretsmanager.find(name, cloud.now()) {
        if other.deleted.is_some() {
            return Err(words::invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        let sentence = format!("The operation failed because the secret {name} already exists.");
        return Err(AwsError::new("ResourceExistsException", sentence));
    }
    let content = content(call)?;
    let kms_key = input::text(&call.input, "KmsKeyId").map(str::to_owned);
    let suffix = cloud.chance.text(SUFFIX, 6);
    let now = cloud.now();
    let mut secret = Secret {
        name: name.to_owned(),
        arn: format!("arn:aws:secretsmanager:{}:{}:secret:{name}-{suffix}", cloud.config.region, cloud.config.account),
        description: input::text(&call.input, "Description").map(str::to_owned),
        kms_key,
        created: now,
        changed: now,
        accessed: None,
        deleted: None,
        tags: view::tags(&call.input),
        policy: None,
        versions: Vec::new(),
    };
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(content) = content {
        let version = new_version(cloud, call, &secret, content)?;
        answer["VersionId"] = json!(version.id);
        secret.versions.push(Version { stages: vec![CURRENT.to_owned()], ..version });
    }
    cloud.secretsmanager.secrets.insert(name.to_owned(), secret);
    Ok(answer)
}

/// A version without stages, encrypted with the secret's key; the caller must be allowed to (KMS: GenerateDataKey, and Decrypt).
fn new_version(cloud: &mut Cloud, call: &Call, secret: &Secret, content: Content) -> Result<Version, AwsError> {
    let id = match input::text(&call.input, "ClientRequestToken") {
        Some(token) => token.to_owned(),
        None => cloud.chance.uuid(),
    };
    let key = words::key_of(cloud, secret.kms_key.as_deref())?;
    words::use_key(cloud, &call.caller, &["GenerateDataKey", "Decrypt"], &key, (&secret.arn, &id))?;
    Ok(Version { id, created: cloud.now(), stages: Vec::new(), content, key })
}

fn content(call: &Call) -> Result<Option<Content>, AwsError> {
    let (text, binary) = (input::text(&call.input, "SecretString"), input::text(&call.input, "SecretBinary"));
    if text.or(binary).is_some_and(|it| it.len() > LONGEST) {
        let sentence = "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length \
                        less than or equal to 65536";
        return Err(AwsError::new("ValidationException", sentence));
    }
    match (text, binary) {
        (Some(_), Some(_)) => {
            let sentence = "You can't specify both a binary secret value and a string secret value in the same secret.";
            Err(AwsError::new("InvalidParameterException", sentence))
        }
        (Some(text), None) => Ok(Some(Content::Text(text.to_owned()))),
        (None, Some(binary)) => Ok(Some(Content::Binary(binary.to_owned()))),
        (None, None) => Ok(None),
    }
}

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let secret = words::living(cloud, call)?.clone();
    let content = content(call)?.ok_or_else(|| {
        AwsError::new("InvalidParameterException", "You must provide either SecretString or SecretBinary.")
    })?;
    let stages = input::texts(&call.input, "VersionStages");
    let stages = if stages.is_empty() { vec![CURRENT] } else { stages };
    let token = input::text(&call.input, "ClientRequestToken");
    if let Some(known) = secret.versions.iter().find(|version| Some(version.id.as_str()) == token) {
        if known.content != content {
            let sentence = "You can't use ClientRequestToken for two different secret values.";
            return Err(AwsError::new("ResourceExistsException", sentence));
        }
        return Ok(view::written(&secret, known));
    }
    let version = new_version(cloud, call, &secret, content)?;
    let (id, now) = (version.id.clone(), cloud.now());
    let secret = words::living_mut(cloud, call)?;
    let first = secret.versions.is_empty();
    secret.versions.push(version);
    for stage in stages {
        secret.move_stage(stage, &id);
    }
    // The first version is current whatever stages it was given.
    if first && !secret.versions.iter().any(|it| it.stages.iter().any(|stage| stage == CURRENT)) {
        secret.move_stage(CURRENT, &id);
    }
    secret.forget();
    secret.changed = now;
    let version = secret.versions.iter().find(|version| version.id == id);
    Ok(version.map_or(Value::Null, |version| view::written(secret, version)))
}

pub fn get(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let secret = words::living(cloud, call)?;
    let (id, stage) = (input::text(&call.input, "VersionId"), input::text(&call.input, "VersionStage"));
    let wanted_stage = stage.or(if id.is_none() { Some(CURRENT) } else { None });
    let fits = |version: &&Version| {
        id.is_none_or(|id| version.id == id)
            && wanted_stage.is_none_or(|stage| version.stages.iter().any(|it| it == stage))
    };
    let version = secret.versions.iter().find(fits).ok_or_else(|| {
        words::not_found(&match (id, wanted_stage) {
            (Some(id), _) => format!("Secrets Manager can't find the specified secret value for VersionId: {id}"),
            (None, stage) => format!(
                "Secrets Manager can't find the specified secret value for staging label: {}",
                stage.unwrap_or(CURRENT)
            ),
        })
    })?;
    words::use_key(cloud, &call.caller, &["Decrypt"], &version.key, (&secret.arn, &version.id))?;
    let mut answer = json!({
        "ARN": secret.arn, "Name": secret.name, "VersionId": version.id, "VersionStages": version.stages,
        "CreatedDate": moment::of(cloud, version.created),
    });
    match &version.content {
        Content::Text(text) => answer["SecretString"] = json!(text),
        Content::Binary(binary) => answer["SecretBinary"] = json!(binary),
    }
    let (name, now) = (secret.name.clone(), cloud.now());
    if let Some(secret) = cloud.secretsmanager.secrets.get_mut(&name) {
        secret.accessed = Some(now);
    }
    Ok(answer)
}

/// A new key re-encrypts the staged versions (reference of UpdateSecret, `KmsKeyId`): the caller must be able to read them and to
/// encrypt with the new key.
pub fn update(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let mut secret = words::living(cloud, call)?.clone();
    let content = content(call)?;
    if let Some(description) = input::text(&call.input, "Description") {
        secret.description = Some(description.to_owned());
    }
    if let Some(name) = input::text(&call.input, "KmsKeyId") {
        let key = words::key_of(cloud, Some(name))?;
        for version in secret.versions.iter_mut().filter(|version| !version.stages.is_empty()) {
            words::use_key(cloud, &call.caller, &["Decrypt"], &version.key, (&secret.arn, &version.id))?;
            words::use_key(cloud, &call.caller, &["GenerateDataKey", "Encrypt"], &key, (&secret.arn, &version.id))?;
            version.key.clone_from(&key);
        }
        secret.kms_key = Some(name.to_owned());
    }
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(content) = content {
        let version = new_version(cloud, call, &secret, content)?;
        let id = version.id.clone();
        answer["VersionId"] = json!(id);
        secret.versions.push(version);
        secret.move_stage(CURRENT, &id);
        secret.forget();
    }
    secret.changed = cloud.now();
    cloud.secretsmanager.secrets.insert(secret.name.clone(), secret);
    Ok(answer)
}

pub fn update_stage(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let stage = input::required(call, "VersionStage")?;
    let (to, from) = (input::text(&call.input, "MoveToVersionId"), input::text(&call.input, "RemoveFromVersionId"));
    let secret = words::living_mut(cloud, call)?;
    let holder = secret.versions.iter().find(|it| it.stages.iter().any(|it| it == stage)).map(|it| it.id.clone());
    if let Some(holder) = holder.filter(|holder| from != Some(holder.as_str()) && to != Some(holder.as_str())) {
        let sentence = format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {holder}, so you \
             must explicitly reference that version in RemoveFromVersionId."
        );
        return Err(AwsError::new("InvalidParameterException", sentence));
    }
    match to {
        Some(to) if secret.versions.iter().any(|version| version.id == to) => secret.move_stage(stage, to),
        Some(to) => {
            let sentence = format!("Secrets Manager can't find the specified secret value for VersionId: {to}");
            return Err(words::not_found(&sentence));
        }
        None if stage == CURRENT => {
            let sentence = "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.";
            return Err(AwsError::new("InvalidParameterException", sentence));
        }
        None => secret.take_stage(stage),
    }
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

pub fn list_versions(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let secret = words::any(cloud, call)?;
    let deprecated = input::flag(&call.input, "IncludeDeprecated").unwrap_or(false);
    let versions = secret.versions.iter().filter(|version| deprecated || !version.stages.is_empty());
    let view = |version: &Version| {
        let mut view = json!({"VersionId": version.id, "CreatedDate": moment::of(cloud, version.created)});
        if !version.stages.is_empty() {
            view["VersionStages"] = json!(version.stages);
        }
        view
    };
    let mut answer = super::PAGES.answer(&call.input, "Versions", versions.map(view).collect());
    answer["ARN"] = json!(secret.arn);
    answer["Name"] = json!(secret.name);
    Ok(answer)
}

/// From the simulation's own chance: the same seed, the same password.
pub fn random_password(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let flag = |member: &str| input::flag(&call.input, member).unwrap_or(false);
    let kinds = [
        ("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"),
        ("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("ExcludeNumbers", "0123456789"),
        ("ExcludePunctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ];
    let without = input::text(&call.input, "ExcludeCharacters").unwrap_or("");
    let left = kinds.iter().filter(|(name, _)| !flag(name)).map(|(_, letters)| *letters);
    let mut letters = left.flat_map(str::bytes).filter(|byte| !without.as_bytes().contains(byte)).collect::<Vec<_>>();
    if flag("IncludeSpace") {
        letters.push(b' ');
    }
    let length = usize::try_from(input::integer(&call.input, "PasswordLength").unwrap_or(32)).unwrap_or(0);
    if letters.is_empty() || !(1..=4_096).contains(&length) {
        let sentence =
            "The password length must be between 1 and 4096, and some characters must be left to make it of.";
        return Err(AwsError::new("InvalidParameterException", sentence));
    }
    Ok(json!({"RandomPassword": cloud.chance.text(&letters, length)}))
}
