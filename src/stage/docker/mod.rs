//! The target `docker`: any engine, through its API.
//!
//! Everything made here carries the session's labels. What a learner's own commands made is found by what it is tied to
//! (`belongs`). Nothing is judged: a container that does not start is a lab's matter, not an error.
//!
//! What was made on the engine since the session began is looked at, whatever it is tied to: work can be done from anywhere on an engine. So
//! two learners want an engine each; what somebody else does on a shared one (a container with rights over the machine) is told to both.
//!
//! Images go with the session, like everything else: an engine holds afterwards what it held before. Loading one again takes less than a tenth
//! of a start, and a name that stays behind could be taken for the learner's.

mod belongs;
mod body;
mod build;
mod change;
mod changes;
mod clash;
mod clear;
mod compose;
mod connection;
mod content;
mod create;
mod direct;
mod endpoint;
mod engine;
mod events;
mod images;
mod inside;
mod labels;
mod live;
mod look_inside;
mod marks;
mod observe;
mod podman;
mod probe;
mod recreate;
mod recreation;
mod search;
mod target;
mod things;
mod way;

use jiff::Timestamp;

use crate::{
    Home,
    target::{Cause, Place, Target, TargetError},
};
pub use endpoint::{Address, Endpoint, Origin, Surroundings};
use engine::{Engine, PATIENCE};
use marks::Marks;
pub use target::DockerTarget;

/// Connects to the engine of a session: the one that it was opened on, else the one that the surroundings name.
///
/// # Errors
/// No engine answers there.
pub async fn open(place: Place, _home: &Home) -> Result<Box<dyn Target>, TargetError> {
    let endpoint = match Marks::read(&place.folder)?.engine {
        Some(engine) => engine.endpoint()?,
        None => found()?,
    };
    Ok(Box::new(DockerTarget::new(Engine::open(endpoint, PATIENCE).await?, place)))
}

/// Removes everything that carries the label of a session whose own file is damaged.
///
/// # Errors
/// The engine's; none where the session never used one and there is none.
pub async fn sweep(home: &Home, id: &str) -> Result<(), TargetError> {
    let nobodys = Place::of_nobody(breakfix_lab::Platform::Docker, home.session(id));
    let place = Place { session: id.to_owned(), opened: Timestamp::now(), ..nobodys };
    let used = Marks::is_kept(&place.folder);
    match open(place, home).await {
        Ok(target) => target.clear().await,
        Err(error) if !used && matches!(error.cause, Cause::Unreachable | Cause::Missing) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The engine that `docker` labs would use, in words.
///
/// # Errors
/// No engine answers.
pub async fn engine_version() -> Result<String, TargetError> {
    let engine = Engine::open(found()?, PATIENCE).await?;
    let said = engine.ask(engine.docker.version()).await;
    let said = said.map_err(|error| engine.trouble("ask the engine for its version", error))?;
    let version = said.version.as_deref().unwrap_or("of unknown version");
    Ok(format!("{version} (API {}) at {}", engine.version, engine.endpoint.address))
}

fn found() -> Result<Endpoint, TargetError> {
    let variable = |name: &str| std::env::var(name).ok();
    Endpoint::find(None, &Surroundings::new(&variable))
}

#[cfg(test)]
mod tests;
