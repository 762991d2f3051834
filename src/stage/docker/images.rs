//! The workload's image on an engine: there when a lab needs it, gone with the last session that needed it.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    belongs::{key, label, text},
    engine::{Ask, Engine, EngineError, escaped},
    labels::SESSION,
    marks::{Marks, lock_images},
};
use crate::{
    image::{
        self, Archive, Image, REFERENCE_LABEL, Reference, WORKLOAD_LABEL, architecture, architecture_named, archive,
    },
    target::{Cause, Place, TargetError},
};

/// Loading takes a tenth of a second; a busy disk may make more of it.
const LOAD_PATIENCE: Duration = Duration::from_secs(120);

/// How long a load may go on after its sender is gone.
const LATE: Duration = Duration::from_millis(300);

/// What the engine has under a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Nothing,
    /// The very image.
    Current,
    /// One of breakfix's, of another version, or one that was made from it.
    Other,
    /// Somebody else's.
    Foreign,
}

/// References that a place needs, as engines print them.
pub(super) fn references(place: &Place) -> Result<BTreeSet<Reference>, TargetError> {
    let documents = place.documents.iter().filter(|document| document.kind == "Image").map(|document| &document.name);
    let parsed = place.images.iter().chain(documents).map(|text| text.parse::<Reference>());
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| TargetError::new(Cause::Refused, "read the names of the lab's images").because(error))
}

/// The archive of these references.
///
/// # Errors
/// This breakfix was built without the program for containers.
pub(super) fn packed(references: &BTreeSet<Reference>) -> Result<Archive, TargetError> {
    let program = image::program().map_err(|error| {
        TargetError::new(Cause::Missing, "make the image that every lab runs").hint(error.to_string())
    })?;
    archive(references, program, &breakfix_workload::tool::names(), architecture())
        .map_err(|error| TargetError::new(Cause::Local, "make the image that every lab runs").because(error))
}

/// What an engine holds under one name. `image` is what `GET /images/NAME/json` said.
pub(super) fn held(image: Option<&Value>, wanted: Option<&Image>) -> Held {
    let Some(image) = image else { return Held::Nothing };
    let id = text(image, &["Id"]).unwrap_or_default();
    // Podman writes ids without the algorithm.
    let is = |digest: &str| digest == id || digest.strip_prefix("sha256:") == Some(id);
    if wanted.is_some_and(|wanted| is(&wanted.config) || is(&wanted.manifest)) {
        Held::Current
    } else if label(image, WORKLOAD_LABEL).is_some() {
        Held::Other
    } else {
        Held::Foreign
    }
}

impl Engine {
    pub(super) async fn image(&self, reference: &str) -> Result<Option<Value>, TargetError> {
        let found = self.find(&format!("/images/{reference}/json")).await;
        found.map_err(|error| self.trouble(format!("look for the image {reference}"), error))
    }

    /// Loads what is missing, once; nothing is pulled.
    ///
    /// # Errors
    /// The engine's, another architecture, or a foreign image under one of the names.
    pub(super) async fn load_images(&self, place: &Place) -> Result<(), TargetError> {
        let references = references(place)?;
        if references.is_empty() {
            return Ok(());
        }
        let _turn = lock_images(&place.folder).await?;
        let all = packed(&references)?;
        let mut marks = Marks::read(&place.folder)?;
        let (mut missing, mut replaced) = (BTreeSet::new(), Vec::new());
        for reference in &references {
            let there = self.image(reference.short()).await?;
            let held = held(there.as_ref(), all.images.get(reference.short()));
            let known = marks.images.get(reference.short()).copied().unwrap_or(false);
            match held {
                Held::Foreign => {
                    return Err(TargetError::new(Cause::Refused, format!("load the image {reference}")).hint(format!(
                        "Another image is on the engine under this name. Remove or rename it: `docker rmi {reference}`."
                    )));
                }
                Held::Other => replaced.extend(there.as_ref().and_then(|it| text(it, &["Id"])).map(str::to_owned)),
                Held::Nothing | Held::Current => {}
            }
            marks.images.insert(reference.short().to_owned(), known || held == Held::Nothing);
            if held != Held::Current {
                missing.insert(reference.clone());
            }
        }
        // On disk before the engine changes, so that a crash leaves no image that nobody answers for.
        marks.write(&place.folder)?;
        if missing.is_empty() {
            return Ok(());
        }
        self.check_architecture().await?;
        self.load(if missing == references { all } else { packed(&missing)? }).await?;
        for id in replaced {
            // Still used by a container of another session, or by another name: then it stays.
            drop(self.delete(&format!("/images/{id}")).await);
        }
        Ok(())
    }

