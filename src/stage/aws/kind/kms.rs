//! Keys of KMS. A key called `shop` bears the tag `Name` and the alias `alias/shop`; its policy and grants stand beside its description.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, named, only, text, with};
use crate::aws::{
    api::{Api, NAME_TAG, tag},
    trouble::Trouble,
    wire::Service::Kms,
};

pub(in crate::aws) struct Key;

const MARKERS: (&str, &str) = ("Marker", "NextMarker");
/// The shortest time after which a key can go.
const DAYS: u32 = 7;

async fn described(api: &Api, id: &Value) -> Result<Option<Value>, Trouble> {
    let which = json!({"KeyId": id});
    let answer = api.call(Kms, "DescribeKey", which.clone()).await?;
    let key = answer.get("KeyMetadata").cloned().unwrap_or_default();
    // AWS' own keys are nobody's, and one that waits for its end is no more.
    if text(&key, "KeyManager") != "CUSTOMER" || text(&key, "KeyState") == "PendingDeletion" {
        return Ok(None);
    }
    let tags = api.call(Kms, "ListResourceTags", which.clone()).await?;
    if !api.own_account && !api.is_tagged(&tags) {
        return Ok(None);
    }
    let policy = api.call(Kms, "GetKeyPolicy", with(&which, json!({"PolicyName": "default"}))).await?;
    let policy: Value = serde_json::from_str(text(&policy, "Policy")).unwrap_or_default();
    let grants = api.all(Kms, "ListGrants", which.clone(), "Grants", MARKERS).await?;
    let aliases = api.all(Kms, "ListAliases", which, "Aliases", MARKERS).await?;
    let name = tag(&tags, NAME_TAG).unwrap_or("").to_owned();
    let more = json!({"Tags": tags.get("Tags"), "Policy": policy, "Grants": grants, "Aliases": aliases});
    Ok(Some(named(with(&key, more), &name)))
}

impl Key {
    /// What can be set on a key that is there.
    async fn set(&self, api: &Api, id: &Value, object: &Value, document: &Value) -> Result<(), Trouble> {
        let which = json!({"KeyId": id});
        if let Some(policy) = document.get("Policy").filter(|it| Some(*it) != object.get("Policy")) {
            let more = json!({"PolicyName": "default", "Policy": policy.to_string()});
            api.call(Kms, "PutKeyPolicy", with(&which, more)).await?;
        }
        let is_there = |grant: &Value| list(object, "Grants").iter().any(|it| text(it, "Name") == text(grant, "Name"));
        for grant in list(document, "Grants").iter().filter(|it| !is_there(it)) {
            api.call(Kms, "CreateGrant", with(grant, which.clone())).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for Key {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for key in api.all(Kms, "ListKeys", json!({}), "Keys", MARKERS).await? {
            found.extend(described(api, &key["KeyId"]).await?);
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let mut input = only(document, &["Description"]);
        let mut tags = api.tag_list("TagKey", "TagValue");
        if let Some(tags) = tags.as_array_mut() {
            tags.push(json!({"TagKey": NAME_TAG, "TagValue": name}));
        }
        input["Tags"] = tags;
        let made = api.call(Kms, "CreateKey", input).await?;
        let id = made.pointer("/KeyMetadata/KeyId").cloned().unwrap_or_default();
        let alias = json!({"AliasName": format!("alias/{name}"), "TargetKeyId": id});
        api.call(Kms, "CreateAlias", alias).await?;
        self.set(api, &id, &Value::Null, document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        self.set(api, &object["KeyId"], object, document).await
    }

    /// A key cannot be deleted at once: it is of no use from now on, and goes in a week.
    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        for alias in list(object, "Aliases") {
            gone(api.call(Kms, "DeleteAlias", only(alias, &["AliasName"])).await)?;
        }
        let input = json!({"KeyId": object.get("KeyId"), "PendingWindowInDays": DAYS});
        gone(api.call(Kms, "ScheduleKeyDeletion", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["Policy"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        let member = match attribute {
            "arn" => "Arn",
            "id" => "KeyId",
            _ => return None,
        };
        Some(text(object, member).to_owned())
    }
}
