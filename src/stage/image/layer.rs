//! The one layer: the program, the toolbox's names, and the few files a container expects. The same bytes every time.

use std::io;

use tar::{Builder, EntryType, Header};

/// The user that labs without root run as; `/data` is its own.
const APP: u64 = 10_001;
const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\napp:x:10001:10001:app:/:/bin/sh\n";
const GROUP: &str = "root:x:0:\napp:x:10001:\n";

/// The layer as an uncompressed tar.
///
/// # Errors
/// None in practice: it is written to memory.
pub(super) fn layer(program: &[u8], tools: &[&str]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::with_capacity(program.len() + (64 << 10)));
    folder(&mut tar, "bin/", 0o755, 0)?;
    for tool in tools {
        link(&mut tar, &format!("bin/{tool}"), "/workload")?;
    }
    folder(&mut tar, "data/", 0o755, APP)?;
    folder(&mut tar, "etc/", 0o755, 0)?;
    file(&mut tar, "etc/group", 0o644, GROUP.as_bytes())?;
    file(&mut tar, "etc/passwd", 0o644, PASSWD.as_bytes())?;
    folder(&mut tar, "tmp/", 0o1777, 0)?;
    file(&mut tar, "workload", 0o755, program)?;
    tar.into_inner()
}

/// Owner and times are written down, so that the bytes depend on nothing else.
fn header(kind: EntryType, mode: u32, size: u64, owner: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(owner);
    header.set_gid(owner);
    header.set_mtime(super::archive::CREATED_SECONDS);
    header
}

fn folder(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, owner: u64) -> io::Result<()> {
    tar.append_data(&mut header(EntryType::Directory, mode, 0, owner), path, io::empty())
}

pub(super) fn file(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(EntryType::Regular, mode, bytes.len() as u64, 0), path, bytes)
}

fn link(tar: &mut Builder<Vec<u8>>, path: &str, target: &str) -> io::Result<()> {
    tar.append_link(&mut header(EntryType::Symlink, 0o777, 0, 0), path, target)
}
