//! Tools for files: `ls`, `cat`, `mkdir`, `touch`, `rm`.

use crate::{FileError, FileKind, Machine, Stat, WriteMode};

use super::{Io, arguments::Arguments, date::short};

/// `ls [-l] [-a] [-1] [-d] [-n] [-h] [-L] [PATH…]`.
pub(super) fn ls(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "l a A 1 d n h L") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("ls: {error}")),
    };
    let paths = if arguments.rest.is_empty() { vec![".".to_owned()] } else { arguments.rest.clone() };
    let mut code = 0;
    let (mut plain, mut directories) = (Vec::new(), Vec::new());
    for path in &paths {
        let full = io.path(path);
        match looked_at(&full, &arguments, machine) {
            Err(error) => code = io.complain(&format!("ls: {path}: {error}")),
            Ok(stat) if stat.kind == FileKind::Directory && !arguments.has("d") => directories.push(path),
            // A link to a directory is listed like it unless its own line is asked for.
            Ok(stat)
                if matches!(stat.kind, FileKind::Link(_)) && !arguments.has("l") && machine.list(&full).is_ok() =>
            {
                directories.push(path);
            }
            Ok(stat) => plain.push((path.clone(), stat)),
        }
    }
    show(&plain, &arguments, io);
    for (at, path) in directories.iter().enumerate() {
        if paths.len() > 1 {
            let gap = if at == 0 && plain.is_empty() { "" } else { "\n" };
            io.line(&format!("{gap}{path}:"));
        }
        match entries(&io.path(path), &arguments, machine) {
            Ok((entries, broken)) => {
                for (name, error) in broken {
                    code = io.complain(&format!("ls: {}/{name}: {error}", path.trim_end_matches('/')));
                }
                show(&entries, &arguments, io);
            }
            Err(error) => code = io.complain(&format!("ls: can't open '{path}': {error}")),
        }
    }
    code
}

/// What is at a path: with `-L` what its link leads to.
fn looked_at(path: &str, arguments: &Arguments, machine: &mut dyn Machine) -> Result<Stat, FileError> {
    let mut at = path.to_owned();
    let mut stat = machine.stat(&at)?;
    // As many as Linux follows (path_resolution(7)).
    let mut left = 40;
    while let FileKind::Link(target) = &stat.kind {
        if !arguments.has("L") {
            break;
        }
        if left == 0 {
            return Err(FileError::Other("Symbolic link loop".to_owned()));
        }
        left -= 1;
        at = if target.starts_with('/') {
            target.clone()
        } else {
            format!("{}/{target}", parent(&at).trim_end_matches('/'))
        };
        stat = machine.stat(&at)?;
    }
    Ok(stat)
}

/// Things by their names.
type Named<T> = Vec<(String, T)>;

/// What is in a directory, by name, and what of it leads nowhere (`-L`).
fn entries(
    path: &str,
    arguments: &Arguments,
    machine: &mut dyn Machine,
) -> Result<(Named<Stat>, Named<FileError>), FileError> {
    let mut names = machine.list(path)?;
    if !arguments.has("a") && !arguments.has("A") {
        names.retain(|name| !name.starts_with('.'));
    }
    if arguments.has("a") {
        names.extend([".".to_owned(), "..".to_owned()]);
    }
    names.sort();
    let (mut entries, mut broken) = (Vec::new(), Vec::new());
    for name in names {
        let full = match name.as_str() {
            "." => path.to_owned(),
            ".." => parent(path),
            name => format!("{}/{name}", path.trim_end_matches('/')),
        };
        match looked_at(&full, arguments, machine) {
            Ok(stat) => entries.push((name, stat)),
            Err(error) if arguments.has("L") => broken.push((name, error)),
            // What vanished in between is not there.
            Err(_) => {}
        }
    }
    Ok((entries, broken))
}

fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
    }
}

