//! ECS itself: clusters, task definitions, services, tasks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Kind, changed, gone, list, named, only, text, with, without};
use crate::aws::{api::Api, trouble::Trouble, wire::Service::Ecs};

pub(in crate::aws) struct Cluster;
pub(in crate::aws) struct TaskDefinition;
pub(in crate::aws) struct Service;
pub(in crate::aws) struct Task;

/// How many the describe operations take at once.
const CLUSTERS_AT_ONCE: usize = 100;
const SERVICES_AT_ONCE: usize = 10;
const TASKS_AT_ONCE: usize = 100;
const NEXT: (&str, &str) = ("nextToken", "nextToken");

fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn tags(api: &Api) -> Value {
    if api.tags.is_empty() { json!({}) } else { json!({"tags": api.tag_list("key", "value")}) }
}

/// Whose capacity a cluster may use, and whose it uses when nobody says.
const PROVIDERS: [&str; 2] = ["capacityProviders", "defaultCapacityProviderStrategy"];

#[async_trait]
impl Kind for Cluster {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let arns = api.all(Ecs, "ListClusters", json!({}), "clusterArns", NEXT).await?;
        let mut found = Vec::new();
        for some in arns.chunks(CLUSTERS_AT_ONCE) {
            let input = json!({"clusters": some, "include": ["TAGS", "SETTINGS"]});
            let answer = api.call(Ecs, "DescribeClusters", input).await?;
            let live = list(&answer, "clusters").iter().filter(|it| text(it, "status") != "INACTIVE");
            for cluster in live.filter(|it| api.own_account || api.is_tagged(it)) {
                found.push(named(cluster.clone(), text(cluster, "clusterName")));
            }
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = with(&with(document, json!({"clusterName": name})), tags(api));
        api.call(Ecs, "CreateCluster", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let cluster = json!({"cluster": object.get("clusterName")});
        if !changed(object, document, &PROVIDERS).is_empty() {
            // Both are said at once; what the document does not speak of stays.
            let said = with(&only(document, &PROVIDERS), only(object, &PROVIDERS));
            api.call(Ecs, "PutClusterCapacityProviders", with(&said, cluster.clone())).await?;
        }
        let input = changed(object, document, &["settings", "configuration", "serviceConnectDefaults"]);
        if input.is_empty() {
            return Ok(());
        }
        api.call(Ecs, "UpdateCluster", with(&Value::Object(input), cluster)).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        gone(api.call(Ecs, "DeleteCluster", json!({"cluster": object.get("clusterArn")})).await)
    }

    fn document(&self, object: &Value) -> Value {
        let settings = ["settings", "configuration", "serviceConnectDefaults"];
        only(object, &[settings.as_slice(), PROVIDERS.as_slice()].concat())
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "clusterArn").to_owned())
    }
}

/// What a description has and a registration does not take.
const REGISTERED: [&str; 9] = [
    "Name",
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
];

async fn definition(api: &Api, of: &str) -> Result<Value, Trouble> {
    let answer = api.call(Ecs, "DescribeTaskDefinition", json!({"taskDefinition": of, "include": ["TAGS"]})).await?;
    let tags = answer.get("tags").cloned().unwrap_or_else(|| json!([]));
    let definition = answer.get("taskDefinition").cloned().unwrap_or_default();
    Ok(with(&definition, json!({"tags": tags})))
}

/// Every active revision, those of a family under its name, the newest first.
#[async_trait]
impl Kind for TaskDefinition {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let input = json!({"status": "ACTIVE", "sort": "DESC"});
        let arns = api.all(Ecs, "ListTaskDefinitions", input, "taskDefinitionArns", NEXT).await?;
        let mut found = Vec::new();
        for arn in arns.iter().filter_map(Value::as_str) {
            let object = definition(api, arn).await?;
            // A learner's revision bears no tag of ours; it is the lab's as one of its family's.
            let own = api.own_account || api.is_tagged(&object) || api.owns_family(text(&object, "family"));
            if own {
                let name = text(&object, "family").to_owned();
                found.push(named(object, &name));
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.get("revision").and_then(Value::as_i64)));
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = with(&with(document, json!({"family": name})), tags(api));
        api.call(Ecs, "RegisterTaskDefinition", input).await.map(drop)
    }

    /// A revision is never changed; another one is registered.
    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        if self.document(object) == *document {
            return Ok(());
        }
        self.create(api, text(object, "family"), document).await
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let arn = object.get("taskDefinitionArn");
        gone(api.call(Ecs, "DeregisterTaskDefinition", json!({"taskDefinition": arn})).await)?;
        match api.call(Ecs, "DeleteTaskDefinitions", json!({"taskDefinitions": [arn]})).await {
            // An emulator without it keeps inactive revisions, as AWS did before 2023.
            Err(trouble) if trouble.is_unknown_operation() => Ok(()),
            other => gone(other),
        }
    }

    fn document(&self, object: &Value) -> Value {
        without(object, &[REGISTERED.as_slice(), &["tags", "family"]].concat())
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "taskDefinitionArn").to_owned())
    }
}

