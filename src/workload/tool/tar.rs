//! `tar`: as much of it as `kubectl cp` and people with one folder need. The format is ustar (POSIX.1-1988), without links' targets
//! beyond 100 characters and without sparse files.

use crate::{FileKind, Machine, Stat, WriteMode};

use super::{Io, arguments::Arguments};

const BLOCK: usize = 512;

/// `tar c|x|t[m][v]f FILE|- [-C FOLDER] [PATH…]`.
pub(super) fn tar(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    // The first word may stand without its dash.
    let mut words = arguments.to_vec();
    if let Some(first) = words.first_mut().filter(|first| !first.starts_with('-')) {
        first.insert(0, '-');
    }
    let flags = "c x t m v f= C= p o no-same-permissions no-same-owner";
    let read = match Arguments::read(&words, flags) {
        Ok(read) => read,
        Err(error) => return io.complain(&format!("tar: {error}")),
    };
    let base = io.path(read.value("C").unwrap_or("."));
    let file = read.value("f").unwrap_or("-").to_owned();
    if read.has("c") {
        return create(&read.rest, &base, &file, io, machine);
    }
    if !read.has("x") && !read.has("t") {
        return io.complain("tar: one of c, x, t is wanted");
    }
    let archive = if file == "-" {
        io.read_stdin()
    } else {
        match machine.read(&io.path(&file)) {
            Ok(bytes) => bytes,
            Err(error) => return io.complain(&format!("tar: can't open '{file}': {error}")),
        }
    };
    extract(&archive, &base, read.has("t"), read.has("v"), io, machine)
}

fn create(paths: &[String], base: &str, file: &str, io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let mut archive = Vec::new();
    let mut code = 0;
    for path in paths {
        let full = if path.starts_with('/') { path.clone() } else { format!("{base}/{path}") };
        if path.starts_with('/') {
            io.complain("tar: removing leading '/' from member names");
        }
        let name = path.trim_start_matches('/').trim_end_matches('/').to_owned();
        code |= add(&full, &name, &mut archive, io, machine);
    }
    archive.extend([0; 2 * BLOCK]);
    if file == "-" {
        io.bytes(&archive);
    } else if let Err(error) = machine.write(&io.path(file), &archive, WriteMode::Replace) {
        return io.complain(&format!("tar: can't open '{file}': {error}"));
    }
    code
}

/// One file, or a folder with all that is in it.
fn add(full: &str, name: &str, archive: &mut Vec<u8>, io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let stat = match machine.stat(full) {
        Ok(stat) => stat,
        Err(error) => return io.complain(&format!("tar: {name}: {error}")),
    };
    if name.len() > 100 {
        return io.complain(&format!("tar: {name}: name is too long"));
    }
    match &stat.kind {
        FileKind::File => match machine.read(full) {
            Ok(bytes) => {
                archive.extend(header(name, &stat, bytes.len(), b'0', ""));
                archive.extend(&bytes);
                archive.resize(archive.len().next_multiple_of(BLOCK), 0);
                0
            }
            Err(error) => io.complain(&format!("tar: can't open '{name}': {error}")),
        },
        FileKind::Directory => {
            let mut code = 0;
            if !name.is_empty() {
                archive.extend(header(&format!("{name}/"), &stat, 0, b'5', ""));
            }
            for entry in machine.list(full).unwrap_or_default() {
                let inner = if name.is_empty() { entry.clone() } else { format!("{name}/{entry}") };
                code |= add(&format!("{}/{entry}", full.trim_end_matches('/')), &inner, archive, io, machine);
            }
            code
        }
        FileKind::Link(target) => {
            archive.extend(header(name, &stat, 0, b'2', target));
            0
        }
        FileKind::Special => 0,
    }
}

