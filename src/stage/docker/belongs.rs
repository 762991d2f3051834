//! What on an engine is the lab's: a pure rule over what the engine lists.
//!
//! A learner's own commands set no labels (`docker rm web; docker run --name web …`), so labels are the beginning, not the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::labels::{ROLE, SESSION};
use crate::image::WORKLOAD_LABEL;

/// What is known of a session before the engine is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    pub(super) session: String,
    /// What was on the engine before the session made anything, by [`key`]. `None`: it has made nothing yet.
    pub(super) before: Option<BTreeSet<String>>,
    /// Names that the lab's documents declare; they were free before the session made anything.
    pub(super) containers: BTreeSet<String>,
    pub(super) networks: BTreeSet<String>,
    pub(super) volumes: BTreeSet<String>,
    /// References of the lab's images.
    pub(super) images: BTreeSet<String>,
    /// Host ports that the documents publish; free when the session began.
    pub(super) ports: BTreeSet<String>,
    /// Names of volumes and ids of networks that earlier looks found to be the lab's.
    pub(super) seen: BTreeSet<String>,
    /// The home's other sessions, and the names of the containers that breakfix made for them.
    pub(super) others: BTreeMap<String, BTreeSet<String>>,
}

impl Claims {
    /// Whether a thing came to the engine after the session had begun to make things. Told by what was listed before, not by clocks:
    /// engines write some times in whole seconds, and may run on another clock.
    pub(super) fn is_new(&self, value: &Value) -> bool {
        self.before.as_ref().zip(key(value)).is_some_and(|(before, key)| !before.contains(&key))
    }

    /// Whether breakfix made a container of this name for another session. Its label alone proves nothing: anybody can write one.
    pub(super) fn is_others(&self, session: &str, name: &str) -> bool {
        self.others.get(session).is_some_and(|made| made.contains(name))
    }
}

/// What there is: `inspect` of containers and networks, and the list of volumes.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) containers: Vec<Value>,
    pub(super) networks: Vec<Value>,
    pub(super) volumes: Vec<Value>,
}

/// Ids of the lab's containers and networks, names of its volumes. Probes and placeholders are among the containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Belongings {
    pub(super) containers: BTreeSet<String>,
    pub(super) networks: BTreeSet<String>,
    pub(super) volumes: BTreeSet<String>,
}

impl Snapshot {
    /// The rule. A thing is the lab's if it has the session's label; or if it was made since the session began and has a name that
    /// the lab declares, or is tied to something that is the lab's. Whatever is older is somebody else's: a start that was refused
    /// because a name is taken must not remove what has it.
    pub(super) fn belongings(&self, claims: &Claims) -> Belongings {
        let mut mine = Belongings::default();
        loop {
            let before = mine.clone();
            for container in &self.containers {
                if self.claims_container(claims, &mine, container) {
                    mine.containers.extend(id(container));
                }
            }
            for network in &self.networks {
                if self.claims_network(claims, &mine, network) {
                    mine.networks.extend(id(network));
                }
            }
            for volume in &self.volumes {
                if self.claims_volume(claims, &mine, volume) {
                    mine.volumes.extend(name(volume).map(str::to_owned));
                }
            }
            if mine == before {
                return mine;
            }
        }
    }

    fn claims_container(&self, claims: &Claims, mine: &Belongings, container: &Value) -> bool {
        match label(container, SESSION) {
            Some(session) if session != claims.session => return false,
            Some(_) => return true,
            None => {}
        }
        if !claims.is_new(container) {
            return false;
        }
        if name(container).is_some_and(|name| claims.containers.contains(name)) {
            return true;
        }
        let image = text(container, &["Config", "Image"]);
        let ours = label(container, WORKLOAD_LABEL).is_some() && image.is_some_and(|it| claims.images.contains(it));
        ours || networks(container).iter().any(|network| mine.networks.contains(network))
            || volumes(container).iter().any(|volume| mine.volumes.contains(volume))
            || shared(container).iter().any(|other| self.is_mine(mine, other))
            || host_ports(container).iter().any(|port| claims.ports.contains(port))
    }

