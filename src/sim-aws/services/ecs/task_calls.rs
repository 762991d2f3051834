//! RunTask, StartTask, StopTask, DescribeTasks, ListTasks and what else is asked of single tasks.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    capacity::{self, Nowhere, Place, Wish},
    definitions,
    find::{client, cluster, invalid, last, service_arn, task_id, usable},
    page, placement,
    state::{Definition, StrategyItem},
    tags,
    task_view::{Shown, shown},
};
use crate::{
    AwsError, Call, Cloud,
    input::{flag, has, integer, list, required, required_list, text, texts},
    services::{ec2, iam},
    tasks::{self, Host, LastStatus, Link, Network, NetworkMode, Order, Plan, StopCode},
};

/// The most tasks of one request, and the longest overrides (the API's model).
const COUNT_MAX: i64 = 10;
const OVERRIDES_MAX: usize = 8192;

/// What ECS says where a role does not trust `ecs-tasks.amazonaws.com`, or is not there.
pub(super) fn cannot_assume(role: &str) -> String {
    format!(
        "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed has the \
         proper trust relationship and permissions and that your IAM user has permissions to pass this role."
    )
}

/// The roles of a plan can be taken on.
///
/// # Errors
/// One cannot: the sentence.
pub(super) fn check_roles(cloud: &Cloud, plan: &Plan) -> Result<(), String> {
    for role in [&plan.execution_role, &plan.task_role].into_iter().flatten() {
        let arn = role_arn(cloud, role);
        if iam::assume_for_service(cloud, &arn, "ecs-tasks.amazonaws.com", "check").is_err() {
            return Err(cannot_assume(&arn));
        }
    }
    Ok(())
}

/// A role's ARN, where it is given by name.
pub(super) fn role_arn(cloud: &Cloud, role: &str) -> String {
    match cloud.iam.roles.get(role) {
        Some(found) => found.arn.clone(),
        None => role.to_owned(),
    }
}

/// The plan of a definition, its roles by ARN.
pub(super) fn plan(cloud: &Cloud, definition: &Definition, overrides: &Value) -> Plan {
    let mut plan = Plan::read(&definitions::whole(definition), overrides);
    for role in [&mut plan.execution_role, &mut plan.task_role].into_iter().flatten() {
        *role = role_arn(cloud, role);
    }
    plan
}

/// `networkConfiguration`, checked against the definition's mode.
///
/// # Errors
/// `InvalidParameterException`.
pub(super) fn network(cloud: &mut Cloud, plan: &Plan, input: &Value, fargate: bool) -> Result<Network, AwsError> {
    let given = input.get("networkConfiguration").and_then(|it| it.get("awsvpcConfiguration"));
    if plan.network != NetworkMode::AwsVpc {
        return match given {
            Some(given) if has(given, "subnets") => {
                Err(invalid("Network Configuration is not valid for the given networkMode of this task definition."))
            }
            _ => Ok(Network::default()),
        };
    }
    let given = given.filter(|given| !given.is_null());
    let Some(given) = given else {
        return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
    };
    let subnets: Vec<String> = texts(given, "subnets").into_iter().map(str::to_owned).collect();
    if subnets.is_empty() {
        return Err(invalid("subnets can not be empty."));
    }
    if subnets.len() > 16 {
        return Err(invalid("subnets can have at most 16 items."));
    }
    let is_public = text(given, "assignPublicIp") == Some("ENABLED");
    if is_public && !fargate {
        return Err(invalid("Assign public IP is not supported for this launch type."));
    }
    let groups: Vec<String> = texts(given, "securityGroups").into_iter().map(str::to_owned).collect();
    if groups.len() > 5 {
        return Err(invalid("securityGroups can have at most 5 items."));
    }
    super::network_check::exists(cloud, &subnets, &groups)?;
    Ok(Network { subnets, groups, is_public })
}