fn header(name: &str, stat: &Stat, size: usize, kind: u8, link: &str) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        for (place, byte) in block.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    };
    put(0, name.as_bytes());
    put(100, format!("{:07o}", stat.mode & 0o7777).as_bytes());
    put(108, format!("{:07o}", stat.uid).as_bytes());
    put(116, format!("{:07o}", stat.gid).as_bytes());
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{:011o}", stat.modified).as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.get(..100).unwrap_or(link).as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (place, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *place = byte;
    }
    block
}

fn text(block: &[u8], at: usize, length: usize) -> String {
    let field = block.get(at..at + length).unwrap_or_default();
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).trim().to_owned()
}

fn extract(archive: &[u8], base: &str, only_list: bool, verbose: bool, io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let mut rest = archive;
    let mut code = 0;
    while let Some((block, after)) = rest.split_at_checked(BLOCK) {
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let prefix = text(block, 345, 155);
        let name = text(block, 0, 100);
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let Ok(size) = usize::from_str_radix(&text(block, 124, 12), 8) else {
            return io.complain("tar: invalid tar header");
        };
        let Some(bytes) = after.get(..size) else { return io.complain("tar: short read") };
        rest = after.get(size.next_multiple_of(BLOCK)..).unwrap_or_default();
        let kind = block.get(156).copied().unwrap_or(0);
        // Extended headers of newer writers say nothing that is needed here.
        if matches!(kind, b'x' | b'g' | b'L' | b'K') {
            continue;
        }
        if only_list || verbose {
            io.line(&name);
        }
        if !only_list {
            code |= unpack(&name, kind, bytes, base, io, machine);
        }
    }
    code
}

fn unpack(name: &str, kind: u8, bytes: &[u8], base: &str, io: &mut Io, machine: &mut dyn Machine) -> i32 {
    if name.split('/').any(|part| part == "..") {
        return io.complain(&format!("tar: {name}: name contains '..'"));
    }
    let path = format!("{}/{}", base.trim_end_matches('/'), name.trim_matches('/'));
    let mut above = String::new();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let folders = if kind == b'5' { parts.len() } else { parts.len().saturating_sub(1) };
    for part in parts.iter().take(folders) {
        above = format!("{above}/{part}");
        if machine.list(&above).is_err()
            && let Err(error) = machine.make_directory(&above)
        {
            return io.complain(&format!("tar: can't make dir {above}: {error}"));
        }
    }
    match kind {
        b'0' | 0 => match machine.write(&path, bytes, WriteMode::Replace) {
            Ok(()) => 0,
            Err(error) => io.complain(&format!("tar: can't open '{name}': {error}")),
        },
        b'5' => 0,
        _ => io.complain(&format!("tar: {name}: only files and folders are unpacked")),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Machine, MemoryMachine, WriteMode, tool::run};

    fn call(line: &str, input: &[u8], machine: &mut MemoryMachine) -> (i32, Vec<u8>) {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&argv, &mut &*input, &mut out, &mut err, machine);
        (code, if code == 0 { out } else { err })
    }

    /// The command lines of `kubectl cp`, both ways.
    #[test]
    fn what_is_packed_is_unpacked_elsewhere() {
        let mut machine = MemoryMachine::new();
        machine.make_directory("/data").unwrap();
        machine.make_directory("/new").unwrap();
        machine.write("/data/orders", &[b'x'; 700], WriteMode::Replace).unwrap();
        let (code, archive) = call("tar cf - /data", b"", &mut machine);
        assert_eq!((code, archive.len() % 512), (0, 0));
        assert_eq!(call("tar -xmf - -C /new", &archive, &mut machine), (0, Vec::new()));
        assert_eq!(machine.read("/new/data/orders").unwrap(), [b'x'; 700]);
        assert_eq!(call("tar tf -", &archive, &mut machine), (0, b"data/\ndata/orders\n".to_vec()));
        assert_eq!(call("tar xf -", b"no archive, but longer than nothing", &mut machine).0, 0);
        assert_eq!(call("tar xf -", &[b'9'; 600], &mut machine).0, 1);
    }
}
