//! CreateService, UpdateService, DeleteService, DescribeServices, ListServices.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{
    capacity, connect,
    deployments::{begin, threshold_of},
    find::{arn, client, cluster, invalid, living, service_arn, usable},
    page, scheduler,
    service_view::shown,
    state::{Definition, Service, ServiceStatus, Settings, StrategyItem, Throttle},
    tags, task_calls,
};
use crate::{
    AwsError, Call, Cloud,
    input::{flag, has, integer, list, required, required_list, text, texts},
    services::iam,
    tasks::{self, StopCode},
};

/// Members whose change makes a new deployment (UpdateService in the API's reference); the rest is only noted.
const DEPLOYED: [&str; 7] = [
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

pub(super) fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let cluster_name = cluster(&cloud.ecs, input)?.name.clone();
    let name = required(call, "serviceName")?.to_owned();
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.len() > 255 || !name.chars().all(is_fine) {
        return Err(invalid(
            "Service name must be at most 255 characters long and contain only alphanumeric characters, hyphens or underscores.",
        ));
    }
    if let Some(known) = service_arn(&cloud.ecs, &cluster_name, &name).and_then(|arn| cloud.ecs.services.get(&arn)) {
        match known.status {
            ServiceStatus::Active => return Err(invalid("Creation of service was not idempotent.")),
            ServiceStatus::Draining => {
                return Err(invalid("Unable to Start a service that is still Draining."));
            }
            ServiceStatus::Inactive => {}
        }
    }
    refuse_unknown(input)?;
    let is_daemon = text(input, "schedulingStrategy") == Some("DAEMON");
    let desired = integer(input, "desiredCount");
    if is_daemon && desired.is_some() {
        return Err(invalid(
            "The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.",
        ));
    }
    if !is_daemon && desired.is_none() {
        return Err(invalid("Desired count must be specified for the REPLICA scheduling strategy."));
    }
    let desired = u64::try_from(desired.unwrap_or(0)).map_err(|_| invalid("desiredCount cannot be negative."))?;
    let controller = input.get("deploymentController").and_then(|it| text(it, "type")).unwrap_or("ECS").to_owned();
    if controller != "ECS" {
        return Err(AwsError::new(
            "UnsupportedFeatureException",
            format!("the breakfix simulator knows the deployment controller ECS, not {controller}"),
        ));
    }
    let (launch_type, strategy) = capacity::asked(cloud, input)?;
    let definition = usable(cloud, required(call, "taskDefinition")?)?.clone();
    let mut revision = Map::new();
    revision.insert("taskDefinition".to_owned(), json!(definition.arn));
    if strategy.is_empty() {
        revision.insert("launchType".to_owned(), json!(launch_type));
    }
    for member in DEPLOYED {
        if let Some(value) = input.get(member).filter(|value| !value.is_null()) {
            revision.insert(member.to_owned(), value.clone());
        }
    }
    check(cloud, (&cluster_name, None), &definition, &revision, &launch_type, &strategy)?;
    let settings = settings(input, is_daemon, &revision)?;
    let arn = arn(&cloud.config, &format!("service/{cluster_name}/{name}"));
    let now = cloud.now();
    let service = Service {
        arn: arn.clone(),
        name,
        cluster: cluster_name,
        status: ServiceStatus::Active,
        is_daemon,
        desired,
        created: now,
        created_by: call.caller.arn.clone(),
        revision,
        strategy,
        settings,
        tags: tags::read(input),
        deployments: Vec::new(),
        last_completed: None,
        events: VecDeque::new(),
        history: Vec::new(),
        is_steady: false,
        due: None,
        said: BTreeMap::new(),
        throttle: Throttle::default(),
        rebalancing: None,
        discoveries: Vec::new(),
    };
    // An ARN may have been that of a service that is gone.
    cloud.ecs.services.insert(arn.clone(), service);
    begin(cloud, &arn);
    let answer = json!({"service": shown(cloud, &arn, true)});
    Ok(answer)
}

/// What is not modelled is refused, not taken and forgotten.
fn refuse_unknown(input: &Value) -> Result<(), AwsError> {
    let refusal = |what: &str| {
        Err(AwsError::new("UnsupportedFeatureException", format!("the breakfix simulator does not model {what}")))
    };
    for member in ["volumeConfigurations", "vpcLatticeConfigurations"] {
        if !list(input, member).is_empty() {
            return refusal(member);
        }
    }
    if list(input, "loadBalancers").iter().any(|it| has(it, "advancedConfiguration")) {
        return refusal("blue/green deployments (loadBalancers[].advancedConfiguration)");
    }
    let deployment = input.get("deploymentConfiguration").unwrap_or(&Value::Null);
    for member in ["canaryConfiguration", "linearConfiguration"] {
        if has(deployment, member) {
            return refusal(&format!("traffic shifting (deploymentConfiguration.{member})"));
        }
    }
    if !list(deployment, "lifecycleHooks").is_empty() {
        return refusal("lifecycle hooks (deploymentConfiguration.lifecycleHooks)");
    }
    Ok(())
}

