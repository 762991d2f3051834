//! A tree of files: an image's root, a volume.

use std::collections::BTreeMap;

use breakfix_workload::{FileError, FileKind, Stat, User};
use serde::{Deserialize, Serialize};

/// Files by absolute path within the tree; `/` is its root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

/// One file, directory or link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub kind: EntryKind,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryKind {
    File(#[serde(with = "super::bytes")] Vec<u8>),
    Directory,
    Link(String),
    /// Takes everything, gives nothing: `/dev/null`.
    Null,
}

impl Entry {
    /// Owned by root.
    pub fn new(kind: EntryKind, mode: u32, modified: u64) -> Self {
        Self { kind, mode, uid: 0, gid: 0, modified }
    }

    pub fn directory(mode: u32, modified: u64) -> Self {
        Self::new(EntryKind::Directory, mode, modified)
    }

    pub fn file(bytes: impl Into<Vec<u8>>, mode: u32, modified: u64) -> Self {
        Self::new(EntryKind::File(bytes.into()), mode, modified)
    }

    /// A symbolic link.
    pub fn link(target: &str, modified: u64) -> Self {
        Self::new(EntryKind::Link(target.to_owned()), 0o777, modified)
    }

    #[must_use]
    pub fn owned_by(mut self, uid: u32, gid: u32) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    pub fn is_directory(&self) -> bool {
        self.kind == EntryKind::Directory
    }

    /// As `lstat` tells it.
    pub fn stat(&self) -> Stat {
        let (kind, size) = match &self.kind {
            EntryKind::File(bytes) => (FileKind::File, bytes.len() as u64),
            EntryKind::Directory => (FileKind::Directory, 4096),
            EntryKind::Link(target) => (FileKind::Link(target.clone()), target.len() as u64),
            EntryKind::Null => (FileKind::Special, 0),
        };
        Stat { kind, mode: self.mode, uid: self.uid, gid: self.gid, size, modified: self.modified }
    }

    /// Whether this user has all of these permission bits (4 read, 2 write, 1 execute). Root has them all, execution excepted where
    /// nobody has it.
    pub fn allows(&self, user: &User, bits: u32) -> bool {
        if user.uid == 0 {
            return bits & 1 == 0 || self.is_directory() || self.mode & 0o111 != 0;
        }
        self.permits(user, bits)
    }

    /// Whether the permission bits alone give it to this user.
    pub fn permits(&self, user: &User, bits: u32) -> bool {
        let shift = if user.uid == self.uid {
            6
        } else if user.gid == self.gid || user.groups.contains(&self.gid) {
            3
        } else {
            0
        };
        (self.mode >> shift) & bits == bits
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::with_root(Entry::directory(0o755, 0))
    }
}

impl Tree {
    pub fn with_root(root: Entry) -> Self {
        Self { entries: BTreeMap::from([("/".to_owned(), root)]) }
    }

    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub fn get_mut(&mut self, path: &str) -> Option<&mut Entry> {
        self.entries.get_mut(path)
    }

    /// Puts an entry there, with the directories above it.
    pub fn put(&mut self, path: &str, entry: Entry) {
        let mut above = String::new();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            above.push('/');
            above.push_str(part);
            self.entries.entry(above.clone()).or_insert_with(|| Entry::directory(0o755, entry.modified));
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// Names in a directory.
    pub fn names(&self, path: &str) -> Vec<String> {
        let front = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let inside = self.entries.range(front.clone()..).take_while(|(other, _)| other.starts_with(&front));
        inside
            .filter_map(|(other, _)| other.strip_prefix(&front))
            .filter(|rest| !rest.is_empty() && !rest.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// There is none, or it is not empty.
    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        match self.entries.get(path) {
            None => return Err(FileError::NotFound),
            Some(entry) if entry.is_directory() && !self.names(path).is_empty() => {
                return Err(FileError::DirectoryNotEmpty);
            }
            Some(_) => {}
        }
        self.entries.remove(path);
        Ok(())
    }

    /// Removes whatever is at a path, with all that is below it.
    pub fn remove_all(&mut self, path: &str) {
        let front = format!("{}/", path.trim_end_matches('/'));
        self.entries.retain(|other, _| other == "/" || (other != path && !other.starts_with(&front)));
    }

    /// Gives everything at and below a path to a group that may then read and write it, and hands itself on (`SetVolumeOwnership`).
    pub fn give_to_group(&mut self, path: &str, group: u32) {
        let front = format!("{}/", path.trim_end_matches('/'));
        for (other, entry) in &mut self.entries {
            if other == path || other.starts_with(&front) {
                entry.gid = group;
                entry.mode |= if entry.is_directory() { 0o2770 } else { 0o660 };
            }
        }
    }

    /// Every entry, in the order of paths.
    pub fn entries(&self) -> impl Iterator<Item = (&String, &Entry)> {
        self.entries.iter()
    }

    /// Every entry, to be changed.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = (&String, &mut Entry)> {
        self.entries.iter_mut()
    }

    /// The part of the tree below a path, as a tree of its own; links are followed at its top.
    pub fn below(&self, path: &str) -> Option<Self> {
        let mut path = path.to_owned();
        for _ in 0..8 {
            match &self.entries.get(&path)?.kind {
                EntryKind::Link(target) => {
                    let above = path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
                    path = self.follow(&above, target)?;
                }
                _ => break,
            }
        }
        let front = format!("{}/", path.trim_end_matches('/'));
        let mut entries = BTreeMap::from([("/".to_owned(), self.entries.get(&path)?.clone())]);
        for (other, entry) in self.entries.range(front.clone()..).take_while(|(other, _)| other.starts_with(&front)) {
            if let Some(rest) = other.strip_prefix(front.trim_end_matches('/')).filter(|rest| !rest.is_empty()) {
                entries.insert(rest.to_owned(), entry.clone());
            }
        }
        Some(Self { entries })
    }

    /// `..data/key` seen from a directory of the tree, with the links on the way followed.
    fn follow(&self, above: &str, target: &str) -> Option<String> {
        let mut at = if target.starts_with('/') { String::new() } else { above.to_owned() };
        for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
            let next = format!("{at}/{part}");
            at = match &self.entries.get(&next)?.kind {
                EntryKind::Link(target) => self.follow(&at, &target.clone())?,
                _ => next,
            };
        }
        Some(at)
    }

    /// Bytes of all files together.
    pub fn size(&self) -> u64 {
        self.entries
            .values()
            .map(|entry| if let EntryKind::File(bytes) = &entry.kind { bytes.len() as u64 } else { 0 })
            .sum()
    }
}
