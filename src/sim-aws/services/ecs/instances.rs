//! Container instances: how they come, drain and go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    expression,
    find::{arn, cluster, invalid, last},
    page, placement, scheduler,
    state::Instance,
    tags,
};
use crate::{
    AwsError, Call, Caller, Cloud,
    input::{flag, integer, list, required, required_list, text, texts},
    moment,
    network::InterfaceId,
    services::iam,
    tasks::{self, Host, LastStatus, StopCode, Task},
};

/// An EC2 instance that joins a cluster.
#[derive(Clone, Debug, Default)]
pub struct Joining {
    /// `i-…`.
    pub ec2_id: String,
    /// `t3.medium`.
    pub instance_type: String,
    /// `eu-central-1a`.
    pub zone: String,
    pub subnet: String,
    pub vpc: String,
    pub ami: String,
    pub interface: Option<InterfaceId>,
    /// ARN of its instance profile's role.
    pub role: Option<String>,
    /// The capacity provider of its Auto Scaling group.
    pub provider: Option<String>,
    /// vCPU × 1024.
    pub cpu: u64,
    /// MiB that the agent registers.
    pub memory: u64,
    /// Interfaces that tasks may have of their own.
    pub interfaces: u64,
    /// `x86_64`, `arm64`.
    pub architecture: String,
}

/// The agent of an instance registers it with a cluster. Returns the container instance's ARN; none where there is no such cluster.
pub fn join(cloud: &mut Cloud, cluster: &str, instance: Joining) -> Option<String> {
    let cluster = cloud.ecs.clusters.get(cluster).filter(|it| it.is_active)?.name.clone();
    let id = cloud.chance.text(b"0123456789abcdef", 32);
    let made = arn(&cloud.config, &format!("container-instance/{cluster}/{id}"));
    let architecture = if instance.architecture.is_empty() { "x86_64".to_owned() } else { instance.architecture };
    let attributes = [
        ("ecs.availability-zone", instance.zone.clone()),
        ("ecs.instance-type", instance.instance_type),
        ("ecs.os-type", "linux".to_owned()),
        ("ecs.os-family", "LINUX".to_owned()),
        ("ecs.cpu-architecture", architecture),
        ("ecs.subnet-id", instance.subnet),
        ("ecs.vpc-id", instance.vpc),
        ("ecs.ami-id", instance.ami),
    ];
    let attributes = attributes.into_iter().filter(|(_, value)| !value.is_empty());
    let new = Instance {
        arn: made.clone(),
        cluster: cluster.clone(),
        ec2_id: instance.ec2_id,
        zone: instance.zone,
        interface: instance.interface,
        role: instance.role,
        provider: instance.provider,
        cpu: instance.cpu,
        memory: instance.memory,
        interfaces: instance.interfaces,
        status: "ACTIVE".to_owned(),
        is_connected: true,
        registered: cloud.now(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value)).collect(),
        tags: BTreeMap::new(),
        version: 1,
    };
    cloud.ecs.instances.insert(made.clone(), new);
    scheduler::look_cluster(cloud, &cluster);
    Some(made)
}

/// An EC2 instance has ended: its tasks are gone with it. A terminated instance leaves its cluster by itself.
pub fn leave(cloud: &mut Cloud, ec2_id: &str) {
    let Some(instance) = cloud.ecs.instances.values().find(|it| it.ec2_id == ec2_id).cloned() else { return };
    lose_tasks(cloud, &instance.arn, ec2_id);
    cloud.ecs.instances.remove(&instance.arn);
    scheduler::look_cluster(cloud, &instance.cluster);
}

/// The agent of an instance loses or finds its connection; its containers go on meanwhile. What it was told to stop it stops when it is back.
pub fn connect(cloud: &mut Cloud, ec2_id: &str, is_connected: bool) {
    let found = cloud.ecs.instances.values_mut().find(|it| it.ec2_id == ec2_id);
    if let Some(instance) = found {
        instance.is_connected = is_connected;
        instance.version += 1;
        let (cluster, arn) = (instance.cluster.clone(), instance.arn.clone());
        if is_connected {
            let ids: Vec<String> = on(cloud, &arn).map(|task| task.id.clone()).collect();
            for id in ids {
                tasks::agent_is_back(cloud, &id);
            }
        }
        scheduler::look_cluster(cloud, &cluster);
    }
}

/// Whether the agent of this instance hears ECS. One that has left its cluster has nothing to wait for.
pub fn hears(cloud: &Cloud, instance: &str) -> bool {
    cloud.ecs.instances.get(instance).is_none_or(|it| it.is_connected)
}

fn lose_tasks(cloud: &mut Cloud, instance: &str, ec2_id: &str) {
    let ids: Vec<String> = on(cloud, instance).filter(|task| task.is_to_run).map(|task| task.id.clone()).collect();
    for id in ids {
        tasks::stop(
            cloud,
            &id,
            StopCode::ServiceSchedulerInitiated,
            &format!("Host EC2 (instance {ec2_id}) terminated."),
        );
        tasks::kill(cloud, &id);
    }
}

