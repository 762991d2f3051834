//! What tasks read and write: log groups, secrets, parameters, repositories and their images.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, named, only, text, with, without};
use crate::aws::{
    api::Api,
    images::PLATFORMS,
    trouble::Trouble,
    wire::Service::{Ecr, Logs, Secrets, Ssm},
};

pub(in crate::aws) struct LogGroup;
pub(in crate::aws) struct Secret;
pub(in crate::aws) struct Parameter;
pub(in crate::aws) struct Repository;
pub(in crate::aws) struct Image;

#[async_trait]
impl Kind for LogGroup {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let next = ("nextToken", "nextToken");
        let mut found = Vec::new();
        for group in api.all(Logs, "DescribeLogGroups", json!({}), "logGroups", next).await? {
            let name = text(&group, "logGroupName").to_owned();
            if !api.own_account {
                let arn = text(&group, "arn").trim_end_matches(":*").to_owned();
                let tags = api.call(Logs, "ListTagsForResource", json!({"resourceArn": arn})).await?;
                if !api.is_tagged(&tags) {
                    continue;
                }
            }
            found.push(named(group, &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let mut input = with(&without(document, &["retentionInDays"]), json!({"logGroupName": name}));
        if !api.tags.is_empty() {
            input["tags"] = json!(api.tags);
        }
        api.call(Logs, "CreateLogGroup", input).await?;
        self.update(api, &json!({"logGroupName": name}), document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let Some(days) = document.get("retentionInDays").filter(|it| Some(*it) != object.get("retentionInDays")) else {
            return Ok(());
        };
        let input = json!({"logGroupName": object.get("logGroupName"), "retentionInDays": days});
        api.call(Logs, "PutRetentionPolicy", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Logs, "DeleteLogGroup", only(object, &["logGroupName"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["retentionInDays"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "arn").trim_end_matches(":*").to_owned())
    }
}

/// A secret's value: written as a mapping, kept as a text.
fn secret_text(document: &Value) -> Option<Value> {
    document.get("SecretString").map(|value| match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    })
}

#[async_trait]
impl Kind for Secret {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let all = api.all(Secrets, "ListSecrets", json!({}), "SecretList", ("NextToken", "NextToken")).await?;
        let own = all.into_iter().filter(|it| api.own_account || api.is_tagged(it));
        Ok(own.filter(|it| it.get("DeletedDate").is_none_or(Value::is_null)).collect())
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let mut input = with(document, json!({"Name": name, "Tags": api.tag_list("Key", "Value")}));
        if let Some(text) = secret_text(document) {
            input["SecretString"] = text;
        }
        api.call(Secrets, "CreateSecret", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let mut input = json!({"SecretId": object.get("ARN")});
        if let Some(key) = document.get("KmsKeyId").filter(|it| Some(*it) != object.get("KmsKeyId")) {
            input["KmsKeyId"] = key.clone();
        }
        if let Some(text) = secret_text(document) {
            input["SecretString"] = text;
        }
        api.call(Secrets, "UpdateSecret", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = json!({"SecretId": object.get("ARN"), "ForceDeleteWithoutRecovery": true});
        gone(api.call(Secrets, "DeleteSecret", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["KmsKeyId", "Description"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "ARN").to_owned())
    }
}

#[async_trait]
impl Kind for Parameter {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let next = ("NextToken", "NextToken");
        let mut found = Vec::new();
        for parameter in api.all(Ssm, "DescribeParameters", json!({}), "Parameters", next).await? {
            if !api.own_account {
                let input = json!({"ResourceType": "Parameter", "ResourceId": parameter.get("Name")});
                let tags = api.call(Ssm, "ListTagsForResource", input).await?;
                if !api.is_tagged(&json!({"Tags": tags.get("TagList")})) {
                    continue;
                }
            }
            let arn = format!("arn:aws:ssm:{}:{}:parameter{}", api.region, api.account, text(&parameter, "Name"));
            found.push(with(&json!({"ARN": arn}), parameter));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"Name": name, "Type": "String", "Tags": api.tag_list("Key", "Value")});
        api.call(Ssm, "PutParameter", with(document, more)).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        if document.get("Value").is_none() {
            return Ok(());
        }
        let more = json!({"Name": object.get("Name"), "Overwrite": true});
        api.call(Ssm, "PutParameter", with(document, more)).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ssm, "DeleteParameter", only(object, &["Name"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["Type", "KeyId"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "ARN").to_owned())
    }
}

#[async_trait]
impl Kind for Repository {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let next = ("nextToken", "nextToken");
        let mut found = Vec::new();
        for repository in api.all(Ecr, "DescribeRepositories", json!({}), "repositories", next).await? {
            if !api.own_account {
                let input = json!({"resourceArn": repository.get("repositoryArn")});
                if !api.is_tagged(&api.call(Ecr, "ListTagsForResource", input).await?) {
                    continue;
                }
            }
            let name = text(&repository, "repositoryName").to_owned();
            found.push(named(repository, &name));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"repositoryName": name, "tags": api.tag_list("Key", "Value")});
        let input = with(&without(document, &[PLATFORMS]), more);
        api.call(Ecr, "CreateRepository", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let key = "imageTagMutability";
        let Some(wanted) = document.get(key).filter(|it| Some(*it) != object.get(key)) else { return Ok(()) };
        let input = json!({"repositoryName": object.get("repositoryName"), (key): wanted});
        api.call(Ecr, "PutImageTagMutability", input).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = json!({"repositoryName": object.get("repositoryName"), "force": true});
        gone(api.call(Ecr, "DeleteRepository", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["imageTagMutability", "imageScanningConfiguration"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        let member = match attribute {
            "arn" => "repositoryArn",
            "uri" => "repositoryUri",
            _ => return None,
        };
        Some(text(object, member).to_owned())
    }
}

/// An image of a repository under one of its tags: `shop/web:2.1`. The lab's `images` are pushed when their repository is made.
#[async_trait]
impl Kind for Image {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for repository in Repository.list(api).await? {
            let name = text(&repository, "repositoryName");
            let input = json!({"repositoryName": name});
            for image in api.all(Ecr, "DescribeImages", input, "imageDetails", ("nextToken", "nextToken")).await? {
                for tag in list(&image, "imageTags").iter().filter_map(Value::as_str) {
                    found.push(named(image.clone(), &format!("{name}:{tag}")));
                }
            }
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let platforms: Vec<&str> = list(document, PLATFORMS).iter().filter_map(Value::as_str).collect();
        crate::aws::images::push(api, name, &platforms).await
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let (repository, tag) = text(object, "Name").rsplit_once(':').unwrap_or(("", ""));
        let input = json!({"repositoryName": repository, "imageIds": [{"imageTag": tag}]});
        gone(api.call(Ecr, "BatchDeleteImage", input).await)
    }

    fn document(&self, _object: &Value) -> Value {
        json!({})
    }

    fn attribute(&self, _object: &Value, _attribute: &str) -> Option<String> {
        None
    }
}
