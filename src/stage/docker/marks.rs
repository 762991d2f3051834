//! What a session must remember of its engine besides labels: images that it loaded, and what no label can tell.
//!
//! Kept as `docker.json` in the session's folder. Sessions of one home share images; the last one that needs an image removes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::endpoint::{Address, Endpoint, Origin};
use crate::{
    home::{HomeError, make_private, read_json, write_json},
    target::{Cause, TargetError},
};

const FILE: &str = "docker.json";
const LOCK: &str = "docker-images.lock";

/// The engine that a session was opened on, so that later commands find the same one whatever their surroundings say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptEngine {
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    /// Docker's own programs find it by themselves.
    usual: bool,
}

impl KeptEngine {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let context = match &endpoint.origin {
            Origin::Context(name) => Some(name.clone()),
            Origin::Variable | Origin::Usual | Origin::Found => None,
        };
        let usual = endpoint.origin == Origin::Usual;
        Self { address: endpoint.address.to_string(), tls: endpoint.tls.clone(), context, usual }
    }

    pub(super) fn endpoint(self) -> Result<Endpoint, TargetError> {
        let origin = match self.context {
            Some(name) => Origin::Context(name),
            None if self.usual => Origin::Usual,
            None => Origin::Variable,
        };
        Ok(Endpoint { address: Address::parse(&self.address)?, tls: self.tls, origin })
    }
}

/// One session's marks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marks {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) engine: Option<KeptEngine>,
    /// What was on the engine before the session made its first thing, by [`super::belongs::key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<BTreeSet<String>>,
    /// Image references that this session needs, and whether breakfix put them on the engine (else they were there before).
    #[serde(default)]
    pub(super) images: BTreeMap<String, bool>,
    /// Volumes that a container of the lab used and that did not exist before the session: anonymous ones outlive their container.
    #[serde(default)]
    pub(super) volumes: BTreeSet<String>,
    /// Ids of networks that a container of the lab was on and that did not exist before the session.
    #[serde(default)]
    pub(super) networks: BTreeSet<String>,
    /// Names of the containers that breakfix made for the session, so that other sessions know them for what they are.
    #[serde(default)]
    pub(super) made: BTreeSet<String>,
}

/// Held while images are loaded or removed, so that two sessions do not do so at once.
#[derive(Debug)]
pub(super) struct ImageLock {
    _file: File,
}

impl Marks {
    pub(super) fn read(folder: &Path) -> Result<Self, TargetError> {
        read_json(&folder.join(FILE)).map(Option::unwrap_or_default).map_err(local)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), TargetError> {
        make_private(folder).map_err(local)?;
        write_json(&folder.join(FILE), self).map_err(local)
    }

    /// Remembers what was found to be the lab's; writes only if something is new.
    pub(super) fn remember(
        folder: &Path,
        volumes: &BTreeSet<String>,
        networks: &BTreeSet<String>,
    ) -> Result<(), TargetError> {
        let mut marks = Self::read(folder)?;
        if volumes.is_subset(&marks.volumes) && networks.is_subset(&marks.networks) {
            return Ok(());
        }
        marks.volumes.extend(volumes.iter().cloned());
        marks.networks.extend(networks.iter().cloned());
        marks.write(folder)
    }

    /// Notes names of containers before they are made; writes only if one is new.
    pub(super) fn will_make<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> Result<(), TargetError> {
        let mut marks = Self::read(folder)?;
        let known = marks.made.len();
        marks.made.extend(names.map(str::to_owned));
        if marks.made.len() == known { Ok(()) } else { marks.write(folder) }
    }

    /// The other sessions of this home by their ids, and what breakfix made for them. One that cannot be read vouches for nothing.
    pub(super) fn made_by_others(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
        let of = |other: PathBuf| {
            let id = other.file_name()?.to_str()?.to_owned();
            Some((id, Self::read(&other).ok()?.made))
        };
        others(folder).into_iter().filter_map(of).collect()
    }