/// A revision's parts fit together.
fn check(
    cloud: &mut Cloud,
    (cluster, service): (&str, Option<&str>),
    definition: &Definition,
    revision: &Map<String, Value>,
    launch_type: &str,
    strategy: &[StrategyItem],
) -> Result<(), AwsError> {
    let fargate = launch_type == "FARGATE" || strategy.iter().any(|item| item.capacity_provider.starts_with("FARGATE"));
    task_calls::compatible(definition, fargate)?;
    let plan = task_calls::plan(cloud, definition, &Value::Null);
    connect::check(cloud, cluster, service, &plan, revision)?;
    let body = Value::Object(revision.clone());
    task_calls::network(cloud, &plan, &body, fargate)?;
    for balancer in list(&body, "loadBalancers") {
        let container = text(balancer, "containerName").unwrap_or_default();
        let port = integer(balancer, "containerPort").unwrap_or(0);
        let Some(found) = plan.container(container) else {
            return Err(invalid(format!("The container {container} does not exist in the task definition.")));
        };
        if !found.ports.iter().any(|it| i64::from(it.container) == port) {
            return Err(invalid(format!("The container {container} did not have a container port {port} defined.")));
        }
        let Some(group) = text(balancer, "targetGroupArn") else {
            return Err(invalid("Classic load balancers are not simulated: specify a targetGroupArn."));
        };
        target_group(cloud, group, plan.network == tasks::NetworkMode::AwsVpc)?;
    }
    Ok(())
}

/// The target group is there, takes what the tasks register, and has a balancer.
fn target_group(cloud: &mut Cloud, group: &str, own_network: bool) -> Result<(), AwsError> {
    let call = Call {
        service: "elasticloadbalancing".to_owned(),
        operation: "DescribeTargetGroups".to_owned(),
        input: json!({"TargetGroupArns": [group]}),
        caller: iam::operator(&cloud.config),
    };
    let answer = match cloud.call(&call) {
        Ok(answer) => answer,
        Err(error) if error.code == "NotImplemented" => return Ok(()),
        Err(_) => return Err(invalid(format!("The specified target group does not exist: {group}"))),
    };
    let Some(found) = list(&answer, "TargetGroups").first() else {
        return Err(invalid(format!("The specified target group does not exist: {group}")));
    };
    if list(found, "LoadBalancerArns").is_empty() {
        return Err(invalid(format!(
            "The target group with targetGroupArn {group} does not have an associated load balancer."
        )));
    }
    let kind = text(found, "TargetType").unwrap_or("instance");
    if own_network && kind != "ip" {
        return Err(invalid(format!(
            "The provided target group {group} has target type {kind}, which is incompatible with the awsvpc network mode specified in the \
             task definition."
        )));
    }
    if !own_network && kind == "ip" {
        return Err(invalid(format!(
            "The provided target group {group} has target type ip, which is incompatible with the bridge network mode specified in the \
             task definition."
        )));
    }
    Ok(())
}

/// Service settings of a creation, completed by their defaults.
fn settings(input: &Value, is_daemon: bool, revision: &Map<String, Value>) -> Result<Settings, AwsError> {
    let constraints = list(input, "placementConstraints").to_vec();
    let placement = list(input, "placementStrategy").to_vec();
    let deployment = deployment_configuration(&Value::Null, input.get("deploymentConfiguration"), is_daemon)?;
    let has_balancer = revision.get("loadBalancers").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    let most = integer(&deployment, "maximumPercent").unwrap_or(200);
    let first = placement.first();
    let by_zone = first.is_none_or(|it| text(it, "field") == Some("attribute:ecs.availability-zone"));
    // Since September 2025 ENABLED is the default where the service allows it.
    let allowed = !is_daemon && most > 100 && by_zone;
    let rebalancing = match text(input, "availabilityZoneRebalancing") {
        Some("ENABLED") if !allowed => {
            return Err(invalid(
                "The availabilityZoneRebalancing setting is not compatible with the service's configuration.",
            ));
        }
        Some(given) => given.to_owned(),
        None => if allowed { "ENABLED" } else { "DISABLED" }.to_owned(),
    };
    Ok(Settings {
        deployment,
        controller: "ECS".to_owned(),
        grace: grace(input, has_balancer)?,
        constraints,
        placement,
        can_exec: flag(input, "enableExecuteCommand").unwrap_or(false),
        propagate_tags: text(input, "propagateTags").unwrap_or("NONE").to_owned(),
        managed_tags: flag(input, "enableECSManagedTags").unwrap_or(false),
        rebalancing,
        role: text(input, "role").map(str::to_owned),
    })
}

