//! What containers compute and hold, for those who measure it.
//!
//! What they compute is summed up in windows of 15 s; only the present window and the one before are kept, so that an idle cluster has
//! nothing to do.

use std::time::Duration;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

use super::{run, spec};
use crate::Cluster;

/// The time over which computing is measured.
pub const WINDOW: Duration = Duration::from_secs(15);
/// What a process costs that does nothing but run, in thousandths of a processor.
const IDLE: i64 = 1;

/// What a container has computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// The number of the present window.
    window: u64,
    micros: u64,
    /// In the window before.
    before: u64,
}

impl Meter {
    fn turn_to(&mut self, window: u64) {
        if window != self.window {
            self.before = if self.window + 1 == window { self.micros } else { 0 };
            self.micros = 0;
            self.window = window;
        }
    }

    fn spend(&mut self, at: SimTime, cpu: Duration) {
        self.turn_to(window(at));
        self.micros = self.micros.saturating_add(u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX));
    }

    /// Thousandths of a processor over the last whole window.
    fn milli(mut self, now: SimTime) -> i64 {
        self.turn_to(window(now));
        i64::try_from(self.before / u64::try_from(WINDOW.as_millis()).unwrap_or(1)).unwrap_or(i64::MAX)
    }
}

fn window(at: SimTime) -> u64 {
    at.0 / u64::try_from(WINDOW.as_millis()).unwrap_or(1)
}

/// What one container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub container: String,
    pub started: SimTime,
    /// Thousandths of a processor.
    pub milli_cpu: i64,
    pub bytes: i64,
}

/// A container's program has computed for so long.
pub(crate) fn spend(cluster: &mut Cluster, pod: &str, container: &str, cpu: Duration) {
    let now = cluster.now();
    let own = cluster.nodes.pods.get_mut(pod).and_then(|pod| pod.containers.get_mut(container));
    if let Some(own) = own {
        own.meter.spend(now, cpu);
    }
}

/// What the running containers of a pod use, by name.
pub fn usage(cluster: &Cluster, pod: &str) -> Vec<Used> {
    let Some(run) = cluster.nodes.pods.get(pod) else { return Vec::new() };
    let now = cluster.now();
    let running = run.running().filter_map(|(name, own)| Some((name, own.started?)));
    running
        .map(|(name, started)| {
            let computed = run.containers.get(name).map_or(0, |own| own.meter.milli(now)) + IDLE;
            let limit = spec::cpu_limit(&run.pod, name).and_then(|limit| i64::try_from(limit).ok());
            let bytes = run::held_bytes(cluster, pod, name, now).unwrap_or(0);
            Used {
                container: name.clone(),
                started,
                milli_cpu: limit.map_or(computed, |limit| computed.min(limit)),
                bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_window_counts() {
        let mut meter = Meter::default();
        meter.spend(SimTime(1_000), Duration::from_millis(1500));
        meter.spend(SimTime(14_000), Duration::from_millis(1500));
        assert_eq!(meter.milli(SimTime(14_999)), 0, "the window is not over");
        assert_eq!(meter.milli(SimTime(15_000)), 200);
        assert_eq!(meter.milli(SimTime(30_000)), 0, "and then it is past");
    }
}