    /// Lets go of this session's images, and says which of them the engine should lose: those that breakfix loaded and that no
    /// other session needs. Another that needs one becomes answerable for it.
    pub(super) fn release(folder: &Path) -> Result<BTreeSet<String>, TargetError> {
        let mut own = Self::read(folder)?;
        let mut added: BTreeSet<String> =
            own.images.iter().filter(|(_, added)| **added).map(|(name, _)| name.clone()).collect();
        for other in others(folder) {
            // A damaged file of another session must not keep this one from being cleared.
            let Ok(mut marks) = Self::read(&other) else { continue };
            let shared: Vec<String> = added.iter().filter(|name| marks.images.contains_key(*name)).cloned().collect();
            if shared.is_empty() {
                continue;
            }
            for name in shared {
                added.remove(&name);
                marks.images.insert(name, true);
            }
            marks.write(&other)?;
        }
        own.images.retain(|name, _| added.contains(name));
        own.write(folder)?;
        Ok(added)
    }

    /// Whether the session ever used an engine.
    pub(super) fn is_kept(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }
}

/// The other sessions' folders that have marks.
fn others(folder: &Path) -> Vec<PathBuf> {
    let Some(all) = folder.parent().and_then(|parent| std::fs::read_dir(parent).ok()) else { return Vec::new() };
    let mut others: Vec<_> = all
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path != folder && path.join(FILE).exists())
        .collect();
    others.sort();
    others
}

/// Waits for its turn. The operating system frees the lock when the process ends, however it ends.
pub(super) async fn lock_images(folder: &Path) -> Result<ImageLock, TargetError> {
    make_private(folder).map_err(local)?;
    let path = folder.parent().unwrap_or(folder).join(LOCK);
    let lock = move || -> std::io::Result<ImageLock> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(ImageLock { _file: file })
    };
    let trouble = || TargetError::new(Cause::Local, "take the turn to load images");
    let locked = tokio::task::spawn_blocking(lock).await.map_err(|error| trouble().because(error))?;
    locked.map_err(|error| trouble().because(error))
}

fn local(error: HomeError) -> TargetError {
    let hint = error.hint();
    let error = TargetError::new(Cause::Local, "keep what belongs to the session").because(error);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(images: &[(&str, bool)]) -> Marks {
        let images = images.iter().map(|(name, added)| ((*name).to_owned(), *added)).collect();
        Marks { images, ..Marks::default() }
    }

    #[test]
    fn the_last_session_that_needs_an_image_removes_it() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        marks(&[("web:1", true), ("db:1", true), ("there:1", false)]).write(&one).unwrap();
        marks(&[("web:1", false), ("there:1", false)]).write(&two).unwrap();
        assert_eq!(Marks::release(&one).unwrap(), BTreeSet::from(["db:1".to_owned()]));
        assert_eq!(Marks::release(&two).unwrap(), BTreeSet::from(["web:1".to_owned()]));
    }

    #[test]
    fn another_session_vouches_for_what_it_made() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        Marks::will_make(&one, ["web", "db"].into_iter()).unwrap();
        Marks::will_make(&one, ["web"].into_iter()).unwrap();
        let made = Marks::made_by_others(&two);
        assert_eq!(made, BTreeMap::from([("one".to_owned(), BTreeSet::from(["db".to_owned(), "web".to_owned()]))]));
        assert!(Marks::made_by_others(&one).is_empty());
    }

    #[test]
    fn letting_go_twice_names_the_same_images() {
        let home = tempfile::tempdir().unwrap();
        let one = home.path().join("one");
        marks(&[("web:1", true)]).write(&one).unwrap();
        assert_eq!(Marks::release(&one).unwrap(), Marks::release(&one).unwrap());
    }

    #[test]
    fn the_engine_is_found_again() {
        let of =
            |address: &str, origin: Origin| Endpoint { address: Address::parse(address).unwrap(), tls: None, origin };
        for endpoint in [
            of("unix:///a.sock", Origin::Usual),
            of("tcp://[::1]:2375", Origin::Variable),
            of("unix:///b.sock", Origin::Context("b".into())),
        ] {
            assert_eq!(KeptEngine::of(&endpoint).endpoint().unwrap(), endpoint);
        }
    }

    #[test]
    fn what_no_label_tells_is_remembered() {
        let home = tempfile::tempdir().unwrap();
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        Marks::remember(home.path(), &set("a"), &set("n")).unwrap();
        Marks::remember(home.path(), &set("b"), &set("n")).unwrap();
        let marks = Marks::read(home.path()).unwrap();
        assert_eq!((marks.volumes.len(), marks.networks), (2, set("n")));
    }
}
