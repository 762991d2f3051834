//! How many targets of a group are healthy and how many are not, over time: `HealthyHostCount` and `UnHealthyHostCount`.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

use super::{health::TargetState, states};
use crate::Cloud;

/// What the counts became at one moment, until the next entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosts {
    pub at: SimTime,
    pub healthy: u32,
    pub unhealthy: u32,
}

/// Changes that are kept of a group: a target that comes and goes all the time makes a few a minute.
const KEPT: usize = 1_000;

/// The health of targets may have changed.
pub(super) fn count(cloud: &mut Cloud) {
    let at = cloud.now();
    let mut counts: BTreeMap<String, Hosts> =
        cloud.elbv2.groups.keys().map(|arn| (arn.clone(), Hosts { at, ..Hosts::default() })).collect();
    for ((group, ..), state) in states(cloud) {
        let Some(hosts) = counts.get_mut(&group) else { continue };
        match state {
            TargetState::Healthy => hosts.healthy += 1,
            TargetState::Unhealthy => hosts.unhealthy += 1,
            TargetState::Initial | TargetState::Unused | TargetState::Draining | TargetState::Unavailable => {}
        }
    }
    cloud.elbv2.hosts.retain(|group, _| counts.contains_key(group));
    for (group, hosts) in counts {
        let known = cloud.elbv2.hosts.entry(group).or_default();
        let is_same = |last: &Hosts| (last.healthy, last.unhealthy) == (hosts.healthy, hosts.unhealthy);
        if known.last().is_some_and(is_same) || known.is_empty() && is_same(&Hosts::default()) {
            continue;
        }
        known.push(hosts);
        let surplus = known.len().saturating_sub(KEPT);
        known.drain(..surplus);
    }
}

/// The least, the most and the last of a group's count in a minute; none before its first target was judged.
pub fn in_minute(cloud: &Cloud, group: &str, minute: u64, of: impl Fn(&Hosts) -> u32) -> Option<(u32, u32, u32)> {
    let known = cloud.elbv2.hosts.get(group)?;
    let (begin, end) = (minute.saturating_mul(60_000), minute.saturating_add(1).saturating_mul(60_000));
    let before = known.iter().rev().find(|it| it.at.0 <= begin);
    let within = known.iter().filter(|it| it.at.0 > begin && it.at.0 < end);
    let values: Vec<u32> = before.into_iter().chain(within).map(of).collect();
    Some((*values.iter().min()?, *values.iter().max()?, *values.last()?))
}