/// Everything that the tasks of one request have in common.
pub(super) struct Batch<'a> {
    pub(super) cluster: &'a str,
    pub(super) definition: &'a str,
    pub(super) plan: Arc<Plan>,
    pub(super) overrides: &'a Value,
    pub(super) group: &'a str,
    pub(super) started_by: Option<String>,
    pub(super) network: &'a Network,
    pub(super) platform_version: Option<String>,
    pub(super) membership: Option<tasks::Membership>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) can_exec: bool,
    pub(super) connect: tasks::Connect,
    pub(super) digests: BTreeMap<String, String>,
}

/// Creates a task at its place.
pub(super) fn start_at(cloud: &mut Cloud, batch: &Batch<'_>, place: Place) -> String {
    let cluster_arn = cloud.ecs.clusters.get(batch.cluster).map(|it| it.arn.clone()).unwrap_or_default();
    let (mut host_link, mut bindings) = (None, Vec::new());
    if let Host::Instance(arn) = &place.host {
        bindings = placement::bindings(cloud, arn, &batch.plan);
        let interface = cloud.ecs.instances.get(arn).and_then(|it| it.interface.clone());
        let interface = interface.and_then(|id| cloud.ec2.interfaces.get(&id.0));
        host_link = interface.map(|found: &ec2::Interface| Link {
            interface: found.id.clone(),
            address: found.address,
            subnet: found.subnet_id.clone(),
            mac: found.mac.clone(),
            attachment: String::new(),
            is_own: false,
        });
    }
    let is_fargate = place.host == Host::Fargate;
    let order = Order {
        cluster: batch.cluster.to_owned(),
        cluster_arn,
        definition: batch.definition.to_owned(),
        plan: Arc::clone(&batch.plan),
        overrides: batch.overrides.clone(),
        group: batch.group.to_owned(),
        started_by: batch.started_by.clone(),
        launch_type: place.launch_type,
        capacity_provider: place.provider,
        platform_version: is_fargate.then(|| {
            batch.platform_version.clone().filter(|version| version != "LATEST").unwrap_or_else(|| "1.4.0".to_owned())
        }),
        host: place.host,
        network: batch.network.clone(),
        zone: place.zone,
        membership: batch.membership.clone(),
        tags: batch.tags.clone(),
        can_exec: batch.can_exec,
        connect: batch.connect.clone(),
        digests: batch.digests.clone(),
        host_link,
        bindings,
    };
    tasks::create(cloud, order)
}

pub(super) fn run(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let count = integer(input, "count").unwrap_or(1);
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(invalid("Count should be between 1 and 10."));
    }
    let (launch_type, strategy) = capacity::asked(cloud, input)?;
    let prepared = prepare(cloud, call, &launch_type, &strategy)?;
    let Prepared { definition, plan, overrides, network, group } = prepared;
    let (mut started, mut failures) = (Vec::new(), Vec::new());
    let mut placed: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..count {
        let provider = capacity::next(&strategy, &placed);
        let wish = Wish {
            cluster: &name,
            plan: &plan,
            launch_type: &launch_type,
            provider: provider.clone(),
            group: &group,
            constraints: list(input, "placementConstraints"),
            strategy: list(input, "placementStrategy"),
        };
        match capacity::place(cloud, &wish) {
            Ok(place) => {
                let batch = batch(input, &name, &definition, &plan, &overrides, &group, &network);
                started.push(start_at(cloud, &batch, place));
                if let Some(provider) = provider {
                    *placed.entry(provider).or_default() += 1;
                }
            }
            Err(Nowhere::NoCapacity) => failures.push(json!({
                "reason": "Capacity is unavailable at this time. Please try again later or in a different availability zone"
            })),
            Err(Nowhere::NoInstances) if provider.is_some() => failures.push(json!({"reason": "EMPTY CAPACITY PROVIDER"})),
            Err(Nowhere::NoInstances) => {
                return Err(invalid("No Container Instances were found in your cluster."));
            }
            Err(Nowhere::Unfit(lacks)) => {
                failures.extend(lacks.iter().map(|(arn, lack)| json!({"arn": arn, "reason": lack.reason()})));
            }
        }
    }
    let tasks: Vec<Value> = started.iter().map(|id| shown(cloud, id, Shown::WithTags)).collect();
    Ok(json!({"tasks": tasks, "failures": failures}))
}

