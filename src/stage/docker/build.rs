//! Builds: images of the lab's own, the learner's folder as the learner would build it, and the grader's own build on a copy.

use std::collections::{BTreeMap, HashMap};

use bollard::{body_full, query_parameters::BuildImageOptionsBuilder};
use breakfix_lab::{
    Document,
    change::{Build, Rebuild},
};
use bytes::Bytes;
use futures::{TryStreamExt, future};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    DockerTarget,
    engine::EngineError,
    labels::{Role, SESSION},
    marks::{Marks, lock_images},
};
use crate::{
    image::Reference,
    target::{Cause, TargetError},
    work::{self, Files},
};

/// A builder makes a container for every step, and a busy disk makes more of it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// What came of a build: nothing, or the builder's own words.
pub(super) type Outcome = Result<(), String>;

impl DockerTarget {
    /// Makes an image that a document describes: from a Dockerfile and files of its own, or from the learner's folder.
    /// One that describes nothing is the workload under another name, and is loaded.
    pub(super) async fn create_image(&self, document: &Document) -> Result<(), TargetError> {
        if !is_built(document) {
            return Ok(());
        }
        let files = if document.body.get("Work") == Some(&Value::Bool(true)) {
            work::lay_out(&self.place)?;
            self.work_files()?
        } else {
            files_of(&document.body)
        };
        self.build_or_refuse(&files, &document.name, &BTreeMap::new()).await
    }

    pub(super) async fn build(&self, build: &Build) -> Result<(), TargetError> {
        self.build_or_refuse(&self.work_files()?, &build.image, &build.args).await
    }

    async fn build_or_refuse(
        &self,
        files: &Files,
        image: &str,
        args: &BTreeMap<String, String>,
    ) -> Result<(), TargetError> {
        self.answer_for(image).await?;
        let id = |image: Option<Value>| image.as_ref().and_then(super::belongs::id);
        let before = id(self.engine.image(image).await?);
        match self.built(files, image, args).await? {
            Ok(()) => {
                // What had the name would be left without any. Where a container still uses it, it stays.
                let now = id(self.engine.image(image).await?);
                if let Some(before) = before.filter(|before| now.as_ref() != Some(before)) {
                    drop(self.engine.remove_image(&before).await);
                }
                Ok(())
            }
            Err(words) => Err(TargetError::new(Cause::Refused, format!("build the image {image}")).because(words)),
        }
    }

    /// The grader's own build, and a container from it. That a folder does not build, or what was built does not start, is no
    /// trouble: the checks tell.
    pub(super) async fn rebuild(&self, rebuild: &Rebuild) -> Result<(), TargetError> {
        let mut files = self.work_files()?;
        for write in &rebuild.write {
            files.edit(&self.place, write)?;
        }
        let image = self.rebuilt_image(&rebuild.name);
        self.remove_container(&self.rebuilt_container(&rebuild.name), true).await?;
        self.answer_for(&image).await?;
        let outcome = self.built(&files, &image, &rebuild.args).await?;
        let works = outcome.is_ok();
        self.rebuilt.lock().await.insert(rebuild.name.clone(), outcome);
        if !works {
            return Ok(());
        }
        let what = "start a container from the grader's own build";
        let labels = super::labels::labels(&self.place, Role::Rebuilt);
        let body = json!({"Image": image, "Env": rebuild.env, "Labels": labels, "HostConfig": {"Memory": 128 << 20}});
        let made = self.engine.create_container(&self.rebuilt_container(&rebuild.name), &body).await;
        let id = match made {
            Ok(id) => id,
            // An image without any command cannot even be made a container of.
            Err(EngineError::Answered { status: StatusCode::BAD_REQUEST, .. }) => return Ok(()),
            Err(error) => return Err(self.engine.trouble(what, error)),
        };
        self.engine.add_helper(&id);
        match self.engine.ask(self.engine.docker.start_container(&id, None)).await {
            Ok(()) | Err(EngineError::Answered { .. }) => Ok(()),
            Err(error) => Err(self.engine.trouble(what, error)),
        }
    }

    /// Removes what was built for this check, containers first.
    pub(super) async fn remove_rebuilt(&self) {
        let names: Vec<String> = std::mem::take(&mut *self.rebuilt.lock().await).into_keys().collect();
        for name in names {
            // What cannot be removed now carries the session's label and goes with it.
            drop(self.remove_container(&self.rebuilt_container(&name), true).await);
            drop(self.engine.remove_image(&self.rebuilt_image(&name)).await);
        }
    }