fn grace(input: &Value, has_balancer: bool) -> Result<Option<u64>, AwsError> {
    match integer(input, "healthCheckGracePeriodSeconds") {
        None => Ok(has_balancer.then_some(0)),
        Some(seconds) => u64::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds <= 2_147_483_647)
            .map(Some)
            .ok_or_else(|| invalid("Health check grace period must be between 0 and 2,147,483,647 seconds.")),
    }
}

/// The present configuration with what a request changes; a first one is completed by the defaults (API's model: 100/200, DAEMON 0/100).
fn deployment_configuration(present: &Value, change: Option<&Value>, is_daemon: bool) -> Result<Value, AwsError> {
    let mut out = match present.as_object() {
        Some(present) => present.clone(),
        None => {
            let (least, most) = if is_daemon { (0, 100) } else { (100, 200) };
            let breaker = json!({"enable": false, "rollback": false});
            Map::from_iter([
                ("deploymentCircuitBreaker".to_owned(), breaker),
                ("maximumPercent".to_owned(), json!(most)),
                ("minimumHealthyPercent".to_owned(), json!(least)),
                ("strategy".to_owned(), json!("ROLLING")),
                ("bakeTimeInMinutes".to_owned(), json!(0)),
            ])
        }
    };
    for (member, value) in change.and_then(Value::as_object).into_iter().flatten() {
        if !value.is_null() {
            out.insert(member.clone(), value.clone());
        }
    }
    let out = Value::Object(out);
    let (least, most) =
        (integer(&out, "minimumHealthyPercent").unwrap_or(100), integer(&out, "maximumPercent").unwrap_or(200));
    if !(0..=100).contains(&least) {
        return Err(invalid("minimumHealthyPercent must be between 0 and 100."));
    }
    if is_daemon && !(100..=200).contains(&most) {
        return Err(invalid(
            "The daemon scheduling strategy does not support values above 200 for maximumPercent on services.",
        ));
    }
    if !is_daemon && !(100..=200).contains(&most) {
        return Err(invalid("maximumPercent must be between 100 and 200."));
    }
    if let Some(breaker) = out.get("deploymentCircuitBreaker").filter(|it| !it.is_null()) {
        threshold_of(breaker, 1).map_err(invalid)?;
    }
    match text(&out, "strategy") {
        None | Some("ROLLING") => Ok(out),
        Some(other) => Err(AwsError::new(
            "UnsupportedFeatureException",
            format!("the breakfix simulator knows the deployment strategy ROLLING, not {other}"),
        )),
    }
}

