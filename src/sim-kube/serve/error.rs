//! What can go wrong when a cluster is served: its folder, its keys, its port.

use std::{
    io,
    path::{Path, PathBuf},
};

use breakfix_sim::{ca::CertificateError, detached::LaunchError, serve::record::RecordError, tls::TlsError};

use super::host::Refused;

/// Serving could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("use {}: another process serves this folder; `breakfix stop` ends it", path.display())]
    Taken { path: PathBuf },
    #[error("make keys")]
    Keys(#[from] CertificateError),
    #[error("set up TLS")]
    Tls(#[from] TlsError),
    #[error("listen on 127.0.0.1:{port}")]
    Listen { port: u16, source: io::Error },
    #[error("start the simulator")]
    Launch(#[from] LaunchError),
    #[error("give the cluster its keys")]
    Keep(#[from] Refused),
}

impl ServeError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        RecordError::file(path, source).into()
    }

    pub(crate) fn damaged(path: &Path, source: serde_json::Error) -> Self {
        RecordError::damaged(path, source).into()
    }
}
