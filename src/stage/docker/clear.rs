//! Removing: one thing with what hangs on it, and everything of a session.

use std::time::Duration;

use bollard::{
    errors::Error,
    models::NetworkDisconnectRequest,
    query_parameters::{RemoveContainerOptionsBuilder, RemoveVolumeOptions},
};
use futures::future::try_join_all;
use http::StatusCode;

use super::{
    DockerTarget,
    belongs::{id, name},
    engine::{DEPENDENT, EngineError, escaped, found},
    things::Look,
};
use crate::target::{Cause, TargetError};

/// How often a removal is tried again while the engine is still busy with the last one.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

impl DockerTarget {
    /// Kills and removes a container. `volumes`: its anonymous volumes with it. Gone already is fine.
    pub(super) async fn remove_container(&self, name: &str, volumes: bool) -> Result<(), TargetError> {
        let options = || Some(RemoveContainerOptionsBuilder::new().force(true).v(volumes).build());
        let (docker, id) = (&self.engine.docker, &escaped(name));
        self.remove(&format!("remove the container {name}"), || docker.remove_container(id, options())).await
    }

    /// Takes every container off a network and removes it. Gone already is fine.
    pub(super) async fn remove_network(&self, name: &str) -> Result<(), TargetError> {
        let what = format!("remove the network {name}");
        let (docker, id) = (&self.engine.docker, &escaped(name));
        let network = found(self.engine.ask(docker.inspect_network(id, None)).await);
        let Some(network) = network.map_err(|error| self.engine.trouble(what.clone(), error))? else { return Ok(()) };
        for member in network.containers.unwrap_or_default().into_keys() {
            let member = NetworkDisconnectRequest { container: member, force: Some(true) };
            match self.engine.ask(docker.disconnect_network(id, member)).await {
                Ok(()) => {}
                // It went by itself.
                Err(EngineError::Answered { .. }) => {}
                Err(error) => return Err(self.engine.trouble(what, error)),
            }
        }
        self.remove(&what, || docker.remove_network(id)).await
    }

    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), TargetError> {
        let (docker, id) = (&self.engine.docker, &escaped(name));
        self.remove(&format!("remove the volume {name}"), || docker.remove_volume(id, None::<RemoveVolumeOptions>))
            .await
    }

    /// Deletes, and tries again while something is still letting go of it; an engine that is removing it already is waited for.
    async fn remove<F>(&self, what: &str, deletion: impl Fn() -> F) -> Result<(), TargetError>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let mut tries = 0;
        loop {
            let error = match self.engine.within(2 * self.engine.patience, deletion()).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_missing() => return Ok(()),
                Err(error) => error,
            };
            tries += 1;
            // Podman: those that share its namespaces are on their way out as well.
            let is_shared = error.words().contains(DEPENDENT);
            let passes = error.is(StatusCode::CONFLICT) || error.is(StatusCode::FORBIDDEN) || is_shared;
            if !passes || tries >= TRIES {
                return Err(self.engine.trouble(what, error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Everything of this session: containers first, as they hold the rest; then once more, in case somebody was quicker.
    pub(super) async fn clear_all(&self) -> Result<(), TargetError> {
        // What is still being made cannot be seen yet.
        self.engine.settled().await;
        for _ in 0..3 {
            let Look { snapshot, mine, .. } = self.engine.lab(&self.place).await?;
            if mine.containers.is_empty() && mine.networks.is_empty() && mine.volumes.is_empty() {
                return self.engine.unload_images(&self.place).await;
            }
            try_join_all(mine.containers.iter().map(|id| self.remove_container(id, true))).await?;
            try_join_all(mine.networks.iter().map(|id| self.remove_network(id))).await?;
            for volume in &mine.volumes {
                match self.remove_volume(volume).await {
                    Ok(()) => {}
                    Err(error) => {
                        // A container of the learner's own, older than the session, was given the lab's volume.
                        let holder = snapshot.containers.iter().find(|it| super::belongs::volumes(it).contains(volume));
                        let holder = holder.and_then(name).unwrap_or("another container");
                        return Err(
                            error.hint(format!("{holder} still uses it; remove that container and stop again."))
                        );
                    }
                }
            }
        }
        let Look { snapshot, mine, .. } = self.engine.lab(&self.place).await?;
        let left = snapshot.containers.iter().filter(|it| id(it).is_some_and(|id| mine.containers.contains(&id)));
        let left: Vec<&str> = left.filter_map(name).collect();
        if left.is_empty() && mine.networks.is_empty() && mine.volumes.is_empty() {
            return self.engine.unload_images(&self.place).await;
        }
        Err(TargetError::new(Cause::Answered, "remove everything of the session").hint(format!(
            "Something makes it again and again: {}. Stop that, and stop the session again.",
            left.join(", ")
        )))
    }
}
