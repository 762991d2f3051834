//! EC2 instances as container instances: an agent that is told its cluster by user data registers its machine.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    EcsEvent,
    find::last,
    instances::{Joining, connect, join, leave},
    state::Provider,
};
use crate::{
    Cloud,
    event::Event,
    input::text,
    network::InterfaceId,
    services::{
        ec2::{InstanceState, instance_type},
        iam,
    },
};

/// From a machine's start to its agent's registration.
const AGENT_STARTS: Duration = Duration::from_secs(25);

/// An EC2 instance is in another state.
pub(crate) fn instance_changed(cloud: &mut Cloud, id: &str) {
    match cloud.ec2.instances.get(id).map(|it| it.state) {
        Some(InstanceState::Running) => {
            let is_new = !cloud.ecs.instances.values().any(|it| it.ec2_id == id && it.is_connected);
            if is_new {
                cloud.after(AGENT_STARTS, Event::Ecs(EcsEvent::Join { instance: id.to_owned() }));
            }
        }
        Some(InstanceState::Stopping | InstanceState::Stopped) => connect(cloud, id, false),
        Some(InstanceState::ShuttingDown | InstanceState::Terminated) | None => leave(cloud, id),
        Some(InstanceState::Pending) => {}
    }
}

/// The agent has started: it registers its machine, with the rights of the instance's role.
pub(super) fn agent_started(cloud: &mut Cloud, id: &str) {
    let found = cloud.ec2.instances.get(id).filter(|it| it.state == InstanceState::Running).cloned();
    let Some(instance) = found else { return };
    if cloud.ecs.instances.values().any(|it| it.ec2_id == id) {
        connect(cloud, id, true);
        return;
    }
    let Some(cluster) = instance.user_data.as_deref().and_then(cluster_of) else { return };
    let Some(role) = role(cloud, instance.profile.as_deref()) else { return };
    let Ok(caller) = iam::assume_for_service(cloud, &role, "ec2.amazonaws.com", id) else { return };
    let Some(arn) = cloud.ecs.clusters.get(&cluster).map(|it| it.arn.clone()) else { return };
    let rights = iam::evaluate(cloud, &caller, "ecs:RegisterContainerInstance", &arn, &iam::Context::new());
    let Some(kind) = instance_type(&instance.kind).filter(|_| rights == iam::Decision::Allowed) else { return };
    let joining = Joining {
        ec2_id: id.to_owned(),
        instance_type: instance.kind,
        zone: instance.zone,
        subnet: instance.subnet_id,
        vpc: instance.vpc_id,
        ami: instance.image,
        interface: Some(InterfaceId(instance.interface)),
        role: Some(role),
        provider: provider(cloud, id),
        cpu: u64::from(kind.cpus) * 1024,
        memory: u64::from(kind.memory_for_containers()),
        interfaces: u64::from(kind.interfaces.saturating_sub(1)),
        architecture: "x86_64".to_owned(),
    };
    join(cloud, &cluster, joining);
}

/// `ECS_CLUSTER=shop` in a line of the user data.
fn cluster_of(user_data: &str) -> Option<String> {
    let bytes = STANDARD.decode(user_data.trim()).unwrap_or_else(|_| user_data.as_bytes().to_vec());
    let script = String::from_utf8_lossy(&bytes).into_owned();
    let (_, rest) = script.split_once("ECS_CLUSTER=")?;
    let is_name = |it: &char| it.is_ascii_alphanumeric() || "-_".contains(*it);
    let name: String = rest.chars().skip_while(|it| "\"'".contains(*it)).take_while(is_name).collect();
    (!name.is_empty()).then_some(name)
}

/// The role of an instance profile, by the profile's name or ARN.
fn role(cloud: &Cloud, profile: Option<&str>) -> Option<String> {
    let profile = cloud.iam.instance_profiles.get(last(profile?))?;
    Some(cloud.iam.roles.get(profile.role.as_ref()?)?.arn.clone())
}

/// The capacity provider of the Auto Scaling group that an instance belongs to.
fn provider(cloud: &Cloud, id: &str) -> Option<String> {
    let (group, _) = cloud.autoscaling.groups.iter().find(|(_, group)| group.members.contains_key(id))?;
    let of_group =
        |it: &&Provider| text(&it.group, "autoScalingGroupArn").is_some_and(|arn| last(arn) == group || arn == group);
    cloud.ecs.providers.values().find(of_group).map(|it| it.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_stands_in_the_user_data() {
        let script = "#!/bin/bash\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config\n";
        assert_eq!(cluster_of(&STANDARD.encode(script)).as_deref(), Some("shop"));
        assert_eq!(cluster_of(&STANDARD.encode("#!/bin/bash\n")), None);
    }
}
