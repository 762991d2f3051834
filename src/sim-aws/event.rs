//! What can be due: the simulator's own future. Everything that takes time is one of these on the queue.

use serde::{Deserialize, Serialize};

use crate::{
    services::{
        autoscaling::ScalingEvent, cloudwatch::CloudWatchEvent, ec2::Ec2Event, ecs::EcsEvent, efs::EfsEvent,
        elbv2::ElbEvent,
    },
    tasks::TaskEvent,
};

/// An event of the simulation. Each service with a future has a variant that holds its own kind of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Alarms are looked at.
    CloudWatch(CloudWatchEvent),
    Ec2(Ec2Event),
    Efs(EfsEvent),
    Elb(ElbEvent),
    /// An Auto Scaling group looks after its instances.
    Scaling(ScalingEvent),
    /// A service's scheduler has something to look at.
    Ecs(EcsEvent),
    /// A task goes on.
    Task(TaskEvent),
}