    pub(super) async fn load(&self, archive: Archive) -> Result<(), TargetError> {
        let what = "load the image that every lab runs";
        let ask = Ask {
            method: Method::POST,
            path: "/images/load?quiet=1",
            body: Bytes::from(archive.bytes),
            kind: "application/x-tar",
            patience: LOAD_PATIENCE,
        };
        let (_, said) = self.send(&ask).await.map_err(|error| self.trouble(what, error))?;
        // The status is sent before the work is done; what goes wrong stands in the stream.
        let lines = serde_json::Deserializer::from_slice(&said).into_iter::<Value>().flatten();
        for line in lines {
            if let Some(error) = text(&line, &["error"]) {
                return Err(TargetError::new(Cause::Answered, what).because(error.to_owned()));
            }
        }
        Ok(())
    }

    async fn check_architecture(&self) -> Result<(), TargetError> {
        let what = "load the image that every lab runs";
        let version = self.get("/version").await.map_err(|error| self.trouble(what, error))?;
        let theirs = architecture_named(text(&version, &["Arch"]).unwrap_or_default());
        let system = text(&version, &["Os"]).unwrap_or_default();
        if system != "linux" {
            return Err(TargetError::new(Cause::Missing, what)
                .hint(format!("The engine runs {system} containers; switch it to Linux containers.")));
        }
        if theirs != architecture() {
            return Err(TargetError::new(Cause::Missing, what).hint(format!(
                "The engine's architecture is {theirs}, this breakfix was built for {}. Build breakfix on a machine like the engine's.",
                architecture()
            )));
        }
        Ok(())
    }

    /// An image of the workload to run a probe from, by its id: a name may mean something else by now. Loads one of its own where the learner
    /// removed the lab's.
    pub(super) async fn probe_image(&self, place: &Place) -> Result<String, TargetError> {
        let references = references(place)?;
        let all = packed(&references)?;
        for wanted in all.images.values() {
            for id in [&wanted.config, &wanted.manifest] {
                if self.image(id).await?.is_some() {
                    return Ok(id.clone());
                }
            }
        }
        let own: Reference = "registry.example/breakfix/probe:1"
            .parse()
            .map_err(|error| TargetError::new(Cause::Refused, "name the probe's image").because(error))?;
        let _turn = lock_images(&place.folder).await?;
        let mut marks = Marks::read(&place.folder)?;
        marks.images.insert(own.short().to_owned(), true);
        marks.write(&place.folder)?;
        self.load(packed(&BTreeSet::from([own.clone()]))?).await?;
        Ok(own.short().to_owned())
    }

    /// Removes the images that this session brought and nobody else needs, and what the learner made from them.
    pub(super) async fn unload_images(&self, place: &Place) -> Result<(), TargetError> {
        let _turn = lock_images(&place.folder).await?;
        let what = "remove the lab's images";
        let released = Marks::release(&place.folder)?;
        let filter = escaped(&json!({"label": [WORKLOAD_LABEL]}).to_string());
        let listed = self.get(&format!("/images/json?filters={filter}")).await;
        let mut listed = listed.map_err(|error| self.trouble(what, error))?.as_array().cloned().unwrap_or_default();
        let made = |image: &Value| image.get("Created").and_then(Value::as_i64).unwrap_or_default();
        // The newest first: an image that others were made from goes after them.
        listed.sort_by_key(|image| std::cmp::Reverse(made(image)));
        let before = Marks::read(&place.folder)?.before.unwrap_or_default();
        for image in &listed {
            self.remove_images(names_to_remove(image, &place.session, &released, &before)).await?;
        }
        // A name that the learner gave to an image of their own has no label; only the name is taken away.
        let mut left = BTreeSet::new();
        for name in released {
            if !listed.iter().any(|image| tags(image).contains(&name)) {
                left.insert(name);
            }
        }
        if !left.is_empty() {
            // A load whose sender was killed may still be under way: then the image comes after the list.
            tokio::time::sleep(LATE).await;
            self.remove_images(left.into_iter().collect()).await?;
        }
        Marks { images: Default::default(), ..Marks::read(&place.folder)? }.write(&place.folder)
    }

