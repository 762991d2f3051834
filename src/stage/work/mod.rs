//! The learner's work folder: laid out from the lab's `work/`, edited by changes, read for a build.

mod ignore;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use breakfix_lab::change::Write;

use crate::{
    image::CREATED_SECONDS,
    target::{Cause, Place, Reach, TargetError},
};
use ignore::Ignore;

/// Where a lab keeps what the learner works on.
const PREFIX: &str = "work/";
/// A folder that holds more than this, in bytes, is not built by the grader.
const FOLDER_MAX: u64 = 64 << 20;

/// A folder's files, by their paths with `/` between the parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    File { mode: u32, bytes: Vec<u8> },
    Link(PathBuf),
}

/// Where the learner works.
pub(crate) fn folder(place: &Place) -> PathBuf {
    place.folder.join("work")
}

/// Whether the lab has a work folder at all.
pub(crate) fn is_wanted(place: &Place) -> bool {
    place.texts.keys().any(|path| path.starts_with(PREFIX))
}

/// Lays the folder out as the lab has it. One that a learner changed is moved aside first (`work.1`), never overwritten.
pub(crate) fn lay_out(place: &Place) -> Result<(), TargetError> {
    if !is_wanted(place) {
        return Ok(());
    }
    let folder = folder(place);
    let fresh = Files::of_lab(place);
    let trouble = |error: io::Error| {
        TargetError::new(Cause::Local, format!("lay out the work folder {}", folder.display())).because(error)
    };
    if folder.exists() {
        if Files::read(&folder).map_err(trouble)? == fresh {
            return Ok(());
        }
        fs::rename(&folder, aside(&folder)).map_err(trouble)?;
    }
    fresh.write(&folder).map_err(trouble)
}

/// Tells the learner where the folder is.
pub(crate) fn tell(place: &Place, reach: &mut Reach) {
    if !is_wanted(place) {
        return;
    }
    let folder = folder(place).display().to_string();
    reach.notes.push(format!(
        "The files to work on are in {folder} (`cd \"$BREAKFIX_WORK\"` in `breakfix shell`); a reset keeps yours beside it."
    ));
    reach.env.insert("BREAKFIX_WORK".to_owned(), folder);
}

/// The first name beside the folder that is free.
fn aside(folder: &Path) -> PathBuf {
    let named = |number: u32| folder.with_extension(number.to_string());
    (1..).map(named).find(|path| !path.exists()).unwrap_or_else(|| named(0))
}

/// Makes an edit in the learner's own folder.
pub(crate) fn edit(place: &Place, write: &Write) -> Result<(), TargetError> {
    let what = format!("write {} in the work folder", write.path);
    let trouble = |error: io::Error| TargetError::new(Cause::Local, what.clone()).because(error);
    let mut files = Files::read(&folder(place)).map_err(trouble)?;
    files.edit(place, write)?;
    let path = folder(place).join(&write.path);
    match files.0.get(&write.path) {
        None if path.exists() => fs::remove_file(&path).map_err(trouble),
        None => Ok(()),
        Some(entry) => put(&path, entry).map_err(trouble),
    }
}

impl Files {
    fn of_lab(place: &Place) -> Self {
        let own = place.texts.iter().filter_map(|(path, text)| Some((path.strip_prefix(PREFIX)?, text)));
        Self(own.map(|(path, text)| (path.to_owned(), Entry::text(text))).collect())
    }

