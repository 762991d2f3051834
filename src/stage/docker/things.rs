//! What there is on the engine: lists, and the lab's part of them.

use std::collections::BTreeSet;

use bollard::{
    models::{ContainerSummary, ImageSummary, Network, Volume},
    query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptions},
};
use futures::future::try_join_all;
use serde_json::Value;

use super::{
    belongs::{self, Belongings, Claims, Snapshot, host_ports, id, volume_key},
    build::is_built,
    engine::{Engine, EngineError},
    images::{self, tags},
    labels::SESSION,
    marks::{KeptEngine, Marks},
};
use crate::target::{Place, TargetError};

/// What was on the engine at one moment, and what of it is the lab's.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) snapshot: Snapshot,
    pub(super) mine: Belongings,
    /// Ids of the probes and placeholders that this process made. By their ids and not by a label: a learner can write any label.
    pub(super) helpers: BTreeSet<String>,
}

impl Look {
    /// The lab's containers.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Value> {
        self.all_containers().filter(|it| id(it).is_some_and(|id| self.mine.containers.contains(&id)))
    }

    /// The lab's containers, and every other that was made on the engine since the session began: what has nothing to do with the lab
    /// by its ties may still do the lab's work, from the host's network for one. These are only looked at, never touched.
    pub(super) fn all_containers(&self) -> impl Iterator<Item = &Value> {
        self.snapshot.containers.iter().filter(|it| id(it).is_some_and(|id| !self.helpers.contains(&id)))
    }
}

/// What the lab claims before the engine is asked.
pub(super) fn claims(place: &Place, marks: &Marks) -> Claims {
    let named = |kind: &str| {
        place.documents.iter().filter(|document| document.kind == kind).map(|document| document.name.clone()).collect()
    };
    let references = images::references(place).unwrap_or_default();
    Claims {
        session: place.session.clone(),
        before: marks.before.clone(),
        containers: named("Container"),
        networks: named("Network"),
        volumes: named("Volume"),
        images: references.iter().map(|reference| reference.short().to_owned()).collect(),
        ports: place.documents.iter().flat_map(|document| host_ports(&document.body)).collect(),
        seen: marks.volumes.union(&marks.networks).cloned().collect(),
        others: Marks::made_by_others(&place.folder),
    }
}

impl Engine {
    /// Everything that could be the lab's. Containers that cannot be are left out: each costs a question.
    pub(super) async fn snapshot(&self, claims: &Claims) -> Result<Snapshot, TargetError> {
        let (containers, networks, volumes) =
            futures::try_join!(self.get("/containers/json?all=1"), self.get("/networks"), self.get("/volumes"))
                .map_err(|error| self.trouble("list what is on the engine", error))?;
        let candidates = entries(&containers).filter(|container| is_candidate(container, claims)).filter_map(id);
        let inspected =
            try_join_all(candidates.map(|id| async move { self.find(&format!("/containers/{id}/json")).await }))
                .await
                .map_err(|error| self.trouble("look at the lab's containers", error))?;
        Ok(Snapshot {
            containers: inspected.into_iter().flatten().collect(),
            networks: entries(&networks).cloned().collect(),
            volumes: volumes.get("Volumes").into_iter().flat_map(entries).cloned().collect(),
        })
    }

    /// The lab's things, and what else was looked at.
    pub(super) async fn lab(&self, place: &Place) -> Result<Look, TargetError> {
        let marks = Marks::read(&place.folder)?;
        let claims = claims(place, &marks);
        let snapshot = self.snapshot(&claims).await?;
        let mine = snapshot.belongings(&claims);
        // Once its container is gone, nothing ties an anonymous volume or a learner's own network to the lab.
        let volumes = mine.volumes.difference(&claims.volumes).cloned().collect();
        Marks::remember(&place.folder, &volumes, &snapshot.unlabelled_networks(&mine, &claims))?;
        Ok(Look { snapshot, mine, helpers: self.helpers() })
    }

