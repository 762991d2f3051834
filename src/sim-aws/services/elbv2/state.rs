//! What ELBv2 keeps.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

use super::{action::Action, condition::Condition, hosts::Hosts, metric::Minute, target::Target};
use crate::AwsError;

/// What the service keeps, by ARN.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub balancers: BTreeMap<String, Balancer>,
    pub listeners: BTreeMap<String, Listener>,
    pub rules: BTreeMap<String, Rule>,
    pub groups: BTreeMap<String, TargetGroup>,
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// What each target group's targets were asked and answered, minute by minute.
    pub minutes: BTreeMap<String, Vec<Minute>>,
    /// How the health of each target group's targets changed.
    pub hosts: BTreeMap<String, Vec<Hosts>>,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Balancer {
    pub name: String,
    pub kind: Kind,
    pub is_internal: bool,
    pub vpc_id: String,
    pub groups: Vec<String>,
    /// Its interface in each subnet.
    pub subnets: BTreeMap<String, String>,
    pub dns_name: String,
    /// Whether it has been provisioned.
    pub is_active: bool,
    pub created: SimTime,
    pub attributes: BTreeMap<String, String>,
    /// Requests so far: it decides whose turn it is.
    pub turn: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Application,
    Network,
}

impl Kind {
    /// As an ARN has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Application => "app",
            Self::Network => "net",
        }
    }
}

/// A port on which a balancer listens. What it does by default is its default rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    pub balancer: String,
    pub port: u16,
    /// `HTTP`, `HTTPS`, `TCP`.
    pub protocol: String,
    pub certificates: Vec<String>,
    pub ssl_policy: Option<String>,
}

/// What a listener does with some requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub listener: String,
    /// None: the default rule, asked last.
    pub priority: Option<u32>,
    pub conditions: Vec<Condition>,
    pub actions: Vec<Action>,
}

/// A target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    pub name: String,
    pub protocol: String,
    pub port: u16,
    pub vpc_id: String,
    pub target_type: TargetType,
    pub check: HealthCheck,
    pub attributes: BTreeMap<String, String>,
    /// By `ID:PORT`.
    pub targets: BTreeMap<String, Target>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    Instance,
    Ip,
}

/// How a target group asks its targets. Times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    pub protocol: String,
    /// `traffic-port`, or a number.
    pub port: String,
    pub path: String,
    pub interval: u32,
    pub timeout: u32,
    pub healthy: u32,
    pub unhealthy: u32,
    /// `200`, `200,202`, `200-399`.
    pub matcher: String,
}

impl State {
    /// The balancer that uses a target group, with its ARN; a group serves one balancer at most.
    pub fn balancer_of(&self, group_arn: &str) -> Option<(&str, &Balancer)> {
        let rule = self.rules.values().find(|rule| rule.actions.iter().any(|it| it.names(group_arn)))?;
        let balancer = &self.listeners.get(&rule.listener)?.balancer;
        self.balancers.get_key_value(balancer).map(|(arn, it)| (arn.as_str(), it))
    }

    /// A listener's rules, in the order in which they are asked.
    pub fn rules_of(&self, listener: &str) -> Vec<(&str, &Rule)> {
        let mut rules: Vec<_> =
            self.rules.iter().filter(|(_, it)| it.listener == listener).map(|(arn, it)| (arn.as_str(), it)).collect();
        rules.sort_by_key(|(_, it)| it.priority.unwrap_or(u32::MAX));
        rules
    }
}

/// One or more things of a list do not exist.
pub(super) fn not_found(kind: &str) -> AwsError {
    let (code, words) = match kind {
        "LoadBalancer" => ("LoadBalancerNotFound", "load balancers"),
        "TargetGroup" => ("TargetGroupNotFound", "target groups"),
        "Listener" => ("ListenerNotFound", "listeners"),
        _ => ("RuleNotFound", "rules"),
    };
    AwsError::new(code, format!("One or more {words} not found"))
}