fn show(entries: &[(String, Stat)], arguments: &Arguments, io: &mut Io) {
    for (name, stat) in entries {
        if arguments.has("l") || arguments.has("n") {
            let arrow = if let FileKind::Link(target) = &stat.kind { format!(" -> {target}") } else { String::new() };
            let (owner, group) = (owner(stat.uid), owner(stat.gid));
            let (mode, moment) = (mode(stat), short(stat.modified));
            let size = stat.size;
            io.line(&format!("{mode}    1 {owner:<8} {group:<8} {size:>9} {moment} {name}{arrow}"));
        } else {
            io.line(name);
        }
    }
}

fn owner(id: u32) -> String {
    if id == 0 { "root".to_owned() } else { id.to_string() }
}

/// `drwxr-xr-x`.
fn mode(stat: &Stat) -> String {
    let mut text = String::from(match stat.kind {
        FileKind::File => "-",
        FileKind::Directory => "d",
        FileKind::Link(_) => "l",
        FileKind::Special => "s",
    });
    for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        text.push(if stat.mode >> bit & 1 == 1 { letter } else { '-' });
    }
    text
}

/// `cat [FILE…]`.
pub(super) fn cat(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let mut code = 0;
    let names = if arguments.is_empty() { vec!["-".to_owned()] } else { arguments.to_vec() };
    for name in names {
        match contents(&name, io, machine) {
            Ok(bytes) => io.bytes(&bytes),
            Err(error) => code = io.complain(&format!("cat: can't open '{name}': {error}")),
        }
    }
    code
}

/// A file, or standard input under the name `-`.
pub(super) fn contents(name: &str, io: &mut Io, machine: &mut dyn Machine) -> Result<Vec<u8>, FileError> {
    if name == "-" {
        return Ok(io.read_stdin());
    }
    let path = io.path(name);
    machine.read(&path)
}

/// `mkdir [-p] DIRECTORY…`.
pub(super) fn mkdir(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "p") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("mkdir: {error}")),
    };
    let mut code = 0;
    for name in &arguments.rest {
        let path = io.path(name);
        let made = if arguments.has("p") { make_all(&path, machine) } else { machine.make_directory(&path) };
        if let Err(error) = made {
            code = io.complain(&format!("mkdir: can't create directory '{name}': {error}"));
        }
    }
    code
}

fn make_all(path: &str, machine: &mut dyn Machine) -> Result<(), FileError> {
    let mut upto = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        upto = format!("{upto}/{part}");
        match machine.make_directory(&upto) {
            Ok(()) | Err(FileError::Exists) => {}
            // Above the place there may be directories that nobody may write to.
            Err(error) => drop(machine.stat(&upto).map_err(|_| error)?),
        }
    }
    Ok(())
}

/// `touch FILE…`.
pub(super) fn touch(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let mut code = 0;
    for name in arguments {
        let path = io.path(name);
        if let Err(error) = machine.write(&path, b"", WriteMode::Append) {
            code = io.complain(&format!("touch: {name}: {error}"));
        }
    }
    code
}

/// `rm [-r] [-f] PATH…`.
pub(super) fn rm(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "r R f") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("rm: {error}")),
    };
    let deep = arguments.has("r") || arguments.has("R");
    let mut code = 0;
    for name in &arguments.rest {
        match remove(&io.path(name), deep, machine) {
            Ok(()) => {}
            Err(FileError::NotFound) if arguments.has("f") => {}
            Err(error) => code = io.complain(&format!("rm: can't remove '{name}': {error}")),
        }
    }
    code
}

fn remove(path: &str, deep: bool, machine: &mut dyn Machine) -> Result<(), FileError> {
    if machine.stat(path)?.kind == FileKind::Directory {
        if !deep {
            return Err(FileError::IsADirectory);
        }
        for name in machine.list(path)? {
            remove(&format!("{}/{name}", path.trim_end_matches('/')), deep, machine)?;
        }
    }
    machine.remove(path)
}
