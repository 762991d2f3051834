//! What can go wrong when a cloud is served: its folder, its ports, its process.

use std::{io, path::PathBuf};

use breakfix_sim::{detached::LaunchError, serve::record::RecordError};

/// Serving could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("use {}: another process serves this folder; `breakfix stop` ends it", path.display())]
    Taken { path: PathBuf },
    #[error("listen on 127.0.0.1:{port}")]
    Listen { port: u16, source: io::Error },
    #[error("start the simulator")]
    Launch(#[from] LaunchError),
}