    /// Everything below a folder. Links are kept as links.
    ///
    /// # Errors
    /// The disk's, or there is too much.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let (mut files, mut size) = (BTreeMap::new(), 0);
        walk(folder, "", &mut files, &mut size)?;
        Ok(Self(files))
    }

    /// The texts of the folder by their paths; a file that is no text is left out.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(path, entry)| match entry {
            Entry::File { bytes, .. } => Some((path.as_str(), std::str::from_utf8(bytes).ok()?)),
            Entry::Link(_) => None,
        })
    }

    /// A file that is only in memory.
    pub(crate) fn add(&mut self, path: &str, bytes: Vec<u8>) {
        self.0.insert(path.to_owned(), Entry::File { mode: 0o644, bytes });
    }

    pub(crate) fn edit(&mut self, place: &Place, write: &Write) -> Result<(), TargetError> {
        let refused = |why: &str| {
            TargetError::new(Cause::Refused, format!("write {} in the work folder", write.path)).hint(why.to_owned())
        };
        if !Path::new(&write.path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(refused("It has to be a path within the folder."));
        }
        if !write.edits.is_empty() {
            return self.edit_in_place(write).map_err(|why| refused(&why));
        }
        let text = match (&write.text, &write.from) {
            (Some(text), _) => Some(text),
            (None, Some(from)) => {
                Some(place.texts.get(from).ok_or_else(|| refused(&format!("The lab has no file {from}.")))?)
            }
            (None, None) => None,
        };
        match text {
            Some(text) => drop(self.0.insert(write.path.clone(), Entry::text(text))),
            None => drop(self.0.remove(&write.path)),
        }
        Ok(())
    }

    /// Makes the edits of one file, or none of them.
    fn edit_in_place(&mut self, write: &Write) -> Result<(), String> {
        let Some(Entry::File { bytes, .. }) = self.0.get_mut(&write.path) else {
            return Err("The folder has no such file.".to_owned());
        };
        let mut text = String::from_utf8(bytes.clone()).map_err(|_| "The file is no text.".to_owned())?;
        for edit in &write.edits {
            if text.matches(&edit.old).count() != 1 {
                let first = edit.old.trim().lines().next().unwrap_or_default();
                return Err(format!("`{first}` does not stand in it exactly once."));
            }
            text = text.replacen(&edit.old, &edit.new, 1);
        }
        *bytes = text.into_bytes();
        Ok(())
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        self.0.iter().try_for_each(|(path, entry)| put(&folder.join(path), entry))
    }

    /// The context of a build, as Docker's command line sends it: without what `.dockerignore` names, owned by root.
    ///
    /// # Errors
    /// None in practice: it is written to memory.
    pub(crate) fn context(&self) -> io::Result<Vec<u8>> {
        let ignore = match self.0.get(".dockerignore") {
            Some(Entry::File { bytes, .. }) => Ignore::read(&String::from_utf8_lossy(bytes)),
            _ => Ignore::default(),
        };
        let mut tar = tar::Builder::new(Vec::new());
        // Builders need these two whatever is ignored.
        let sent = self
            .0
            .iter()
            .filter(|(path, _)| ["Dockerfile", ".dockerignore"].contains(&path.as_str()) || !ignore.holds(path));
        for (path, entry) in sent {
            let mut header = tar::Header::new_gnu();
            header.set_mtime(CREATED_SECONDS);
            header.set_uid(0);
            header.set_gid(0);
            match entry {
                Entry::File { mode, bytes } => {
                    header.set_mode(*mode);
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, path, bytes.as_slice())?;
                }
                Entry::Link(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_mode(0o777);
                    header.set_size(0);
                    tar.append_link(&mut header, path, target)?;
                }
            }
        }
        tar.into_inner()
    }
}

impl Entry {
    fn text(text: &str) -> Self {
        Self::File { mode: 0o644, bytes: text.as_bytes().to_vec() }
    }
}

fn put(path: &Path, entry: &Entry) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match entry {
        Entry::File { bytes, .. } => fs::write(path, bytes),
        #[cfg(unix)]
        Entry::Link(target) => std::os::unix::fs::symlink(target, path),
        #[cfg(not(unix))]
        Entry::Link(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "links are not written here")),
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Entry>, size: &mut u64) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let about = entry.metadata()?;
        if about.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files, size)?;
        } else if about.is_symlink() {
            files.insert(path, Entry::Link(fs::read_link(entry.path())?));
        } else if about.is_file() {
            *size += about.len();
            if *size > FOLDER_MAX {
                return Err(io::Error::other(format!("the folder holds more than {} MiB", FOLDER_MAX >> 20)));
            }
            files.insert(path, Entry::File { mode: mode_of(&about), bytes: fs::read(entry.path())? });
        }
    }
    Ok(())
}