pub(super) fn start(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let instances = required_list(call, "containerInstances")?;
    if instances.len() > 10 {
        return Err(invalid("Container instances can have at most 10 items."));
    }
    let prepared = prepare(cloud, call, "EC2", &[])?;
    let Prepared { definition, plan, overrides, network, group } = prepared;
    let (mut started, mut failures) = (Vec::new(), Vec::new());
    for wanted in instances.iter().filter_map(Value::as_str) {
        let found =
            cloud.ecs.instances.values().find(|it| it.cluster == name && last(&it.arn) == last(wanted)).cloned();
        let Some(instance) = found else {
            failures.push(json!({"arn": wanted, "reason": "MISSING"}));
            continue;
        };
        if instance.status == "INACTIVE" {
            failures.push(json!({"arn": instance.arn, "reason": "INACTIVE"}));
            continue;
        }
        let wish = Wish {
            cluster: &name,
            plan: &plan,
            launch_type: "EC2",
            provider: None,
            group: &group,
            constraints: &[],
            strategy: &[],
        };
        if let Some(lack) = placement::lack(cloud, &instance, &wish) {
            failures.push(json!({"arn": instance.arn, "reason": lack.reason()}));
            continue;
        }
        let place = Place {
            launch_type: "EC2".to_owned(),
            provider: None,
            host: Host::Instance(instance.arn.clone()),
            zone: instance.zone.clone(),
        };
        let batch = batch(input, &name, &definition, &plan, &overrides, &group, &network);
        started.push(start_at(cloud, &batch, place));
    }
    let tasks: Vec<Value> = started.iter().map(|id| shown(cloud, id, Shown::WithTags)).collect();
    Ok(json!({"tasks": tasks, "failures": failures}))
}

/// What a request for tasks comes to once it is checked.
struct Prepared {
    definition: String,
    plan: Arc<Plan>,
    overrides: Value,
    network: Network,
    group: String,
}

