//! Answers to queries.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
};

use breakfix_grade::{Exchange, Failure, Fetched, Outcome, Query};
use breakfix_lab::check::{Caller, Leg, Owner};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    DockerTarget,
    belongs::{id, label, text},
    direct,
    labels::{ROLE, Role, SESSION},
    probe::failure,
    recreate::addresses,
    things::Look,
};
use crate::{
    asking::{Run, filled, with_host},
    target::TargetError,
};

/// One running container and where it can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Instance {
    network: String,
    address: String,
}

impl DockerTarget {
    /// One look for all queries of an observation; an empty one where none needs it. A probe that a check cut short has left is no
    /// work of the learner's: it goes first. One of this process's own is never meant, and a container that only wears a probe's labels
    /// gains nothing by it.
    pub(super) async fn look(&self, needed: bool) -> Result<Look, TargetError> {
        if !needed {
            return Ok(Look::default());
        }
        let look = self.engine.lab(&self.place).await?;
        let ours = |it: &&Value| {
            label(it, SESSION) == Some(&self.place.session) && label(it, ROLE) == Some(Role::Probe.as_str())
        };
        let left: Vec<String> = look.all_containers().filter(ours).filter_map(id).collect();
        if left.is_empty() {
            return Ok(look);
        }
        for probe in &left {
            self.remove_container(probe, true).await?;
        }
        self.engine.lab(&self.place).await
    }

    pub(super) async fn answer(
        &self,
        query: &Query,
        look: &Result<Look, TargetError>,
        since: Timestamp,
    ) -> Result<Fetched, Failure> {
        let what = query.to_string();
        match query {
            Query::Objects { kind, .. } => {
                let look = look.as_ref().map_err(|error| failure(&what, error))?;
                let objects = self.engine.objects(&self.place, look, kind).await;
                objects.map(Fetched::Objects).map_err(|error| failure(&what, &error))
            }
            Query::Requests { from, request, times, timeout, control } => {
                let request = filled(request, &nonce());
                let control = control.as_deref();
                let run = Run { request: &request, urls: Vec::new(), times: *times, timeout: *timeout, control };
                self.ask(from, run, look, &what).await.map(Fetched::Exchanges)
            }
            Query::RoundTrip { write, read } => {
                let nonce = nonce();
                let written = self.leg(write, &nonce, look, &what).await?;
                let accepted = matches!(&written.outcome, Outcome::Answered { status: 200..=299, .. });
                let read = if accepted { Some(Box::new(self.leg(read, &nonce, look, &what).await?)) } else { None };
                Ok(Fetched::RoundTrip { nonce, write: written, read })
            }
            Query::Access { .. }
            | Query::Declared { .. }
            | Query::Decisions { .. }
            | Query::DryCreate { .. }
            | Query::DryEvict { .. }
            | Query::Logs { .. } => {
                Err(Failure { what, why: "that is a question of Kubernetes labs".to_owned(), hint: None })
            }
            Query::Image { of } => self.look_inside(of, &what).await,
            Query::Traces { of, texts } => self.search(of, texts, &what).await,
            Query::Processes { container } => self.processes(container, &what).await,
            Query::File { container, path } => self.file(container, path, &what).await,
            Query::Events { container } => {
                let events = self.events(container, since).await;
                events.map(Fetched::Events).map_err(|error| failure(&what, &error))
            }
        }
    }

    /// One leg of a round trip. Where there is no instance to ask, its name means nothing.
    async fn leg(
        &self,
        leg: &Leg,
        nonce: &str,
        look: &Result<Look, TargetError>,
        what: &str,
    ) -> Result<Exchange, Failure> {
        let request = filled(&leg.request, nonce);
        let run = Run { request: &request, urls: Vec::new(), times: 1, timeout: direct::LEG, control: None };
        let nobody = Exchange {
            url: request.url.clone(),
            outcome: Outcome::NameUnknown,
            took: std::time::Duration::ZERO,
            address: None,
            control_reached: None,
        };
        Ok(self.ask(&leg.from, run, look, what).await?.into_iter().next().unwrap_or(nobody))
    }

    /// Sends a run's requests as the caller: from a network, or from the learner's own machine. With `each` every instance is
    /// asked at its own address, from its own network where the caller names none: not every machine has a way to it.
    pub(super) async fn ask(
        &self,
        from: &Caller,
        run: Run<'_>,
        look: &Result<Look, TargetError>,
        what: &str,
    ) -> Result<Vec<Exchange>, Failure> {
        let Some(owner) = &run.request.each else {
            let run = run.to(vec![run.request.url.clone()]);
            return match &from.network {
                Some(network) => self.probed(network, &run, what).await,
                None => Ok(direct::send(&run).await),
            };
        };
        let look = look.as_ref().map_err(|error| failure(what, error))?;
        let instances = match owner.kind.as_str() {
            "Rebuilt" => self.rebuilt_instance(&owner.name, look),
            _ => instances(owner, look, from.network.as_deref()),
        };
        let mut exchanges = Vec::new();
        for instance in instances {
            let run = run.to(vec![with_host(&run.request.url, &instance.address)]);
            if instance.network == "host" {
                exchanges.extend(direct::send(&run).await);
            } else {
                exchanges.extend(self.probed(&instance.network, &run, what).await?);
            }
        }
        Ok(exchanges)
    }
}