/// As an image shows it: who may run it counts, what this machine's umask took away does not.
#[cfg(unix)]
fn mode_of(about: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    if about.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0o755
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use breakfix_lab::change::Edit;
    use jiff::Timestamp;

    use super::*;

    fn place(folder: &Path) -> Place {
        let texts =
            [("work/Dockerfile", "FROM scratch\n"), ("work/src/page.txt", "one"), ("controls/two", "FROM two\n")];
        Place {
            platform: breakfix_lab::Platform::Docker,
            session: "s".into(),
            lab: "l".into(),
            folder: folder.to_owned(),
            namespace: String::new(),
            documents: Vec::new(),
            files: BTreeMap::new(),
            texts: texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
            images: Vec::new(),
            zones: Vec::new(),
            contexts: Vec::new(),
            requires: Vec::new(),
            opened: Timestamp::UNIX_EPOCH,
        }
    }

    fn write(path: &str, text: Option<&str>, from: Option<&str>) -> Write {
        Write {
            path: path.into(),
            text: text.map(str::to_owned),
            from: from.map(str::to_owned),
            edits: Vec::new(),
            remove: text.is_none() && from.is_none(),
        }
    }

    #[test]
    fn an_edit_finds_its_place_exactly_once_or_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        lay_out(&place).unwrap();
        let edits = |pairs: &[(&str, &str)]| Write {
            path: "Dockerfile".into(),
            text: None,
            from: None,
            edits: pairs.iter().map(|(old, new)| Edit { old: (*old).into(), new: (*new).into() }).collect(),
            remove: false,
        };
        edit(&place, &edits(&[("FROM", "from"), ("scratch", "base")])).unwrap();
        let path = folder(&place).join("Dockerfile");
        assert_eq!(fs::read_to_string(&path).unwrap(), "from base\n");
        // Not there, and there twice.
        for (wrong, word) in [([("base", "x"), ("nowhere", "y")], "nowhere"), ([("base", "bases"), ("s", "y")], "`s`")]
        {
            let error = edit(&place, &edits(&wrong)).unwrap_err();
            assert!(error.hints[0].contains(word), "{:?}", error.hints);
            assert_eq!(fs::read_to_string(&path).unwrap(), "from base\n");
        }
    }

    #[test]
    fn what_a_learner_changed_is_moved_aside_and_not_lost() {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        lay_out(&place).unwrap();
        lay_out(&place).unwrap();
        assert!(!home.path().join("work.1").exists(), "nothing was changed");
        fs::write(folder(&place).join("src/page.txt"), "mine").unwrap();
        lay_out(&place).unwrap();
        assert_eq!(fs::read_to_string(home.path().join("work.1/src/page.txt")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(folder(&place).join("src/page.txt")).unwrap(), "one");
    }

    #[test]
    fn edits_write_take_from_the_lab_and_remove() {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        lay_out(&place).unwrap();
        edit(&place, &write("src/new/page.txt", Some("two"), None)).unwrap();
        edit(&place, &write("Dockerfile", None, Some("controls/two"))).unwrap();
        edit(&place, &write("src/page.txt", None, None)).unwrap();
        edit(&place, &write("src/page.txt", None, None)).unwrap();
        assert_eq!(fs::read_to_string(folder(&place).join("src/new/page.txt")).unwrap(), "two");
        assert_eq!(fs::read_to_string(folder(&place).join("Dockerfile")).unwrap(), "FROM two\n");
        assert!(!folder(&place).join("src/page.txt").exists());
        for path in ["../out", "/etc/passwd", "a/../../b"] {
            assert_eq!(edit(&place, &write(path, Some("x"), None)).unwrap_err().cause, Cause::Refused, "{path}");
        }
    }

    #[test]
    fn the_context_is_roots_and_without_what_is_ignored() {
        let mut files = Files::default();
        for (path, text) in
            [("Dockerfile", "d"), (".dockerignore", "Dockerfile\nsecret\n"), ("secret/key", "k"), ("a", "a")]
        {
            files.add(path, text.as_bytes().to_vec());
        }
        let context = files.context().unwrap();
        let mut archive = tar::Archive::new(context.as_slice());
        let mut seen = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (0, 0));
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            seen.insert(entry.path().unwrap().display().to_string(), text);
        }
        assert_eq!(seen.keys().collect::<Vec<_>>(), [".dockerignore", "Dockerfile", "a"]);
    }
}
