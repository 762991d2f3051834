//! How a folder's cloud is served: kept beside it, so that whoever finds it dead can start it again the same way.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use breakfix_sim::{file::write_whole, serve::record::RecordError};
use serde::{Deserialize, Serialize};

/// Settings of one folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How many times faster than the wall's the simulation's time goes.
    pub speed: f64,
    /// The port of the API that was listened on last; 0 for any.
    pub port: u16,
    /// The port at which the load balancers answer; 0 for any.
    pub balancer_port: u16,
    /// The process ends, its cloud saved, when nobody has asked it for anything for so many seconds.
    pub idle_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { speed: 1.0, port: 0, balancer_port: 0, idle_seconds: 12 * 3_600 }
    }
}

impl Settings {
    /// The folder's settings; the usual ones where it has none.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn load(folder: &Path) -> Result<Self, RecordError> {
        let path = Self::path(folder);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| RecordError::damaged(&path, source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(RecordError::file(&path, source)),
        }
    }

    /// Keeps them in the folder.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn save(&self, folder: &Path) -> Result<(), RecordError> {
        let path = Self::path(folder);
        let text = serde_json::to_vec_pretty(self).map_err(|source| RecordError::damaged(&path, source))?;
        write_whole(&path, &text, false).map_err(|source| RecordError::file(&path, source))
    }

    /// How long nobody must have asked for anything.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    fn path(folder: &Path) -> PathBuf {
        folder.join("serve.json")
    }
}