impl DockerTarget {
    /// The container of the grader's own build, if it runs.
    fn rebuilt_instance(&self, name: &str, look: &Look) -> Vec<Instance> {
        let named = self.rebuilt_container(name);
        let own = look.snapshot.containers.iter().find(|it| super::belongs::name(it) == Some(&named));
        own.filter(|it| is_running(it)).and_then(|it| instance(it, &[], None)).into_iter().collect()
    }
}

fn is_running(container: &Value) -> bool {
    container.pointer("/State/Running") == Some(&Value::Bool(true))
}

/// Whether a query asks about the lab's things.
pub(super) fn needs_look(query: &Query) -> bool {
    match query {
        Query::Objects { .. } => true,
        Query::Requests { request, .. } => request.each.is_some(),
        Query::RoundTrip { write, read } => write.request.each.is_some() || read.request.each.is_some(),
        Query::Events { .. }
        | Query::Access { .. }
        | Query::Declared { .. }
        | Query::Decisions { .. }
        | Query::DryCreate { .. }
        | Query::DryEvict { .. }
        | Query::Image { .. }
        | Query::Traces { .. }
        | Query::Processes { .. }
        | Query::File { .. }
        | Query::Logs { .. } => false,
    }
}

/// The running containers of an owner: the one of that name, or all that run from an image.
fn instances(owner: &Owner, look: &Look, network: Option<&str>) -> Vec<Instance> {
    let containers: Vec<&Value> = look.containers().collect();
    let chosen = |it: &Value| match owner.kind.as_str() {
        "Container" => super::belongs::name(it) == Some(&owner.name),
        "Image" => text(it, &["Config", "Image"]) == Some(&owner.name),
        _ => false,
    };
    let asked = containers.iter().filter(|it| chosen(it) && is_running(it));
    asked.filter_map(|it| instance(it, &containers, network)).collect()
}

/// Where a container can be asked. One that lives in another's network namespace is asked at the other's address.
fn instance(container: &Value, all: &[&Value], network: Option<&str>) -> Option<Instance> {
    let mode = text(container, &["HostConfig", "NetworkMode"]).unwrap_or_default();
    if mode == "host" {
        return Some(Instance { network: "host".into(), address: "127.0.0.1".into() });
    }
    if let Some(other) = mode.strip_prefix("container:") {
        let other =
            all.iter().find(|it| text(it, &["Id"]) == Some(other) || super::belongs::name(it) == Some(other))?;
        // Such a chain has one link: the engine allows no more.
        let joined = text(other, &["HostConfig", "NetworkMode"]).is_some_and(|mode| mode.starts_with("container:"));
        return if joined { None } else { instance(other, all, network) };
    }
    let addresses: BTreeMap<String, String> = addresses(container);
    let found = match network {
        Some(network) => addresses.get_key_value(network),
        None => addresses.get_key_value(mode).or_else(|| addresses.iter().next()),
    };
    found.map(|(network, address)| Instance { network: network.clone(), address: address.clone() })
}

/// A value that nobody can know beforehand: sixteen hex digits from the operating system's randomness.
pub(super) fn nonce() -> String {
    format!("{:016x}", RandomState::new().hash_one("nonce"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container(name: &str, mode: &str, networks: &[(&str, &str)]) -> Value {
        let networks: serde_json::Map<String, Value> =
            networks.iter().map(|(name, address)| ((*name).to_owned(), json!({"IPAddress": address}))).collect();
        json!({"Id": format!("{name}-id"), "Name": format!("/{name}"), "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": {"Networks": networks}})
    }

    fn at(container: &Value, all: &[&Value], network: Option<&str>) -> Option<(String, String)> {
        instance(container, all, network).map(|it| (it.network, it.address))
    }

    #[test]
    fn an_instance_is_asked_on_a_network_that_it_is_on() {
        let web = container("web", "shop", &[("back", "10.1.0.2"), ("shop", "10.2.0.2")]);
        let all = [&web];
        assert_eq!(at(&web, &all, None), Some(("shop".into(), "10.2.0.2".into())));
        assert_eq!(at(&web, &all, Some("back")), Some(("back".into(), "10.1.0.2".into())));
        assert_eq!(at(&web, &all, Some("other")), None);
        let plain = container("db", "default", &[("bridge", "172.17.0.2")]);
        assert_eq!(at(&plain, &[], None), Some(("bridge".into(), "172.17.0.2".into())));
        assert_eq!(at(&container("off", "none", &[("none", "")]), &[], None), None);
    }

    #[test]
    fn a_shared_namespace_is_asked_at_its_owners_address() {
        let db = container("db", "shop", &[("shop", "10.2.0.3")]);
        let web = container("web", "container:db-id", &[]);
        let all = [&db, &web];
        assert_eq!(at(&web, &all, None), Some(("shop".into(), "10.2.0.3".into())));
        assert_eq!(at(&container("x", "container:gone", &[]), &all, None), None);
        assert_eq!(at(&container("x", "container:web", &[]), &all, None), None);
        assert_eq!(at(&container("x", "host", &[]), &all, None), Some(("host".into(), "127.0.0.1".into())));
    }

    #[test]
    fn every_nonce_is_new() {
        assert_ne!(nonce(), nonce());
        assert_eq!(nonce().len(), 16);
    }
}
