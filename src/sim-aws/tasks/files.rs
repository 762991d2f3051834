//! Files of containers: a tree in memory, and volumes mounted into it. Leaner than a kernel's: everybody is root, and links lead to
//! whole paths only.

use std::collections::BTreeMap;

use breakfix_workload::{FileError, FileKind, Stat, WriteMode, tool};
use serde::{Deserialize, Serialize};

/// 2024-01-01: when every file of an image says it was made.
const CREATED: u64 = 1_704_067_200;

/// A tree of files by absolute path; `/` is always there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    what: What,
    modified: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    File(String),
    Bytes(Vec<u8>),
    Directory,
    Link(String),
    Null,
}

/// A volume's place in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute, without a slash at its end.
    pub path: String,
    pub volume: String,
    pub is_read_only: bool,
}

impl Disk {
    /// The files that every image has: the program, its tools as links to it, and a place for data.
    pub fn image() -> Self {
        let mut disk = Self::default();
        for tool in tool::names() {
            disk.set(&format!("/bin/{tool}"), What::Link("/workload".to_owned()), CREATED);
        }
        for folder in ["/data", "/etc", "/tmp"] {
            disk.set(folder, What::Directory, CREATED);
        }
        disk.set("/etc/passwd", What::File("root:x:0:0:root:/:/bin/sh\n".to_owned()), CREATED);
        disk.set("/dev/null", What::Null, CREATED);
        disk.set("/workload", What::File("\u{7f}ELF".to_owned()), CREATED);
        disk
    }

    /// Puts a text file there, with the folders above it.
    pub fn put(&mut self, path: &str, text: &str, now: u64) {
        self.set(path, What::File(text.to_owned()), now);
    }

    fn set(&mut self, path: &str, what: What, now: u64) {
        let mut above = String::new();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            above = format!("{above}/{part}");
            self.entries.entry(above.clone()).or_insert(Entry { what: What::Directory, modified: now });
        }
        self.entries.insert(path.to_owned(), Entry { what, modified: now });
    }

    fn what(&self, path: &str) -> Option<&What> {
        if path == "/" { Some(&What::Directory) } else { self.entries.get(path).map(|entry| &entry.what) }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let front = format!("{}/", folder.trim_end_matches('/'));
        let inside = self.entries.range(front.clone()..).take_while(|(path, _)| path.starts_with(&front));
        inside
            .filter_map(|(path, _)| path.strip_prefix(&front))
            .filter(|it| !it.contains('/'))
            .map(str::to_owned)
            .collect()
    }
}

/// A container's files for one operation.
pub struct View<'a> {
    pub root: &'a mut Disk,
    pub is_root_read_only: bool,
    pub mounts: &'a [Mount],
    pub volumes: &'a mut BTreeMap<String, Disk>,
}

