//! What the engine said happened to the containers that bore a name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::{models::EventMessage, query_parameters::EventsOptionsBuilder};
use breakfix_grade::observation::EngineEvent;
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

use super::DockerTarget;
use crate::target::TargetError;

/// Events of containers that were seen, by their time in nanoseconds, container and action. The engine keeps the last 256 of all kinds
/// only, and a hold may see more: what one look saw is kept for the next.
pub(super) type Seen = BTreeMap<(i64, String, String), Event>;

/// One event of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    at: i64,
    id: String,
    action: String,
    name: String,
    /// Of a `die`.
    exit_code: Option<i64>,
    /// What it was called before, where the event is a renaming.
    old_name: Option<String>,
}

impl DockerTarget {
    /// Everything since then, on the engine's clock.
    pub(super) async fn events(&self, name: &str, since: Timestamp) -> Result<Vec<EngineEvent>, TargetError> {
        // Podman leaves out what it has not written yet when the time is over.
        let late = SignedDuration::from_millis(if self.engine.is_podman() { 250 } else { 0 });
        let until = self.engine.exactly_now().await;
        let until = until.checked_add(late).unwrap_or(until);
        let options = EventsOptionsBuilder::new()
            .since(&stamp(since))
            .until(&stamp(until))
            .filters(&HashMap::from([("type", vec!["container"])]))
            .build();
        let said = self.engine.ask(self.engine.docker.events(Some(options)).try_collect::<Vec<_>>()).await;
        let said = said.map_err(|error| self.engine.trouble("read the engine's events", error))?;
        let mut seen = self.seen.lock().await;
        for event in said.iter().filter_map(read) {
            seen.insert((event.at, event.id.clone(), event.action.clone()), event);
        }
        Ok(of_name(&seen, name, since))
    }
}

/// One line of the engine's. Newer engines leave out `status`, `id` and `from`, so only what all of them write is read.
fn read(line: &EventMessage) -> Option<Event> {
    let actor = line.actor.as_ref()?;
    let attribute = |name: &str| actor.attributes.as_ref()?.get(name);
    Some(Event {
        at: line.time_nano?,
        id: actor.id.clone()?,
        action: line.action.clone()?,
        name: attribute("name")?.clone(),
        exit_code: attribute("exitCode").and_then(|code| code.parse().ok()),
        old_name: attribute("oldName").map(|name| name.trim_start_matches('/').to_owned()),
    })
}

/// The events of every container that bore the name at any time since then, oldest first.
fn of_name(seen: &Seen, name: &str, since: Timestamp) -> Vec<EngineEvent> {
    let bore = |event: &&Event| event.name == name || event.old_name.as_deref() == Some(name);
    let bearers: BTreeSet<&str> = seen.values().filter(bore).map(|event| event.id.as_str()).collect();
    let since = i64::try_from(since.as_nanosecond()).unwrap_or(i64::MAX);
    let chosen = seen.values().filter(|event| event.at >= since && bearers.contains(event.id.as_str()));
    chosen
        .map(|event| EngineEvent {
            action: event.action.clone(),
            at: Timestamp::from_nanosecond(i128::from(event.at)).unwrap_or_default(),
            container: event.name.clone(),
            exit_code: event.exit_code,
        })
        .collect()
}

/// Seconds with a fraction, as the API takes them.
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{}.{:09}", at.as_second(), at.subsec_nanosecond().max(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(second: i64, id: &str, action: &str, name: &str, old: Option<&str>) -> EventMessage {
        let mut attributes = json!({"name": name, "image": "web"});
        if let Some(old) = old {
            attributes["oldName"] = json!(format!("/{old}"));
        }
        let line = json!({"Type": "container", "Action": action, "Actor": {"ID": id, "Attributes": attributes},
            "time": second, "timeNano": second * 1_000_000_000 + 5});
        serde_json::from_value(line).unwrap()
    }

    fn actions(lines: &[EventMessage], since: &str) -> Vec<String> {
        let mut seen = Seen::new();
        for event in lines.iter().filter_map(read) {
            seen.insert((event.at, event.id.clone(), event.action.clone()), event);
        }
        let found = of_name(&seen, "web", since.parse().unwrap());
        found.into_iter().map(|event| format!("{} {}", event.action, event.container)).collect()
    }

    #[test]
    fn every_container_that_bore_the_name_counts_and_no_other() {
        let lines = [
            event(10, "a", "oom", "web", None),
            event(11, "a", "die", "web", None),
            event(12, "a", "rename", "old", Some("web")),
            event(13, "a", "start", "old", None),
            event(14, "b", "start", "web", None),
            event(15, "c", "die", "db", None),
        ];
        let expected = ["oom web", "die web", "rename old", "start old", "start web"];
        assert_eq!(actions(&lines, "1970-01-01T00:00:10Z"), expected);
    }

    #[test]
    fn what_was_before_the_trigger_is_left_out() {
        let lines = [event(10, "a", "die", "web", None), event(11, "a", "start", "web", None)];
        assert_eq!(actions(&lines, "1970-01-01T00:00:10.000000006Z"), ["start web"]);
        assert!(actions(&lines, "1970-01-01T00:00:12Z").is_empty());
    }

    #[test]
    fn an_event_seen_twice_counts_once() {
        let line = event(10, "a", "die", "web", None);
        assert_eq!(actions(&[line.clone(), line], "1970-01-01T00:00:00Z").len(), 1);
    }

    #[test]
    fn times_are_written_with_their_fraction() {
        assert_eq!(stamp("1970-01-01T00:00:10.000000006Z".parse().unwrap()), "10.000000006");
    }
}