    pub(super) fn rebuilt_image(&self, name: &str) -> String {
        format!("registry.example/breakfix/rebuilt-{}:{name}", self.place.session.to_lowercase())
    }

    pub(super) fn rebuilt_container(&self, name: &str) -> String {
        format!("breakfix-rebuilt-{}-{name}", self.place.session)
    }

    fn work_files(&self) -> Result<Files, TargetError> {
        let folder = work::folder(&self.place);
        Files::read(&folder).map_err(|error| {
            TargetError::new(Cause::Local, format!("read the work folder {}", folder.display())).because(error)
        })
    }

    /// Puts on record, before it is made, that an image goes with the session. A foreign one of that name is left alone.
    async fn answer_for(&self, image: &str) -> Result<(), TargetError> {
        let what = format!("build the image {image}");
        let reference: Reference =
            image.parse().map_err(|error| TargetError::new(Cause::Refused, what.clone()).because(error))?;
        let _turn = lock_images(&self.place.folder).await?;
        let mut marks = Marks::read(&self.place.folder)?;
        if marks.images.contains_key(reference.short()) {
            return Ok(());
        }
        if self.engine.image(reference.short()).await?.is_some() {
            return Err(TargetError::new(Cause::Refused, what).hint(format!(
                "Another image is on the engine under this name. Remove or rename it: `docker rmi {image}`."
            )));
        }
        marks.images.insert(reference.short().to_owned(), true);
        marks.write(&self.place.folder)
    }

    /// Sends a context to the engine's builder. The inner result is the builder's verdict on it.
    async fn built(&self, files: &Files, image: &str, args: &BTreeMap<String, String>) -> Result<Outcome, TargetError> {
        let what = format!("build the image {image}");
        let context = files.context().map_err(|error| TargetError::new(Cause::Local, what.clone()).because(error))?;
        let args: HashMap<&str, &str> = args.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        // One label, the same for every build: the classic builder makes a container and a layer's entry for each of them, which takes as
        // long as a step of the Dockerfile, and another value would keep the grader's build of an unchanged folder from its cache.
        let labels = HashMap::from([(SESSION, self.place.session.as_str())]);
        // A step that fails leaves no container behind.
        let options =
            BuildImageOptionsBuilder::new().t(image).rm(true).forcerm(true).buildargs(&args).labels(&labels).build();
        let context = Bytes::from(context);
        let stream = self.engine.docker.build_image(options, None, Some(body_full(context.clone())));
        let message = match self.engine.within(PATIENCE, stream.try_for_each(|_| future::ready(Ok(())))).await {
            Ok(()) => return Ok(Ok(())),
            Err(EngineError::Answered { message, .. }) => message,
            Err(error) => return Err(self.engine.trouble(what, error)),
        };
        if self.engine.is_podman() {
            return Ok(Err(message));
        }
        // The learner's own `docker build` may be BuildKit's, which understands more (`RUN --mount`, `COPY --chmod`, here-documents). What it
        // says counts where the classic builder only says that it does not know something.
        let json = |pairs: &HashMap<&str, &str>| serde_json::to_string(pairs).unwrap_or_default();
        let query = [("t", image.to_owned()), ("buildargs", json(&args)), ("labels", json(&labels))];
        match self.engine.build_by_buildkit(&query, context, PATIENCE).await {
            Ok(()) => Ok(Ok(())),
            Err(EngineError::Answered { message: newer, .. }) if message.contains("BuildKit") => Ok(Err(newer)),
            Err(EngineError::Answered { .. }) => Ok(Err(message)),
            Err(error) => Err(self.engine.trouble(what, error)),
        }
    }
}

/// Whether an Image document describes how it is made.
pub(super) fn is_built(document: &Document) -> bool {
    document.kind == "Image" && (document.body.get("Dockerfile").is_some() || document.body.get("Work").is_some())
}

/// A document's `Dockerfile`, and its `Files`: texts, or `{Size: BYTES}` of zeros.
fn files_of(body: &Value) -> Files {
    let mut files = Files::default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().as_bytes().to_vec();
    files.add("Dockerfile", text(body.get("Dockerfile")));
    for (path, value) in body.get("Files").and_then(Value::as_object).into_iter().flatten() {
        let bytes = match value.get("Size").and_then(Value::as_u64) {
            Some(size) => vec![0; usize::try_from(size.min(256 << 20)).unwrap_or_default()],
            None => text(Some(value)),
        };
        files.add(path, bytes);
    }
    files
}
