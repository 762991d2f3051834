//! What a container sees: its own root, and volumes mounted into it. Paths are walked as the kernel walks them, links and permissions
//! included.

use std::collections::BTreeMap;

use breakfix_workload::{FileError, Stat, User, WriteMode};
use serde::{Deserialize, Serialize};

use super::{Entry, EntryKind, Tree};

/// A volume's place in a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is: an absolute, plain path.
    pub path: String,
    /// Whose files it shows: a volume's name.
    pub volume: String,
    /// The part of the volume that is mounted; `/` for all of it.
    pub below: String,
    /// The files are the node's own: `below` is a path on its disk.
    pub is_on_host: bool,
    pub is_read_only: bool,
    /// Files of its own: those of a `subPath` into a volume that is written anew at each change are the ones of the start for ever.
    pub own: Option<Tree>,
}

/// A container's files for one operation.
pub struct View<'a> {
    pub root: &'a mut Tree,
    pub is_root_read_only: bool,
    pub mounts: &'a mut Vec<Mount>,
    pub volumes: &'a mut BTreeMap<String, Tree>,
    /// The node's disk.
    pub host: &'a mut Tree,
    /// The superuser is held to the permission bits too: the capability to pass them by has been dropped.
    pub is_root_bound: bool,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path without links.
    pub path: String,
    mount: Option<usize>,
    inner: String,
}

