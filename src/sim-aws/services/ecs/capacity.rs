//! Capacity: providers, strategies, and where a task may run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    find::{arn, cluster, invalid, last},
    page,
    placement::{self, Lack},
    state::{Provider, StrategyItem},
    tags,
};
use crate::{
    AwsError, Call, Cloud,
    input::{integer, list, required, text, texts},
    tasks::{Host, Plan},
};

/// A strategy has no more items than this, and weights are no larger (the API's model).
const ITEMS_MAX: usize = 20;
const WEIGHT_MAX: i64 = 1000;
const BASE_MAX: i64 = 100_000;

/// Reads a strategy and checks it against the providers of its cluster.
///
/// # Errors
/// `InvalidParameterException`.
pub(super) fn strategy(cloud: &Cloud, items: &[Value], known: &[String]) -> Result<Vec<StrategyItem>, AwsError> {
    if items.len() > ITEMS_MAX {
        return Err(invalid("A capacity provider strategy can contain a maximum of 20 capacity providers."));
    }
    let mut out = Vec::new();
    for item in items {
        let provider = last(text(item, "capacityProvider").unwrap_or_default()).to_owned();
        if provider.is_empty() {
            return Err(invalid("Capacity provider can not be blank."));
        }
        if !known.iter().any(|name| last(name) == provider) {
            let exists = provider.starts_with("FARGATE") || cloud.ecs.providers.contains_key(&provider);
            return Err(invalid(match exists {
                true => {
                    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. \
                     Associate the capacity provider with the cluster and try again."
                }
                false => "The specified capacity provider was not found. Specify a valid name or ARN and try again.",
            }));
        }
        let (weight, base) = (integer(item, "weight").unwrap_or(0), integer(item, "base").unwrap_or(0));
        if !(0..=WEIGHT_MAX).contains(&weight) || !(0..=BASE_MAX).contains(&base) {
            return Err(invalid("The weight must be between 0 and 1000 and the base between 0 and 100000."));
        }
        let (weight, base) = (u64::try_from(weight).unwrap_or(0), u64::try_from(base).unwrap_or(0));
        out.push(StrategyItem { capacity_provider: provider, weight, base });
    }
    if out.iter().filter(|item| item.base > 0).count() > 1 {
        return Err(invalid("A capacity provider strategy can have only one capacity provider with a base defined."));
    }
    if out.len() > 1 && out.iter().all(|item| item.weight == 0) {
        return Err(invalid("At least one capacity provider in a strategy must have a weight greater than zero."));
    }
    let fargate = out.iter().filter(|item| item.capacity_provider.starts_with("FARGATE")).count();
    if fargate != 0 && fargate != out.len() {
        return Err(invalid(
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers.",
        ));
    }
    Ok(out)
}

/// The provider whose turn it is: the base first, then by weight. `placed`: tasks by provider.
pub(super) fn next(strategy: &[StrategyItem], placed: &BTreeMap<String, u64>) -> Option<String> {
    let has = |item: &StrategyItem| placed.get(&item.capacity_provider).copied().unwrap_or(0);
    if let Some(item) = strategy.iter().find(|item| has(item) < item.base) {
        return Some(item.capacity_provider.clone());
    }
    // The one that is furthest behind its share; products instead of quotients.
    let weighty = strategy.iter().filter(|item| item.weight > 0);
    let behind = weighty.min_by(|a, b| {
        let (beyond_a, beyond_b) = (has(a).saturating_sub(a.base), has(b).saturating_sub(b.base));
        (beyond_a * b.weight).cmp(&(beyond_b * a.weight)).then(b.weight.cmp(&a.weight))
    });
    behind.or(strategy.first().filter(|_| strategy.len() == 1)).map(|item| item.capacity_provider.clone())
}

/// Where one task goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) launch_type: String,
    pub(super) provider: Option<String>,
    pub(super) host: Host,
    pub(super) zone: String,
}

/// Why a task goes nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nowhere {
    /// Fargate has nothing to give.
    NoCapacity,
    NoInstances,
    /// What each instance lacks; the closest match first.
    Unfit(Vec<(String, Lack)>),
}

/// What a task asks of its place.
pub(super) struct Wish<'a> {
    pub(super) cluster: &'a str,
    pub(super) plan: &'a Plan,
    /// `FARGATE`, `EC2`, `EXTERNAL`; ignored where a provider is given.
    pub(super) launch_type: &'a str,
    pub(super) provider: Option<String>,
    pub(super) group: &'a str,
    pub(super) constraints: &'a [Value],
    pub(super) strategy: &'a [Value],
}

/// Finds a place for one task.
///
/// # Errors
/// There is none.
pub(super) fn place(cloud: &mut Cloud, wish: &Wish<'_>) -> Result<Place, Nowhere> {
    let is_fargate = match &wish.provider {
        Some(provider) => provider.starts_with("FARGATE"),
        None => wish.launch_type == "FARGATE",
    };
    if is_fargate {
        let name = wish.provider.as_deref().unwrap_or("FARGATE");
        if cloud.ecs.without_capacity.contains(name) {
            return Err(Nowhere::NoCapacity);
        }
        let provider = wish.provider.clone();
        return Ok(Place { launch_type: "FARGATE".to_owned(), provider, host: Host::Fargate, zone: String::new() });
    }
    let instance = placement::choose(cloud, wish)?;
    let zone = cloud.ecs.instances.get(&instance).map(|it| it.zone.clone()).unwrap_or_default();
    Ok(Place { launch_type: "EC2".to_owned(), provider: wish.provider.clone(), host: Host::Instance(instance), zone })
}

