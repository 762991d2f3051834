//! What KMS keeps: keys, their policies, aliases and grants.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Cloud;

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By id.
    pub keys: BTreeMap<String, Key>,
    /// `alias/shop` → key id.
    pub aliases: BTreeMap<String, String>,
}

/// A symmetric key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub id: String,
    pub arn: String,
    pub description: String,
    pub created: SimTime,
    pub enabled: bool,
    /// When it will be gone; it cannot be used any more from the moment this is set.
    pub deletion: Option<SimTime>,
    pub rotates: bool,
    /// AWS's own key for a service (`alias/aws/ssm`): made at its first use, and nobody's to change.
    pub of_aws: bool,
    pub policy: String,
    pub tags: BTreeMap<String, String>,
    pub grants: Vec<Grant>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    pub token: String,
    pub name: Option<String>,
    pub created: SimTime,
    pub grantee: String,
    pub retiring: Option<String>,
    /// `Decrypt`, `GenerateDataKey` …
    pub operations: Vec<String>,
    /// Pairs that the encryption context must have.
    pub subset: BTreeMap<String, String>,
    /// All that it must have.
    pub equals: BTreeMap<String, String>,
}

impl State {
    /// The key that an id, an ARN, an alias or an alias' ARN names. A key past its date of deletion is no more.
    pub fn find(&self, name: &str, now: SimTime) -> Option<&Key> {
        let name = name.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4)).unwrap_or(name);
        let id = match name.strip_prefix("key/") {
            Some(id) => id,
            None if name.starts_with("alias/") => self.aliases.get(name)?,
            None => name,
        };
        self.keys.get(id).filter(|key| key.deletion.is_none_or(|date| now < date))
    }

    /// The aliases of a key.
    pub fn aliases_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a String> {
        self.aliases.iter().filter(move |(_, key)| *key == id).map(|(alias, _)| alias)
    }
}

impl Key {
    /// `Enabled`, `Disabled`, `PendingDeletion`.
    pub fn state(&self) -> &'static str {
        match (self.deletion, self.enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }
}

/// A new key with this policy, or with the default one: the account's root may do everything and passes on what IAM allows
/// (KMS developer guide, "Default key policy").
pub fn add(cloud: &mut Cloud, policy: Option<&str>) -> String {
    let id = cloud.chance.uuid();
    let (region, account) = (&cloud.config.region, &cloud.config.account);
    let key = Key {
        id: id.clone(),
        arn: format!("arn:aws:kms:{region}:{account}:key/{id}"),
        description: String::new(),
        created: cloud.now(),
        enabled: true,
        deletion: None,
        rotates: false,
        of_aws: false,
        policy: policy.map_or_else(|| default_policy(account), str::to_owned),
        tags: BTreeMap::new(),
        grants: Vec::new(),
    };
    cloud.kms.keys.insert(id.clone(), key);
    id
}

fn default_policy(account: &str) -> String {
    let statement = json!({
        "Sid": "Enable IAM User Permissions", "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "kms:*", "Resource": "*",
    });
    let policy = json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]});
    serde_json::to_string_pretty(&policy).unwrap_or_default()
}

/// The id of AWS's own key for a service of this account, made where it is not there yet. Whoever comes through the service may use it
/// (policies of the keys `aws/secretsmanager` and `aws/ssm`, as `get-key-policy` shows them).
pub fn of_service(cloud: &mut Cloud, service: &str) -> String {
    let alias = format!("alias/aws/{service}");
    if let Some(id) = cloud.kms.aliases.get(&alias) {
        return id.clone();
    }
    let (region, account) = (&cloud.config.region, &cloud.config.account);
    let policy = json!({
        "Version": "2012-10-17", "Id": format!("auto-{service}-1"),
        "Statement": [
            {
                "Sid": "Allow access through the service for all principals in the account that are authorized to use it",
                "Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*",
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                           "kms:DescribeKey"],
                "Condition": {"StringEquals": {
                    "kms:CallerAccount": account, "kms:ViaService": format!("{service}.{region}.amazonaws.com"),
                }},
            },
            {
                "Sid": "Allow direct access to key metadata to the account", "Effect": "Allow", "Resource": "*",
                "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
            },
        ],
    });
    let id = add(cloud, Some(&policy.to_string()));
    if let Some(key) = cloud.kms.keys.get_mut(&id) {
        key.of_aws = true;
        key.description = format!("Default key that protects my {service} data when no other key is defined");
    }
    cloud.kms.aliases.insert(alias, id.clone());
    id
}
