//! The event queue: what happens next, ordered by (due time, sequence number), so that ties are decided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::SimTime;

/// Events that are due later. An empty queue means that nothing will ever happen by itself: an idle simulator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de>"))]
pub struct Queue<E> {
    #[serde(with = "as_list")]
    due: BTreeMap<(SimTime, u64), E>,
    next: u64,
}

/// A handle on one queued event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ticket(SimTime, u64);

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), next: 0 }
    }
}

impl<E> Queue<E> {
    /// Queues an event. Events of the same moment come out in the order they were queued.
    pub fn push(&mut self, due: SimTime, event: E) -> Ticket {
        let sequence = self.next;
        self.next += 1;
        self.due.insert((due, sequence), event);
        Ticket(due, sequence)
    }

    /// Takes an event back; `None` if it has come out already.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<E> {
        self.due.remove(&(ticket.0, ticket.1))
    }

    /// When the next event is due.
    pub fn next_due(&self) -> Option<SimTime> {
        self.due.first_key_value().map(|((due, _), _)| *due)
    }

    /// The next event, if it is due by `now`.
    pub fn pop(&mut self, now: SimTime) -> Option<(SimTime, E)> {
        if self.next_due()? > now {
            return None;
        }
        self.due.pop_first().map(|((due, _), event)| (due, event))
    }

    pub fn len(&self) -> usize {
        self.due.len()
    }

    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

/// JSON has no maps keyed by pairs.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::SimTime;

    pub fn serialize<E: Serialize, S: Serializer>(
        due: &BTreeMap<(SimTime, u64), E>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(due.iter().map(|((time, sequence), event)| (time, sequence, event)))
    }

    pub fn deserialize<'de, E: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<(SimTime, u64), E>, D::Error> {
        let list = Vec::<(SimTime, u64, E)>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|(time, sequence, event)| ((time, sequence), event)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_moment_keep_their_order() {
        let mut queue = Queue::default();
        queue.push(SimTime(5), "b");
        queue.push(SimTime(5), "c");
        queue.push(SimTime(1), "a");
        assert_eq!(queue.pop(SimTime(0)), None);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(SimTime(9)).map(|(_, event)| event)).collect();
        assert_eq!(order, ["a", "b", "c"]);
    }

    #[test]
    fn a_cancelled_event_never_happens() {
        let mut queue = Queue::default();
        let ticket = queue.push(SimTime(5), "a");
        assert_eq!(queue.cancel(ticket), Some("a"));
        assert_eq!(queue.cancel(ticket), None);
        assert!(queue.is_empty());
    }
}
