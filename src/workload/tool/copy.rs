//! `cp`.

use crate::{FileError, FileKind, Machine, WriteMode};

use super::{Io, arguments::Arguments};

/// `cp [-r] [-p] [-a] SOURCE… TARGET`. `-p` keeps modes and owners; `-a` is both.
pub(super) fn cp(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "r R p a f") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("cp: {error}")),
    };
    let Some((target, sources)) = arguments.rest.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return io.complain("cp: SOURCE and TARGET are wanted");
    };
    let how = How {
        deep: ["r", "R", "a"].iter().any(|flag| arguments.has(flag)),
        kept: ["p", "a"].iter().any(|flag| arguments.has(flag)),
    };
    let target = io.path(target);
    let into = machine.list(&target).is_ok();
    let mut code = 0;
    for source in sources {
        let from = io.path(source);
        // `cp -a /old/. /new` copies what is in the folder, not the folder.
        let name = from.rsplit('/').next().unwrap_or_default();
        let inside = source.ends_with("/.") || source == ".";
        let to = if into && !inside { format!("{}/{name}", target.trim_end_matches('/')) } else { target.clone() };
        if let Err((at, error)) = copy(&from, &to, how, machine) {
            code = io.complain(&format!("cp: can't copy '{at}': {error}"));
        }
    }
    code
}

#[derive(Clone, Copy)]
struct How {
    deep: bool,
    kept: bool,
}

fn copy(from: &str, to: &str, how: How, machine: &mut dyn Machine) -> Result<(), (String, FileError)> {
    let at = |error| (from.to_owned(), error);
    let stat = machine.stat(from).map_err(at)?;
    match stat.kind {
        FileKind::Directory if !how.deep => return Err(at(FileError::IsADirectory)),
        FileKind::Directory => {
            if machine.list(to).is_err() {
                machine.make_directory(to).map_err(at)?;
            }
            for name in machine.list(from).map_err(at)? {
                copy(&format!("{from}/{name}"), &format!("{to}/{name}"), how, machine)?;
            }
        }
        FileKind::File | FileKind::Link(_) => {
            let bytes = machine.read(from).map_err(at)?;
            machine.write(to, &bytes, WriteMode::Replace).map_err(at)?;
        }
        FileKind::Special => return Err(at(FileError::Other("Operation not supported".into()))),
    }
    if how.kept {
        machine.set_mode(to, stat.mode).map_err(at)?;
        machine.set_owner(to, stat.uid, stat.gid).map_err(at)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryMachine, tool};

    fn run(line: &str, machine: &mut MemoryMachine) -> (i32, String) {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = tool::run(&argv, &mut std::io::empty(), &mut out, &mut err, machine);
        (code, String::from_utf8_lossy(&err).into_owned())
    }

    #[test]
    fn folders_are_copied_whole_and_into_what_is_there() {
        let mut machine = MemoryMachine::new();
        machine.files.put("/old/records", "a\n");
        machine.files.put("/old/sub/salt", "s");
        machine.files.put("/new/x", "");
        run("chown 7:8 /old/records", &mut machine);
        assert_eq!(run("cp -a /old/. /new", &mut machine), (0, String::new()));
        assert_eq!(machine.read("/new/records").unwrap(), b"a\n");
        assert_eq!(machine.read("/new/sub/salt").unwrap(), b"s");
        assert_eq!(machine.stat("/new/records").unwrap().uid, 7);
        assert_eq!(run("cp -r /old /new", &mut machine), (0, String::new()));
        assert_eq!(machine.read("/new/old/records").unwrap(), b"a\n");
        assert_eq!(machine.stat("/new/old/records").unwrap().uid, 0, "only -p keeps the owner");
        assert_eq!(run("cp /old/records /copy", &mut machine).0, 0);
        assert_eq!(machine.read("/copy").unwrap(), b"a\n");
    }

    #[test]
    fn what_cannot_be_copied_is_said() {
        let mut machine = MemoryMachine::new();
        machine.files.put("/old/records", "a");
        assert_eq!(run("cp /old /x", &mut machine), (1, "cp: can't copy '/old': Is a directory\n".into()));
        assert_eq!(run("cp /no /x", &mut machine), (1, "cp: can't copy '/no': No such file or directory\n".into()));
        assert_eq!(run("cp /old", &mut machine).0, 1);
    }
}
