//! Cloud Map: namespaces, and the names in them. A name's instances stand beside what the API describes.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, gone, list, only, text, with, without};
use crate::aws::{api::Api, trouble::Trouble, wire::Service::Discovery};

pub(in crate::aws) struct Namespace;
pub(in crate::aws) struct DiscoveryService;

const NEXT: (&str, &str) = ("NextToken", "NextToken");
/// Cloud Map answers with an operation that goes on: how often it is looked at, and the pause in between.
const LOOKS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(2);

/// Waits for what Cloud Map has only begun (CreatePrivateDnsNamespace, RegisterInstance …).
async fn finished(api: &Api, answer: &Value) -> Result<(), Trouble> {
    let Some(id) = answer.get("OperationId") else { return Ok(()) };
    for _ in 0..LOOKS {
        let operation = api.call(Discovery, "GetOperation", json!({"OperationId": id})).await?;
        let said = |key: &str| text(&operation["Operation"], key).to_owned();
        match said("Status").as_str() {
            "SUCCESS" => return Ok(()),
            "FAIL" => {
                return Err(Trouble::Refused { code: said("ErrorCode"), message: said("ErrorMessage"), status: 400 });
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
    Err(Trouble::Slow(LOOKS.into()))
}

async fn is_own(api: &Api, object: &Value) -> Result<bool, Trouble> {
    if api.own_account {
        return Ok(true);
    }
    let tags = api.call(Discovery, "ListTagsForResource", json!({"ResourceARN": object.get("Arn")})).await?;
    Ok(api.is_tagged(&tags))
}

fn attribute(object: &Value, attribute: &str) -> Option<String> {
    let member = match attribute {
        "arn" => "Arn",
        "id" => "Id",
        _ => return None,
    };
    Some(text(object, member).to_owned())
}

/// With `Vpc`: names that are resolved there; without: names for DiscoverInstances alone.
#[async_trait]
impl Kind for Namespace {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for namespace in api.all(Discovery, "ListNamespaces", json!({}), "Namespaces", NEXT).await? {
            if is_own(api, &namespace).await? {
                found.push(namespace);
            }
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let private = document.get("Vpc").is_some();
        let operation = if private { "CreatePrivateDnsNamespace" } else { "CreateHttpNamespace" };
        let input = with(document, json!({"Name": name, "Tags": api.tag_list("Key", "Value")}));
        finished(api, &api.call(Discovery, operation, input).await?).await
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Discovery, "DeleteNamespace", only(object, &["Id"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["Description"])
    }

    fn attribute(&self, object: &Value, wanted: &str) -> Option<String> {
        attribute(object, wanted)
    }
}

impl DiscoveryService {
    /// Registers instances by hand, as somebody does who does not leave it to ECS.
    async fn register(&self, api: &Api, id: &Value, document: &Value) -> Result<(), Trouble> {
        for instance in list(document, "Instances") {
            let input = json!({
                "ServiceId": id,
                "InstanceId": instance.get("Id"),
                "Attributes": instance.get("Attributes"),
            });
            finished(api, &api.call(Discovery, "RegisterInstance", input).await?).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for DiscoveryService {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for summary in api.all(Discovery, "ListServices", json!({}), "Services", NEXT).await? {
            if !is_own(api, &summary).await? {
                continue;
            }
            // Only the description of one names its namespace.
            let whole = api.call(Discovery, "GetService", only(&summary, &["Id"])).await?;
            let input = json!({"ServiceId": summary.get("Id")});
            let instances = api.all(Discovery, "ListInstances", input, "Instances", NEXT).await?;
            found.push(with(&whole["Service"], json!({"Instances": instances})));
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let more = json!({"Name": name, "Tags": api.tag_list("Key", "Value")});
        let made = api.call(Discovery, "CreateService", with(&without(document, &["Instances"]), more)).await?;
        self.register(api, &made["Service"]["Id"], document).await
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        if let Some(dns) = document.get("DnsConfig").filter(|it| Some(*it) != object.get("DnsConfig")) {
            let change = json!({"Id": object.get("Id"), "Service": {"DnsConfig": only(dns, &["DnsRecords"])}});
            finished(api, &api.call(Discovery, "UpdateService", change).await?).await?;
        }
        self.register(api, &object["Id"], document).await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        for instance in list(object, "Instances") {
            let input = json!({"ServiceId": object.get("Id"), "InstanceId": instance.get("Id")});
            gone(api.call(Discovery, "DeregisterInstance", input).await)?;
        }
        gone(api.call(Discovery, "DeleteService", only(object, &["Id"])).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["DnsConfig"])
    }

    fn attribute(&self, object: &Value, wanted: &str) -> Option<String> {
        attribute(object, wanted)
    }
}
