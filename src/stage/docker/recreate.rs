//! Making a container again: the journal first, then remove, create, connect, start.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    DockerTarget,
    belongs::{id, role, text, volume_key, volumes},
    body::Plan,
    engine::escaped,
    labels::Role,
    marks::Marks,
    recreation::{body_of, edited},
    things::claims,
};
use crate::{
    journal::Undo,
    target::{Cause, TargetError},
};

/// So many placeholders are tried until one has got the address.
const PLACEHOLDERS_MAX: u32 = 8;

/// What a recreation that was cut short needs to be finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Always `recreate`; the other kind of note is `up`, with its variables.
    docker: String,
    name: String,
    /// The container that is to go; while it is there nothing has happened yet.
    old: String,
    plan: Plan,
}

/// What is done with the container's own grace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grace {
    Stop,
    Restart,
}

impl DockerTarget {
    /// Removes a container and creates it again from its own settings, edited.
    pub(super) async fn recreate(
        &self,
        name: &str,
        merge: Option<&Value>,
        new_address: bool,
        undo: &dyn Undo,
    ) -> Result<(), TargetError> {
        let what = format!("make the container {name} again");
        if let Some(merge) = merge {
            self.refuse_binds(merge, &what)?;
        }
        let path = format!("/containers/{}/json", escaped(name));
        let old = self.engine.get(&path).await.map_err(|error| self.engine.trouble(what.clone(), error))?;
        let old_id = id(&old).unwrap_or_default();
        let image = self.engine.image(text(&old, &["Image"]).unwrap_or_default()).await?;
        if image.is_none() && merge.is_none_or(|merge| merge.get("Image").is_none()) {
            // Nothing is removed that could not be made again.
            return Err(TargetError::new(Cause::Answered, what)
                .hint("Its image is no longer on the engine; `docker load` or `docker build` it again."));
        }
        let plan = Plan::new(edited(body_of(&old, image.as_ref()), merge));
        let mut addresses = addresses(&old);
        if addresses.is_empty() {
            addresses = self.given_up.lock().await.get(&old_id).cloned().unwrap_or_default();
        }
        // An anonymous volume outlives its container, and then nothing ties it to the lab.
        let before = Marks::read(&self.place.folder)?.before.unwrap_or_default();
        let new = volumes(&old).into_iter().filter(|volume| !before.contains(&volume_key(volume))).collect();
        Marks::remember(&self.place.folder, &new, &BTreeSet::new())?;
        let note = Note { docker: "recreate".into(), name: name.to_owned(), old: old_id.clone(), plan };
        self.noted(undo, &note, &what)?;
        self.stop(&old_id).await?;
        self.remove_container(&old_id, false).await?;
        let held = if new_address { self.hold(&addresses, name, &old).await } else { Ok(()) };
        let made = match held {
            Ok(()) => self.run(name, &note.plan).await,
            Err(error) => Err(error),
        };
        let moved = match made {
            Ok(()) if new_address => self.has_moved(name, &addresses).await,
            other => other,
        };
        self.remove_placeholders().await?;
        moved?;
        undo.settled().map_err(|error| TargetError::new(Cause::Local, what).because(error))
    }

    /// Finishes what a note tells of, and removes what it no longer needs.
    pub(super) async fn finish(&self, note: &Value) -> Result<(), TargetError> {
        self.remove_placeholders().await?;
        if note.get("docker").and_then(Value::as_str) == Some("up") {
            return self.up_again(note).await;
        }
        let note: Note = serde_json::from_value(note.clone()).map_err(|error| {
            TargetError::new(Cause::Local, "read what was being done to a container").because(error)
        })?;
        let what = format!("make the container {} again", note.name);
        let found = self.engine.find(&format!("/containers/{}/json", escaped(&note.name))).await;
        match found.map_err(|error| self.engine.trouble(what, error))? {
            // Still the old one: it may have been stopped already, so its removal is finished too.
            Some(there) if id(&there).as_deref() == Some(&note.old) => {
                self.remove_container(&note.old, false).await?;
                self.run(&note.name, &note.plan).await
            }
            Some(_) => self.connect_and_start(&note.name, &note.plan).await,
            None => self.run(&note.name, &note.plan).await,
        }
    }

    fn noted(&self, undo: &dyn Undo, note: &Note, what: &str) -> Result<(), TargetError> {
        let local =
            |error: Box<dyn std::error::Error + Send + Sync>| TargetError::new(Cause::Local, what).because(error);
        let value = serde_json::to_value(note).map_err(|error| local(error.into()))?;
        undo.note(value).map_err(|error| local(error.into()))
    }

    /// Stops with the container's own grace. Not running is fine.
    pub(super) async fn stop(&self, name: &str) -> Result<(), TargetError> {
        self.with_grace(name, Grace::Stop).await
    }

    /// Stops with the container's own grace and starts.
    pub(super) async fn restart(&self, name: &str) -> Result<(), TargetError> {
        self.with_grace(name, Grace::Restart).await
    }