    /// The lab's objects of a kind, as `inspect` shows them, by name.
    pub(super) async fn objects(&self, place: &Place, look: &Look, kind: &str) -> Result<Vec<Value>, TargetError> {
        let mut objects: Vec<Value> = match kind {
            "Container" => look.all_containers().cloned().collect(),
            "Network" => {
                // The list leaves out who is on a network.
                let looks =
                    look.mine.networks.iter().map(|id| async move { self.find(&format!("/networks/{id}")).await });
                let found: Result<Vec<_>, EngineError> = try_join_all(looks).await;
                let found = found.map_err(|error| self.trouble("look at the lab's networks", error))?;
                found.into_iter().flatten().collect()
            }
            "Volume" => {
                let own = |it: &&Value| belongs::name(it).is_some_and(|name| look.mine.volumes.contains(name));
                look.snapshot.volumes.iter().filter(own).cloned().collect()
            }
            "Image" => return self.lab_images(place).await,
            _ => Vec::new(),
        };
        objects.sort_by(|a, b| belongs::name(a).cmp(&belongs::name(b)));
        Ok(objects)
    }

    async fn lab_images(&self, place: &Place) -> Result<Vec<Value>, TargetError> {
        let mut found = Vec::new();
        for reference in images::references(place)? {
            found.extend(self.image(reference.short()).await?);
        }
        for document in place.documents.iter().filter(|document| is_built(document)) {
            found.extend(self.image(&document.name).await?);
        }
        Ok(found)
    }

    /// Puts on record what there is, before the session makes its first thing, and which containers it is about to make. `listed`: what there is,
    /// where somebody has just looked.
    pub(super) async fn remember_what_was_before<'a>(
        &self,
        place: &Place,
        listed: Option<Lists>,
        made: impl Iterator<Item = &'a str>,
    ) -> Result<(), TargetError> {
        let mut marks = Marks::read(&place.folder)?;
        let known = marks.made.len();
        marks.made.extend(made.map(str::to_owned));
        if marks.before.is_some() {
            return if marks.made.len() == known { Ok(()) } else { marks.write(&place.folder) };
        }
        let Lists { containers, networks, volumes, images } = match listed {
            Some(listed) => listed,
            None => self.lists().await?,
        };
        let ids = containers.into_iter().filter_map(|it| it.id).chain(networks.into_iter().filter_map(|it| it.id));
        let ids = ids.chain(images.into_iter().map(|it| it.id));
        marks.before = Some(ids.chain(volumes.iter().map(|it| volume_key(&it.name))).collect());
        marks.engine = Some(KeptEngine::of(&self.endpoint));
        marks.write(&place.folder)
    }

    /// Everything that there is, for breakfix's own use.
    pub(super) async fn lists(&self) -> Result<Lists, TargetError> {
        let docker = &self.docker;
        let (containers, networks, volumes, images) = futures::try_join!(
            self.ask(docker.list_containers(Some(ListContainersOptionsBuilder::new().all(true).build()))),
            self.ask(docker.list_networks(None)),
            self.ask(docker.list_volumes(None::<ListVolumesOptions>)),
            self.ask(docker.list_images(Some(ListImagesOptionsBuilder::new().all(true).build())))
        )
        .map_err(|error| self.trouble("list what is on the engine", error))?;
        Ok(Lists { containers, networks, volumes: volumes.volumes.unwrap_or_default(), images })
    }

    /// One line for each thing on the engine.
    pub(super) async fn inventory(&self) -> Result<Vec<String>, TargetError> {
        let Lists { containers, networks, volumes, images } = self.lists().await?;
        let mut lines = Vec::new();
        for container in &containers {
            let id = container.id.as_deref().unwrap_or_default();
            lines.push(format!("container {} {}", listed_name(container), short(id)));
        }
        for network in &networks {
            let id = network.id.as_deref().unwrap_or_default();
            lines.push(format!("network {} {}", network.name.as_deref().unwrap_or_default(), short(id)));
        }
        for volume in &volumes {
            lines.push(format!("volume {}", volume.name));
        }
        for image in &images {
            let tags = tags(image);
            let names = if tags.is_empty() { "<none>".to_owned() } else { tags.join(",") };
            lines.push(format!("image {names} {}", short(&image.id)));
        }
        lines.sort();
        Ok(lines)
    }
}

