//! What fails at the provider's side: a zone, or the capacity of a provider. No call of an account makes it so; whoever drives the simulator does.

use serde::{Deserialize, Serialize};

use super::{autoscaling, ecs};
use crate::{AwsError, Cloud};

/// What fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    /// An availability zone, by its letter or its name: nothing in it is reached, and nothing in it reaches anybody.
    Zone(String),
    /// `FARGATE`, `FARGATE_SPOT`: there is none to be had; what runs on Spot is reclaimed.
    Capacity(String),
    /// The container agent of an EC2 instance, by the instance's id: ECS hears nothing of it, while the instance and its containers go on.
    Agent(String),
}

/// It begins. Begun already is fine.
///
/// # Errors
/// There is no such zone, provider or container instance.
pub fn begin(cloud: &mut Cloud, outage: &Outage) -> Result<(), AwsError> {
    match outage {
        Outage::Zone(zone) => {
            let zone = zone_name(cloud, zone)?;
            cloud.ec2.lost_zones.insert(zone.clone());
            for machine in machines(cloud, &zone) {
                ecs::connect(cloud, &machine, false);
                autoscaling::set_health(cloud, &machine, false);
            }
        }
        Outage::Capacity(provider) => {
            ecs::control::set_capacity(cloud, known(provider)?, false);
            if provider == "FARGATE_SPOT" {
                ecs::control::reclaim_spot(cloud, None);
            }
        }
        Outage::Agent(machine) => ecs::connect(cloud, joined(cloud, machine)?, false),
    }
    Ok(())
}

/// It is over. Over already is fine.
///
/// # Errors
/// There is no such zone or provider.
pub fn end(cloud: &mut Cloud, outage: &Outage) -> Result<(), AwsError> {
    match outage {
        Outage::Zone(zone) => {
            let zone = zone_name(cloud, zone)?;
            cloud.ec2.lost_zones.remove(&zone);
            for machine in machines(cloud, &zone) {
                ecs::connect(cloud, &machine, true);
            }
            ecs::control::look_around(cloud);
        }
        Outage::Capacity(provider) => ecs::control::set_capacity(cloud, known(provider)?, true),
        // A machine that has ended meanwhile has no agent any more.
        Outage::Agent(machine) if joined(cloud, machine).is_err() => {}
        Outage::Agent(machine) => ecs::connect(cloud, machine, true),
    }
    Ok(())
}

fn zone_name(cloud: &Cloud, zone: &str) -> Result<String, AwsError> {
    let region = &cloud.config.region;
    let name = if zone.starts_with(region.as_str()) { zone.to_owned() } else { format!("{region}{zone}") };
    if super::ec2::zone_exists(cloud, &name) {
        Ok(name)
    } else {
        Err(AwsError::new("BadRequest", format!("there is no zone {name}")))
    }
}

fn known(provider: &str) -> Result<&str, AwsError> {
    match provider {
        "FARGATE" | "FARGATE_SPOT" => Ok(provider),
        other => Err(AwsError::new("BadRequest", format!("{other} is no capacity of the provider's own"))),
    }
}

fn joined<'a>(cloud: &Cloud, machine: &'a str) -> Result<&'a str, AwsError> {
    let is_there = cloud.ecs.instances.values().any(|it| it.ec2_id == machine);
    let unknown = || AwsError::new("BadRequest", format!("{machine} is in no cluster"));
    is_there.then_some(machine).ok_or_else(unknown)
}

/// The EC2 instances of a zone.
fn machines(cloud: &Cloud, zone: &str) -> Vec<String> {
    let here = cloud.ec2.instances.iter().filter(|(_, it)| it.zone == zone);
    here.map(|(id, _)| id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::Account;

    #[test]
    fn a_zone_is_lost_and_found_by_its_letter_or_its_name() {
        let mut cloud = Account::new().cloud;
        begin(&mut cloud, &Outage::Zone("a".to_owned())).unwrap();
        assert!(cloud.ec2.lost_zones.contains("eu-central-1a"));
        end(&mut cloud, &Outage::Zone("eu-central-1a".to_owned())).unwrap();
        assert!(cloud.ec2.lost_zones.is_empty());
        assert!(begin(&mut cloud, &Outage::Zone("x".to_owned())).is_err());
        assert!(begin(&mut cloud, &Outage::Capacity("machines".to_owned())).is_err());
        assert!(begin(&mut cloud, &Outage::Agent("i-nobody".to_owned())).is_err());
        end(&mut cloud, &Outage::Agent("i-nobody".to_owned())).unwrap();
    }
}
