//! The cluster behind its door: what `breakfix_sim::serve` needs to know of it. The host itself is the same for every simulator.

use breakfix_sim::{
    SimTime,
    serve::{
        host,
        world::{Dated, World},
    },
};
use jiff::Timestamp;

pub use breakfix_sim::serve::host::Refused;

use super::input::{Input, ShiftDates};
use crate::{Cluster, Status};

/// A cluster and what drives it.
pub type Host = host::Host<Cluster>;

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {refused}"))
    }
}

impl World for Cluster {
    type Input = Input;

    fn now(&self) -> SimTime {
        Cluster::now(self)
    }

    fn next_due(&self) -> Option<SimTime> {
        Cluster::next_due(self)
    }

    fn advance(&mut self, time: SimTime) {
        Cluster::advance(self, time);
    }

    fn has_news(&self) -> bool {
        self.told < self.store.revision()
    }

    fn today(&self) -> Timestamp {
        self.clock.today()
    }

    fn replay(&mut self, input: &Input) {
        input.replay(self);
    }

    fn loaded(&mut self) {
        self.store.share();
    }
}

impl Dated for Cluster {
    type Shift = ShiftDates;

    fn shift(seconds: i64) -> ShiftDates {
        ShiftDates { seconds }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::{Arc, Mutex},
        time::Duration,
    };

    use breakfix_sim::{Key, pace::Pace};
    use serde_json::{Value, json};

    use super::*;
    use crate::Config;

    /// Where the wall's date stands in these tests.
    fn noon() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn host(date: &str, pace: Pace) -> Host {
        let config = Config { seed: 1, date: date.parse().unwrap(), workers: 1, images: BTreeSet::new() };
        let mut cluster = Cluster::empty(config);
        let key = Key::new("configmaps", "shop", "a");
        cluster.store.put(key, json!({"metadata": {"creationTimestamp": date}}));
        Host::new(Arc::new(Mutex::new(cluster)), pace, None, noon)
    }

    fn created(host: &Host) -> Value {
        let key = Key::new("configmaps", "shop", "a");
        host.look(|cluster| cluster.store.get(&key).unwrap()["metadata"]["creationTimestamp"].clone()).unwrap()
    }

    fn today(host: &Host) -> Timestamp {
        host.look(|cluster| cluster.clock.today()).unwrap()
    }

    #[test]
    fn time_that_is_skipped_on_the_wall_s_time_lies_in_the_past() {
        let host = host("2026-11-21T12:00:00Z", Pace::Wall { speed: 1.0 });
        let before = host.look(|cluster| cluster.now()).unwrap();
        host.skip(Duration::from_secs(3_600));
        assert!(host.look(|cluster| cluster.now()).unwrap() >= before + Duration::from_secs(3_600));
        assert!(today(&host).duration_since(noon()).abs().as_secs() < 2);
        assert_eq!(created(&host), "2026-11-21T11:00:00Z");
    }

    #[test]
    fn time_that_no_process_lived_through_did_not_pass() {
        let host = host("2026-11-21T09:00:00Z", Pace::Wall { speed: 1.0 });
        assert_eq!(created(&host), "2026-11-21T12:00:00Z", "as old as it was");
        assert!(today(&host).duration_since(noon()).abs().as_secs() < 2);
    }

    #[test]
    fn time_that_moves_by_hand_has_dates_of_its_own() {
        let host = host("2026-11-21T09:00:00Z", Pace::ByHand);
        host.skip(Duration::from_secs(3_600));
        assert_eq!(created(&host), "2026-11-21T09:00:00Z");
        assert_eq!(today(&host).to_string(), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn what_was_kept_comes_back_with_its_time() {
        let host = host("2026-11-21T09:00:00Z", Pace::ByHand);
        host.skip(Duration::from_secs(60));
        let kept = host.look(|cluster| cluster.clone()).unwrap();
        host.skip(Duration::from_secs(3_600));
        host.look(|cluster| cluster.store.remove(&Key::new("configmaps", "shop", "a"))).unwrap();
        assert!(host.put_back(&kept));
        assert_eq!(today(&host).to_string(), "2026-11-21T09:01:00Z");
        assert_eq!(created(&host), "2026-11-21T09:00:00Z");
        host.skip(Duration::from_secs(60));
        assert_eq!(today(&host).to_string(), "2026-11-21T09:02:00Z");
    }

    #[test]
    fn the_wall_s_time_does_not_go_back() {
        let host = host("2026-11-21T12:00:00Z", Pace::Wall { speed: 1.0 });
        let kept = host.look(|cluster| cluster.clone()).unwrap();
        assert!(!host.put_back(&kept));
    }

    #[test]
    fn a_panic_in_the_simulation_is_one_request_s() {
        let host = host("2026-11-21T12:00:00Z", Pace::ByHand);
        assert!(host.look(|_| panic!("a bug")).is_err());
        assert_eq!(created(&host), "2026-11-21T12:00:00Z");
    }
}
