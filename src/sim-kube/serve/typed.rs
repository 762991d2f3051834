//! Input for a container's main process: what `attach` carries. An input like any other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{blob::Blob, exec_run::Place, input::Act};
use crate::{Cluster, Status, node};

/// Bytes for a container's own process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Typed {
    #[serde(flatten)]
    pub place: Place,
    pub bytes: Blob,
    /// Nothing follows.
    pub ends: bool,
}

impl Act<Cluster> for Typed {
    type Outcome = Result<Duration, Status>;

    fn act(&self, cluster: &mut Cluster) -> Self::Outcome {
        let Place { namespace, pod, container } = &self.place;
        node::feed(cluster, (namespace, pod, container), &self.bytes.0, self.ends)
    }
}