fn prepare(cloud: &mut Cloud, call: &Call, launch_type: &str, strategy: &[StrategyItem]) -> Result<Prepared, AwsError> {
    let input = &call.input;
    let found = usable(cloud, required(call, "taskDefinition")?)?.clone();
    let overrides = input.get("overrides").cloned().unwrap_or_else(|| json!({}));
    if overrides.to_string().len() > OVERRIDES_MAX {
        return Err(invalid("Overrides must be less than 8192 characters long."));
    }
    for over in list(&overrides, "containerOverrides") {
        let name = text(over, "name").unwrap_or_default();
        if !list(&Value::Object(found.body.clone()), "containerDefinitions")
            .iter()
            .any(|it| text(it, "name") == Some(name))
        {
            return Err(invalid(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
    }
    let fargate = launch_type == "FARGATE" || strategy.iter().any(|item| item.capacity_provider.starts_with("FARGATE"));
    compatible(&found, fargate)?;
    let plan = plan(cloud, &found, &overrides);
    let size = plan.cpu.zip(plan.memory);
    if fargate && size.is_none_or(|(cpu, memory)| !definitions::is_fargate_size(cpu, memory)) {
        return Err(client(
            "No Fargate configuration exists for given values. See the Amazon ECS documentation for the valid values.",
        ));
    }
    let network = network(cloud, &plan, input, fargate)?;
    check_roles(cloud, &plan).map_err(client)?;
    let group = text(input, "group").map_or_else(|| format!("family:{}", found.family), str::to_owned);
    Ok(Prepared { definition: found.arn.clone(), plan: Arc::new(plan), overrides, network, group })
}

/// Fargate takes only what is compatible with it.
///
/// # Errors
/// It is not.
pub(super) fn compatible(definition: &Definition, fargate: bool) -> Result<(), AwsError> {
    let known = definition.body.get("compatibilities").and_then(Value::as_array);
    let wanted = if fargate { "FARGATE" } else { "EC2" };
    if known.is_some_and(|known| !known.iter().any(|it| it == wanted)) {
        return Err(invalid(format!("Task definition does not support launch_type {wanted}.")));
    }
    Ok(())
}

fn batch<'a>(
    input: &'a Value,
    cluster: &'a str,
    definition: &'a str,
    plan: &Arc<Plan>,
    overrides: &'a Value,
    group: &'a str,
    network: &'a Network,
) -> Batch<'a> {
    Batch {
        cluster,
        definition,
        plan: Arc::clone(plan),
        overrides,
        group,
        started_by: text(input, "startedBy").map(str::to_owned),
        network,
        platform_version: text(input, "platformVersion").map(str::to_owned),
        membership: None,
        tags: tags::read(input),
        can_exec: flag(input, "enableExecuteCommand").unwrap_or(false),
        connect: tasks::Connect::default(),
        digests: BTreeMap::new(),
    }
}

pub(super) fn stop(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let wanted = required(call, "task")?;
    let id = task_id(cloud, &name, wanted).ok_or_else(|| invalid("The referenced task was not found."))?;
    let reason = text(&call.input, "reason").filter(|it| !it.is_empty()).unwrap_or("Task stopped by user");
    tasks::stop(cloud, &id, StopCode::UserInitiated, reason);
    Ok(json!({"task": shown(cloud, &id, Shown::Plain)}))
}

pub(super) fn describe(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let cluster = cluster(&cloud.ecs, &call.input)?;
    let (name, front) = (cluster.name.clone(), cluster.arn.replacen(":cluster/", ":task/", 1));
    let wanted = required_list(call, "tasks")?;
    if wanted.len() > 100 {
        return Err(invalid("Tasks can have at most 100 items."));
    }
    let how = if texts(&call.input, "include").contains(&"TAGS") { Shown::WithTags } else { Shown::Plain };
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for wanted in wanted.iter().filter_map(Value::as_str) {
        match task_id(cloud, &name, wanted) {
            Some(id) => found.push(shown(cloud, &id, how)),
            None => {
                let arn = if wanted.starts_with("arn:") { wanted.to_owned() } else { format!("{front}/{wanted}") };
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"tasks": found, "failures": failures}))
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let to_run = text(input, "desiredStatus").unwrap_or("RUNNING");
    let service = match text(input, "serviceName") {
        None => None,
        Some(service) => Some(
            service_arn(&cloud.ecs, &name, service)
                .ok_or_else(|| AwsError::new("ServiceNotFoundException", "Service not found."))?,
        ),
    };
    let is_wanted = |task: &&tasks::Task| {
        task.cluster == name
            && match to_run {
                "RUNNING" => task.is_to_run,
                "STOPPED" => !task.is_to_run,
                // The API takes PENDING and never sets it.
                _ => false,
            }
            && service.as_ref().is_none_or(|arn| task.membership.as_ref().is_some_and(|it| it.service == *arn))
            && text(input, "family").is_none_or(|family| task.plan.family == family)
            && text(input, "startedBy").is_none_or(|by| task.started_by.as_deref() == Some(by))
            && text(input, "launchType").is_none_or(|kind| task.launch_type == kind)
            && text(input, "containerInstance")
                .is_none_or(|wanted| matches!(&task.host, Host::Instance(arn) if last(arn) == last(wanted)))
    };
    let arns = cloud.tasks.tasks.values().filter(is_wanted).map(|task| json!(task.arn)).collect();
    page::of(input, "taskArns", arns, 100)
}

/// ExecuteCommand: the task must have been started for it, and its role must let its agent open a channel.
pub(super) fn execute(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let wanted = required(call, "task")?;
    required(call, "command")?;
    if flag(input, "interactive") != Some(true) {
        return Err(invalid("Interactive is the only mode supported currently."));
    }
    let id = task_id(cloud, &name, wanted).ok_or_else(|| invalid("The task provided in the request was invalid."))?;
    let Some(task) = cloud.tasks.get(&id) else { return Err(invalid("The task provided in the request was invalid.")) };
    // Sentences: issues of aws-cli and containers-roadmap on ECS Exec.
    if !task.can_exec || task.last != LastStatus::Running {
        return Err(invalid(
            "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn't \
             running. Wait and try again or run a new task with execute command enabled and try again.",
        ));
    }
    let only = || task.containers.first().filter(|_| task.containers.len() == 1).map(|it| it.name.clone());
    let container = match text(input, "container") {
        Some(container) => task.container(container).map(|it| it.name.clone()),
        None => only(),
    };
    let Some(container) = container else {
        return Err(invalid(
            "The container name in the request was invalid, or the task has several and the request names none.",
        ));
    };
    if !super::task_view::has_channel(cloud, task) {
        return Err(AwsError::new(
            "TargetNotConnectedException",
            "The execute command failed due to an internal error. Try again later.",
        ));
    }
    let (arn, cluster_arn) = (task.arn.clone(), task.cluster_arn.clone());
    let container_arn = task.container(&container).map(|it| it.arn.clone());
    cloud.ecs.exec_sessions += 1;
    let session = format!("ecs-execute-command-{}", cloud.chance.text(b"0123456789abcdefghijklmnopqrstuvwxyz", 25));
    let token = cloud.chance.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 64);
    // Nobody listens there: a session itself is not simulated, and this name says so.
    let url = format!("wss://ssmmessages.invalid/v1/data-channel/{session}?role=publish_subscribe");
    Ok(json!({
        "clusterArn": cluster_arn,
        "containerArn": container_arn,
        "containerName": container,
        "interactive": true,
        "session": {"sessionId": session, "streamUrl": url, "tokenValue": token},
        "taskArn": arn,
    }))
}

