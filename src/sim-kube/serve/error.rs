//! What can go wrong when a cluster is served: its folder, its keys, its port.

use std::{
    io,
    path::{Path, PathBuf},
};

use breakfix_sim::{ca::CertificateError, detached::LaunchError, tls::TlsError};

/// Serving could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("use {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("read {}: it is damaged; `breakfix reset` makes the cluster anew", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("read {}: it was written by another version of breakfix ({found}, this one writes {known}); `breakfix reset` makes the cluster anew", path.display())]
    Version { path: PathBuf, found: u32, known: u32 },
    #[error("read {}: no cluster was begun in this folder", path.display())]
    NoCluster { path: PathBuf },
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
}

impl ServeError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, source: serde_json::Error) -> Self {
        Self::Damaged { path: path.to_owned(), source }
    }
}