fn on<'a>(cloud: &'a Cloud, instance: &'a str) -> impl Iterator<Item = &'a Task> {
    cloud.tasks.tasks.values().filter(move |task| matches!(&task.host, Host::Instance(arn) if arn == instance))
}

/// Who the agent of an instance is: the role of its profile, or nobody in particular.
pub fn caller(cloud: &Cloud, instance: &str) -> Caller {
    let found = cloud.ecs.instances.get(instance);
    let role = found.and_then(|it| it.role.as_ref());
    let name = role.and_then(|role| role.rsplit('/').next()).unwrap_or("ecsInstanceRole");
    let session = found.map_or("unknown", |it| it.ec2_id.as_str());
    match role {
        Some(_) => Caller { arn: format!("arn:aws:sts::{}:assumed-role/{name}/{session}", cloud.config.account) },
        // An instance that was registered by hand runs on a machine of the account's owner.
        None => iam::operator(&cloud.config),
    }
}

/// The interface that an instance's agent and its containers without one of their own use.
pub fn interface(cloud: &Cloud, instance: &str) -> Option<InterfaceId> {
    cloud.ecs.instances.get(instance)?.interface.clone()
}

fn shown(cloud: &Cloud, it: &Instance, with_tags: bool) -> Value {
    let (cpu, memory) = placement::remaining(cloud, it);
    let taken: Vec<String> = placement::ports(cloud, &it.arn).into_iter().map(|port| port.to_string()).collect();
    let system: Vec<String> = ["22", "2376", "2375", "51678", "51679"].map(str::to_owned).to_vec();
    let resources = |cpu: u64, memory: u64, ports: &[String]| {
        let whole = |name: &str, value: u64| json!({"name": name, "type": "INTEGER", "integerValue": value});
        let set = |name: &str, value: &[String]| json!({"name": name, "type": "STRINGSET", "stringSetValue": value});
        json!([whole("CPU", cpu), whole("MEMORY", memory), set("PORTS", ports), set("PORTS_UDP", &[])])
    };
    let count = |running: bool| {
        let state =
            |task: &&Task| if running { task.last == LastStatus::Running } else { task.last < LastStatus::Running };
        on(cloud, &it.arn).filter(state).count()
    };
    let mut used = system.clone();
    used.extend(taken);
    let mut out = json!({
        "containerInstanceArn": it.arn,
        "ec2InstanceId": it.ec2_id,
        "version": it.version,
        "versionInfo": {"agentVersion": "1.96.0", "agentHash": "5d252bcd", "dockerVersion": "DockerVersion: 25.0.8"},
        "remainingResources": resources(cpu, memory, &used),
        "registeredResources": resources(it.cpu, it.memory, &system),
        "status": it.status,
        "agentConnected": it.is_connected,
        "runningTasksCount": count(true),
        "pendingTasksCount": count(false),
        "attributes": it.attributes.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "registeredAt": moment::of(cloud, it.registered),
        "attachments": [],
        "tags": if with_tags { tags::write(&it.tags) } else { json!([]) },
    });
    if let Some(provider) = &it.provider {
        out["capacityProviderName"] = json!(provider);
    }
    out
}

fn find(cloud: &Cloud, cluster: &str, wanted: &str) -> Option<Instance> {
    cloud.ecs.instances.values().find(|it| it.cluster == cluster && last(&it.arn) == last(wanted)).cloned()
}

pub(super) fn register(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let resource = |wanted: &str| {
        let found = list(input, "totalResources").iter().find(|it| text(it, "name") == Some(wanted));
        found.and_then(|it| integer(it, "integerValue")).and_then(|it| u64::try_from(it).ok())
    };
    let attribute = |wanted: &str| {
        let found = list(input, "attributes").iter().find(|it| text(it, "name") == Some(wanted));
        found.and_then(|it| text(it, "value")).unwrap_or_default().to_owned()
    };
    let document: Value =
        text(input, "instanceIdentityDocument").and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let of = |member: &str, attribute_name: &str| {
        text(&document, member).map_or_else(|| attribute(attribute_name), str::to_owned)
    };
    let ec2_id = text(&document, "instanceId").unwrap_or_default().to_owned();
    if ec2_id.is_empty() {
        return Err(invalid("The instance identity document is missing or is not valid."));
    }
    let joining = Joining {
        ec2_id,
        instance_type: of("instanceType", "ecs.instance-type"),
        zone: of("availabilityZone", "ecs.availability-zone"),
        cpu: resource("CPU").unwrap_or(2048),
        memory: resource("MEMORY").unwrap_or(3900),
        interfaces: 2,
        architecture: of("architecture", "ecs.cpu-architecture"),
        ..Joining::default()
    };
    let made = join(cloud, &name, joining).unwrap_or_default();
    let new = tags::read(input);
    if let Some(instance) = cloud.ecs.instances.get_mut(&made) {
        instance.tags = new;
    }
    let instance = cloud.ecs.instances.get(&made).map(|it| shown(cloud, it, true));
    Ok(json!({"containerInstance": instance}))
}

