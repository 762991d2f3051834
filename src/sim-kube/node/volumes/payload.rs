//! Files that kubelet writes all at once: a dated folder, a link `..data` to it, and links to its files (`atomic_writer.go`).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::node::files::{Entry, EntryKind, Tree};

/// What a volume is to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Payload {
    /// Path below the volume → bytes and mode.
    pub(super) files: BTreeMap<String, (Vec<u8>, u32)>,
    /// In memory: Secrets and tokens never reach a disk.
    pub(super) is_in_memory: bool,
}

impl Payload {
    /// Whether a tree shows exactly this.
    pub(super) fn is_shown_by(&self, tree: &Tree) -> bool {
        let Some(EntryKind::Link(folder)) = tree.get("/..data").map(|entry| &entry.kind) else { return false };
        let front = format!("/{folder}/");
        let shown: BTreeMap<&str, &[u8]> = tree
            .entries()
            .filter_map(|(path, entry)| match (&entry.kind, path.strip_prefix(&front)) {
                (EntryKind::File(bytes), Some(rest)) => Some((rest, bytes.as_slice())),
                _ => None,
            })
            .collect();
        shown.len() == self.files.len()
            && self.files.iter().all(|(path, (bytes, _))| shown.get(path.as_str()).is_some_and(|shown| shown == bytes))
    }

    /// The files as a tree. With a group (`fsGroup`) everything belongs to it and is readable by it.
    pub(super) fn tree(&self, now: Timestamp, group: Option<u32>, random: u64) -> Tree {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let gid = group.unwrap_or(0);
        let root_mode = match (self.is_in_memory, group) {
            (true, None) => 0o1777,
            (true, Some(_)) => 0o3777,
            (false, None) => 0o777,
            (false, Some(_)) => 0o2777,
        };
        let mut tree = Tree::with_root(Entry::directory(root_mode, seconds).owned_by(0, gid));
        let folder = format!("..{}.{random:010}", now.strftime("%Y_%m_%d_%H_%M_%S"));
        let folder_mode = if group.is_some() { 0o2755 } else { 0o755 };
        tree.put(&format!("/{folder}"), Entry::directory(folder_mode, seconds).owned_by(0, gid));
        for (path, (bytes, mode)) in &self.files {
            let mode = if group.is_some() { mode | 0o440 } else { *mode };
            tree.put(&format!("/{folder}/{path}"), Entry::file(bytes.clone(), mode, seconds).owned_by(0, gid));
            let top = path.split('/').next().unwrap_or(path);
            tree.put(&format!("/{top}"), Entry::link(&format!("..data/{top}"), seconds));
        }
        tree.put("/..data", Entry::link(&folder, seconds));
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(value: &str) -> Payload {
        Payload { files: [("key".to_owned(), (value.as_bytes().to_vec(), 0o644))].into(), is_in_memory: false }
    }

    #[test]
    fn the_files_lie_behind_two_links() {
        let tree = payload("a").tree("2026-11-21T11:07:31Z".parse().unwrap(), None, 1_392_923_584);
        assert_eq!(tree.names("/"), ["..2026_11_21_11_07_31.1392923584", "..data", "key"]);
        assert!(payload("a").is_shown_by(&tree));
        assert!(!payload("b").is_shown_by(&tree));
        assert!(!Payload::default().is_shown_by(&tree));
    }

    /// Tried on 1.36: with fsGroup a file of mode 0400 becomes readable for the group.
    #[test]
    fn a_group_may_read() {
        let mut secret = payload("a");
        secret.files.insert("key".to_owned(), (b"a".to_vec(), 0o400));
        let tree = secret.tree(Timestamp::UNIX_EPOCH, Some(10_001), 0);
        let file = tree.entries().find(|(path, _)| path.ends_with("/key") && path.len() > 4).unwrap().1;
        assert_eq!((file.mode, file.gid), (0o440, 10_001));
    }
}
