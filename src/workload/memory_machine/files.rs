//! Files in memory, with directories, modes and owners.

use std::collections::BTreeMap;

use crate::{FileError, FileKind, Stat};

/// A tree of files; paths are absolute and plain (no `..`).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemoryFiles {
    entries: BTreeMap<String, Entry>,
    /// Every write is refused.
    pub read_only: bool,
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Entry {
    stat: Stat,
    bytes: Vec<u8>,
}

impl Default for MemoryFiles {
    fn default() -> Self {
        let root = Entry { stat: stat(FileKind::Directory, 0o755), bytes: Vec::new() };
        Self { entries: BTreeMap::from([("/".to_owned(), root)]), read_only: false }
    }
}

fn stat(kind: FileKind, mode: u32) -> Stat {
    Stat { kind, mode, uid: 0, gid: 0, size: 0, modified: 0 }
}

impl MemoryFiles {
    /// Put a file there, with the directories it needs.
    pub fn put(&mut self, path: &str, text: &str) {
        let path = plain(path);
        let mut upto = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            self.entries
                .entry(if upto.is_empty() { "/".to_owned() } else { upto.clone() })
                .or_insert_with(|| Entry { stat: stat(FileKind::Directory, 0o755), bytes: Vec::new() });
            upto = format!("{upto}/{part}");
        }
        self.set(&path, text.as_bytes());
    }

    /// Put bytes at the end of a file, made where it is missing.
    pub fn append(&mut self, path: &str, bytes: &[u8]) {
        let mut all = self.read(path).unwrap_or_default();
        all.extend_from_slice(bytes);
        self.set(&plain(path), &all);
    }

    /// Take the permission to read and write from everybody.
    pub fn deny(&mut self, path: &str) {
        if let Some(entry) = self.entries.get_mut(&plain(path)) {
            entry.stat.mode = 0;
        }
    }

    pub(super) fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), FileError> {
        self.change(path, |stat| stat.mode = mode)
    }

    pub(super) fn set_owner(&mut self, path: &str, uid: u32, gid: u32) -> Result<(), FileError> {
        self.change(path, |stat| (stat.uid, stat.gid) = (uid, gid))
    }

    fn change(&mut self, path: &str, edit: impl FnOnce(&mut Stat)) -> Result<(), FileError> {
        if self.read_only {
            return Err(FileError::ReadOnly);
        }
        let entry = self.entries.get_mut(&plain(path)).ok_or(FileError::NotFound)?;
        edit(&mut entry.stat);
        Ok(())
    }

    /// A file that is there keeps its mode and its owner.
    fn set(&mut self, path: &str, bytes: &[u8]) {
        let there = self.entries.get(path).map(|entry| entry.stat.clone());
        let mut stat = there.unwrap_or_else(|| stat(FileKind::File, 0o644));
        stat.size = bytes.len() as u64;
        self.entries.insert(path.to_owned(), Entry { stat, bytes: bytes.to_vec() });
    }

    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let entry = self.entries.get(&plain(path)).ok_or(FileError::NotFound)?;
        match entry.stat.kind {
            FileKind::Directory => Err(FileError::IsADirectory),
            _ if entry.stat.mode & 0o444 == 0 => Err(FileError::Denied),
            _ => Ok(entry.bytes.clone()),
        }
    }

    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = plain(path);
        self.may_change(&path)?;
        if self.entries.get(&path).is_some_and(|entry| entry.stat.kind == FileKind::Directory) {
            return Err(FileError::IsADirectory);
        }
        self.set(&path, bytes);
        Ok(())
    }

    pub(super) fn stat(&self, path: &str) -> Result<Stat, FileError> {
        self.entries.get(&plain(path)).map(|entry| entry.stat.clone()).ok_or(FileError::NotFound)
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let path = plain(path);
        let entry = self.entries.get(&path).ok_or(FileError::NotFound)?;
        if entry.stat.kind != FileKind::Directory {
            return Err(FileError::NotADirectory);
        }
        let front = if path == "/" { path } else { format!("{path}/") };
        let inside = self.entries.keys().filter_map(|other| other.strip_prefix(&front));
        Ok(inside.filter(|rest| !rest.is_empty() && !rest.contains('/')).map(str::to_owned).collect())
    }

    pub(super) fn remove(&mut self, path: &str) -> Result<(), FileError> {
        let path = plain(path);
        self.may_change(&path)?;
        if self.stat(&path)?.kind == FileKind::Directory && !self.list(&path)?.is_empty() {
            return Err(FileError::DirectoryNotEmpty);
        }
        self.entries.remove(&path);
        Ok(())
    }

    pub(super) fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        let path = plain(path);
        if self.entries.contains_key(&path) {
            return Err(FileError::Exists);
        }
        self.may_change(&path)?;
        self.entries.insert(path, Entry { stat: stat(FileKind::Directory, 0o755), bytes: Vec::new() });
        Ok(())
    }

    /// Whether something may be made, changed or removed at this path.
    fn may_change(&self, path: &str) -> Result<(), FileError> {
        if self.read_only {
            return Err(FileError::ReadOnly);
        }
        let parent = match path.rsplit_once('/') {
            Some(("", _)) | None => "/",
            Some((parent, _)) => parent,
        };
        match self.entries.get(parent).map(|entry| &entry.stat) {
            None => Err(FileError::NotFound),
            Some(stat) if stat.kind != FileKind::Directory => Err(FileError::NotADirectory),
            Some(stat) if stat.mode & 0o222 == 0 => Err(FileError::Denied),
            Some(_) => Ok(()),
        }
    }
}

/// `//a/./b/` → `/a/b`.
fn plain(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}
