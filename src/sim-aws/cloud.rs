//! The cloud: all state of the simulator in one value, and the loop that moves it on.

use std::{collections::BTreeSet, time::Duration};

use breakfix_sim::{Chance, Clock, Queue, SimTime};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AwsError, Call, event::Event, services, services::iam::principals::Credentials, tasks};

/// How a cloud begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Decides every id, address and jitter.
    pub seed: u64,
    /// The date on which it begins.
    pub date: Timestamp,
    /// Twelve digits.
    pub account: String,
    /// The one region that is simulated: `eu-central-1`.
    pub region: String,
    /// Image references outside the account's own repositories that can be pulled; all are the workload under another name.
    pub images: BTreeSet<String>,
    /// What the learner signs with: user `learner`, with AdministratorAccess.
    pub learner: Credentials,
    /// What we sign with to open and grade a session: the account's root.
    pub operator: Credentials,
}

/// A simulated account in one region. `serde` saves and restores all of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cloud {
    pub config: Config,
    pub clock: Clock,
    pub chance: Chance,
    pub queue: Queue<Event>,
    pub ecs: services::ecs::State,
    pub tasks: tasks::State,
    pub elbv2: services::elbv2::State,
    pub ec2: services::ec2::State,
    pub efs: services::efs::State,
    pub autoscaling: services::autoscaling::State,
    pub iam: services::iam::State,
    pub sts: services::sts::State,
    pub logs: services::logs::State,
    pub secretsmanager: services::secretsmanager::State,
    pub ssm: services::ssm::State,
    pub kms: services::kms::State,
    pub ecr: services::ecr::State,
    pub servicediscovery: services::servicediscovery::State,
    pub cloudwatch: services::cloudwatch::State,
    pub application_autoscaling: services::application_autoscaling::State,
}

impl Cloud {
    /// An account with nothing in it but the learner's user.
    pub fn empty(config: Config) -> Self {
        Self {
            clock: Clock::starting_at(config.date),
            chance: Chance::from_seed(config.seed),
            queue: Queue::default(),
            ecs: services::ecs::State::default(),
            tasks: tasks::State::default(),
            elbv2: services::elbv2::State::default(),
            ec2: services::ec2::State::default(),
            efs: services::efs::State::default(),
            autoscaling: services::autoscaling::State::default(),
            iam: services::iam::State::starting(&config),
            sts: services::sts::State::default(),
            logs: services::logs::State::default(),
            secretsmanager: services::secretsmanager::State::default(),
            ssm: services::ssm::State::default(),
            kms: services::kms::State::default(),
            ecr: services::ecr::State::default(),
            servicediscovery: services::servicediscovery::State::default(),
            cloudwatch: services::cloudwatch::State::default(),
            application_autoscaling: services::application_autoscaling::State::default(),
            config,
        }
    }

    /// The present moment.
    pub fn now(&self) -> SimTime {
        self.clock.now()
    }

    /// Queues an event.
    pub fn after(&mut self, time: Duration, event: Event) {
        self.queue.push(self.now() + time, event);
    }

    /// When something will happen next by itself.
    pub fn next_due(&self) -> Option<SimTime> {
        self.queue.next_due()
    }

    /// Moves on to `time`: everything that is due until then happens, in order, each at its own moment.
    pub fn advance(&mut self, time: SimTime) {
        while let Some((due, event)) = self.queue.pop(time) {
            self.clock.move_to(due);
            services::happen(self, event);
        }
        self.clock.move_to(time);
    }

    /// Answers one request, at the present moment.
    ///
    /// # Errors
    /// The service refuses, in its own words.
    pub fn call(&mut self, call: &Call) -> Result<Value, AwsError> {
        services::call(self, call)
    }
}