pub(super) fn protect(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let enabled = flag(&call.input, "protectionEnabled").unwrap_or(false);
    let minutes = u64::try_from(integer(&call.input, "expiresInMinutes").unwrap_or(120)).unwrap_or(120);
    let until = cloud.now() + Duration::from_secs(minutes * 60);
    each_protection(cloud, call, &name, |task| task.is_protected_until = enabled.then_some(until))
}

pub(super) fn protection(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    each_protection(cloud, call, &name, |_| {})
}

fn each_protection(
    cloud: &mut Cloud,
    call: &Call,
    cluster: &str,
    change: impl Fn(&mut tasks::Task),
) -> Result<Value, AwsError> {
    let (mut protected, mut failures) = (Vec::new(), Vec::new());
    for wanted in texts(&call.input, "tasks") {
        let id = task_id(cloud, cluster, wanted);
        let Some(task) = id.and_then(|id| cloud.tasks.get_mut(&id)) else {
            failures.push(json!({"arn": wanted, "reason": "MISSING"}));
            continue;
        };
        if task.membership.is_none() {
            failures.push(json!({"arn": task.arn, "reason": "TASK_NOT_VALID"}));
            continue;
        }
        change(task);
        let (arn, until) = (task.arn.clone(), task.is_protected_until.filter(|until| *until > cloud.clock.now()));
        let mut entry = json!({"taskArn": arn, "protectionEnabled": until.is_some()});
        if let Some(until) = until {
            entry["expirationDate"] = crate::moment::of(cloud, until);
        }
        protected.push(entry);
    }
    Ok(json!({"protectedTasks": protected, "failures": failures}))
}