pub(super) fn create_provider(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = required(call, "name")?.to_owned();
    let reserved = ["aws", "ecs", "fargate"].iter().any(|front| name.to_ascii_lowercase().starts_with(front));
    if reserved {
        return Err(invalid("The capacity provider name cannot begin with aws, ecs or fargate."));
    }
    let Some(group) = call.input.get("autoScalingGroupProvider").filter(|group| !group.is_null()) else {
        return Err(invalid("You must specify an autoScalingGroupProvider."));
    };
    if cloud.ecs.providers.contains_key(&name) {
        return Err(invalid(
            "The specified capacity provider already exists. To change the configuration of an existing capacity \
             provider, update the capacity provider.",
        ));
    }
    let mut group = group.clone();
    if group.get("managedScaling").is_none() {
        group["managedScaling"] = json!({"status": "DISABLED"});
    }
    if group.get("managedTerminationProtection").is_none() {
        group["managedTerminationProtection"] = json!("DISABLED");
    }
    let arn = arn(&cloud.config, &format!("capacity-provider/{name}"));
    let made = Provider { name: name.clone(), arn, group, tags: tags::read(&call.input) };
    let shown = shown(&made);
    cloud.ecs.providers.insert(name, made);
    Ok(json!({"capacityProvider": shown}))
}

fn shown(provider: &Provider) -> Value {
    json!({
        "capacityProviderArn": provider.arn,
        "name": provider.name,
        "status": "ACTIVE",
        "autoScalingGroupProvider": provider.group,
        "type": "EC2_AUTOSCALING",
        "tags": tags::write(&provider.tags),
    })
}

fn fargate(cloud: &Cloud, name: &str) -> Value {
    let arn = arn(&cloud.config, &format!("capacity-provider/{name}"));
    json!({"capacityProviderArn": arn, "name": name, "status": "ACTIVE", "type": name, "tags": []})
}

pub(super) fn describe_providers(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let names = texts(&call.input, "capacityProviders");
    let mut failures = Vec::new();
    let mut found = Vec::new();
    if names.is_empty() {
        found.extend(["FARGATE", "FARGATE_SPOT"].map(|name| fargate(cloud, name)));
        found.extend(cloud.ecs.providers.values().map(shown));
    }
    for name in names {
        match (last(name), cloud.ecs.providers.get(last(name))) {
            (own @ ("FARGATE" | "FARGATE_SPOT"), _) => found.push(fargate(cloud, own)),
            (_, Some(provider)) => found.push(shown(provider)),
            (own, None) => {
                let arn = arn(&cloud.config, &format!("capacity-provider/{own}"));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    let mut answer = page::of(&call.input, "capacityProviders", found, 10)?;
    answer["failures"] = Value::Array(failures);
    Ok(answer)
}

pub(super) fn update_provider(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = last(required(call, "name")?).to_owned();
    let missing =
        || invalid("The specified capacity provider was not found. Specify a valid name or ARN and try again.");
    let provider = cloud.ecs.providers.get_mut(&name).ok_or_else(missing)?;
    let new = call.input.get("autoScalingGroupProvider").and_then(Value::as_object);
    for (member, value) in new.into_iter().flatten() {
        provider.group[member] = value.clone();
    }
    let shown = shown(provider);
    Ok(json!({"capacityProvider": shown}))
}

pub(super) fn delete_provider(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = last(required(call, "capacityProvider")?).to_owned();
    if name.starts_with("FARGATE") {
        return Err(invalid("The specified capacity provider is reserved and cannot be deleted."));
    }
    let Some(provider) = cloud.ecs.providers.get(&name) else {
        return Err(invalid(
            "The specified capacity provider was not found. Specify a valid name or ARN and try again.",
        ));
    };
    if cloud.ecs.clusters.values().any(|it| it.is_active && it.providers.iter().any(|known| last(known) == name)) {
        return Err(invalid(
            "The capacity provider cannot be deleted because it is associated with cluster: remove it from the cluster and try again.",
        ));
    }
    let mut shown = shown(provider);
    shown["status"] = json!("DELETE_IN_PROGRESS");
    cloud.ecs.providers.remove(&name);
    Ok(json!({"capacityProvider": shown}))
}

/// Launch type and strategy of a request: its own, or the cluster's default.
///
/// # Errors
/// Both are given, or the strategy is wrong.
pub(super) fn asked(cloud: &Cloud, input: &Value) -> Result<(String, Vec<StrategyItem>), AwsError> {
    let cluster = cluster(&cloud.ecs, input)?;
    let own = list(input, "capacityProviderStrategy");
    let launch_type = text(input, "launchType").filter(|it| !it.is_empty());
    if !own.is_empty() && launch_type.is_some() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    if !own.is_empty() {
        return Ok((String::new(), strategy(cloud, own, &cluster.providers)?));
    }
    match launch_type {
        Some(launch_type) => Ok((launch_type.to_owned(), Vec::new())),
        None if !cluster.default_strategy.is_empty() => Ok((String::new(), cluster.default_strategy.clone())),
        None => Ok(("EC2".to_owned(), Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_comes_first_and_then_the_weights() {
        let item = |name: &str, base, weight| StrategyItem { capacity_provider: name.to_owned(), weight, base };
        let strategy = [item("FARGATE", 2, 1), item("FARGATE_SPOT", 0, 3)];
        let mut placed = BTreeMap::new();
        for _ in 0..10 {
            *placed.entry(next(&strategy, &placed).unwrap()).or_default() += 1;
        }
        assert_eq!(placed, BTreeMap::from([("FARGATE".to_owned(), 4), ("FARGATE_SPOT".to_owned(), 6)]));
    }
}
