//! From a container's definition to a process: command line, user, root, and whether there is such a program.

use breakfix_workload::{FileError, FileKind, Machine, Stream, User};
use serde_json::Value;

use super::{
    environment,
    files::{Entry, Mount, Tree},
    image::{self, ImageConfig},
    run::{Ending, Inside, crash},
    volumes,
};
use crate::{
    Cluster,
    object::{entries, name, namespace, number, truth, uid},
};

/// What stands behind a command's first word.
pub(super) enum Found {
    Workload,
    /// A file that may be executed and is no program.
    BadFormat,
}

/// The command line: what the container says, or else the image.
pub(super) fn argv(
    definition: &Value,
    config: &ImageConfig,
    env: &std::collections::BTreeMap<String, String>,
) -> Vec<String> {
    let of = |field: &str| -> Vec<String> {
        entries(definition, field).iter().filter_map(Value::as_str).map(|word| environment::expand(word, env)).collect()
    };
    let (command, args) = (of("/command"), of("/args"));
    let (mut argv, rest) = match (command.is_empty(), args.is_empty()) {
        (true, true) => (config.entrypoint.clone(), config.cmd.clone()),
        (true, false) => (config.entrypoint.clone(), args),
        (false, _) => (command, args),
    };
    argv.extend(rest);
    argv
}