/// The set-group-id bit.
const SET_GROUP: u32 = 0o2000;
/// As many links as the kernel follows.
const LINKS_MAX: u32 = 40;
/// Files that the runtime puts into every container, writable whatever the root is.
const RUNTIME_FILES: [&str; 5] =
    ["/dev/null", "/dev/termination-log", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

impl View<'_> {
    /// A whole file.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn read(&self, path: &str, user: &User) -> Result<Vec<u8>, FileError> {
        let entry = self.entry(&self.locate(path, user, true)?).ok_or(FileError::NotFound)?;
        match &entry.kind {
            EntryKind::Directory => Err(FileError::IsADirectory),
            _ if !self.allows(entry, user, 4) => Err(FileError::Denied),
            EntryKind::File(bytes) => Ok(bytes.clone()),
            EntryKind::Link(_) | EntryKind::Null => Ok(Vec::new()),
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode, user: &User, now: u64) -> Result<(), FileError> {
        let place = self.locate(path, user, true)?;
        let is_read_only = self.is_read_only(&place);
        let may_write = self.entry(&place).is_some_and(|entry| self.allows(entry, user, 2));
        match self.entry_mut(&place) {
            Some(entry) => match &mut entry.kind {
                EntryKind::Directory => Err(FileError::IsADirectory),
                EntryKind::Null => Ok(()),
                _ if is_read_only => Err(FileError::ReadOnly),
                _ if !may_write => Err(FileError::Denied),
                EntryKind::File(old) => {
                    if mode == WriteMode::Replace {
                        old.clear();
                    }
                    old.extend_from_slice(bytes);
                    entry.modified = now;
                    Ok(())
                }
                EntryKind::Link(_) => Err(FileError::NotFound),
            },
            None => {
                self.may_create(&place, user)?;
                let (gid, _) = self.heritage(&place, user);
                let entry = Entry::file(bytes, 0o644, now).owned_by(user.uid, gid);
                self.put(&place, entry);
                Ok(())
            }
        }
    }

    /// What is at a path; a link at its end is not followed.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn stat(&self, path: &str, user: &User) -> Result<Stat, FileError> {
        let place = self.locate(path, user, false)?;
        self.entry(&place).map(Entry::stat).ok_or(FileError::NotFound)
    }

    /// Names in a directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn list(&self, path: &str, user: &User) -> Result<Vec<String>, FileError> {
        let place = self.locate(path, user, true)?;
        let entry = self.entry(&place).ok_or(FileError::NotFound)?;
        if !entry.is_directory() {
            return Err(FileError::NotADirectory);
        }
        if !self.allows(entry, user, 4) {
            return Err(FileError::Denied);
        }
        Ok(self.tree(place.mount).map(|tree| tree.names(&place.inner)).unwrap_or_default())
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn remove(&mut self, path: &str, user: &User) -> Result<(), FileError> {
        let place = self.locate(path, user, false)?;
        if self.entry(&place).is_none() {
            return Err(FileError::NotFound);
        }
        if self.mounts.iter().any(|mount| mount.path == place.path) {
            return Err(FileError::Other("Resource busy".to_owned()));
        }
        self.may_create(&place, user)?;
        self.tree_mut(place.mount).ok_or(FileError::NotFound)?.remove(&place.inner)
    }

    /// Makes one directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn make_directory(&mut self, path: &str, user: &User, now: u64) -> Result<(), FileError> {
        let place = self.locate(path, user, false)?;
        if self.entry(&place).is_some() {
            return Err(FileError::Exists);
        }
        self.may_create(&place, user)?;
        let (gid, bits) = self.heritage(&place, user);
        self.put(&place, Entry::directory(0o755 | bits, now).owned_by(user.uid, gid));
        Ok(())
    }

    /// The entry at a place.
    pub fn entry(&self, place: &Place) -> Option<&Entry> {
        self.tree(place.mount)?.get(&place.inner)
    }

    /// A key for the file's lock: the same for all containers that share it. `private` names what is not shared.
    pub fn lock_key(&self, place: &Place, private: &str) -> String {
        match place.mount.and_then(|at| self.mounts.get(at)) {
            Some(mount) if mount.is_on_host => format!("host:{}", place.inner),
            Some(mount) if mount.own.is_none() => format!("{}:{}", mount.volume, place.inner),
            _ => format!("{private}:{}", place.path),
        }
    }

    /// Where a path leads, link by link. What is missing at its very end is a place all the same.
    ///
    /// # Errors
    /// As the kernel refuses.
    pub fn locate(&self, path: &str, user: &User, follow_last: bool) -> Result<Place, FileError> {
        let mut parts: Vec<String> = split(path);
        parts.reverse();
        let mut at = String::new();
        let mut links = 0;
        while let Some(part) = parts.pop() {
            if part == ".." {
                at = at.rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned());
                continue;
            }
            let here = self.place_of(&at);
            let directory = self.entry(&here).ok_or(FileError::NotFound)?;
            if !directory.is_directory() {
                return Err(FileError::NotADirectory);
            }
            if !self.allows(directory, user, 1) {
                return Err(FileError::Denied);
            }
            let next = format!("{at}/{part}");
            match self.entry(&self.place_of(&next)).map(|entry| &entry.kind) {
                None if parts.is_empty() => at = next,
                None => return Err(FileError::NotFound),
                Some(EntryKind::Link(target)) if follow_last || !parts.is_empty() => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(FileError::Other("Too many levels of symbolic links".to_owned()));
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    parts.extend(split(target).into_iter().rev());
                }
                Some(_) => at = next,
            }
        }
        Ok(self.place_of(&at))
    }

    fn place_of(&self, path: &str) -> Place {
        let path = if path.is_empty() { "/" } else { path };
        let inside = |mount: &Mount| {
            path.strip_prefix(mount.path.as_str())
                .filter(|rest| rest.is_empty() || rest.starts_with('/') || mount.path == "/")
        };
        let found = self
            .mounts
            .iter()
            .enumerate()
            .filter_map(|(at, mount)| inside(mount).map(|rest| (mount.path.len(), at, mount, rest)))
            .max_by_key(|(length, at, ..)| (*length, *at));
        match found {
            None => Place { path: path.to_owned(), mount: None, inner: path.to_owned() },
            Some((_, at, mount, rest)) => {
                let below = if mount.own.is_some() { "" } else { mount.below.trim_end_matches('/') };
                let inner = format!("{below}{rest}");
                let inner = if inner.is_empty() { "/".to_owned() } else { inner };
                Place { path: path.to_owned(), mount: Some(at), inner }
            }
        }
    }

    fn tree(&self, mount: Option<usize>) -> Option<&Tree> {
        match mount {
            None => Some(&*self.root),
            Some(at) => {
                let mount = self.mounts.get(at)?;
                if mount.is_on_host {
                    return Some(&*self.host);
                }
                mount.own.as_ref().or_else(|| self.volumes.get(&mount.volume))
            }
        }
    }

    fn tree_mut(&mut self, mount: Option<usize>) -> Option<&mut Tree> {
        match mount {
            None => Some(&mut *self.root),
            Some(at) => {
                let mount = self.mounts.get_mut(at)?;
                if mount.is_on_host {
                    return Some(&mut *self.host);
                }
                match &mut mount.own {
                    Some(own) => Some(own),
                    None => self.volumes.get_mut(&mount.volume),
                }
            }
        }
    }

    fn entry_mut(&mut self, place: &Place) -> Option<&mut Entry> {
        self.tree_mut(place.mount)?.get_mut(&place.inner)
    }

    fn put(&mut self, place: &Place, entry: Entry) {
        if let Some(tree) = self.tree_mut(place.mount) {
            tree.put(&place.inner, entry);
        }
    }

    fn allows(&self, entry: &Entry, user: &User, bits: u32) -> bool {
        if self.is_root_bound { entry.permits(user, bits) } else { entry.allows(user, bits) }
    }

    /// The group of something new, and the mode bits that a new folder takes over: a folder with the set-group-id bit hands both on.
    fn heritage(&self, place: &Place, user: &User) -> (u32, u32) {
        let above = place.path.rsplit_once('/').map_or("", |(above, _)| above);
        match self.entry(&self.place_of(above)) {
            Some(folder) if folder.mode & SET_GROUP != 0 => (folder.gid, SET_GROUP),
            _ => (user.gid, 0),
        }
    }

    fn is_read_only(&self, place: &Place) -> bool {
        match place.mount.and_then(|at| self.mounts.get(at)) {
            Some(mount) => mount.is_read_only,
            None => self.is_root_read_only && !RUNTIME_FILES.contains(&place.path.as_str()),
        }
    }

    /// Whether something may be made or removed at this place.
    fn may_create(&self, place: &Place, user: &User) -> Result<(), FileError> {
        if self.is_read_only(place) {
            return Err(FileError::ReadOnly);
        }
        let above = place.path.rsplit_once('/').map_or("", |(above, _)| above);
        match self.entry(&self.place_of(above)) {
            None => Err(FileError::NotFound),
            Some(entry) if !entry.is_directory() => Err(FileError::NotADirectory),
            Some(entry) if !self.allows(entry, user, 2) => Err(FileError::Denied),
            Some(_) => Ok(()),
        }
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Box {
        root: Tree,
        mounts: Vec<Mount>,
        volumes: BTreeMap<String, Tree>,
        host: Tree,
        read_only: bool,
        bound: bool,
    }

    impl Box {
        fn new() -> Self {
            let mut root = Tree::default();
            root.put("/etc/passwd", Entry::file("root", 0o644, 0));
            root.put("/config", Entry::directory(0o755, 0));
            let mut volume = Tree::with_root(Entry::directory(0o777, 0));
            volume.put("/..1/key", Entry::file("value", 0o440, 0));
            volume.put("/..data", Entry::link("..1", 0));
            volume.put("/key", Entry::link("..data/key", 0));
            let mount = Mount {
                path: "/config".into(),
                volume: "config".into(),
                below: "/".into(),
                is_on_host: false,
                is_read_only: true,
                own: None,
            };
            Self {
                root,
                mounts: vec![mount],
                volumes: BTreeMap::from([("config".to_owned(), volume)]),
                host: Tree::default(),
                read_only: false,
                bound: false,
            }
        }

        fn view(&mut self) -> View<'_> {
            View {
                root: &mut self.root,
                is_root_read_only: self.read_only,
                mounts: &mut self.mounts,
                volumes: &mut self.volumes,
                host: &mut self.host,
                is_root_bound: self.bound,
            }
        }
    }

    fn root() -> User {
        User::default()
    }

    fn app(groups: &[u32]) -> User {
        User { uid: 10_001, gid: 10_001, groups: groups.to_vec() }
    }

    #[test]
    fn links_lead_through_a_volume() {
        let mut files = Box::new();
        assert_eq!(files.view().read("/config/key", &root()).unwrap(), b"value");
        assert_eq!(files.view().read("/config/../config/./key", &root()).unwrap(), b"value");
        assert_eq!(files.view().list("/config", &root()).unwrap(), ["..1", "..data", "key"]);
        assert_eq!(files.view().read("/config/none", &root()), Err(FileError::NotFound));
        assert_eq!(files.view().read("/etc/passwd/x", &root()), Err(FileError::NotADirectory));
    }

    #[test]
    fn permissions_count_for_everybody_but_root() {
        let mut files = Box::new();
        assert_eq!(files.view().read("/config/key", &app(&[])), Err(FileError::Denied));
        assert_eq!(files.view().read("/config/key", &app(&[0])).unwrap(), b"value");
        let write = |files: &mut Box, user: &User| files.view().write("/etc/new", b"x", WriteMode::Replace, user, 0);
        assert_eq!(write(&mut files, &app(&[])), Err(FileError::Denied));
        assert_eq!(write(&mut files, &root()), Ok(()));
    }

    /// Documented in `capabilities(7)`: without CAP_DAC_OVERRIDE the superuser is one user among others.
    #[test]
    fn a_superuser_without_the_capability_is_held_to_the_bits() {
        let mut files = Box::new();
        files.root.put("/secret", Entry::file("x", 0o400, 0).owned_by(10_001, 10_001));
        assert_eq!(files.view().read("/secret", &root()).unwrap(), b"x");
        files.bound = true;
        assert_eq!(files.view().read("/secret", &root()), Err(FileError::Denied));
        assert_eq!(files.view().read("/etc/passwd", &root()).unwrap(), b"root");
    }

    #[test]
    fn a_mount_of_the_node_shows_the_nodes_files() {
        let mut files = Box::new();
        files.host.put("/srv/data", Entry::directory(0o2777, 0).owned_by(0, 77));
        files.mounts.push(Mount {
            path: "/data".into(),
            volume: "data".into(),
            below: "/srv/data".into(),
            is_on_host: true,
            is_read_only: false,
            own: None,
        });
        files.view().write("/data/a", b"x", WriteMode::Replace, &app(&[]), 0).unwrap();
        files.view().make_directory("/data/b", &app(&[]), 0).unwrap();
        let made = files.host.get("/srv/data/a").unwrap();
        assert_eq!((made.uid, made.gid), (10_001, 77), "the folder hands its group on");
        assert_eq!(files.host.get("/srv/data/b").unwrap().mode, 0o2755);
    }

    #[test]
    fn a_read_only_root_keeps_the_runtimes_files_writable() {
        let mut files = Box::new();
        files.root.put("/dev/termination-log", Entry::file("", 0o666, 0));
        files.read_only = true;
        let mut view = files.view();
        assert_eq!(view.write("/x", b"", WriteMode::Replace, &root(), 0), Err(FileError::ReadOnly));
        assert_eq!(view.write("/dev/termination-log", b"full", WriteMode::Replace, &root(), 0), Ok(()));
        assert_eq!(view.write("/config/x", b"", WriteMode::Replace, &root(), 0), Err(FileError::ReadOnly));
    }
}
