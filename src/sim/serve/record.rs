//! A world on disk: a snapshot, and the log of what was handed to it since.
//!
//! The log is written before the world changes, so what a client was told has happened outlives `kill -9`; replaying it makes the
//! same world again, to the byte, because the simulation is deterministic. Every line has a number and the snapshot says which
//! was the last it holds, so that a death between writing a snapshot and emptying the log counts no line twice.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{safely, world::World};
use crate::{SimTime, file::write_whole, log::Log};

/// The form of both files. A snapshot of another version is refused.
const VERSION: u32 = 2;

#[derive(Serialize)]
struct Saved<'a, W> {
    version: u32,
    applied: u64,
    world: &'a W,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Loaded<W> {
    applied: u64,
    world: W,
}

/// The files of a world cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("use {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("read {}: it is damaged; `breakfix reset` makes the system anew", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("read {}: it was written by another version of breakfix ({found}, this one writes {known}); `breakfix reset` makes the system anew", path.display())]
    Version { path: PathBuf, found: u32, known: u32 },
    #[error("read {}: no system was begun in this folder", path.display())]
    Nothing { path: PathBuf },
}

impl RecordError {
    /// As the file system refuses.
    pub fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// A file of ours that does not say what ours say.
    pub fn damaged(path: &Path, source: serde_json::Error) -> Self {
        Self::Damaged { path: path.to_owned(), source }
    }
}

/// One line of the log: something handed in at a moment; without an input, a moment that was reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line<I> {
    n: u64,
    at: SimTime,
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    input: Option<I>,
}

/// The files of one world, open.
#[derive(Debug)]
pub struct Record {
    snapshot: PathBuf,
    log: Log,
    /// The number of the last line written.
    written: u64,
    /// The last line says a moment only; the next such one may stand for it.
    last: SimTime,
}

/// Whether a world was begun in this folder.
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
    /// Begins with this world; whatever was in the folder before is forgotten.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn begin<W: World>(folder: &Path, world: &W) -> Result<Self, RecordError> {
        let log = log_path(folder);
        fs::create_dir_all(folder).map_err(|source| RecordError::file(folder, source))?;
        // The log of an older world goes first: it must not be taken for the new one's.
        match fs::remove_file(&log) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(RecordError::file(&log, source)),
            _ => {}
        }
        let snapshot = snapshot_path(folder);
        save(&snapshot, 0, world).map_err(|source| RecordError::file(&snapshot, source))?;
        let (log, _) = Log::open(&log).map_err(|source| RecordError::file(&log_path(folder), source))?;
        Ok(Self { snapshot, log, written: 0, last: world.now() })
    }

    /// The world of this folder as it was when its process ended, however it ended.
    ///
    /// # Errors
    /// There is none, or its files are damaged.
    pub fn open<W: World>(folder: &Path) -> Result<(Self, W), RecordError> {
        let snapshot = snapshot_path(folder);
        let text = match fs::read(&snapshot) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RecordError::Nothing { path: folder.to_owned() });
            }
            Err(source) => return Err(RecordError::file(&snapshot, source)),
        };
        let Version { version } =
            serde_json::from_slice(&text).map_err(|source| RecordError::damaged(&snapshot, source))?;
        if version != VERSION {
            return Err(RecordError::Version { path: snapshot, found: version, known: VERSION });
        }
        let Loaded::<W> { applied, mut world } =
            serde_json::from_slice(&text).map_err(|source| RecordError::damaged(&snapshot, source))?;
        world.loaded();
        let path = log_path(folder);
        let (log, lines) = Log::open(&path).map_err(|source| RecordError::file(&path, source))?;
        let mut written = applied;
        for line in lines {
            let line: Line<W::Input> =
                serde_json::from_slice(&line).map_err(|source| RecordError::damaged(&path, source))?;
            if line.n <= applied {
                continue;
            }
            written = line.n;
            safely::advance(&mut world, line.at);
            if let Some(input) = line.input {
                world.replay(&input);
            }
        }
        let last = world.now();
        Ok((Self { snapshot, log, written, last }, world))
    }

    /// Writes down what is about to be handed in, or (without an input) that a moment is reached.
    ///
    /// # Errors
    /// As the file system refuses: then it must not be handed in.
    pub fn append<I: Serialize>(&mut self, at: SimTime, input: Option<I>) -> io::Result<()> {
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
    pub fn save<W: World>(&mut self, world: &W) -> io::Result<()> {
        save(&self.snapshot, self.written, world)?;
        self.log.clear()
    }

    /// Bytes of the log.
    pub fn log_bytes(&self) -> u64 {
        self.log.bytes()
    }
}

fn save<W: Serialize>(path: &Path, applied: u64, world: &W) -> io::Result<()> {
    let text = serde_json::to_vec(&Saved { version: VERSION, applied, world }).map_err(io::Error::other)?;
    write_whole(path, &text, true)
}