/// The user that the process runs as. An error is the message of CreateContainerConfigError.
pub(super) fn user(pod: &Value, definition: &Value) -> Result<User, String> {
    let of = |field: &str| {
        number(definition, &format!("/securityContext/{field}"))
            .or_else(|| number(pod, &format!("/spec/securityContext/{field}")))
    };
    let id = |value: Option<i64>| value.and_then(|id| u32::try_from(id).ok());
    let asked = id(of("runAsUser"));
    let non_root = definition
        .pointer("/securityContext/runAsNonRoot")
        .and_then(Value::as_bool)
        .unwrap_or_else(|| truth(pod, "/spec/securityContext/runAsNonRoot"));
    if non_root && asked.unwrap_or(0) == 0 {
        let subject = format!(
            "(pod: \"{}_{}({})\", container: {})",
            name(pod),
            namespace(pod),
            uid(pod),
            crate::object::text(definition, "/name")
        );
        return Err(match asked {
            None => format!("container has runAsNonRoot and image will run as root {subject}"),
            Some(_) => format!("container's runAsUser breaks non-root policy {subject}"),
        });
    }
    let gid = id(of("runAsGroup")).unwrap_or(0);
    let mut groups = vec![gid];
    let more = entries(pod, "/spec/securityContext/supplementalGroups").iter().filter_map(Value::as_i64);
    for group in more.chain(number(pod, "/spec/securityContext/fsGroup")).filter_map(|group| u32::try_from(group).ok())
    {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(User { uid: asked.unwrap_or(0), gid, groups })
}

/// The image's files with what the runtime adds: places for the mounts, and the files that name the pod.
pub(super) fn root(cluster: &Cluster, id: &str, mounts: &[Mount]) -> Tree {
    let now = u64::try_from(cluster.clock.today().as_second()).unwrap_or(0);
    let mut root = image::root();
    root.put("/dev/null", Entry::new(super::files::EntryKind::Null, 0o666, now));
    root.put("/dev/termination-log", Entry::file("", 0o666, now));
    if let Some(pod) = cluster.nodes.pods.get(id) {
        let ip = pod.address().map(|ip| ip.to_string()).unwrap_or_default();
        let hostname = super::hostname(&pod.pod);
        root.put("/etc/hosts", Entry::file(volumes::hosts(&pod.pod, &ip, &hostname), 0o644, now));
        root.put("/etc/hostname", Entry::file(format!("{hostname}\n"), 0o644, now));
        root.put("/etc/resolv.conf", Entry::file(volumes::resolv_conf(cluster, &pod.pod), 0o644, now));
    }
    for mount in mounts {
        if root.get(&mount.path).is_none() {
            root.put(&mount.path, Entry::directory(0o755, now));
        }
    }
    root
}

/// The runtime makes the working directory where it is missing.
pub(super) fn make_cwd(root: &mut Tree, cwd: &str) {
    let mut above = String::new();
    for part in cwd.split('/').filter(|part| !part.is_empty()) {
        above = format!("{above}/{part}");
        match root.get(&above) {
            None => root.put(&above, Entry::directory(0o755, 0)),
            Some(entry) if entry.is_directory() => {}
            // What is in the way shows when the process starts.
            Some(_) => return,
        }
    }
}

/// Looks for the program of a run, as the runtime does before it starts it. The error is the runtime's, without its preamble.
pub(super) fn find(cluster: &mut Cluster, id: &str, container: &str, number: u32) -> Result<Found, String> {
    let found = cluster.nodes.pods.get(id).and_then(|pod| pod.run(container, number));
    let Some((argv, cwd, image)) = found.map(|run| (run.argv.clone(), run.cwd.clone(), run.image.clone())) else {
        return Err("container not found".to_owned());
    };
    if super::resident::of(&image).is_some() {
        return Ok(Found::Workload);
    }
    let mut inside = Inside::main(cluster, id, container, number, std::time::Duration::ZERO, 0);
    if inside.stat(&cwd).is_ok_and(|stat| stat.kind != FileKind::Directory) {
        return Err(format!("error during container init: mkdir {cwd}: not a directory"));
    }
    let Some(first) = argv.first() else { return Err("no command specified".to_owned()) };
    find_as(&mut inside, first, &cwd)
}

/// Looks for a program by its first word, from inside a container.
pub(super) fn find_as(inside: &mut Inside<'_>, first: &str, cwd: &str) -> Result<Found, String> {
    if first.contains('/') {
        let path = if first.starts_with('/') { first.to_owned() } else { format!("{cwd}/{first}") };
        return match probe(inside, &path) {
            Ok(found) => Ok(found),
            Err(Refused::Missing) => Err(format!("exec: \"{first}\": stat {first}: no such file or directory")),
            Err(Refused::Denied) => Err(format!("exec: \"{first}\": permission denied")),
        };
    }
    let path = inside.env().get("PATH").cloned().unwrap_or_default();
    for folder in path.split(':').filter(|folder| !folder.is_empty()) {
        if let Ok(found) = probe(inside, &format!("{folder}/{first}")) {
            return Ok(found);
        }
    }
    Err(format!("exec: \"{first}\": executable file not found in $PATH"))
}

enum Refused {
    Missing,
    Denied,
}

fn probe(inside: &mut Inside<'_>, path: &str) -> Result<Found, Refused> {
    let mut path = path.to_owned();
    for _ in 0..8 {
        let stat = inside.stat(&path).map_err(|error| match error {
            FileError::Denied => Refused::Denied,
            _ => Refused::Missing,
        })?;
        match stat.kind {
            FileKind::Link(target) if target.starts_with('/') => path = target,
            FileKind::Link(target) => {
                path = format!("{}/{target}", path.rsplit_once('/').map_or("", |(above, _)| above))
            }
            FileKind::File if stat.mode & 0o111 == 0 => return Err(Refused::Denied),
            FileKind::File if path == "/workload" => return Ok(Found::Workload),
            FileKind::File => return Ok(Found::BadFormat),
            FileKind::Directory | FileKind::Special => return Err(Refused::Denied),
        }
    }
    Err(Refused::Missing)
}

/// The kernel starts it, and finds that it is no program.
pub(super) fn run_bad_format(cluster: &mut Cluster, id: &str, container: &str, number: u32) {
    let now = cluster.now();
    let Some(run) = cluster.nodes.pods.get_mut(id).and_then(|pod| pod.run_mut(container, number)) else { return };
    run.started = Some(now);
    let first = run.argv.first().cloned().unwrap_or_default();
    run.log.print(now, Stream::Err, &format!("exec {first}: exec format error"));
    let ending = Ending { at: now, end: breakfix_workload::End::Exit(1), is_oom: false };
    crash(cluster, id, container, number, ending);
}