/// What is on an engine, as it lists it.
pub(super) struct Lists {
    pub(super) containers: Vec<ContainerSummary>,
    pub(super) networks: Vec<Network>,
    pub(super) volumes: Vec<Volume>,
    pub(super) images: Vec<ImageSummary>,
}

/// Whether a container, as the list shows it, may matter to the lab: it is new, or the session's.
fn is_candidate(container: &Value, claims: &Claims) -> bool {
    match belongs::label(container, SESSION) {
        Some(session) if session == claims.session => true,
        Some(session) if claims.is_others(session, listed(container)) => false,
        _ => claims.is_new(container),
    }
}

/// [`listed_name`] of an entry that was read as JSON.
fn listed(container: &Value) -> &str {
    own_name(container.get("Names").into_iter().flat_map(entries).filter_map(Value::as_str))
}

/// A container's name as the list has it: links add further ones, with another slash in them.
pub(super) fn listed_name(container: &ContainerSummary) -> &str {
    own_name(container.names.iter().flatten().map(String::as_str))
}

fn own_name<'a>(names: impl Iterator<Item = &'a str>) -> &'a str {
    names.map(|name| name.trim_start_matches('/')).find(|name| !name.contains('/')).unwrap_or_default()
}

pub(super) fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// An id as `docker ps` shows it.
pub(super) fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_linked_container_keeps_its_own_name() {
        let listed = |names: &[&str]| ContainerSummary {
            names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            ..ContainerSummary::default()
        };
        assert_eq!(listed_name(&listed(&["/web/db", "/db"])), "db");
        assert_eq!(listed_name(&listed(&[])), "");
    }

    #[test]
    fn only_helpers_that_were_made_here_are_left_out() {
        let container = |id: &str, role: &str| json!({"Id": id, "Config": {"Labels": {"breakfix.dev/session": "s", "breakfix.dev/role": role}}});
        let containers = vec![
            container("web", "lab"),
            container("hidden", "probe"),
            container("ours", "probe"),
            json!({"Id": "untied"}),
        ];
        let snapshot = Snapshot { containers, ..Snapshot::default() };
        let mine = snapshot.belongings(&Claims { session: "s".into(), ..Claims::default() });
        let look = Look { snapshot, mine, helpers: ["ours".to_owned()].into() };
        let ids = |of: &mut dyn Iterator<Item = &Value>| of.filter_map(id).collect::<Vec<_>>();
        assert_eq!(ids(&mut look.containers()), ["web", "hidden"]);
        assert_eq!(ids(&mut look.all_containers()), ["web", "hidden", "untied"]);
    }

    #[test]
    fn candidates_are_labelled_or_new() {
        let (old, new) = ("0123", "4567");
        let before = Some([old.to_owned()].into());
        let others = [("other".to_owned(), ["web".to_owned()].into())].into();
        let claims = Claims { session: "s".into(), before, others, ..Claims::default() };
        let listed = |name: &str, id: &str, session: Option<&str>| json!({"Names": [format!("/{name}")], "Id": id, "Labels": {"breakfix.dev/session": session}});
        assert!(is_candidate(&listed("x", old, Some("s")), &claims));
        assert!(!is_candidate(&listed("web", old, None), &claims));
        assert!(is_candidate(&listed("x", new, None), &claims));
        assert!(!is_candidate(&listed("x", old, None), &claims));
        assert!(!is_candidate(&listed("web", new, Some("other")), &claims));
        // A learner's own container, hidden behind the label of another session, or of one that never was.
        assert!(is_candidate(&listed("relay", new, Some("other")), &claims));
        assert!(is_candidate(&listed("web", new, Some("nobody")), &claims));
        assert!(!is_candidate(&listed("relay", old, Some("other")), &claims));
    }
}
