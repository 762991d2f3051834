//! What there is on the engine: lists, and the lab's part of them.

use futures::future::try_join_all;
use serde_json::Value;

use super::{
    belongs::{self, Belongings, Claims, Snapshot, host_ports, id, text},
    engine::{Engine, EngineError},
    images::{self, tags},
    labels::{Role, SESSION},
    marks::{KeptEngine, Marks},
};
use crate::target::{Place, TargetError};

/// What was on the engine at one moment, and what of it is the lab's.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) snapshot: Snapshot,
    pub(super) mine: Belongings,
}

impl Look {
    /// The lab's containers. Probes and placeholders are breakfix's own.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Value> {
        let lab = |it: &&Value| belongs::role(it).is_none_or(|role| role == Role::Lab.as_str());
        let own = |it: &&Value| id(it).is_some_and(|id| self.mine.containers.contains(&id));
        self.snapshot.containers.iter().filter(own).filter(lab)
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
        Ok(Look { snapshot, mine })
    }

    /// The lab's objects of a kind, as `inspect` shows them, by name.
    pub(super) async fn objects(&self, place: &Place, look: &Look, kind: &str) -> Result<Vec<Value>, TargetError> {
        let mut objects: Vec<Value> = match kind {
            "Container" => look.containers().cloned().collect(),
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
        Ok(found)
    }

    /// Puts on record what there is, before the session makes its first thing.
    pub(super) async fn remember_what_was_before(&self, place: &Place) -> Result<(), TargetError> {
        let mut marks = Marks::read(&place.folder)?;
        if marks.before.is_some() {
            return Ok(());
        }
        let [containers, networks, volumes, images] = self.lists().await?;
        let all = [containers, networks, volumes, images].into_iter().flatten();
        marks.before = Some(all.filter_map(|it| belongs::key(&it)).collect());
        marks.engine = Some(KeptEngine::of(&self.endpoint));
        marks.write(&place.folder)
    }

    /// Containers, networks, volumes and images.
    async fn lists(&self) -> Result<[Vec<Value>; 4], TargetError> {
        let (containers, networks, mut volumes, images) = futures::try_join!(
            self.get("/containers/json?all=1"),
            self.get("/networks"),
            self.get("/volumes"),
            self.get("/images/json?all=1")
        )
        .map_err(|error| self.trouble("list what is on the engine", error))?;
        let volumes = volumes.get_mut("Volumes").map(Value::take).unwrap_or_default();
        let list = |value: Value| match value {
            Value::Array(list) => list,
            _ => Vec::new(),
        };
        Ok([list(containers), list(networks), list(volumes), list(images)])
    }

    /// One line for each thing on the engine.
    pub(super) async fn inventory(&self) -> Result<Vec<String>, TargetError> {
        let [containers, networks, volumes, images] = self.lists().await?;
        let mut lines = Vec::new();
        for container in &containers {
            lines.push(format!("container {} {}", listed_name(container), short(container)));
        }
        for network in &networks {
            lines.push(format!("network {} {}", belongs::name(network).unwrap_or_default(), short(network)));
        }
        for volume in &volumes {
            lines.push(format!("volume {}", belongs::name(volume).unwrap_or_default()));
        }
        for image in &images {
            let tags = tags(image);
            lines.push(format!(
                "image {} {}",
                if tags.is_empty() { "<none>".to_owned() } else { tags.join(",") },
                short(image)
            ));
        }
        lines.sort();
        Ok(lines)
    }
}

/// Whether a container, as the list shows it, may be the lab's.
fn is_candidate(container: &Value, claims: &Claims) -> bool {
    if let Some(session) = belongs::label(container, SESSION) {
        return session == claims.session;
    }
    claims.is_new(container)
}

/// A container's name as the list has it: links add further ones, with another slash in them.
pub(super) fn listed_name(container: &Value) -> &str {
    let names = container.get("Names").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut names = names.map(|name| name.trim_start_matches('/'));
    names.find(|name| !name.contains('/')).unwrap_or_default()
}

pub(super) fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The id as `docker ps` shows it.
pub(super) fn short(value: &Value) -> String {
    text(value, &["Id"]).unwrap_or_default().trim_start_matches("sha256:").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_linked_container_keeps_its_own_name() {
        assert_eq!(listed_name(&json!({"Names": ["/web/db", "/db"]})), "db");
        assert_eq!(listed_name(&json!({"Names": []})), "");
    }

    #[test]
    fn candidates_are_labelled_or_new() {
        let (old, new) = ("0123", "4567");
        let before = Some([old.to_owned()].into());
        let claims = Claims { session: "s".into(), before, ..Claims::default() };
        let listed = |name: &str, id: &str, session: Option<&str>| json!({"Names": [format!("/{name}")], "Id": id, "Labels": {"breakfix.dev/session": session}});
        assert!(is_candidate(&listed("x", old, Some("s")), &claims));
        assert!(!is_candidate(&listed("web", old, None), &claims));
        assert!(is_candidate(&listed("x", new, None), &claims));
        assert!(!is_candidate(&listed("x", old, None), &claims));
        assert!(!is_candidate(&listed("web", new, Some("other")), &claims));
    }
}
