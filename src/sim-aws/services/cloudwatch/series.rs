//! Values of metrics over time: what was put, and what balancers count.

use std::collections::BTreeMap;

use super::state::{Metric, Stat};
use crate::{
    Cloud,
    services::elbv2::{self, Hosts, Minute},
};

/// The number of the present minute; it is not over yet.
pub fn this_minute(cloud: &Cloud) -> u64 {
    cloud.now().0 / 60_000
}

/// A metric in periods of so many minutes: the first minute of each period that has data → what it has. From `from`, before `to`.
pub fn periods(cloud: &Cloud, metric: &Metric, from: u64, to: u64, length: u64) -> BTreeMap<u64, Stat> {
    let length = length.max(1);
    let mut found: BTreeMap<u64, Stat> = BTreeMap::new();
    for minute in from..to {
        if let Some(stat) = at(cloud, metric, minute) {
            let start = from + (minute - from) / length * length;
            found.entry(start).and_modify(|all| *all = all.and(stat)).or_insert(stat);
        }
    }
    found
}

fn at(cloud: &Cloud, metric: &Metric, minute: u64) -> Option<Stat> {
    let put = cloud.cloudwatch.metrics.get(metric).and_then(|minutes| minutes.get(&minute));
    match (put, metric.namespace.as_str()) {
        (Some(stat), _) => Some(*stat),
        (None, "AWS/ApplicationELB") => of_balancer(cloud, metric, minute),
        (None, _) => None,
    }
}

/// What comes behind `loadbalancer/` or is the group's own name in an ARN: the values of the dimensions.
fn dimension(arn: &str) -> &str {
    let last = arn.rsplit(':').next().unwrap_or(arn);
    last.strip_prefix("loadbalancer/").unwrap_or(last)
}

/// The target groups that the dimensions mean. One that was deleted, or hangs on another balancer, is none of them.
fn groups<'a>(cloud: &'a Cloud, metric: &Metric) -> Vec<&'a str> {
    let wanted = |name: &str, arn: &str| metric.dimensions.get(name).is_none_or(|value| value == dimension(arn));
    let known = ["TargetGroup", "LoadBalancer"];
    if metric.dimensions.is_empty() || metric.dimensions.keys().any(|name| !known.contains(&name.as_str())) {
        return Vec::new();
    }
    let fits = |arn: &&String| {
        let balancer = cloud.elbv2.balancer_of(arn).map(|(arn, _)| arn);
        wanted("TargetGroup", arn)
            && match balancer {
                Some(balancer) => wanted("LoadBalancer", balancer),
                None => !metric.dimensions.contains_key("LoadBalancer"),
            }
    };
    cloud.elbv2.groups.keys().filter(fits).map(String::as_str).collect()
}

/// Counts are reported while there are targets, codes and times only where there are some (ELB user guide, "CloudWatch metrics for your
/// Application Load Balancer", reporting criteria).
fn of_balancer(cloud: &Cloud, metric: &Metric, minute: u64) -> Option<Stat> {
    let groups = groups(cloud, metric);
    let of = |arn: &str| -> Minute {
        let minutes = cloud.elbv2.minutes.get(arn);
        minutes.and_then(|all| all.iter().find(|it| it.number == minute)).copied().unwrap_or_default()
    };
    let total = |part: &dyn Fn(Minute) -> u64| groups.iter().map(|arn| part(of(arn))).sum::<u64>() as f64;
    let targets =
        || groups.iter().filter_map(|arn| cloud.elbv2.groups.get(*arn)).map(|it| it.targets.len()).sum::<usize>();
    let requests = total(&|it| it.requests);
    let counted = |sum: f64| (sum > 0.0).then_some(Stat { count: sum, sum, min: 1.0, max: 1.0 });
    match metric.name.as_str() {
        "RequestCount" if targets() > 0 => Some(Stat { count: requests.max(1.0), sum: requests, min: 1.0, max: 1.0 }),
        "RequestCountPerTarget" if targets() > 0 && metric.dimensions.contains_key("TargetGroup") => {
            let each = requests / targets() as f64;
            Some(Stat { count: requests.max(1.0), sum: each, min: 0.0, max: 1.0 })
        }
        "HTTPCode_Target_2XX_Count" => counted(total(&|it| it.target_2xx)),
        "HTTPCode_Target_3XX_Count" => counted(total(&|it| it.target_3xx)),
        "HTTPCode_Target_4XX_Count" => counted(total(&|it| it.target_4xx)),
        "HTTPCode_Target_5XX_Count" => counted(total(&|it| it.target_5xx)),
        "HTTPCode_ELB_5XX_Count" => counted(total(&|it| it.elb_5xx)),
        "TargetResponseTime" => {
            let answered = total(&|it| it.target_2xx + it.target_3xx + it.target_4xx + it.target_5xx);
            let seconds = total(&|it| it.millis) / 1_000.0;
            let average = seconds / answered.max(1.0);
            (answered > 0.0).then_some(Stat { count: answered, sum: seconds, min: average, max: average })
        }
        "HealthyHostCount" => hosts(cloud, metric, &groups, minute, |it| it.healthy),
        "UnHealthyHostCount" => hosts(cloud, metric, &groups, minute, |it| it.unhealthy),
        _ => None,
    }
}

/// Counts of hosts are reported for a target group of a balancer, with both as dimensions, while it has targets (same page).
fn hosts(cloud: &Cloud, metric: &Metric, groups: &[&str], minute: u64, of: impl Fn(&Hosts) -> u32) -> Option<Stat> {
    let is_whole = ["LoadBalancer", "TargetGroup"].iter().all(|name| metric.dimensions.contains_key(*name));
    let group = groups.first().filter(|_| is_whole)?;
    let (min, max, last) = elbv2::hosts_in_minute(cloud, group, minute, of)?;
    Some(Stat { count: 1.0, sum: last.into(), min: min.into(), max: max.into() })
}