impl View<'_> {
    /// The mount that a path lies in, and its path there.
    fn place(&self, path: &str) -> (Option<&Mount>, String) {
        let inside = |mount: &&Mount| path == mount.path || path.starts_with(&format!("{}/", mount.path));
        match self.mounts.iter().filter(inside).max_by_key(|mount| mount.path.len()) {
            None => (None, path.to_owned()),
            Some(mount) => match path.get(mount.path.len()..) {
                None | Some("") => (Some(mount), "/".to_owned()),
                Some(rest) => (Some(mount), rest.to_owned()),
            },
        }
    }

    fn disk(&self, path: &str) -> (Option<&Disk>, String, bool) {
        match self.place(path) {
            (None, path) => (Some(&*self.root), path, self.is_root_read_only),
            (Some(mount), path) => (self.volumes.get(&mount.volume), path, mount.is_read_only),
        }
    }

    fn disk_mut(&mut self, path: &str) -> Result<(&mut Disk, String), FileError> {
        let (volume, path, is_read_only) = match self.place(path) {
            (None, path) => (None, path, self.is_root_read_only),
            (Some(mount), path) => (Some(mount.volume.clone()), path, mount.is_read_only),
        };
        if is_read_only && path != "/dev/null" {
            return Err(FileError::ReadOnly);
        }
        let disk = match volume {
            None => &mut *self.root,
            Some(volume) => self.volumes.get_mut(&volume).ok_or(FileError::NotFound)?,
        };
        Ok((disk, path))
    }

    fn what(&self, path: &str) -> Option<&What> {
        let (disk, path, _) = self.disk(path);
        disk?.what(&path)
    }

    /// A link at the end of a path is followed.
    fn follow(&self, path: &str) -> String {
        match self.what(path) {
            Some(What::Link(target)) => target.clone(),
            _ => path.to_owned(),
        }
    }

    /// A whole file.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.what(&self.follow(path)).ok_or(FileError::NotFound)? {
            What::File(text) => Ok(text.clone().into_bytes()),
            What::Bytes(bytes) => Ok(bytes.clone()),
            What::Directory => Err(FileError::IsADirectory),
            What::Link(_) | What::Null => Ok(Vec::new()),
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode, now: u64) -> Result<(), FileError> {
        let path = self.follow(path);
        match self.what(&path) {
            Some(What::Null) => return Ok(()),
            Some(What::Directory) => return Err(FileError::IsADirectory),
            Some(_) => {}
            None => self.needs_folder(&path)?,
        }
        let mut whole = if mode == WriteMode::Append { self.read(&path).unwrap_or_default() } else { Vec::new() };
        whole.extend_from_slice(bytes);
        let what = String::from_utf8(whole).map_or_else(|error| What::Bytes(error.into_bytes()), What::File);
        let (disk, inner) = self.disk_mut(&path)?;
        disk.set(&inner, what, now);
        Ok(())
    }

    fn needs_folder(&self, path: &str) -> Result<(), FileError> {
        let above = path.rsplit_once('/').map_or("/", |(above, _)| if above.is_empty() { "/" } else { above });
        match self.what(above) {
            Some(What::Directory) => Ok(()),
            Some(_) => Err(FileError::NotADirectory),
            None => Err(FileError::NotFound),
        }
    }

    /// What is at a path; a link at its end is not followed.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn stat(&self, path: &str) -> Result<Stat, FileError> {
        let (disk, inner, _) = self.disk(path);
        let disk = disk.ok_or(FileError::NotFound)?;
        let modified = disk.entries.get(&inner).map_or(CREATED, |entry| entry.modified);
        let (kind, mode, size) = match disk.what(&inner).ok_or(FileError::NotFound)? {
            What::File(text) => (FileKind::File, if inner == "/workload" { 0o755 } else { 0o644 }, text.len()),
            What::Bytes(bytes) => (FileKind::File, 0o644, bytes.len()),
            What::Directory => (FileKind::Directory, 0o755, 4096),
            What::Link(target) => (FileKind::Link(target.clone()), 0o777, target.len()),
            What::Null => (FileKind::Special, 0o666, 0),
        };
        Ok(Stat { kind, mode, uid: 0, gid: 0, size: size as u64, modified })
    }

    /// Names in a directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        match self.what(path).ok_or(FileError::NotFound)? {
            What::Directory => {
                let (disk, inner, _) = self.disk(path);
                Ok(disk.map(|disk| disk.names(&inner)).unwrap_or_default())
            }
            _ => Err(FileError::NotADirectory),
        }
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn remove(&mut self, path: &str) -> Result<(), FileError> {
        if matches!(self.what(path).ok_or(FileError::NotFound)?, What::Directory) && !self.list(path)?.is_empty() {
            return Err(FileError::DirectoryNotEmpty);
        }
        let (disk, inner) = self.disk_mut(path)?;
        disk.entries.remove(&inner);
        Ok(())
    }

    /// Makes one directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn make_directory(&mut self, path: &str, now: u64) -> Result<(), FileError> {
        if self.what(path).is_some() {
            return Err(FileError::Exists);
        }
        self.needs_folder(path)?;
        let (disk, inner) = self.disk_mut(path)?;
        disk.set(&inner, What::Directory, now);
        Ok(())
    }

    /// What a file's lock is known by: the volume it lies in, or none where it is the container's own, and its path there.
    pub fn lock_key(&self, path: &str) -> (Option<String>, String) {
        let (mount, path) = self.place(path);
        (mount.map(|mount| mount.volume.clone()), path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_seen_at_its_place_and_a_read_only_root_refuses() {
        let mut root = Disk::image();
        let mounts = [Mount { path: "/data".to_owned(), volume: "orders".to_owned(), is_read_only: false }];
        let mut volumes = BTreeMap::from([("orders".to_owned(), Disk::default())]);
        let mut view = View { root: &mut root, is_root_read_only: true, mounts: &mounts, volumes: &mut volumes };
        view.write("/data/records", b"a\n", WriteMode::Append, 1).unwrap();
        view.write("/data/records", b"b\n", WriteMode::Append, 2).unwrap();
        assert_eq!(view.read("/data/records").unwrap(), b"a\nb\n");
        assert_eq!(view.list("/data").unwrap(), ["records"]);
        assert_eq!(view.write("/tmp/x", b"", WriteMode::Replace, 1), Err(FileError::ReadOnly));
        assert_eq!(view.write("/nowhere/x", b"", WriteMode::Replace, 1), Err(FileError::NotFound));
        assert_eq!(view.stat("/bin/sh").unwrap().kind, FileKind::Link("/workload".to_owned()));
        assert!(volumes["orders"].entries.contains_key("/records"));
    }
}
