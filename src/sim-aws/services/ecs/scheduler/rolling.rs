//! The rolling update, and what keeps a service at its desired count when nothing is rolled.
//!
//! minimumHealthyPercent is rounded up, maximumPercent down (the API's model). Tasks that drain count for neither.

use super::{events, living, look_at, place};
use crate::{
    Cloud,
    input::integer,
    services::ecs::{
        service_view,
        state::{Rollout, Service},
    },
    tasks::{LastStatus, Task},
};

/// What the scheduler sees of a task.
#[derive(Clone, Debug)]
struct Seen {
    id: String,
    deployment: String,
    is_running: bool,
    is_healthy: bool,
    is_condemned: bool,
    /// Not ill: its machine is drained, or its zone too full.
    is_moving: bool,
    is_protected: bool,
    zone: String,
    created: breakfix_sim::SimTime,
}

/// Starts and stops what the deployment configuration allows.
pub(super) fn schedule(cloud: &mut Cloud, service_arn: &str) {
    let Some(service) = cloud.ecs.services.get(service_arn) else { return };
    let Some(primary) = service.deployments.first() else { return };
    let desired = service_view::desired(cloud, service);
    let (least, most) = bounds(service, desired);
    let (id, is_stalled) = (primary.id.clone(), primary.is_stalled);
    let fallback = fallback(service);
    let until = service.throttle.until.filter(|until| *until > cloud.now());

    stop_some(cloud, service_arn, &id, desired, least, most);

    let seen = see(cloud, service_arn);
    let total = count(&seen, |_| true);
    let good = count(&seen, |it| it.deployment == id && !it.is_condemned);
    let mut room = most.saturating_sub(total);
    // Tasks of the last good deployment are replaced while the new one has not proved itself.
    if let Some(fallback) = fallback {
        let held =
            count(&seen, |it| !it.is_condemned && (it.deployment == fallback || it.deployment == id && it.is_healthy));
        let missing = least.min(desired).saturating_sub(held).min(room.max(least.saturating_sub(total)));
        if missing > 0 {
            let started = place::start(cloud, service_arn, &fallback, missing, None);
            room = room.saturating_sub(u64::try_from(started.len()).unwrap_or(0));
            events::started(cloud, service_arn, &started, 0);
        }
    }
    let wanted = desired.saturating_sub(good).min(room);
    if wanted > 0 && !is_stalled {
        match until {
            Some(until) => look_at(cloud, service_arn, until),
            None => {
                let ill = |it: &&Seen| it.is_condemned && !it.is_moving && it.deployment == id;
                let replaced = seen.iter().filter(ill).count();
                let started = place::start(cloud, service_arn, &id, wanted, None);
                if let Some(service) = cloud.ecs.services.get_mut(service_arn).filter(|_| !started.is_empty()) {
                    service.is_steady = false;
                }
                let replaced = replaced.min(started.len());
                let to = cloud.ecs.services.get(service_arn).and_then(|it| it.rebalancing.clone());
                match to.filter(|_| replaced == 0 && seen.iter().any(|it| it.is_moving)) {
                    Some(to) => events::started_elsewhere(cloud, service_arn, &started, &to.to),
                    None => events::started(cloud, service_arn, &started, replaced),
                }
            }
        }
    } else if desired > good && room == 0 && !is_stalled {
        say_stuck(cloud, service_arn, &seen, &id);
    }
}

/// The fewest healthy tasks and the most tasks.
fn bounds(service: &Service, desired: u64) -> (u64, u64) {
    let percent = |member: &str, default: u64| {
        integer(&service.settings.deployment, member).and_then(|it| u64::try_from(it).ok()).unwrap_or(default)
    };
    let least = (desired * percent("minimumHealthyPercent", 100)).div_ceil(100);
    let most = desired * percent("maximumPercent", 200) / 100;
    (least, most.max(if least == 0 { 1 } else { 0 }).max(least.min(desired)))
}

/// The deployment whose tasks hold the fort: completed once, and not the present one, which is still on its way.
fn fallback(service: &Service) -> Option<String> {
    let primary = service.deployments.first()?;
    if primary.rollout == Rollout::Completed {
        return None;
    }
    service.deployments.iter().skip(1).find(|it| it.was_completed).map(|it| it.id.clone())
}

