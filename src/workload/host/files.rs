//! Files, with errors in the library's words.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    sync::Mutex,
};

use breakfix_workload::{FileError, FileKind, LockError, Stat, WriteMode};

/// Locks last as long as their files are open: until the process ends.
static LOCKS: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A file is read no further than this: containers hold no larger ones that anybody looks at.
const FILE_BYTES_MAX: u64 = 16 << 20;

fn refusal(error: io::Error) -> FileError {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => FileError::NotFound,
        Kind::PermissionDenied => FileError::Denied,
        Kind::NotADirectory => FileError::NotADirectory,
        Kind::IsADirectory => FileError::IsADirectory,
        Kind::DirectoryNotEmpty => FileError::DirectoryNotEmpty,
        Kind::AlreadyExists => FileError::Exists,
        Kind::ReadOnlyFilesystem => FileError::ReadOnly,
        Kind::StorageFull | Kind::QuotaExceeded => FileError::NoSpace,
        _ => {
            let text = error.to_string();
            FileError::Other(text.split(" (os error").next().unwrap_or_default().to_owned())
        }
    }
}

pub fn read(path: &str) -> Result<Vec<u8>, FileError> {
    use io::Read;
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)).map_err(refusal)?;
    Ok(bytes)
}

pub fn write(path: &str, bytes: &[u8], mode: WriteMode) -> Result<(), FileError> {
    let append = mode == WriteMode::Append;
    let opened = OpenOptions::new().write(true).create(true).append(append).truncate(!append).open(path);
    let mut file = opened.map_err(refusal)?;
    let meta = file.metadata().map_err(refusal)?;
    let written = file.write_all(bytes);
    if !meta.is_file() {
        // Pipes and devices cannot be synced.
        return written.map_err(refusal);
    }
    let done = written.and_then(|()| file.sync_all());
    if done.is_err() && append {
        // What is not safely on the disk must not look as if it were.
        drop(file.set_len(meta.len()));
    }
    done.map_err(refusal)
}

pub fn stat(path: &str) -> Result<Stat, FileError> {
    let meta = fs::symlink_metadata(path).map_err(refusal)?;
    let kind = if meta.is_dir() {
        FileKind::Directory
    } else if meta.is_file() {
        FileKind::File
    } else if meta.is_symlink() {
        FileKind::Link(fs::read_link(path).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default())
    } else {
        FileKind::Special
    };
    let modified = u64::try_from(meta.mtime()).unwrap_or_default();
    Ok(Stat { kind, mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid(), size: meta.len(), modified })
}

pub fn list(path: &str) -> Result<Vec<String>, FileError> {
    let entries = fs::read_dir(path).map_err(refusal)?;
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<io::Result<_>>().map_err(refusal)
}

pub fn remove(path: &str) -> Result<(), FileError> {
    let is_directory = stat(path)?.kind == FileKind::Directory;
    let removed = if is_directory { fs::remove_dir(path) } else { fs::remove_file(path) };
    removed.map_err(refusal)
}

pub fn make_directory(path: &str) -> Result<(), FileError> {
    fs::create_dir(path).map_err(refusal)
}

pub fn set_mode(path: &str, mode: u32) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt;
    if stat(path)?.kind == FileKind::Directory || stat(path)?.kind == FileKind::File {
        return fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(refusal);
    }
    // A link has no mode of its own.
    Ok(())
}

pub fn set_owner(path: &str, uid: u32, gid: u32) -> Result<(), FileError> {
    std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(refusal)
}

pub fn lock(path: &str) -> Result<(), LockError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| LockError::File(refusal(error)))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LockError::Held),
        Err(TryLockError::Error(error)) => return Err(LockError::File(refusal(error))),
    }
    if let Ok(mut locks) = LOCKS.lock() {
        locks.push(file);
    }
    Ok(())
}
