//! What happens on an engine, by its stream of events.

use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use async_trait::async_trait;
use bollard::{
    errors::Error,
    models::{EventMessage, EventMessageTypeEnum},
    query_parameters::EventsOptionsBuilder,
};
use futures::{StreamExt, stream::BoxStream};

use super::{
    DockerTarget,
    engine::EngineError,
    events::stamp,
    labels::{ROLE, Role},
};
use crate::target::{Changes, Happened, Pauses};

impl DockerTarget {
    pub(super) fn watch_changes(&self) -> Box<dyn Changes + '_> {
        Box::new(Watch {
            target: self,
            events: None,
            probes: BTreeSet::new(),
            since: Instant::now(),
            pauses: Pauses::default(),
            begun: false,
            missed: false,
        })
    }
}

/// The engine's events.
struct Watch<'a> {
    target: &'a DockerTarget,
    events: Option<BoxStream<'a, Result<EventMessage, Error>>>,
    /// The ids of probes: what happens to networks names them only by these.
    probes: BTreeSet<String>,
    since: Instant,
    pauses: Pauses,
    /// Whether the stream has ever begun.
    begun: bool,
    /// Something may have happened that was not told.
    missed: bool,
}

#[async_trait]
impl Changes for Watch<'_> {
    async fn next(&mut self) -> Happened {
        loop {
            let Some(events) = &mut self.events else {
                tokio::time::sleep(self.pauses.next()).await;
                match self.open().await {
                    Ok(()) if std::mem::take(&mut self.missed) => return Happened::Edited,
                    // From here on everything is told; what was before may have been missed.
                    Ok(()) if !std::mem::replace(&mut self.begun, true) => return Happened::Moved,
                    Ok(()) => {}
                    Err(_) => {
                        self.pauses.failed();
                        // Whoever watches learns at once that nobody answers, not when somebody does again.
                        if !std::mem::replace(&mut self.missed, true) {
                            return Happened::Moved;
                        }
                    }
                }
                continue;
            };
            match events.next().await {
                Some(Ok(event)) => {
                    self.pauses.over();
                    if let Some(happened) = weigh(&event, &mut self.probes) {
                        return happened;
                    }
                }
                // The engine has ended the stream, or is gone itself.
                Some(Err(_)) | None => {
                    self.events = None;
                    self.missed = true;
                    self.pauses.ended(self.since);
                }
            }
        }
    }
}

impl Watch<'_> {
    /// A stream of everything from this moment on: the request itself goes out when the stream is first asked, so that it names the moment.
    async fn open(&mut self) -> Result<(), EngineError> {
        let engine = &self.target.engine;
        engine.ask(engine.docker.ping()).await?;
        let options = EventsOptionsBuilder::new()
            .since(&stamp(engine.exactly_now().await))
            .filters(&HashMap::from([("type", vec!["container", "network", "volume"])]))
            .build();
        self.events = Some(engine.docker.events(Some(options)).boxed());
        self.since = Instant::now();
        Ok(())
    }
}

/// What an event means; nothing where it is a probe's, or changes nothing.
fn weigh(event: &EventMessage, probes: &mut BTreeSet<String>) -> Option<Happened> {
    let actor = event.actor.as_ref()?;
    let attribute = |name: &str| actor.attributes.as_ref()?.get(name).map(String::as_str);
    let action = event.action.as_deref()?;
    match event.typ? {
        EventMessageTypeEnum::CONTAINER => {
            if attribute(ROLE) == Some(Role::Probe.as_str()) {
                probes.extend(actor.id.clone());
                return None;
            }
            // Health checks are such commands; what they find is told as `health_status`.
            let looks_only = ["exec_", "attach", "detach", "top", "resize", "export", "commit", "archive-path"];
            if looks_only.iter().any(|look| action.starts_with(look)) {
                return None;
            }
            let asked =
                ["create", "destroy", "update", "rename", "pause", "unpause", "restart", "copy", "extract-to-dir"];
            Some(if asked.contains(&action) { Happened::Edited } else { Happened::Moved })
        }
        // A container joins its networks whenever it starts, by itself too.
        EventMessageTypeEnum::NETWORK if attribute("container").is_some_and(|it| probes.contains(it)) => None,
        EventMessageTypeEnum::NETWORK if ["connect", "disconnect"].contains(&action) => Some(Happened::Moved),
        EventMessageTypeEnum::VOLUME if ["mount", "unmount"].contains(&action) => None,
        _ => Some(Happened::Edited),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, action: &str, id: &str, attributes: Value) -> EventMessage {
        let actor = json!({"ID": id, "Attributes": attributes});
        serde_json::from_value(json!({"Type": kind, "Action": action, "Actor": actor})).unwrap()
    }

    #[test]
    fn an_event_weighs_what_it_changes() {
        let mut probes = BTreeSet::new();
        let mut weigh = |kind: &str, action: &str, id: &str, attributes: Value| {
            super::weigh(&event(kind, action, id, attributes), &mut probes)
        };
        let web = || json!({"name": "web", "image": "web"});
        for action in ["create", "destroy", "rename", "update"] {
            assert_eq!(weigh("container", action, "a", web()), Some(Happened::Edited), "{action}");
        }
        for action in ["start", "die", "oom", "health_status: healthy"] {
            assert_eq!(weigh("container", action, "a", web()), Some(Happened::Moved), "{action}");
        }
        for action in ["exec_create: true", "exec_die", "top", "attach"] {
            assert_eq!(weigh("container", action, "a", web()), None, "{action}");
        }
        let probe = json!({"name": "breakfix-probe-1", ROLE: Role::Probe.as_str()});
        assert_eq!(weigh("container", "create", "p", probe.clone()), None);
        assert_eq!(weigh("network", "connect", "n", json!({"container": "p", "name": "net"})), None);
        assert_eq!(weigh("container", "destroy", "p", probe), None);
        assert_eq!(weigh("network", "connect", "n", json!({"container": "a"})), Some(Happened::Moved));
        assert_eq!(weigh("network", "create", "n", json!({})), Some(Happened::Edited));
        assert_eq!(weigh("volume", "mount", "v", json!({})), None);
        assert_eq!(weigh("volume", "destroy", "v", json!({})), Some(Happened::Edited));
    }
}