    async fn remove_images(&self, names: Vec<String>) -> Result<(), TargetError> {
        for name in names {
            match self.delete(&format!("/images/{name}")).await {
                Ok(()) => {}
                // Something that is not the lab's runs from it: then it is not the lab's alone.
                Err(EngineError::Answered { status: StatusCode::CONFLICT, .. }) => {}
                Err(error) => return Err(self.trouble(format!("remove the image {name}"), error)),
            }
        }
        Ok(())
    }
}

/// Under which names an image goes with a session: all of them if it is new and was made for the session or from one of its images,
/// those that the learner gave it included. By its id if it has none.
fn names_to_remove(
    image: &Value,
    session: &str,
    released: &BTreeSet<String>,
    before: &BTreeSet<String>,
) -> Vec<String> {
    let mut names = tags(image);
    let ours = label(image, SESSION) == Some(session);
    let from = label(image, REFERENCE_LABEL).is_some_and(|from| released.contains(from));
    let new = key(image).is_some_and(|key| !before.contains(&key));
    if !(ours || (from && new)) {
        // Another session's legacy at most: its further names may be anybody's.
        names.retain(|name| released.contains(name));
    } else if names.is_empty() {
        names.extend(text(image, &["Id"]).map(str::to_owned));
    }
    names
}

/// An image's names.
pub(super) fn tags(image: &Value) -> Vec<String> {
    let tags = image.get("RepoTags").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(Value::as_str).filter(|tag| *tag != "<none>:<none>").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Image {
        Image { config: "sha256:aa".into(), manifest: "sha256:bb".into(), layer: "sha256:cc".into() }
    }

    #[test]
    fn the_image_is_known_by_its_id_in_every_store() {
        for id in ["sha256:aa", "sha256:bb", "aa"] {
            assert_eq!(held(Some(&json!({"Id": id})), Some(&wanted())), Held::Current, "{id}");
        }
        let labels = json!({WORKLOAD_LABEL: "0"});
        assert_eq!(held(Some(&json!({"Id": "sha256:dd", "Config": {"Labels": labels}})), Some(&wanted())), Held::Other);
        assert_eq!(held(Some(&json!({"Id": "sha256:dd", "Config": {"Labels": null}})), Some(&wanted())), Held::Foreign);
        assert_eq!(held(None, Some(&wanted())), Held::Nothing);
    }

    #[test]
    fn an_image_goes_under_all_names_only_if_it_came_with_the_session() {
        let (released, before) = (BTreeSet::from(["web:1".to_owned()]), BTreeSet::from(["old".to_owned()]));
        let names = |image: Value| names_to_remove(&image, "s", &released, &before);
        let from = |reference: &str| json!({"breakfix.dev/workload": "0", "breakfix.dev/image": reference});
        assert_eq!(
            names(json!({"Id": "new", "Labels": from("web:1"), "RepoTags": ["web:1", "mine:1"]})),
            ["web:1", "mine:1"]
        );
        assert_eq!(names(json!({"Id": "new", "Labels": from("web:1"), "RepoTags": null})), ["new"]);
        assert_eq!(names(json!({"Id": "old", "Labels": from("web:1"), "RepoTags": ["web:1", "mine:1"]})), ["web:1"]);
        assert!(names(json!({"Id": "new", "Labels": from("db:1"), "RepoTags": ["db:1"]})).is_empty());
        let committed = json!({"breakfix.dev/session": "s"});
        assert_eq!(names(json!({"Id": "new", "Labels": committed, "RepoTags": ["kept:1"]})), ["kept:1"]);
    }

    #[test]
    fn an_image_without_a_name_has_none() {
        assert!(tags(&json!({"RepoTags": ["<none>:<none>"]})).is_empty());
        assert!(tags(&json!({"RepoTags": null})).is_empty());
        assert_eq!(tags(&json!({"RepoTags": ["a:1", "b:2"]})), ["a:1", "b:2"]);
    }
}