    async fn with_grace(&self, name: &str, verb: Grace) -> Result<(), TargetError> {
        let what = match verb {
            Grace::Stop => format!("stop the container {name}"),
            Grace::Restart => format!("restart the container {name}"),
        };
        let trouble = |error| self.engine.trouble(what.clone(), error);
        let container = self.engine.get(&format!("/containers/{}/json", escaped(name))).await.map_err(trouble)?;
        let held = addresses(&container);
        if !held.is_empty() {
            self.given_up.lock().await.insert(id(&container).unwrap_or_default(), held);
        }
        let grace = container.pointer("/Config/StopTimeout").and_then(Value::as_u64).unwrap_or(10);
        let patience = self.engine.patience.saturating_add(std::time::Duration::from_secs(grace));
        let (docker, name) = (&self.engine.docker, &escaped(name));
        let done = match verb {
            Grace::Stop => self.engine.within(patience, docker.stop_container(name, None)).await,
            Grace::Restart => self.engine.within(patience, docker.restart_container(name, None)).await,
        };
        match done {
            Ok(()) => Ok(()),
            // What keeps a container from starting is the lab's matter, as in `start`.
            Err(error) if verb == Grace::Restart && !error.words().is_empty() && !error.is_missing() => {
                match super::create::taken_port(error.words()) {
                    Some(_) => Err(trouble(error)),
                    None => Ok(()),
                }
            }
            Err(error) => Err(trouble(error)),
        }
    }

    /// Keeps the addresses busy that a container has just given up: helpers on each network, until one of them has got it.
    async fn hold(&self, addresses: &BTreeMap<String, String>, name: &str, old: &Value) -> Result<(), TargetError> {
        // Podman goes round and comes to a freed address last; `has_moved` looks at it afterwards.
        if self.engine.is_podman() {
            return Ok(());
        }
        // Of a container that somebody else stopped the engine has forgotten them. The next free one is what it would get.
        for network in networks(old).filter(|network| !addresses.contains_key(*network)) {
            let helper = format!("breakfix-hold-{}-{network}-0", self.place.session);
            self.start_helper(&helper, network, Role::Placeholder, json!({})).await?;
        }
        for (network, address) in addresses {
            for number in 1..=PLACEHOLDERS_MAX {
                let helper = format!("breakfix-hold-{}-{}-{number}", self.place.session, &network);
                let helper = self.start_helper(&helper, network, Role::Placeholder, json!({})).await?;
                let there = self.engine.get(&format!("/containers/{helper}/json")).await;
                let there = there.map_err(|error| self.engine.trouble("look at a placeholder", error))?;
                if self::addresses(&there).get(network) == Some(address) {
                    break;
                }
                if number == PLACEHOLDERS_MAX {
                    return Err(TargetError::new(
                        Cause::Answered,
                        format!("keep the old address {address} of {name} busy"),
                    )
                    .hint("The engine gave that address to no other container; try again."));
                }
            }
        }
        Ok(())
    }

    async fn has_moved(&self, name: &str, old: &BTreeMap<String, String>) -> Result<(), TargetError> {
        let there = self.engine.get(&format!("/containers/{}/json", escaped(name))).await;
        let there = there.map_err(|error| self.engine.trouble(format!("look at the container {name}"), error))?;
        match addresses(&there).iter().find(|(network, address)| old.get(*network) == Some(address)) {
            None => Ok(()),
            Some((network, address)) => {
                Err(TargetError::new(Cause::Answered, format!("give {name} another address on {network}"))
                    .hint(format!("It got {address} again: its settings ask for this very address.")))
            }
        }
    }

    /// Removes every placeholder of this session.
    async fn remove_placeholders(&self) -> Result<(), TargetError> {
        let claims = claims(&self.place, &Marks::default());
        let snapshot = self.engine.snapshot(&claims).await?;
        let ours = |it: &&Value| super::belongs::label(it, super::labels::SESSION) == Some(&self.place.session);
        for container in snapshot.containers.iter().filter(ours) {
            if role(container) == Some(Role::Placeholder.as_str()) {
                self.remove_container(&id(container).unwrap_or_default(), true).await?;
            }
        }
        Ok(())
    }
}

/// The networks on which a container has, or would have, an address of its own.
fn networks(container: &Value) -> impl Iterator<Item = &str> {
    let all = container.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    all.into_iter().flat_map(|it| it.keys()).map(String::as_str).filter(|name| !["host", "none"].contains(name))
}

/// The container's addresses by network; networks without one are left out.
pub(super) fn addresses(container: &Value) -> BTreeMap<String, String> {
    let all = container.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    let addressed = all.into_iter().flatten().filter_map(|(name, it)| Some((name, text(it, &["IPAddress"])?)));
    addressed.filter(|(_, address)| !address.is_empty()).map(|(name, it)| (name.clone(), it.to_owned())).collect()
}