    fn claims_network(&self, claims: &Claims, mine: &Belongings, network: &Value) -> bool {
        if let Some(session) = label(network, SESSION) {
            return session == claims.session;
        }
        let declared = name(network).is_some_and(|name| claims.networks.contains(name));
        let tied = |id: String| claims.seen.contains(&id) || self.mine(mine).any(|it| networks(it).contains(&id));
        claims.is_new(network) && (declared || id(network).is_some_and(tied))
    }

    /// Of the lab's networks those that only a tie tells.
    pub(super) fn unlabelled_networks(&self, mine: &Belongings, claims: &Claims) -> BTreeSet<String> {
        let untold =
            |it: &&Value| label(it, SESSION).is_none() && name(it).is_none_or(|name| !claims.networks.contains(name));
        self.networks.iter().filter(untold).filter_map(id).filter(|id| mine.networks.contains(id)).collect()
    }

    fn claims_volume(&self, claims: &Claims, mine: &Belongings, volume: &Value) -> bool {
        let Some(named) = name(volume) else { return false };
        if let Some(session) = label(volume, SESSION) {
            return session == claims.session;
        }
        let declared = claims.volumes.contains(named) || claims.seen.contains(named);
        let tied = || self.mine(mine).any(|container| volumes(container).contains(named));
        claims.is_new(volume) && (declared || tied())
    }

    fn mine<'a>(&'a self, mine: &'a Belongings) -> impl Iterator<Item = &'a Value> {
        self.containers.iter().filter(|container| id(container).is_some_and(|id| mine.containers.contains(&id)))
    }

    /// Whether a container that is named by its id, a short id or its name is the lab's.
    fn is_mine(&self, mine: &Belongings, other: &str) -> bool {
        self.mine(mine).any(|container| {
            name(container) == Some(other)
                || (other.len() >= 12 && id(container).is_some_and(|id| id.starts_with(other)))
        })
    }
}

/// The container's role, if it is one of ours.
pub(super) fn role(container: &Value) -> Option<&str> {
    label(container, ROLE)
}

pub(super) fn id(value: &Value) -> Option<String> {
    text(value, &["Id"]).map(str::to_owned)
}

/// Containers' names are written with a slash before them.
pub(super) fn name(value: &Value) -> Option<&str> {
    text(value, &["Name"]).map(|name| name.trim_start_matches('/'))
}

/// A container's labels are under `Config`, those of networks and volumes are not.
pub(super) fn label<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    let of = |labels: Option<&'a Value>| labels?.get(key)?.as_str();
    of(value.pointer("/Config/Labels")).or_else(|| of(value.get("Labels")))
}

/// What tells a thing from every other that ever was on the engine: its id. A volume has none but its name.
pub(super) fn key(value: &Value) -> Option<String> {
    id(value).or_else(|| name(value).map(volume_key))
}

/// A volume's [`key`].
pub(super) fn volume_key(name: &str) -> String {
    format!("volume {name}")
}

/// Ids of the networks a container is on.
pub(super) fn networks(container: &Value) -> BTreeSet<String> {
    let all = container.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    all.into_iter().flatten().filter_map(|(_, it)| text(it, &["NetworkID"])).map(str::to_owned).collect()
}

/// Names of the volumes a container uses.
pub(super) fn volumes(container: &Value) -> BTreeSet<String> {
    let mounts = container.get("Mounts").and_then(Value::as_array);
    let volumes = mounts.into_iter().flatten().filter(|mount| text(mount, &["Type"]) == Some("volume"));
    volumes.filter_map(|mount| text(mount, &["Name"])).map(str::to_owned).collect()
}

/// The containers whose namespaces this one shares, as it names them.
pub(super) fn shared(container: &Value) -> BTreeSet<String> {
    let modes = ["NetworkMode", "PidMode", "IpcMode"].map(|key| text(container, &["HostConfig", key]));
    modes.into_iter().flatten().filter_map(|mode| mode.strip_prefix("container:")).map(str::to_owned).collect()
}

/// Host ports that a container asks for.
pub(super) fn host_ports(container: &Value) -> BTreeSet<String> {
    let bindings = container.pointer("/HostConfig/PortBindings").and_then(Value::as_object);
    let bindings = bindings.into_iter().flatten().filter_map(|(_, list)| list.as_array()).flatten();
    let ports = bindings.filter_map(|binding| text(binding, &["HostPort"]));
    ports.filter(|port| !port.is_empty() && *port != "0").map(str::to_owned).collect()
}

pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}

#[cfg(test)]
mod tests;
