//! Roles and policies. A role's document has the shape that `get-account-authorization-details` shows.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, named, only, text, with};
use crate::aws::{api::Api, trouble::Trouble, wire::Service::Iam};

pub(in crate::aws) struct Policy;
pub(in crate::aws) struct Role;

const MARKERS: (&str, &str) = ("Marker", "Marker");
/// How many versions a policy may have.
const VERSIONS_MAX: usize = 5;

/// A policy document as a value; the API brings it as a text, percent-encoded on the wire.
fn document_of(value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) => {
            let plain = decoded(text);
            serde_json::from_str(&plain).unwrap_or(Value::String(plain))
        }
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or(&[]);
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A policy document as the text that the API wants.
fn as_text(document: &Value) -> Value {
    match document {
        Value::String(_) => document.clone(),
        other => Value::String(other.to_string()),
    }
}

#[async_trait]
impl Kind for Policy {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for policy in api.all(Iam, "ListPolicies", json!({"Scope": "Local"}), "Policies", MARKERS).await? {
            let arn = policy.get("Arn").cloned().unwrap_or_default();
            if !api.own_account {
                let tags = api.call(Iam, "ListPolicyTags", json!({"PolicyArn": arn})).await?;
                if !api.is_tagged(&tags) {
                    continue;
                }
            }
            let input = json!({"PolicyArn": arn, "VersionId": policy.get("DefaultVersionId")});
            let version = api.call(Iam, "GetPolicyVersion", input).await?;
            let document = document_of(version.pointer("/PolicyVersion/Document"));
            let name = text(&policy, "PolicyName").to_owned();
            found.push(named(with(&policy, json!({"PolicyDocument": document})), &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let text = as_text(document.get("PolicyDocument").unwrap_or(&Value::Null));
        let input = json!({"PolicyName": name, "PolicyDocument": text, "Tags": api.tag_list("Key", "Value")});
        api.call(Iam, "CreatePolicy", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let Some(wanted) = document.get("PolicyDocument").filter(|it| Some(*it) != object.get("PolicyDocument")) else {
            return Ok(());
        };
        let arn = json!({"PolicyArn": object.get("Arn")});
        let versions = api.all(Iam, "ListPolicyVersions", arn.clone(), "Versions", MARKERS).await?;
        if versions.len() >= VERSIONS_MAX
            && let Some(oldest) = versions.iter().rev().find(|it| it.get("IsDefaultVersion") != Some(&json!(true)))
        {
            api.call(Iam, "DeletePolicyVersion", with(&arn, only(oldest, &["VersionId"]))).await?;
        }
        let more = json!({"PolicyDocument": as_text(wanted), "SetAsDefault": true});
        api.call(Iam, "CreatePolicyVersion", with(&arn, more)).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let arn = json!({"PolicyArn": object.get("Arn")});
        let of = api.call(Iam, "ListEntitiesForPolicy", arn.clone()).await?;
        for role in list(&of, "PolicyRoles") {
            gone(api.call(Iam, "DetachRolePolicy", with(&arn, only(role, &["RoleName"]))).await)?;
        }
        for version in api.all(Iam, "ListPolicyVersions", arn.clone(), "Versions", MARKERS).await? {
            if version.get("IsDefaultVersion") != Some(&json!(true)) {
                gone(api.call(Iam, "DeletePolicyVersion", with(&arn, only(&version, &["VersionId"]))).await)?;
            }
        }
        gone(api.call(Iam, "DeletePolicy", arn).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["PolicyDocument"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "Arn").to_owned())
    }
}

impl Role {
    async fn set_policies(&self, api: &Api, name: &str, object: &Value, document: &Value) -> Result<(), Trouble> {
        let role = json!({"RoleName": name});
        if document.get("RolePolicyList").is_some() {
            let (now, wanted) = (list(object, "RolePolicyList"), list(document, "RolePolicyList"));
            for policy in wanted.iter().filter(|it| !now.contains(it)) {
                let more = json!({
                    "PolicyName": policy.get("PolicyName"),
                    "PolicyDocument": as_text(policy.get("PolicyDocument").unwrap_or(&Value::Null)),
                });
                api.call(Iam, "PutRolePolicy", with(&role, more)).await?;
            }
            let kept = |it: &&Value| wanted.iter().any(|other| text(other, "PolicyName") == text(it, "PolicyName"));
            for policy in now.iter().filter(|it| !kept(it)) {
                gone(api.call(Iam, "DeleteRolePolicy", with(&role, only(policy, &["PolicyName"]))).await)?;
            }
        }
        if document.get("AttachedManagedPolicies").is_some() {
            let arns = |value: &Value| -> Vec<String> {
                list(value, "AttachedManagedPolicies").iter().map(|it| text(it, "PolicyArn").to_owned()).collect()
            };
            let (now, wanted) = (arns(object), arns(document));
            for arn in wanted.iter().filter(|arn| !now.contains(arn)) {
                api.call(Iam, "AttachRolePolicy", with(&role, json!({"PolicyArn": arn}))).await?;
            }
            for arn in now.iter().filter(|arn| !wanted.contains(arn)) {
                gone(api.call(Iam, "DetachRolePolicy", with(&role, json!({"PolicyArn": arn}))).await)?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for Role {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for role in api.all(Iam, "ListRoles", json!({}), "Roles", MARKERS).await? {
            // Those of AWS's own services are nobody's.
            if text(&role, "Path").starts_with("/aws-service-role/") {
                continue;
            }
            let name = only(&role, &["RoleName"]);
            if !api.own_account {
                let tags = api.call(Iam, "ListRoleTags", name.clone()).await?;
                if !api.is_tagged(&tags) {
                    continue;
                }
            }
            let mut inline = Vec::new();
            let names = api.all(Iam, "ListRolePolicies", name.clone(), "PolicyNames", MARKERS).await?;
            for policy in names {
                let got = api.call(Iam, "GetRolePolicy", with(&name, json!({"PolicyName": policy}))).await?;
                inline.push(json!({"PolicyName": policy, "PolicyDocument": document_of(got.get("PolicyDocument"))}));
            }
            let attached = api.all(Iam, "ListAttachedRolePolicies", name, "AttachedPolicies", MARKERS).await?;
            let trust = document_of(role.get("AssumeRolePolicyDocument"));
            let mut role = role;
            role["AssumeRolePolicyDocument"] = trust;
            role["RolePolicyList"] = Value::Array(inline);
            role["AttachedManagedPolicies"] = Value::Array(attached);
            let name = text(&role, "RoleName").to_owned();
            found.push(named(role, &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let mut input = json!({
            "RoleName": name,
            "AssumeRolePolicyDocument": as_text(document.get("AssumeRolePolicyDocument").unwrap_or(&Value::Null)),
            "Tags": api.tag_list("Key", "Value"),
        });
        for member in ["Path", "Description", "PermissionsBoundary"] {
            if let Some(value) = document.get(member) {
                input[member] = value.clone();
            }
        }
        api.call(Iam, "CreateRole", input).await?;
        self.set_policies(api, name, &Value::Null, document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let name = text(object, "RoleName");
        if let Some(trust) = document.get("AssumeRolePolicyDocument")
            && Some(trust) != object.get("AssumeRolePolicyDocument")
        {
            let input = json!({"RoleName": name, "PolicyDocument": as_text(trust)});
            api.call(Iam, "UpdateAssumeRolePolicy", input).await?;
        }
        self.set_policies(api, name, object, document).await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let nothing = json!({"RolePolicyList": [], "AttachedManagedPolicies": []});
        match self.set_policies(api, text(object, "RoleName"), object, &nothing).await {
            Err(trouble) if !trouble.is_missing() => return Err(trouble),
            _ => {}
        }
        gone(api.call(Iam, "DeleteRole", only(object, &["RoleName"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["AssumeRolePolicyDocument", "RolePolicyList", "AttachedManagedPolicies"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "Arn").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_documents_are_read_however_they_come() {
        let value = json!({"Version": "2012-10-17"});
        assert_eq!(document_of(Some(&json!("%7B%22Version%22%3A%222012-10-17%22%7D"))), value);
        assert_eq!(document_of(Some(&json!("{\"Version\":\"2012-10-17\"}"))), value);
        assert_eq!(document_of(Some(&value)), value);
        assert_eq!(decoded("100%"), "100%");
    }
}
