//! What is in a lab's way: names and ports that something else has.

use std::{collections::BTreeMap, io, net::TcpListener};

use breakfix_lab::Document;
use serde_json::Value;

use super::{
    DockerTarget,
    belongs::{self, host_ports, label, text},
    endpoint::Address,
    images::{self, Held},
    labels::SESSION,
    things::{entries, listed_name},
};
use crate::target::TargetError;

impl DockerTarget {
    /// One line for each thing in the way.
    pub(super) async fn in_the_way(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        let (containers, networks, volumes) = futures::try_join!(
            self.engine.get("/containers/json?all=1"),
            self.engine.get("/networks"),
            self.engine.get("/volumes")
        )
        .map_err(|error| self.engine.trouble("list what is on the engine", error))?;
        let volumes: Vec<&Value> = volumes.get("Volumes").into_iter().flat_map(entries).collect();
        let mut found = Vec::new();
        for document in documents {
            let name = document.name.as_str();
            let there = match document.kind.as_str() {
                "Container" => entries(&containers).find(|it| listed_name(it) == name).map(described),
                "Network" => entries(&networks).find(|it| belongs::name(it) == Some(name)).map(owner),
                "Volume" => volumes.iter().find(|it| belongs::name(it) == Some(name)).map(|it| owner(it)),
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
        found.extend(self.ports_in_the_way(documents, &containers));
        found.extend(self.images_in_the_way().await?);
        Ok(found)
    }

    /// Ports that a container publishes already, or that some program of this machine has where the engine runs on it.
    fn ports_in_the_way(&self, documents: &[Document], containers: &Value) -> Vec<String> {
        let mut holders = BTreeMap::new();
        for container in entries(containers) {
            let ports = container.get("Ports").into_iter().flat_map(entries);
            for port in ports.filter_map(|port| port.get("PublicPort")).filter_map(Value::as_u64) {
                holders.insert(port.to_string(), container);
            }
        }
        let mut found = Vec::new();
        for port in documents.iter().flat_map(|document| host_ports(&document.body)) {
            match holders.get(&port) {
                Some(holder) if label(holder, SESSION) == Some(&self.place.session) => {}
                Some(holder) => found.push(format!("port {port}, published by container `{}`", listed_name(holder))),
                None if matches!(self.engine.endpoint.address, Address::Unix(_)) && is_taken(&port) => {
                    found.push(format!("port {port} of this machine, in use by some program"));
                }
                None => {}
            }
        }
        found
    }

    async fn images_in_the_way(&self) -> Result<Vec<String>, TargetError> {
        let mut found = Vec::new();
        for reference in images::references(&self.place)? {
            let there = self.engine.image(reference.short()).await?;
            if images::held(there.as_ref(), None) == Held::Foreign {
                found.push(format!("image `{reference}`, which is not breakfix's"));
            }
        }
        Ok(found)
    }
}

/// Whose a thing is.
enum Owner {
    Session(String),
    /// With more about it, for people.
    Somebody(String),
}

fn owner(value: &Value) -> Owner {
    match label(value, SESSION) {
        Some(session) => Owner::Session(session.to_owned()),
        None => Owner::Somebody(String::new()),
    }
}

fn described(container: &Value) -> Owner {
    let of = |key| text(container, &[key]).unwrap_or_default();
    match owner(container) {
        Owner::Somebody(_) => Owner::Somebody(format!(" (image {}, {})", of("Image"), of("State"))),
        session => session,
    }
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
