//! Where breakfix keeps its own files: sessions, progress, clusters. Never in a lab and never in a system.
//!
//! `BREAKFIX_HOME`, else `$XDG_STATE_HOME/breakfix`, else `~/.local/state/breakfix`. Only the learner can read it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};

/// breakfix's own folder.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

/// Trouble with breakfix's own files.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error(
        "none of BREAKFIX_HOME, XDG_STATE_HOME and HOME says where to keep sessions; set BREAKFIX_HOME to a folder"
    )]
    Nowhere,
    #[error("could not {what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    /// The file is there and is not what breakfix wrote.
    #[error("{} is damaged: {source}", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    /// Another breakfix works on the same thing.
    #[error("another breakfix is at work on {what}; wait for it to end, or end it")]
    Busy { what: String },
}

impl HomeError {
    /// What to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nowhere | Self::Busy { .. } => None,
            Self::Io { source, .. } if crate::life::is_full(source) => {
                Some("The disk is full; nothing was changed. Free some space and try again.".to_owned())
            }
            Self::Io { path, .. } => Some(format!(
                "Check that {} can be written, or set BREAKFIX_HOME to a folder of your own.",
                path.parent().unwrap_or(path).display()
            )),
            Self::Damaged { .. } => Some("`breakfix stop --all` removes what belongs to damaged sessions.".to_owned()),
        }
    }
}

/// A lock that is held until this is dropped, or the process ends.
#[derive(Debug)]
pub struct Guard {
    file: File,
}

impl Guard {
    /// The lock once more, for another process: it is held until both have let go of it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Home {
    /// Finds the folder from the environment and makes it.
    ///
    /// # Errors
    /// No place is named, or it cannot be made.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Self, HomeError> {
        let named = |name: &str| variable(name).filter(|value| !value.is_empty());
        let root = if let Some(home) = named("BREAKFIX_HOME") {
            PathBuf::from(home)
        } else if let Some(state) = named("XDG_STATE_HOME") {
            Path::new(&state).join("breakfix")
        } else if let Some(home) = named("HOME") {
            Path::new(&home).join(".local/state/breakfix")
        } else {
            return Err(HomeError::Nowhere);
        };
        Self::at(root)
    }

    /// A home in this folder, which is made if need be.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn at(root: PathBuf) -> Result<Self, HomeError> {
        let root = std::path::absolute(&root).unwrap_or(root);
        make_private(&root.join("sessions"))?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of one session.
    pub fn session(&self, id: &str) -> PathBuf {
        self.root.join("sessions").join(id)
    }

    /// The ids of all sessions that have a folder, sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn sessions(&self) -> Result<Vec<String>, HomeError> {
        let path = self.root.join("sessions");
        let io_error = |source| HomeError::Io { what: "read", path: path.clone(), source };
        let mut ids = Vec::new();
        for entry in fs::read_dir(&path).map_err(io_error)? {
            let entry = entry.map_err(io_error)?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(name) = entry.file_name().into_string()
            {
                ids.push(name);
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Takes the lock of this name, or says who is in the way. The operating system frees it when the process ends, however it ends.
    ///
    /// # Errors
    /// [`HomeError::Busy`], or the disk's.
    pub fn lock(&self, name: &str, what: &str) -> Result<Guard, HomeError> {
        make_private(&self.root.join("locks"))?;
        let path = self.root.join("locks").join(name);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| HomeError::Io { what: "open", path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Guard { file }),
            Err(fs::TryLockError::WouldBlock) => Err(HomeError::Busy { what: what.to_owned() }),
            Err(fs::TryLockError::Error(source)) => Err(HomeError::Io { what: "lock", path, source }),
        }
    }

    /// As [`Home::lock`], for somebody who can wait a little: `check --watch` holds a session for as long as one look takes.
    ///
    /// # Errors
    /// As [`Home::lock`], once `patience` is over.
    pub fn lock_within(&self, name: &str, what: &str, patience: Duration) -> Result<Guard, HomeError> {
        let clock = Instant::now();
        loop {
            match self.lock(name, what) {
                Err(HomeError::Busy { .. }) if clock.elapsed() < patience => thread::sleep(Duration::from_millis(50)),
                other => return other,
            }
        }
    }
}

/// Makes a folder that only its owner can enter.
///
/// # Errors
/// The disk's.
pub fn make_private(path: &Path) -> Result<(), HomeError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| HomeError::Io { what: "make", path: path.to_owned(), source })
}

/// Writes a file as a whole or not at all: beside it first, synced, then moved over it.
///
/// # Errors
/// The disk's; the old file is untouched then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // The half-written file beside is of no use to anybody; that it may not go away either is no further trouble.
        let _ = fs::remove_file(&beside);
        HomeError::Io { what: "write", path: path.to_owned(), source }
    })
}

/// Writes a value as JSON, as [`write_whole`] does.
///
/// # Errors
/// The disk's.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), HomeError> {
    let bytes =
        serde_json::to_vec_pretty(value).map_err(|source| HomeError::Damaged { path: path.to_owned(), source })?;
    write_whole(path, &bytes)
}

/// Reads a JSON file; `None` if there is none.
///
/// # Errors
/// The disk's, or the file is damaged.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, HomeError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(HomeError::Io { what: "read", path: path.to_owned(), source }),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| HomeError::Damaged { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_wins() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let home = Home::find(|name| Some(at(name))).unwrap();
        assert_eq!(home.root(), folder.path().join("BREAKFIX_HOME"));
        let home = Home::find(|name| (name == "HOME").then(|| at(name))).unwrap();
        assert_eq!(home.root(), folder.path().join("HOME/.local/state/breakfix"));
        assert!(matches!(Home::find(|_| None), Err(HomeError::Nowhere)));
        assert!(matches!(Home::find(|_| Some(String::new())), Err(HomeError::Nowhere)));
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().to_owned()).unwrap();
        let guard = home.lock("start", "starting labs").unwrap();
        assert!(matches!(home.lock("start", "starting labs"), Err(HomeError::Busy { .. })));
        drop(guard);
        assert!(home.lock("start", "starting labs").is_ok());
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        write_json(&path, &1).unwrap();
        fs::create_dir(folder.path().join("session.new")).unwrap();
        assert!(write_json(&path, &2).is_err());
        assert_eq!(read_json::<i32>(&path).unwrap(), Some(1));
    }

    #[test]
    fn a_damaged_file_is_told_from_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        assert_eq!(read_json::<i32>(&path).unwrap(), None);
        fs::write(&path, "{").unwrap();
        assert!(matches!(read_json::<i32>(&path), Err(HomeError::Damaged { .. })));
    }
}
