//! How a folder's cluster is served: kept beside it, so that whoever finds it dead can start it again the same way.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use breakfix_sim::file::write_whole;
use serde::{Deserialize, Serialize};

use super::error::ServeError;

/// Settings of one folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The namespace of the kubeconfig's context.
    pub namespace: String,
    /// How many times faster than the wall's the simulation's time goes.
    pub speed: f64,
    /// The port that was listened on last; 0 for any.
    pub port: u16,
    /// Where the administrator's kubeconfig is written; the folder's own `kubeconfig` is for whoever runs the simulator.
    pub kubeconfig: Option<PathBuf>,
    /// The process ends, its cluster saved, when nobody has asked it for anything for so many seconds.
    pub idle_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { namespace: "default".to_owned(), speed: 1.0, port: 0, kubeconfig: None, idle_seconds: 12 * 3_600 }
    }
}

impl Settings {
    /// The folder's settings; the usual ones where it has none.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn load(folder: &Path) -> Result<Self, ServeError> {
        let path = Self::path(folder);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| ServeError::damaged(&path, source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ServeError::file(&path, source)),
        }
    }

    /// Keeps them in the folder.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn save(&self, folder: &Path) -> Result<(), ServeError> {
        let path = Self::path(folder);
        let text = serde_json::to_vec_pretty(self).map_err(|source| ServeError::damaged(&path, source))?;
        write_whole(&path, &text, false).map_err(|source| ServeError::file(&path, source))
    }

    /// How long nobody must have asked for anything.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    fn path(folder: &Path) -> PathBuf {
        folder.join("serve.json")
    }
}
