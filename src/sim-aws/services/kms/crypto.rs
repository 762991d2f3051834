//! Encrypting and decrypting, in simulated form: a ciphertext names its key and its context and hides nothing. Who may, and with which
//! key in which state, is as in reality.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{state::Key, words};
use crate::{
    AwsError, Call, Caller, Cloud, input,
    services::iam::{self, Context},
};

/// What a ciphertext says.
#[derive(Serialize, Deserialize)]
struct Sealed {
    key: String,
    context: BTreeMap<String, String>,
    /// Base 64.
    plain: String,
}

/// A use of a key that another service makes for its caller.
pub struct Use<'a> {
    pub caller: &'a Caller,
    /// `secretsmanager`: what `kms:ViaService` says; none for somebody who calls KMS directly.
    pub via: Option<&'a str>,
    pub context: BTreeMap<String, String>,
}

impl Use<'_> {
    /// Whether the key can be used so.
    ///
    /// # Errors
    /// In KMS' words: `AccessDeniedException`, `DisabledException`, `KMSInvalidStateException`, `NotFoundException`.
    pub fn check(&self, cloud: &Cloud, operation: &str, key: &str) -> Result<(), AwsError> {
        let key = words::key(cloud, key)?;
        let action = format!("kms:{operation}");
        let context = keys(cloud, key, &self.context, self.via);
        let decision = iam::evaluate(cloud, self.caller, &action, &key.arn, &context);
        if let Some(sentence) = decision.refusal(self.caller, &action, &key.arn) {
            return Err(AwsError::new("AccessDeniedException", sentence));
        }
        words::usable(key)
    }
}

/// The condition keys of a use (KMS developer guide, "Condition keys for AWS KMS").
pub fn keys(cloud: &Cloud, key: &Key, context: &BTreeMap<String, String>, via: Option<&str>) -> Context {
    let mut keys = Context::new();
    keys.insert("kms:CallerAccount".to_owned(), vec![cloud.config.account.clone()]);
    keys.insert("kms:KeySpec".to_owned(), vec!["SYMMETRIC_DEFAULT".to_owned()]);
    keys.insert("kms:ResourceAliases".to_owned(), cloud.kms.aliases_of(&key.id).cloned().collect());
    if let Some(service) = via {
        keys.insert("kms:ViaService".to_owned(), vec![format!("{service}.{}.amazonaws.com", cloud.config.region)]);
    }
    for (name, value) in context {
        keys.insert(format!("kms:EncryptionContext:{name}"), vec![value.clone()]);
    }
    if !context.is_empty() {
        keys.insert("kms:EncryptionContextKeys".to_owned(), context.keys().cloned().collect());
    }
    for (tag, value) in &key.tags {
        keys.insert(format!("aws:ResourceTag/{tag}"), vec![value.clone()]);
    }
    keys
}

/// `EncryptionContext` of a request.
pub fn context_of(request: &Value) -> BTreeMap<String, String> {
    let pairs = input::object(request, "EncryptionContext").into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

pub fn encrypt(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::usable_key(cloud, input::required(call, "KeyId")?)?;
    let plain = input::required(call, "Plaintext")?;
    Ok(json!({
        "CiphertextBlob": seal(&key.id, context_of(&call.input), plain), "KeyId": key.arn,
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

pub fn decrypt(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let sealed = open(input::required(call, "CiphertextBlob")?)?;
    if let Some(wish) = input::text(&call.input, "KeyId")
        && words::key(cloud, wish)?.id != sealed.key
    {
        return Err(AwsError::new(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        ));
    }
    if sealed.context != context_of(&call.input) {
        return Err(AwsError::new("InvalidCiphertextException", ""));
    }
    let key = words::usable_key(cloud, &sealed.key)?;
    Ok(json!({"Plaintext": sealed.plain, "KeyId": key.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}))
}

/// GenerateDataKey and GenerateDataKeyWithoutPlaintext.
pub fn data_key(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::usable_key(cloud, input::required(call, "KeyId")?)?;
    let (id, arn) = (key.id.clone(), key.arn.clone());
    let size = match (input::text(&call.input, "KeySpec"), input::integer(&call.input, "NumberOfBytes")) {
        (Some("AES_128"), None) => 16,
        (Some("AES_256"), None) => 32,
        (None, Some(bytes @ 1..=1_024)) => usize::try_from(bytes).unwrap_or(32),
        _ => {
            let sentence = "Please specify either number of bytes or key spec.";
            return Err(AwsError::new("ValidationException", sentence));
        }
    };
    let bytes = (0..size).map(|_| u8::try_from(cloud.chance.below(256)).unwrap_or(0)).collect::<Vec<_>>();
    let plain = STANDARD.encode(bytes);
    let mut answer = json!({"CiphertextBlob": seal(&id, context_of(&call.input), &plain), "KeyId": arn});
    if call.operation == "GenerateDataKey" {
        answer["Plaintext"] = json!(plain);
    }
    Ok(answer)
}

/// The id of the key that a ciphertext was made with; for whoever has to judge a request before it is looked at.
pub fn key_of(ciphertext: &str) -> Option<String> {
    open(ciphertext).ok().map(|sealed| sealed.key)
}

/// `plain` is base 64, as the API's blobs are.
pub fn seal(key: &str, context: BTreeMap<String, String>, plain: &str) -> String {
    let sealed = Sealed { key: key.to_owned(), context, plain: plain.to_owned() };
    STANDARD.encode(serde_json::to_vec(&sealed).unwrap_or_default())
}

fn open(ciphertext: &str) -> Result<Sealed, AwsError> {
    let bytes = STANDARD.decode(ciphertext).ok();
    let sealed = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    sealed.ok_or_else(|| AwsError::new("InvalidCiphertextException", ""))
}
