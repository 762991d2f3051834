//! A daemon's pod that fails at once would be made again at once: deleting failed pods is slowed down, node by node.
//!
//! As client-go's `flowcontrol.Backoff` with 1 s and 15 min (`NewDaemonSetsController`).

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::{Key, SimTime};
use serde::{Deserialize, Serialize};

const FIRST: Duration = Duration::from_secs(1);
const MAX: Duration = Duration::from_secs(15 * 60);

/// Since when, and how long, by set and node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BackOffs {
    entries: BTreeMap<String, (SimTime, Duration)>,
}

impl BackOffs {
    /// How long the next deletion has to wait; nothing where it may be done now, which then counts.
    pub(super) fn take(&mut self, set: &Key, node: &str, now: SimTime) -> Option<Duration> {
        let id = format!("{}{node}", front(set));
        let delay = match self.entries.get(&id) {
            Some((last, delay)) if now - *last < *delay => return Some(*delay),
            Some((last, delay)) if now - *last < MAX * 2 => delay.saturating_mul(2).min(MAX),
            _ => FIRST,
        };
        self.entries.insert(id, (now, delay));
        None
    }

    /// The set is gone.
    pub(super) fn forget(&mut self, set: &Key) {
        let front = front(set);
        self.entries.retain(|id, _| !id.starts_with(&front));
    }
}

fn front(set: &Key) -> String {
    format!("{}/{}/", set.namespace, set.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deletion_waits_twice_as_long_as_the_one_before() {
        let set = Key::new("daemonsets.apps", "shop", "agent");
        let mut back_offs = BackOffs::default();
        assert_eq!(back_offs.take(&set, "a", SimTime(0)), None);
        assert_eq!(back_offs.take(&set, "a", SimTime(500)), Some(FIRST));
        assert_eq!(back_offs.take(&set, "b", SimTime(500)), None, "each node for itself");
        assert_eq!(back_offs.take(&set, "a", SimTime(1000)), None);
        assert_eq!(back_offs.take(&set, "a", SimTime(2000)), Some(FIRST * 2));
        back_offs.forget(&set);
        assert_eq!(back_offs.take(&set, "a", SimTime(2000)), None);
    }
}