/// What a service says of Service Connect: answers have it in the deployments alone, the present one first.
fn connect_of(service: &Value) -> Option<&Value> {
    let present = list(service, "deployments").iter().find(|it| text(it, "status") == "PRIMARY")?;
    present.get("serviceConnectConfiguration").filter(|it| it.is_object())
}

/// What UpdateService takes of what CreateService does.
const UPDATED: [&str; 14] = [
    "desiredCount",
    "taskDefinition",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "availabilityZoneRebalancing",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
];

#[async_trait]
impl Kind for Service {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        let mut definitions: BTreeMap<String, Value> = BTreeMap::new();
        for cluster in Cluster.list(api).await? {
            let cluster = cluster.get("clusterArn").cloned().unwrap_or_default();
            let arns = api.all(Ecs, "ListServices", json!({"cluster": cluster}), "serviceArns", NEXT).await?;
            for some in arns.chunks(SERVICES_AT_ONCE) {
                let input = json!({"cluster": cluster, "services": some});
                let answer = api.call(Ecs, "DescribeServices", input).await?;
                for service in list(&answer, "services").iter().filter(|it| text(it, "status") != "INACTIVE") {
                    let arn = text(service, "taskDefinition").to_owned();
                    if !arn.is_empty() && !definitions.contains_key(&arn) {
                        let found = definition(api, &arn).await?;
                        definitions.insert(arn.clone(), found);
                    }
                    let mut more = json!({"TaskDefinition": definitions.get(&arn)});
                    if let Some(connect) = connect_of(service) {
                        more["serviceConnectConfiguration"] = connect.clone();
                    }
                    found.push(named(with(service, more), text(service, "serviceName")));
                }
            }
        }
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = with(&with(document, json!({"serviceName": name})), tags(api));
        api.call(Ecs, "CreateService", input).await.map(drop)
    }

    async fn update(&self, api: &Api, object: &Value, document: &Value) -> Result<(), Trouble> {
        let mut input = changed(object, document, &UPDATED);
        if let Some(force) = document.get("forceNewDeployment") {
            input.insert("forceNewDeployment".to_owned(), force.clone());
        }
        if input.is_empty() {
            return Ok(());
        }
        let which = json!({"cluster": object.get("clusterArn"), "service": object.get("serviceName")});
        api.call(Ecs, "UpdateService", with(&Value::Object(input), which)).await.map(drop)
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        let input = json!({"cluster": object.get("clusterArn"), "service": object.get("serviceName"), "force": true});
        gone(api.call(Ecs, "DeleteService", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &UPDATED)
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "serviceArn").to_owned())
    }
}

/// Tasks that run and those that stopped of late, the newest last.
#[async_trait]
impl Kind for Task {
    async fn list(&self, api: &Api) -> Result<Vec<Value>, Trouble> {
        let mut found = Vec::new();
        for cluster in Cluster.list(api).await? {
            let cluster = cluster.get("clusterArn").cloned().unwrap_or_default();
            for status in ["RUNNING", "STOPPED"] {
                let input = json!({"cluster": cluster, "desiredStatus": status});
                let arns = api.all(Ecs, "ListTasks", input, "taskArns", NEXT).await?;
                for some in arns.chunks(TASKS_AT_ONCE) {
                    let answer = api.call(Ecs, "DescribeTasks", json!({"cluster": cluster, "tasks": some})).await?;
                    let tasks = list(&answer, "tasks").iter();
                    found.extend(tasks.map(|it| named(it.clone(), id(text(it, "taskArn")))));
                }
            }
        }
        found.sort_by(|a, b| text(a, "Name").cmp(text(b, "Name")));
        Ok(found)
    }

    async fn create(&self, api: &Api, name: &str, document: &Value) -> Result<(), Trouble> {
        let input = with(&with(document, json!({"startedBy": name})), tags(api));
        let answer = api.call(Ecs, "RunTask", input).await?;
        match list(&answer, "failures").first() {
            Some(failure) => Err(Trouble::Refused {
                code: text(failure, "reason").to_owned(),
                message: format!("the task {name} was not started: {}", text(failure, "detail")),
                status: 400,
            }),
            None => Ok(()),
        }
    }

    async fn update(&self, _api: &Api, _object: &Value, _document: &Value) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete(&self, api: &Api, object: &Value) -> Result<(), Trouble> {
        if text(object, "desiredStatus") == "STOPPED" {
            return Ok(());
        }
        let input = json!({"cluster": object.get("clusterArn"), "task": object.get("taskArn")});
        gone(api.call(Ecs, "StopTask", input).await)
    }

    fn document(&self, object: &Value) -> Value {
        only(object, &["taskDefinitionArn", "group"])
    }

    fn attribute(&self, object: &Value, attribute: &str) -> Option<String> {
        (attribute == "arn").then(|| text(object, "taskArn").to_owned())
    }
}
