//! The workload's image on an engine: there when a lab needs it, gone with the last session that needed it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use bollard::{
    body_full,
    models::ImageSummary,
    query_parameters::{
        ImportImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder,
    },
};
use bytes::Bytes;
use futures::{TryStreamExt, future, future::try_join_all};
use http::StatusCode;
use serde_json::Value;

use super::{
    belongs::{label, text},
    build::is_built,
    engine::{Engine, EngineError, found},
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
    let loaded = place.documents.iter().filter(|document| document.kind == "Image" && !is_built(document));
    let documents = loaded.map(|document| &document.name);
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

/// Whether the list of an engine's images has somebody else's under this name.
pub(super) fn is_foreign(listed: &[ImageSummary], reference: &Reference) -> bool {
    let named = |image: &&ImageSummary| image.repo_tags.iter().any(|tag| tag == reference.short());
    listed.iter().find(named).is_some_and(|image| !image.labels.contains_key(WORKLOAD_LABEL))
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
        let noted = marks.images.clone();
        let (mut missing, mut replaced) = (BTreeSet::new(), Vec::new());
        let there = try_join_all(references.iter().map(|reference| self.image(reference.short()))).await?;
        for (reference, there) in references.iter().zip(there) {
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
        if marks.images != noted {
            marks.write(&place.folder)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        let archive = if missing == references { all } else { packed(&missing)? };
        // To say what an engine is, it starts two programs: the load need not wait for that. One for other machines' programs goes with the session.
        let (fits, loaded) = futures::join!(self.check_architecture(), self.load(archive));
        fits?;
        loaded?;
        for id in replaced {
            // Still used by a container of another session, or by another name: then it stays.
            drop(self.remove_image(&id).await);
        }
        Ok(())
    }

    pub(super) async fn load(&self, archive: Archive) -> Result<(), TargetError> {
        let what = "load the image that every lab runs";
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let load = self.docker.import_image(options, body_full(Bytes::from(archive.bytes)), None);
        // The whole stream is read: the status is sent before the work is done.
        let said = self.within(LOAD_PATIENCE, load.try_for_each(|_| future::ready(Ok(())))).await;
        said.map_err(|error| self.trouble(what, error))
    }

    async fn check_architecture(&self) -> Result<(), TargetError> {
        let what = "load the image that every lab runs";
        let version = self.ask(self.docker.version()).await.map_err(|error| self.trouble(what, error))?;
        let theirs = architecture_named(version.arch.as_deref().unwrap_or_default());
        let system = version.os.unwrap_or_default();
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
        // What was made from the workload's images, and what was built for the session from nothing.
        let own = format!("{SESSION}={}", place.session);
        let labelled = |label: &str| {
            let filters = HashMap::from([("label", vec![label.to_owned()])]);
            // A step of a build is hidden while something is built on it, and containerd's store does not remove it with that.
            self.ask(self.docker.list_images(Some(ListImagesOptionsBuilder::new().all(true).filters(&filters).build())))
        };
        let lists = futures::try_join!(labelled(WORKLOAD_LABEL), labelled(&own));
        let (mut listed, built) = lists.map_err(|error| self.trouble(what, error))?;
        listed.extend(built);
        // The newest first: an image that others were made from goes after them.
        listed.sort_by_key(|image| std::cmp::Reverse(image.created));
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

    /// Gives an image a further name, which goes with the session.
    pub(super) async fn tag(&self, place: &Place, image: &str, name: &str) -> Result<(), TargetError> {
        let what = format!("name the image {image} {name}");
        let read = |text: &str| {
            text.parse::<Reference>().map_err(|error| TargetError::new(Cause::Refused, what.clone()).because(error))
        };
        let (image, name) = (read(image)?, read(name)?);
        let _turn = lock_images(&place.folder).await?;
        let mut marks = Marks::read(&place.folder)?;
        if !marks.images.contains_key(name.short()) {
            let there = self.image(name.short()).await?;
            if held(there.as_ref(), None) == Held::Foreign {
                return Err(TargetError::new(Cause::Refused, what).hint(format!(
                    "Another image is on the engine under this name. Remove or rename it: `docker rmi {name}`."
                )));
            }
            marks.images.insert(name.short().to_owned(), there.is_none());
            marks.write(&place.folder)?;
        }
        let short = name.short();
        let (repository, tag) = short.rsplit_once(':').unwrap_or((short, "latest"));
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
        let done = self.ask(self.docker.tag_image(image.short(), Some(options))).await;
        done.map_err(|error| self.trouble(what, error))
    }

    /// Takes a name away, and the image with its last one. Gone already is fine.
    pub(super) async fn remove_image(&self, name: &str) -> Result<(), EngineError> {
        found(self.ask(self.docker.remove_image(name, None::<RemoveImageOptions>, None)).await).map(drop)
    }

    async fn remove_images(&self, names: Vec<String>) -> Result<(), TargetError> {
        for name in names {
            match self.remove_image(&name).await {
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
    image: &ImageSummary,
    session: &str,
    released: &BTreeSet<String>,
    before: &BTreeSet<String>,
) -> Vec<String> {
    let mut names = tags(image);
    let ours = image.labels.get(SESSION).is_some_and(|it| it == session);
    let from = image.labels.get(REFERENCE_LABEL).is_some_and(|from| released.contains(from));
    let new = !before.contains(&image.id);
    if !(ours || (from && new)) {
        // Another session's legacy at most: its further names may be anybody's.
        names.retain(|name| released.contains(name));
    } else if names.is_empty() {
        names.push(image.id.clone());
    }
    names
}

/// An image's names.
pub(super) fn tags(image: &ImageSummary) -> Vec<String> {
    image.repo_tags.iter().filter(|tag| *tag != "<none>:<none>").cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        let names = |id: &str, label: (&str, &str), tags: &[&str]| {
            names_to_remove(&listed(id, &[label, ("breakfix.dev/workload", "0")], tags), "s", &released, &before)
        };
        let from = |reference: &'static str| ("breakfix.dev/image", reference);
        assert_eq!(names("new", from("web:1"), &["web:1", "mine:1"]), ["web:1", "mine:1"]);
        assert_eq!(names("new", from("web:1"), &[]), ["new"]);
        assert_eq!(names("old", from("web:1"), &["web:1", "mine:1"]), ["web:1"]);
        assert!(names("new", from("db:1"), &["db:1"]).is_empty());
        assert_eq!(names("new", ("breakfix.dev/session", "s"), &["kept:1"]), ["kept:1"]);
    }

    fn listed(id: &str, labels: &[(&str, &str)], tags: &[&str]) -> ImageSummary {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let repo_tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        ImageSummary { id: id.to_owned(), labels, repo_tags, ..ImageSummary::default() }
    }

    #[test]
    fn an_image_without_a_name_has_none() {
        assert!(tags(&listed("a", &[], &["<none>:<none>"])).is_empty());
        assert!(tags(&listed("a", &[], &[])).is_empty());
        assert_eq!(tags(&listed("a", &[], &["a:1", "b:2"])), ["a:1", "b:2"]);
    }
}
