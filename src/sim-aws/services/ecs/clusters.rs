//! Clusters.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    capacity::strategy,
    connect,
    find::{arn, client, cluster, invalid, last},
    page,
    state::{Cluster, ServiceStatus, StrategyItem},
    tags,
};
use crate::{
    AwsError, Call, Cloud,
    input::{list, required, text, texts},
    tasks::{Host, LastStatus},
};

pub(super) fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = text(input, "clusterName").filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.len() > 255 || !name.chars().all(is_fine) {
        return Err(invalid(
            "Cluster name must be at most 255 characters long and contain only alphanumeric characters, hyphens or underscores.",
        ));
    }
    if cloud.ecs.clusters.get(&name).is_none_or(|known| !known.is_active) {
        let providers: Vec<String> = texts(input, "capacityProviders").into_iter().map(str::to_owned).collect();
        let default_strategy = strategy(cloud, list(input, "defaultCapacityProviderStrategy"), &providers)?;
        let mut settings = BTreeMap::from([("containerInsights".to_owned(), "disabled".to_owned())]);
        settings.extend(read_settings(input));
        let namespace = input.get("serviceConnectDefaults").and_then(|it| text(it, "namespace"));
        let namespace = connect::default_namespace(cloud, namespace.unwrap_or_default())?;
        let made = Cluster {
            arn: arn(&cloud.config, &format!("cluster/{name}")),
            name: name.clone(),
            is_active: true,
            configuration: input.get("configuration").cloned(),
            settings,
            providers,
            default_strategy,
            connect_namespace: namespace,
            tags: tags::read(input),
        };
        cloud.ecs.clusters.insert(name.clone(), made);
    }
    Ok(json!({"cluster": shown(cloud, &name, &["TAGS", "SETTINGS", "CONFIGURATIONS"])}))
}

fn read_settings(input: &Value) -> BTreeMap<String, String> {
    let pair = |it: &Value| Some((text(it, "name")?.to_owned(), text(it, "value")?.to_owned()));
    list(input, "settings").iter().filter_map(pair).collect()
}

/// A cluster as answers show it, with the parts that were asked for.
fn shown(cloud: &Cloud, name: &str, include: &[&str]) -> Value {
    let Some(cluster) = cloud.ecs.clusters.get(name) else { return Value::Null };
    let tasks = || cloud.tasks.tasks.values().filter(|task| task.cluster == *name);
    let counted = |from: LastStatus, to: LastStatus| tasks().filter(|task| (from..=to).contains(&task.last)).count();
    let services = cloud.ecs.services.values();
    let active = services.filter(|it| it.cluster == *name && it.status == ServiceStatus::Active).count();
    let instances = cloud.ecs.instances.values().filter(|it| it.cluster == *name).count();
    let mut out = json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": if cluster.is_active { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": instances,
        "runningTasksCount": counted(LastStatus::Running, LastStatus::Running),
        "pendingTasksCount": counted(LastStatus::Provisioning, LastStatus::Activating),
        "activeServicesCount": active,
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": cluster.providers,
        "defaultCapacityProviderStrategy": shown_strategy(&cluster.default_strategy),
    });
    if let Some(namespace) = &cluster.connect_namespace {
        out["serviceConnectDefaults"] = json!({"namespace": namespace});
    }
    for part in include {
        match *part {
            "TAGS" => out["tags"] = tags::write(&cluster.tags),
            "SETTINGS" => {
                out["settings"] =
                    cluster.settings.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            }
            "CONFIGURATIONS" => {
                if let Some(configuration) = &cluster.configuration {
                    out["configuration"] = configuration.clone();
                }
            }
            "STATISTICS" => {
                let count = |fargate: bool, running: bool| {
                    let kind = |task: &&crate::tasks::Task| (task.host == Host::Fargate) == fargate;
                    let state = |task: &&crate::tasks::Task| match running {
                        true => task.last == LastStatus::Running,
                        false => task.last < LastStatus::Running,
                    };
                    tasks().filter(kind).filter(state).count().to_string()
                };
                out["statistics"] = json!([
                    {"name": "runningEC2TasksCount", "value": count(false, true)},
                    {"name": "runningFargateTasksCount", "value": count(true, true)},
                    {"name": "pendingEC2TasksCount", "value": count(false, false)},
                    {"name": "pendingFargateTasksCount", "value": count(true, false)},
                ]);
            }
            _ => {}
        }
    }
    out
}

