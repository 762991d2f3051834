//! The target `sim`: breakfix's own simulator, as a process of its own or inside this one.

use std::{path::Path, time::Duration};

use async_trait::async_trait;

use super::{super::Options, Host};
use crate::{
    kubernetes::api::Api,
    target::{Cause, Place, Reach, TargetError},
};

/// A simulator as a process of its own.
pub(crate) struct SimHost {
    place: Place,
}

/// A simulator inside this process, on virtual time.
pub(crate) struct LocalSimHost {
    place: Place,
}

fn missing() -> TargetError {
    TargetError::new(Cause::Missing, "start the Kubernetes simulator: this build has none that can be served")
        .hint("Use `--target kind` or `--target context:NAME`.")
}

impl SimHost {
    pub(crate) fn new(place: Place, _options: &Options) -> Self {
        Self { place }
    }
}

impl LocalSimHost {
    pub(crate) fn new(place: Place, _seed: u64) -> Result<Self, TargetError> {
        Ok(Self { place })
    }
}

pub(crate) async fn close_simulator(_session: &Path) -> Result<(), TargetError> {
    Ok(())
}

pub(crate) async fn serve_simulator(_folder: &Path) -> Result<(), TargetError> {
    Err(missing())
}

macro_rules! unserved {
    ($host:ident) => {
        #[async_trait]
        impl Host for $host {
            async fn connect(&self) -> Result<kube::Client, TargetError> {
                Err(missing())
            }
            async fn provide_images(&self, _api: &Api, _images: &[String]) -> Result<(), TargetError> {
                Err(missing())
            }
            async fn pass(&self, _time: Duration) -> Result<(), TargetError> {
                Err(missing())
            }
            async fn reach(&self) -> Result<Reach, TargetError> {
                Err(missing().hint(self.place.namespace.clone()))
            }
            fn when_unreachable(&self) -> String {
                String::new()
            }
        }
    };
}
unserved!(SimHost);
unserved!(LocalSimHost);
