//! What becomes of an event before it is written: a new object, a count on an old one, or nothing.
//!
//! As client-go's `tools/record/events_cache.go`: a source may write 25 events about one object and then one every five minutes;
//! more than ten different messages of one reason within ten minutes become one; an equal event counts up.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Note, Source};
use crate::object::text;

/// `defaultSpamBurst`.
const BURST: u64 = 25;
/// `defaultSpamQPS` is one in 300 s.
const REFILL: Duration = Duration::from_secs(300);
/// `defaultAggregateMaxEvents`.
const ALIKE_MAX: usize = 10;
/// `defaultAggregateIntervalInSeconds`.
const ALIKE_WITHIN: Duration = Duration::from_secs(600);
/// What nobody has recorded for this long is forgotten; the real cache forgets by size.
const FORGET_AFTER: Duration = Duration::from_secs(7200);

/// What the recorders know of the events they wrote.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recorder {
    allowance: BTreeMap<String, Allowance>,
    alike: BTreeMap<String, Alike>,
    written: BTreeMap<String, Written>,
    /// Whether the clearing away of old events is queued.
    pub(super) expiring: bool,
}

/// A token bucket in milliseconds of refill time, so that it stays in whole numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Allowance {
    millis: u64,
    at: SimTime,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Alike {
    messages: Vec<String>,
    last: SimTime,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Written {
    object: String,
    count: u64,
    last: SimTime,
}

/// What to do with an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Too many about this object.
    Drop,
    /// Write a new one; `id` names it in [`Recorder::stored`].
    New { id: String, message: String },
    /// Count up the stored object.
    Again { id: String, object: String, message: String, count: u64 },
}

impl Recorder {
    /// Decides on an event and counts it.
    pub(super) fn judge(&mut self, now: SimTime, source: Source, involved: &Value, note: Note) -> Verdict {
        let about: Vec<&str> = ["/kind", "/namespace", "/name", "/uid", "/apiVersion"]
            .into_iter()
            .map(|field| text(involved, field))
            .collect();
        let about = format!("{} {} {}", source.component, source.host, about.join(" "));
        let group = format!("{about} {} {} {}", text(involved, "/fieldPath"), note.kind, note.reason);
        let (id, message) = self.aggregate(now, &group, note.message);
        let again = self.written.get_mut(&id).map(|written| {
            written.count += 1;
            written.last = now;
            (written.object.clone(), written.count)
        });
        if !self.allow(now, about) {
            return Verdict::Drop;
        }
        match again {
            Some((object, count)) => Verdict::Again { id, object, message, count },
            None => Verdict::New { id, message },
        }
    }

    /// An event was written as this object.
    pub(super) fn stored(&mut self, id: &str, object: &str) {
        let last = self.alike.values().map(|alike| alike.last).max().unwrap_or_default();
        self.written.insert(id.to_owned(), Written { object: object.to_owned(), count: 1, last });
    }

    pub(super) fn forget_old(&mut self, now: SimTime) {
        self.allowance.retain(|_, allowance| now - allowance.at < FORGET_AFTER);
        self.alike.retain(|_, alike| now - alike.last < FORGET_AFTER);
        self.written.retain(|_, written| now - written.last < FORGET_AFTER);
    }

    /// The event's identity and message: its own, or that of all its like once there are many.
    fn aggregate(&mut self, now: SimTime, group: &str, message: &str) -> (String, String) {
        let alike = self.alike.entry(group.to_owned()).or_default();
        if now - alike.last > ALIKE_WITHIN {
            alike.messages.clear();
        }
        alike.last = now;
        if !alike.messages.iter().any(|known| known == message) {
            alike.messages.push(message.to_owned());
        }
        if alike.messages.len() < ALIKE_MAX {
            return (format!("{group} {message}"), message.to_owned());
        }
        alike.messages.remove(0);
        (group.to_owned(), format!("(combined from similar events): {message}"))
    }

    fn allow(&mut self, now: SimTime, about: String) -> bool {
        let price = u64::try_from(REFILL.as_millis()).unwrap_or(u64::MAX);
        let full = price * BURST;
        let allowance = self.allowance.entry(about).or_insert(Allowance { millis: full, at: now });
        let refilled = u64::try_from((now - allowance.at).as_millis()).unwrap_or(u64::MAX);
        allowance.millis = allowance.millis.saturating_add(refilled).min(full);
        allowance.at = now;
        match allowance.millis.checked_sub(price) {
            Some(rest) => {
                allowance.millis = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(recorder: &mut Recorder, seconds: u64, message: &str) -> Verdict {
        let source = Source { component: "kubelet", host: "worker" };
        let involved = json!({"kind": "Pod", "namespace": "shop", "name": "web", "uid": "1"});
        let verdict = recorder.judge(SimTime(seconds * 1000), source, &involved, Note::warning("Failed", message));
        if let Verdict::New { id, .. } = &verdict {
            recorder.stored(&id.clone(), &format!("web.{seconds}"));
        }
        verdict
    }

    #[test]
    fn an_equal_event_counts_up() {
        let mut recorder = Recorder::default();
        assert!(matches!(judge(&mut recorder, 0, "a"), Verdict::New { .. }));
        assert!(matches!(judge(&mut recorder, 1, "b"), Verdict::New { .. }));
        assert!(matches!(judge(&mut recorder, 2, "a"), Verdict::Again { count: 2, object, .. } if object == "web.0"));
    }

    #[test]
    fn many_messages_of_one_reason_become_one() {
        let mut recorder = Recorder::default();
        for n in 0..9 {
            assert!(matches!(judge(&mut recorder, n, &format!("pod {n}")), Verdict::New { .. }));
        }
        let Verdict::New { message, .. } = judge(&mut recorder, 9, "pod 9") else { panic!("the combined one is new") };
        assert_eq!(message, "(combined from similar events): pod 9");
        assert!(matches!(judge(&mut recorder, 10, "pod 10"), Verdict::Again { count: 2, .. }));
    }

    #[test]
    fn a_source_may_write_25_at_once_and_then_one_in_five_minutes() {
        let mut recorder = Recorder::default();
        for _ in 0..25 {
            assert_ne!(judge(&mut recorder, 0, "a"), Verdict::Drop);
        }
        assert_eq!(judge(&mut recorder, 299, "a"), Verdict::Drop);
        assert!(matches!(judge(&mut recorder, 301, "a"), Verdict::Again { count: 27, .. }));
    }
}
