//! What is in a lab's way: names and ports that something else has.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::TcpListener,
};

use bollard::models::{ContainerSummary, ImageSummary};
use breakfix_lab::Document;

use super::{
    DockerTarget,
    belongs::host_ports,
    endpoint::Address,
    images,
    labels::SESSION,
    things::{Lists, listed_name},
};
use crate::target::TargetError;

impl DockerTarget {
    /// One line for each thing in the way.
    pub(super) async fn in_the_way(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        let lists = self.engine.lists().await?;
        let Lists { containers, networks, volumes, images } = &lists;
        let mut found = Vec::new();
        for document in documents {
            let name = document.name.as_str();
            let there = match document.kind.as_str() {
                "Container" => containers.iter().find(|it| listed_name(it) == name).map(described),
                "Network" => networks
                    .iter()
                    .find(|it| it.name.as_deref() == Some(name))
                    .map(|it| owner(it.labels.as_ref(), String::new())),
                "Volume" => volumes.iter().find(|it| it.name == name).map(|it| owner(Some(&it.labels), String::new())),
                _ => None,
            };
            match there {
                Some(Owner::Session(session)) if session == self.place.session => {}
                Some(Owner::Session(session)) => {
                    found.push(format!("{} `{name}` of the session {session}", document.kind.to_lowercase()));
                }
                Some(Owner::Somebody(more)) => found.push(format!("{} `{name}`{more}", document.kind.to_lowercase())),
                None => {}
            }
        }
        found.extend(self.ports_in_the_way(documents, containers));
        found.extend(self.images_in_the_way(images)?);
        *self.listed.lock().await = Some(lists);
        Ok(found)
    }

    /// Ports that a container publishes already, or that some program of this machine has where the engine runs on it.
    fn ports_in_the_way(&self, documents: &[Document], containers: &[ContainerSummary]) -> Vec<String> {
        let mut holders = BTreeMap::new();
        for container in containers {
            for port in container.ports.iter().flatten().filter_map(|port| port.public_port) {
                holders.insert(port.to_string(), container);
            }
        }
        let mut found = Vec::new();
        for port in documents.iter().flat_map(|document| host_ports(&document.body)) {
            match holders.get(&port) {
                Some(holder) if session_of(holder.labels.as_ref()) == Some(&self.place.session) => {}
                Some(holder) => found.push(format!("port {port}, published by container `{}`", listed_name(holder))),
                None if matches!(self.engine.endpoint.address, Address::Unix(_)) && is_taken(&port) => {
                    found.push(format!("port {port} of this machine, in use by some program"));
                }
                None => {}
            }
        }
        found
    }

    fn images_in_the_way(&self, listed: &[ImageSummary]) -> Result<Vec<String>, TargetError> {
        let references = images::references(&self.place)?;
        let foreign = references.iter().filter(|reference| images::is_foreign(listed, reference));
        Ok(foreign.map(|reference| format!("image `{reference}`, which is not breakfix's")).collect())
    }
}

/// Whose a thing is.
enum Owner {
    Session(String),
    /// With more about it, for people.
    Somebody(String),
}

type Labels = HashMap<String, String>;

fn session_of(labels: Option<&Labels>) -> Option<&String> {
    labels?.get(SESSION)
}

fn owner(labels: Option<&Labels>, more: String) -> Owner {
    match session_of(labels) {
        Some(session) => Owner::Session(session.clone()),
        None => Owner::Somebody(more),
    }
}

fn described(container: &ContainerSummary) -> Owner {
    let image = container.image.as_deref().unwrap_or_default();
    let state = container.state.map(|state| state.to_string()).unwrap_or_default();
    owner(container.labels.as_ref(), format!(" (image {image}, {state})"))
}

/// Whether somebody listens on this port of this machine. A port that may not be listened on at all says nothing.
fn is_taken(port: &str) -> bool {
    let Ok(port) = port.parse::<u16>() else { return false };
    TcpListener::bind(("127.0.0.1", port)).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_this_machine_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        assert!(is_taken(&port));
        drop(listener);
        assert!(!is_taken(&port));
        assert!(!is_taken("8000-8010"));
    }
}
