//! Tools for who may do what with a file: `chmod`, `chown`.

use crate::{FileError, FileKind, Machine};

use super::{Io, arguments::Arguments};

/// What may be done to one path.
type Edit<'a> = &'a dyn Fn(&str, &mut dyn Machine) -> Result<(), FileError>;

/// `chmod [-R] MODE PATH…`: `0755`, `g+w`, `u=rwx,o-rwx`.
pub(super) fn chmod(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    // A mode may begin with a minus, as a flag does.
    let deep = arguments.first().is_some_and(|first| first == "-R");
    let rest = arguments.get(usize::from(deep)..).unwrap_or_default();
    let Some((mode, paths)) = rest.split_first().filter(|(_, paths)| !paths.is_empty()) else {
        return io.complain("chmod: MODE and PATH are wanted");
    };
    if changed(mode, 0).is_none() {
        return io.complain(&format!("chmod: invalid mode '{mode}'"));
    }
    each("chmod", paths, deep, io, machine, &|path, machine| {
        let now = machine.stat(path)?.mode;
        machine.set_mode(path, changed(mode, now).unwrap_or(now))
    })
}

/// A mode after an edit as people write it; nothing where that cannot be read.
fn changed(edit: &str, mode: u32) -> Option<u32> {
    if edit.bytes().all(|byte| byte.is_ascii_digit()) {
        return u32::from_str_radix(edit, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    edit.split(',').try_fold(mode, |mode, part| {
        let at = part.find(['+', '-', '='])?;
        let (who, what) = (part.get(..at)?, part.get(at + 1..)?);
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o700,
                'g' => 0o070,
                'o' => 0o007,
                'a' => 0o777,
                _ => return None,
            };
        }
        let mask = if mask == 0 { 0o777 } else { mask };
        let mut bits = 0;
        for letter in what.chars() {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                _ => return None,
            };
        }
        Some(match part.get(at..=at)? {
            "+" => mode | (bits & mask),
            "-" => mode & !(bits & mask),
            _ => (mode & !mask) | (bits & mask),
        })
    })
}

/// `chown [-R] USER[:GROUP] PATH…`, both as numbers or `root`.
pub(super) fn chown(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "R h") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("chown: {error}")),
    };
    let Some((owner, paths)) = arguments.rest.split_first().filter(|(_, paths)| !paths.is_empty()) else {
        return io.complain("chown: OWNER and PATH are wanted");
    };
    let (user, group) = owner.split_once(':').unwrap_or((owner, ""));
    let number = |text: &str| if text == "root" { Some(0) } else { text.parse::<u32>().ok() };
    for part in [user, group] {
        if !part.is_empty() && number(part).is_none() {
            return io.complain(&format!("chown: unknown user or group {part}"));
        }
    }
    each("chown", paths, arguments.has("R"), io, machine, &|path, machine| {
        let now = machine.stat(path)?;
        machine.set_owner(path, number(user).unwrap_or(now.uid), number(group).unwrap_or(now.gid))
    })
}

fn each(tool: &str, paths: &[String], deep: bool, io: &mut Io, machine: &mut dyn Machine, edit: Edit<'_>) -> i32 {
    let mut code = 0;
    for path in paths {
        if let Err((at, error)) = walk(&io.path(path), deep, machine, edit) {
            code = io.complain(&format!("{tool}: {at}: {error}"));
        }
    }
    code
}

/// The path itself first, so that what may be entered afterwards is.
fn walk(path: &str, deep: bool, machine: &mut dyn Machine, edit: Edit<'_>) -> Result<(), (String, FileError)> {
    let at = |error| (path.to_owned(), error);
    edit(path, machine).map_err(at)?;
    if !deep || machine.stat(path).map_err(at)?.kind != FileKind::Directory {
        return Ok(());
    }
    for name in machine.list(path).map_err(at)? {
        walk(&format!("{}/{name}", path.trim_end_matches('/')), deep, machine, edit)?;
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
    fn owners_and_modes_are_changed_all_the_way_down() {
        let mut machine = MemoryMachine::new();
        machine.files.put("/data/records", "a\n");
        assert_eq!(run("chown -R 10001:20 /data", &mut machine), (0, String::new()));
        assert_eq!(run("chmod -R g+w,o-r /data", &mut machine), (0, String::new()));
        let stat = machine.stat("/data/records").unwrap();
        assert_eq!((stat.uid, stat.gid, stat.mode), (10001, 20, 0o660));
        run("chown root /data/records", &mut machine);
        run("chmod 0640 /data/records", &mut machine);
        let stat = machine.stat("/data/records").unwrap();
        assert_eq!((stat.uid, stat.gid, stat.mode), (0, 20, 0o640));
        assert_eq!(machine.stat("/data").unwrap().uid, 10001);
    }

    #[test]
    fn what_cannot_be_read_or_found_is_said() {
        let mut machine = MemoryMachine::new();
        assert_eq!(run("chown shop /", &mut machine), (1, "chown: unknown user or group shop\n".into()));
        assert_eq!(run("chmod u+q /", &mut machine), (1, "chmod: invalid mode 'u+q'\n".into()));
        assert_eq!(run("chmod 99999 /", &mut machine), (1, "chmod: invalid mode '99999'\n".into()));
        assert_eq!(run("chown 1 /x", &mut machine), (1, "chown: /x: No such file or directory\n".into()));
        assert_eq!(run("chown 1", &mut machine).0, 1);
    }

    #[test]
    fn modes_as_people_write_them() {
        assert_eq!(changed("755", 0), Some(0o755));
        assert_eq!(changed("a+r,u=rw,g=", 0o070), Some(0o604));
        assert_eq!(changed("+x", 0o644), Some(0o755));
        assert_eq!(changed("u", 0), None);
    }
}
