//! Looking into an image: which one is meant, and its archive from the engine.

use breakfix_grade::{
    Failure, Fetched,
    observation::{ImageContent, ImageSeen, Traces},
};
use breakfix_lab::check::ImageOf;
use futures::TryStreamExt;

use super::{
    DockerTarget,
    belongs::text,
    content,
    engine::{escaped, found},
    probe::failure,
    search::search,
};
use crate::target::{Cause, TargetError};

/// An image of 100 MB takes a second; a busy disk may make more of it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);
/// An archive that is longer than this, in bytes, is not looked into.
const ARCHIVE_MAX: usize = 512 << 20;

impl DockerTarget {
    pub(super) async fn look_inside(&self, of: &ImageOf, what: &str) -> Result<Fetched, Failure> {
        let seen = async {
            match self.meant(of).await? {
                Ok(id) => Ok(ImageSeen::Content(self.unpacked(&id).await?)),
                Err(why) => Ok(ImageSeen::Missing(why)),
            }
        };
        seen.await.map(Fetched::Image).map_err(|error: TargetError| failure(what, &error))
    }

    /// Where texts are in an image. An id means one content for ever, but the texts of a run are new each time: nothing is kept.
    pub(super) async fn search(&self, of: &ImageOf, texts: &[String], what: &str) -> Result<Fetched, Failure> {
        let seen = async {
            let id = match self.meant(of).await? {
                Ok(id) => id,
                Err(why) => return Ok(Traces::Missing(why)),
            };
            let archive = self.archive(&id).await?;
            let texts = texts.to_vec();
            let what = "search an image";
            let found = tokio::task::spawn_blocking(move || search(&archive, &texts)).await;
            let found = found.map_err(|error| TargetError::new(Cause::Local, what).because(error))?;
            found.map(Traces::Found).map_err(|error| TargetError::new(Cause::Answered, what).because(error))
        };
        seen.await.map(Fetched::Traces).map_err(|error: TargetError| failure(what, &error))
    }

    /// The id of the image, or why there is none.
    async fn meant(&self, of: &ImageOf) -> Result<Result<String, String>, TargetError> {
        let name = match of {
            ImageOf { container: Some(container), .. } => {
                let path = format!("/containers/{}/json", escaped(container));
                let there = found(self.engine.get(&path).await);
                let there = there.map_err(|error| self.engine.trouble("look at the container", error))?;
                return Ok(match there.as_ref().and_then(|it| text(it, &["Image"])) {
                    Some(id) => Ok(id.to_owned()),
                    None => Err(format!("container {container} does not exist")),
                });
            }
            ImageOf { rebuilt: Some(name), .. } => match self.rebuilt.lock().await.get(name) {
                Some(Ok(())) => self.rebuilt_image(name),
                Some(Err(words)) => return Ok(Err(format!("the work folder does not build: {words}"))),
                None => return Ok(Err("nothing was built from the work folder yet".to_owned())),
            },
            ImageOf { name, .. } => name.clone().unwrap_or_default(),
        };
        let image = self.engine.image(&name).await?;
        Ok(match image.as_ref().and_then(|it| text(it, &["Id"])) {
            Some(id) => Ok(id.to_owned()),
            None => Err(format!("there is no image {name}")),
        })
    }

    /// An id means one content for ever, so it is unpacked once.
    async fn unpacked(&self, id: &str) -> Result<ImageContent, TargetError> {
        let mut known = self.unpacked.lock().await;
        if let Some(content) = known.get(id) {
            return Ok(content.clone());
        }
        let what = "look into an image";
        let archive = self.archive(id).await?;
        let read = tokio::task::spawn_blocking(move || content::read(&archive)).await;
        let read = read.map_err(|error| TargetError::new(Cause::Local, what).because(error))?;
        let content = read.map_err(|error| TargetError::new(Cause::Answered, what).because(error))?;
        known.insert(id.to_owned(), content.clone());
        Ok(content)
    }

    /// What `docker save` writes of an image.
    async fn archive(&self, id: &str) -> Result<Vec<u8>, TargetError> {
        let mut stream = std::pin::pin!(self.engine.docker.export_image(id));
        let archive = self.engine.within(PATIENCE, async {
            let mut archive = Vec::new();
            while let Some(part) = stream.try_next().await? {
                archive.extend_from_slice(&part);
                if archive.len() > ARCHIVE_MAX {
                    return Err(std::io::Error::other("the image is too large to be looked into").into());
                }
            }
            Ok(archive)
        });
        archive.await.map_err(|error| self.engine.trouble("look into an image", error))
    }
}