pub(super) fn update(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let cluster_name = cluster(&cloud.ecs, input)?.name.clone();
    let service = living(&cloud.ecs, &cluster_name, required(call, "service")?)?.clone();
    if service.status != ServiceStatus::Active {
        return Err(AwsError::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    refuse_unknown(input)?;
    let desired = match integer(input, "desiredCount") {
        Some(_) if service.is_daemon => {
            return Err(invalid(
                "The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try \
                 again.",
            ));
        }
        Some(count) => u64::try_from(count).map_err(|_| invalid("desiredCount cannot be negative."))?,
        None => service.desired,
    };
    let mut revision = service.revision.clone();
    let mut strategy = service.strategy.clone();
    if has(input, "capacityProviderStrategy") {
        strategy = capacity::asked(cloud, input)?.1;
        revision.remove("launchType");
    }
    let definition = match text(input, "taskDefinition") {
        Some(name) => usable(cloud, name)?.clone(),
        None => {
            let name = revision.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
            super::find::definition(&cloud.ecs, name).cloned().ok_or_else(|| client("TaskDefinition not found."))?
        }
    };
    let before = revision.clone();
    revision.insert("taskDefinition".to_owned(), json!(definition.arn));
    for member in DEPLOYED {
        if let Some(value) = input.get(member).filter(|value| !value.is_null()) {
            revision.insert(member.to_owned(), value.clone());
        }
    }
    let launch_type = revision.get("launchType").and_then(Value::as_str).unwrap_or_default().to_owned();
    check(cloud, (&cluster_name, Some(&service.arn)), &definition, &revision, &launch_type, &strategy)?;
    let mut settings = service.settings.clone();
    settings.deployment =
        deployment_configuration(&settings.deployment, input.get("deploymentConfiguration"), service.is_daemon)?;
    if has(input, "healthCheckGracePeriodSeconds") {
        settings.grace = grace(input, true)?;
    }
    if has(input, "placementConstraints") {
        settings.constraints = list(input, "placementConstraints").to_vec();
    }
    if has(input, "placementStrategy") {
        settings.placement = list(input, "placementStrategy").to_vec();
    }
    if let Some(enabled) = flag(input, "enableExecuteCommand") {
        settings.can_exec = enabled;
    }
    if let Some(enabled) = flag(input, "enableECSManagedTags") {
        settings.managed_tags = enabled;
    }
    if let Some(from) = text(input, "propagateTags") {
        settings.propagate_tags = from.to_owned();
    }
    if let Some(value) = text(input, "availabilityZoneRebalancing") {
        if value == "ENABLED" && integer(&settings.deployment, "maximumPercent").unwrap_or(200) <= 100 {
            return Err(invalid(
                "The availabilityZoneRebalancing setting is not compatible with a maximumPercent of 100 or less.",
            ));
        }
        settings.rebalancing = value.to_owned();
    }
    let deploys =
        flag(input, "forceNewDeployment") == Some(true) || revision != before && is_deployed(&revision, &before);
    if let Some(service) = cloud.ecs.services.get_mut(&service.arn) {
        service.desired = desired;
        service.revision = revision;
        service.strategy = strategy;
        service.settings = settings;
        service.said.clear();
        service.rebalancing = None;
    }
    if deploys {
        begin(cloud, &service.arn);
    } else {
        scheduler::desired_changed(cloud, &service.arn);
    }
    Ok(json!({"service": shown(cloud, &service.arn, false)}))
}

/// Whether anything but the launch type changed.
fn is_deployed(new: &Map<String, Value>, old: &Map<String, Value>) -> bool {
    let same = |member: &str| new.get(member) == old.get(member);
    !DEPLOYED.iter().chain(&["taskDefinition"]).all(|member| same(member))
}

pub(super) fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let cluster_name = cluster(&cloud.ecs, input)?.name.clone();
    let service = living(&cloud.ecs, &cluster_name, required(call, "service")?)?;
    let arn = service.arn.clone();
    let force = flag(input, "force") == Some(true);
    if service.desired > 0 && !force && !service.is_daemon {
        return Err(invalid("The service cannot be stopped while it is scaled above 0."));
    }
    if let Some(service) = cloud.ecs.services.get_mut(&arn) {
        service.status = ServiceStatus::Draining;
        service.desired = 0;
    }
    let own: Vec<(String, String)> = cloud
        .tasks
        .tasks
        .values()
        .filter(|task| task.is_to_run)
        .filter_map(|task| {
            task.membership.as_ref().filter(|it| it.service == arn).map(|it| (task.id.clone(), it.deployment.clone()))
        })
        .collect();
    for (task, deployment) in own {
        let reason = format!("Scaling activity initiated by (deployment {deployment})");
        tasks::stop(cloud, &task, StopCode::ServiceSchedulerInitiated, &reason);
    }
    scheduler::look(cloud, &arn);
    Ok(json!({"service": shown(cloud, &arn, false)}))
}

pub(super) fn describe(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let found_cluster = cluster(&cloud.ecs, input)?;
    let (cluster_name, front) = (found_cluster.name.clone(), found_cluster.arn.replacen(":cluster/", ":service/", 1));
    let wanted = required_list(call, "services")?;
    if wanted.len() > 10 {
        return Err(invalid("Services can have at most 10 items."));
    }
    let with_tags = texts(input, "include").contains(&"TAGS");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for wanted in wanted.iter().filter_map(Value::as_str) {
        let known = service_arn(&cloud.ecs, &cluster_name, wanted);
        match known.filter(|arn| cloud.ecs.services.get(arn).is_some_and(|it| it.cluster == cluster_name)) {
            Some(arn) => found.push(shown(cloud, &arn, with_tags)),
            None => {
                let arn = if wanted.starts_with("arn:") { wanted.to_owned() } else { format!("{front}/{wanted}") };
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"services": found, "failures": failures}))
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let cluster_name = cluster(&cloud.ecs, input)?.name.clone();
    let wanted = |service: &&Service| {
        let launch_type = service.revision.get("launchType").and_then(Value::as_str).unwrap_or("FARGATE");
        let scheduling = if service.is_daemon { "DAEMON" } else { "REPLICA" };
        service.cluster == cluster_name
            && service.status != ServiceStatus::Inactive
            && text(input, "launchType").is_none_or(|wanted| wanted == launch_type)
            && text(input, "schedulingStrategy").is_none_or(|wanted| wanted == scheduling)
    };
    let arns: Vec<Value> = cloud.ecs.services.values().filter(wanted).map(|it| json!(it.arn)).collect();
    // A page has ten services unless more are asked for (the API's model); the largest has a hundred.
    let size = integer(input, "maxResults").unwrap_or(10);
    let mut input = input.clone();
    input["maxResults"] = json!(size);
    page::of(&input, "serviceArns", arns, 100)
}
