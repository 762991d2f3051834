//! A cluster on disk: a snapshot, and the log of what was handed to it since.
//!
//! The log is written before the cluster changes, so what a client was told has happened outlives `kill -9`; replaying it makes the
//! same cluster again, to the byte, because the simulation is deterministic. Every line has a number and the snapshot says which
//! was the last it holds, so that a death between writing a snapshot and emptying the log counts no line twice.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use breakfix_sim::{SimTime, file::write_whole, log::Log};
use serde::{Deserialize, Serialize};

use super::{error::ServeError, input::Input, safely};
use crate::Cluster;

/// The form of both files. A snapshot of another version is refused.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Saved<'a> {
    version: u32,
    applied: u64,
    cluster: &'a Cluster,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Loaded {
    applied: u64,
    cluster: Cluster,
}

/// One line of the log: something handed in at a moment; without an input, a moment that was reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    n: u64,
    at: SimTime,
    #[serde(rename = "do", default, skip_serializing_if = "Option::is_none")]
    input: Option<Input>,
}

/// The files of one cluster, open.
#[derive(Debug)]
pub struct Record {
    snapshot: PathBuf,
    log: Log,
    /// The number of the last line written.
    written: u64,
    /// The last line says a moment only; the next such one may stand for it.
    last: SimTime,
}

/// Whether a cluster was begun in this folder.
pub fn exists(folder: &Path) -> bool {
    snapshot_path(folder).exists()
}

fn snapshot_path(folder: &Path) -> PathBuf {
    folder.join("snapshot.json")
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("log.jsonl")
}

impl Record {
    /// Begins with this cluster; whatever was in the folder before is forgotten.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn begin(folder: &Path, cluster: &Cluster) -> Result<Self, ServeError> {
        let log = log_path(folder);
        fs::create_dir_all(folder).map_err(|source| ServeError::file(folder, source))?;
        // The log of an older cluster goes first: it must not be taken for the new one's.
        match fs::remove_file(&log) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(ServeError::file(&log, source)),
            _ => {}
        }
        let snapshot = snapshot_path(folder);
        save(&snapshot, 0, cluster).map_err(|source| ServeError::file(&snapshot, source))?;
        let (log, _) = Log::open(&log).map_err(|source| ServeError::file(&log_path(folder), source))?;
        Ok(Self { snapshot, log, written: 0, last: cluster.now() })
    }

    /// The cluster of this folder as it was when its process ended, however it ended.
    ///
    /// # Errors
    /// There is none, or its files are damaged.
    pub fn open(folder: &Path) -> Result<(Self, Cluster), ServeError> {
        let snapshot = snapshot_path(folder);
        let text = match fs::read(&snapshot) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ServeError::NoCluster { path: folder.to_owned() });
            }
            Err(source) => return Err(ServeError::file(&snapshot, source)),
        };
        let Version { version } =
            serde_json::from_slice(&text).map_err(|source| ServeError::damaged(&snapshot, source))?;
        if version != VERSION {
            return Err(ServeError::Version { path: snapshot, found: version, known: VERSION });
        }
        let Loaded { applied, mut cluster } =
            serde_json::from_slice(&text).map_err(|source| ServeError::damaged(&snapshot, source))?;
        cluster.store.share();
        let path = log_path(folder);
        let (log, lines) = Log::open(&path).map_err(|source| ServeError::file(&path, source))?;
        let mut written = applied;
        for line in lines {
            let line: Line = serde_json::from_slice(&line).map_err(|source| ServeError::damaged(&path, source))?;
            if line.n <= applied {
                continue;
            }
            written = line.n;
            safely::advance(&mut cluster, line.at);
            if let Some(input) = line.input {
                input.replay(&mut cluster);
            }
        }
        let last = cluster.now();
        Ok((Self { snapshot, log, written, last }, cluster))
    }

    /// Writes down what is about to be handed in, or (without an input) that a moment is reached.
    ///
    /// # Errors
    /// As the file system refuses: then it must not be handed in.
    pub fn append(&mut self, at: SimTime, input: Option<Input>) -> io::Result<()> {
        if input.is_none() && at == self.last {
            return Ok(());
        }
        let line = Line { n: self.written + 1, at, input };
        let text = serde_json::to_vec(&line).map_err(io::Error::other)?;
        self.log.append(&text)?;
        self.written = line.n;
        self.last = at;
        Ok(())
    }

    /// Writes a snapshot and empties the log.
    ///
    /// # Errors
    /// As the file system refuses; the older snapshot and the log stay and say the same.
    pub fn save(&mut self, cluster: &Cluster) -> io::Result<()> {
        save(&self.snapshot, self.written, cluster)?;
        self.log.clear()
    }

    /// Bytes of the log.
    pub fn log_bytes(&self) -> u64 {
        self.log.bytes()
    }
}

fn save(path: &Path, applied: u64, cluster: &Cluster) -> io::Result<()> {
    let text = serde_json::to_vec(&Saved { version: VERSION, applied, cluster }).map_err(io::Error::other)?;
    write_whole(path, &text, true)
}