/// A strategy as answers show it.
pub(super) fn shown_strategy(strategy: &[StrategyItem]) -> Value {
    let item =
        |it: &StrategyItem| json!({"capacityProvider": it.capacity_provider, "weight": it.weight, "base": it.base});
    strategy.iter().map(item).collect()
}

pub(super) fn describe(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let mut names = texts(&call.input, "clusters");
    if names.is_empty() {
        names.push("default");
    }
    let include = texts(&call.input, "include");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match cloud.ecs.clusters.get(last(name)) {
            Some(cluster) => found.push(shown(cloud, &cluster.name, &include)),
            None => {
                let arn = arn(&cloud.config, &format!("cluster/{}", last(name)));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"clusters": found, "failures": failures}))
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let active = cloud.ecs.clusters.values().filter(|cluster| cluster.is_active);
    page::of(&call.input, "clusterArns", active.map(|cluster| json!(cluster.arn)).collect(), 100)
}

pub(super) fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    required(call, "cluster")?;
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    if cloud.ecs.services.values().any(|it| it.cluster == name && it.status != ServiceStatus::Inactive) {
        return Err(AwsError::new(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        ));
    }
    if cloud.ecs.instances.values().any(|it| it.cluster == name) {
        return Err(AwsError::new(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        ));
    }
    if cloud.tasks.tasks.values().any(|it| it.cluster == name && it.last < LastStatus::Stopped) {
        return Err(AwsError::new(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        ));
    }
    if let Some(cluster) = cloud.ecs.clusters.get_mut(&name) {
        cluster.is_active = false;
    }
    Ok(json!({"cluster": shown(cloud, &name, &[])}))
}

pub(super) fn update(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    required(call, "cluster")?;
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let input = &call.input;
    let namespace = input.get("serviceConnectDefaults").and_then(|it| text(it, "namespace"));
    let namespace = namespace.map(|name| connect::default_namespace(cloud, name)).transpose()?;
    if let Some(cluster) = cloud.ecs.clusters.get_mut(&name) {
        cluster.settings.extend(read_settings(input));
        if let Some(configuration) = input.get("configuration") {
            cluster.configuration = Some(configuration.clone());
        }
        if let Some(namespace) = namespace {
            cluster.connect_namespace = namespace;
        }
    }
    Ok(json!({"cluster": shown(cloud, &name, &["SETTINGS", "CONFIGURATIONS"])}))
}

pub(super) fn put_providers(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    required(call, "cluster")?;
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let input = &call.input;
    let providers: Vec<String> = texts(input, "capacityProviders").into_iter().map(str::to_owned).collect();
    for provider in &providers {
        let is_known = provider.starts_with("FARGATE") || cloud.ecs.providers.contains_key(last(provider));
        if !is_known {
            return Err(invalid(
                "The specified capacity provider was not found. Specify a valid name or ARN and try again.",
            ));
        }
    }
    let default_strategy = strategy(cloud, list(input, "defaultCapacityProviderStrategy"), &providers)?;
    let Some(cluster) = cloud.ecs.clusters.get(&name) else { return Err(client("Cluster not found.")) };
    let kept: Vec<String> = cluster.providers.iter().filter(|it| !providers.contains(it)).cloned().collect();
    let arn_of = |task: &crate::tasks::Task| task.capacity_provider.clone();
    for gone in kept {
        let in_use = cloud
            .tasks
            .tasks
            .values()
            .any(|it| it.cluster == name && it.is_alive() && arn_of(it) == Some(gone.clone()));
        if in_use {
            return Err(AwsError::new(
                "ResourceInUseException",
                "The specified capacity provider is in use and cannot be removed.",
            ));
        }
    }
    if let Some(cluster) = cloud.ecs.clusters.get_mut(&name) {
        cluster.providers = providers;
        cluster.default_strategy = default_strategy;
    }
    let mut shown = shown(cloud, &name, &[]);
    shown["attachments"] = json!([]);
    let answer = Map::from_iter([("cluster".to_owned(), shown)]);
    Ok(Value::Object(answer))
}