fn see(cloud: &Cloud, service: &str) -> Vec<Seen> {
    let now = cloud.now();
    let one = |task: &Task| {
        let membership = task.membership.as_ref().filter(|it| !it.is_draining)?;
        let is_running = task.last == LastStatus::Running;
        Some(Seen {
            id: task.id.clone(),
            deployment: membership.deployment.clone(),
            is_running,
            is_healthy: is_running && membership.was_healthy && membership.condemned.is_none(),
            is_condemned: membership.condemned.is_some(),
            is_moving: membership.is_moving,
            is_protected: task.is_protected_until.is_some_and(|until| until > now),
            zone: task.zone.clone(),
            created: task.created,
        })
    };
    living(cloud, service).filter_map(one).collect()
}

fn count(seen: &[Seen], is_wanted: impl Fn(&Seen) -> bool) -> u64 {
    u64::try_from(seen.iter().filter(|it| is_wanted(it)).count()).unwrap_or(u64::MAX)
}

/// Stops what is too much, as far as enough healthy tasks stay.
fn stop_some(cloud: &mut Cloud, service: &str, primary: &str, desired: u64, least: u64, most: u64) {
    let mut seen = see(cloud, service);
    let mut stops: Vec<String> = Vec::new();
    let mut take = |seen: &mut Vec<Seen>, id: &str| {
        seen.retain(|it| it.id != id);
        stops.push(id.to_owned());
    };
    // Old tasks that serve nobody go first, healthy ones as the minimum allows.
    let idle: Vec<String> = seen
        .iter()
        .filter(|it| it.deployment != primary && !it.is_healthy && may_go(it))
        .map(|it| it.id.clone())
        .collect();
    let has_fallback_duty = |seen: &[Seen], id: &str| {
        // A task that replaces one of the last good deployment is on its way to serve.
        let healthy = count(seen, |it| it.is_healthy);
        healthy < least && seen.iter().any(|it| it.id == id && !it.is_condemned)
    };
    for id in idle {
        if !has_fallback_duty(&seen, &id) {
            take(&mut seen, &id);
        }
    }
    loop {
        let healthy = count(&seen, |it| it.is_healthy);
        let old = seen
            .iter()
            .filter(|it| it.deployment != primary && it.is_healthy && !it.is_protected)
            .min_by_key(|it| it.created);
        match old.map(|it| it.id.clone()) {
            Some(id) if healthy > least => take(&mut seen, &id),
            _ => break,
        }
    }
    // Condemned tasks are kept until their replacements have settled, and go where more than desired run, or no room is left for one.
    let waiting = count(&seen, |it| it.deployment == primary && !it.is_condemned && !it.is_healthy);
    let total = count(&seen, |_| true);
    let mut spare = total.saturating_sub(desired).saturating_sub(waiting);
    if spare == 0 && waiting == 0 && total >= most {
        spare = 1;
    }
    let mut condemned: Vec<Seen> =
        seen.iter().filter(|it| it.is_condemned && it.deployment == primary).cloned().collect();
    condemned.sort_by_key(|it| it.created);
    for it in condemned {
        if spare > 0 {
            spare -= 1;
            take(&mut seen, &it.id);
        }
    }
    // Fewer are desired: those that are not up yet first, then from the fullest zone, the newest.
    loop {
        let own: Vec<&Seen> = seen.iter().filter(|it| it.deployment == primary && !it.is_condemned).collect();
        if u64::try_from(own.len()).unwrap_or(u64::MAX) <= desired {
            break;
        }
        let crowd = |zone: &str| own.iter().filter(|it| it.zone == zone).count();
        let spared = own.iter().filter(|it| !it.is_protected).min_by_key(|it| {
            (it.is_healthy, it.is_running, std::cmp::Reverse(crowd(&it.zone)), std::cmp::Reverse(it.created))
        });
        match spared.map(|it| it.id.clone()) {
            Some(id) => take(&mut seen, &id),
            None => break,
        }
    }
    if !stops.is_empty() {
        place::stop(cloud, service, &stops, primary);
    }
}

fn may_go(it: &Seen) -> bool {
    !it.is_protected
}

/// Nothing can be started and nothing stopped: the configuration stands in the way.
fn say_stuck(cloud: &mut Cloud, service: &str, seen: &[Seen], primary: &str) {
    let is_still = seen.iter().all(|it| it.is_healthy) && seen.iter().any(|it| it.deployment != primary);
    let Some(name) = cloud.ecs.services.get(service).map(|it| it.name.clone()) else { return };
    if is_still {
        let message = format!(
            "(service {name}) was unable to stop or start tasks during a deployment because of the service deployment configuration. \
             Update the minimumHealthyPercent or maximumPercent value and try again."
        );
        events::say_once(cloud, service, "stuck", &message);
    }
}