pub(super) fn deregister(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let wanted = required(call, "containerInstance")?;
    let found = find(cloud, &name, wanted)
        .ok_or_else(|| invalid("The specified container instance is not registered in the cluster."))?;
    let runs = on(cloud, &found.arn).any(|task| task.is_to_run);
    if runs && flag(&call.input, "force") != Some(true) {
        return Err(invalid("Found running tasks on the instance."));
    }
    let mut answer = shown(cloud, &found, false);
    answer["status"] = json!("INACTIVE");
    // Its tasks become orphans: they are the scheduler's no longer.
    let ids: Vec<String> = on(cloud, &found.arn).filter(|task| task.is_to_run).map(|task| task.id.clone()).collect();
    for id in ids {
        tasks::stop(
            cloud,
            &id,
            StopCode::ServiceSchedulerInitiated,
            "Container instance deregistration forced by user",
        );
    }
    cloud.ecs.instances.remove(&found.arn);
    scheduler::look_cluster(cloud, &name);
    Ok(json!({"containerInstance": answer}))
}

pub(super) fn describe(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let with_tags = texts(&call.input, "include").contains(&"TAGS");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for wanted in required_list(call, "containerInstances")?.iter().filter_map(Value::as_str) {
        match find(cloud, &name, wanted) {
            Some(instance) => found.push(shown(cloud, &instance, with_tags)),
            None => failures.push(json!({"arn": wanted, "reason": "MISSING"})),
        }
    }
    Ok(json!({"containerInstances": found, "failures": failures}))
}

pub(super) fn list_all(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let wanted = |it: &&Instance| {
        it.cluster == name
            && text(input, "status").is_none_or(|status| status == it.status)
            && text(input, "filter").is_none_or(|filter| expression::holds(filter, it))
    };
    let arns = cloud.ecs.instances.values().filter(wanted).map(|it| json!(it.arn)).collect();
    page::of(input, "containerInstanceArns", arns, 100)
}

/// ACTIVE or DRAINING. From a draining instance the tasks of services are replaced elsewhere, within their deployment configuration.
pub(super) fn update_state(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let status = required(call, "status")?.to_owned();
    if status != "ACTIVE" && status != "DRAINING" {
        return Err(invalid("Container instances status should be one of [DRAINING,ACTIVE]"));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for wanted in required_list(call, "containerInstances")?.iter().filter_map(Value::as_str) {
        match find(cloud, &name, wanted) {
            Some(instance) => {
                if let Some(instance) = cloud.ecs.instances.get_mut(&instance.arn) {
                    instance.status.clone_from(&status);
                    instance.version += 1;
                }
                if status == "DRAINING" {
                    super::drain::begin(cloud, &instance.arn);
                }
                if let Some(instance) = cloud.ecs.instances.get(&instance.arn) {
                    found.push(shown(cloud, instance, false));
                }
            }
            None => failures.push(json!({"arn": wanted, "reason": "MISSING"})),
        }
    }
    scheduler::look_cluster(cloud, &name);
    Ok(json!({"containerInstances": found, "failures": failures}))
}

pub(super) fn put_attributes(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let attributes = required_list(call, "attributes")?.to_vec();
    change_attributes(cloud, &name, &attributes, |own, name, value| {
        own.insert(name.to_owned(), value.unwrap_or_default().to_owned());
    })
}

pub(super) fn delete_attributes(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = cluster(&cloud.ecs, &call.input)?.name.clone();
    let attributes = required_list(call, "attributes")?.to_vec();
    change_attributes(cloud, &name, &attributes, |own, name, _| {
        own.remove(name);
    })
}

fn change_attributes(
    cloud: &mut Cloud,
    cluster: &str,
    attributes: &[Value],
    change: impl Fn(&mut BTreeMap<String, String>, &str, Option<&str>),
) -> Result<Value, AwsError> {
    for attribute in attributes {
        let target = text(attribute, "targetId").unwrap_or_default();
        let missing = || AwsError::new("TargetNotFoundException", "The specified target was not found.");
        let found = find(cloud, cluster, target).ok_or_else(missing)?;
        if let (Some(instance), Some(name)) = (cloud.ecs.instances.get_mut(&found.arn), text(attribute, "name")) {
            change(&mut instance.attributes, name, text(attribute, "value"));
        }
    }
    scheduler::look_cluster(cloud, cluster);
    Ok(json!({"attributes": attributes}))
}

pub(super) fn list_attributes(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let input = &call.input;
    let name = cluster(&cloud.ecs, input)?.name.clone();
    let here = cloud.ecs.instances.values().filter(|it| it.cluster == name);
    let mut out = Vec::new();
    for instance in here {
        for (attribute, value) in &instance.attributes {
            let is_wanted = text(input, "attributeName").is_none_or(|wanted| wanted == attribute)
                && text(input, "attributeValue").is_none_or(|wanted| wanted == value);
            if is_wanted {
                out.push(json!({"name": attribute, "value": value, "targetId": instance.arn}));
            }
        }
    }
    page::of(input, "attributes", out, 100)
}
