//! The detached process of a session: begun, started, found again, ended.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use breakfix_sim::{
    detached::{self, Folder, Found, Ready},
    file::write_whole,
    pace::Pace,
    serve::{
        process::{self, LAST_WORDS, idle},
        record::{self, Record},
    },
};
use jiff::{Timestamp, tz::TimeZone};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    error::ServeError,
    host::{Host, Refused},
    keys::Keys,
    kubeconfig::{kubeconfig, super_kubeconfig},
    server::Server,
    service::Service,
    settings::Settings,
};
use crate::Cluster;

/// The file with the keys that a cluster is served with.
const KEYS: &str = "keys.json";
/// The hidden verb of the program that runs [`run`]: `PROGRAM sim-serve FOLDER`.
pub const VERB: &str = "sim-serve";

/// Begins a cluster in a folder; one that was there before is forgotten. Nothing is started.
///
/// # Errors
/// A process serves the folder, or the file system refuses.
pub fn begin(folder: &Path, cluster: &Cluster, settings: &Settings) -> Result<(), ServeError> {
    let files = Folder::new(folder);
    let held = files.enter().map_err(|source| ServeError::file(folder, source))?;
    if held.is_none() {
        return Err(ServeError::Taken { path: folder.to_owned() });
    }
    Record::begin(folder, cluster)?;
    settings.save(folder)
}

/// Whether a cluster was begun in a folder.
pub fn is_begun(folder: &Path) -> bool {
    record::exists(folder)
}

/// The keys of a folder, for a cluster that is to be served there later. One that does not know them yet is given them when it is served.
///
/// # Errors
/// The file system refuses, or what is kept there is damaged.
pub fn keys(folder: &Path, today: Timestamp) -> Result<Keys, ServeError> {
    fs::create_dir_all(folder).map_err(|source| ServeError::file(folder, source))?;
    Keys::keep(&folder.join(KEYS), today.to_zoned(TimeZone::UTC).date())
}

/// Serves a folder's cluster in this process until it is told to end, by SIGTERM, SIGINT or `POST /breakfix/shutdown`, or is idle.
/// The folder stays taken until the process is gone.
///
/// # Errors
/// Another process serves it, its files are damaged, or no port is free.
pub async fn run(folder: &Path) -> Result<(), ServeError> {
    detached::leave();
    let file = |path: PathBuf| move |source| ServeError::file(&path, source);
    let files = Folder::new(folder);
    let Some(lock) = files.enter_to_serve().map_err(file(folder.to_owned()))? else {
        return Err(ServeError::Taken { path: folder.to_owned() });
    };
    // From here on a signal is an order to end, not a death.
    let mut term = signal(SignalKind::terminate()).map_err(file(folder.to_owned()))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(file(folder.to_owned()))?;
    let mut settings = Settings::load(folder)?;
    let keys = keys(folder, Timestamp::now())?;
    let (record, cluster) = Record::open::<Cluster>(folder)?;
    let pace = Pace::Wall { speed: settings.speed };
    let host = Arc::new(Host::new(Arc::new(Mutex::new(cluster)), pace, Some(record), Timestamp::now));
    hand_over(&host, &keys)?;
    let service = Service::new(Arc::clone(&host));
    let server = Server::listen(Arc::clone(&service), &keys, settings.port).await?;
    if server.port() != settings.port {
        settings.port = server.port();
        settings.save(folder)?;
    }
    write_kubeconfigs(folder, &settings, &keys)?;
    let ready = Ready { port: server.port(), pid: std::process::id(), started: Timestamp::now().to_string() };
    files.announce(&ready).map_err(file(files.ready()))?;
    tokio::select! {
        () = server.run() => {}
        () = host.keep_time() => {}
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
        () = idle(&host, settings.idle()) => {}
    }
    tokio::time::sleep(LAST_WORDS).await;
    // A disk that refuses loses nothing: snapshot and log on it say the same.
    let saved = host.save().map_err(file(folder.join("snapshot.json")));
    // Whoever ends this process waits for the lock, and then must find no process any more: the kernel lets go of it.
    std::mem::forget(lock);
    saved
}

/// Gives the cluster the keys that it is served with, if it has others.
fn hand_over(host: &Host, keys: &Keys) -> Result<(), ServeError> {
    let trust = keys.trust();
    let is_known = host.look(|cluster| cluster.access.trust == trust).map_err(Refused::from)?;
    if is_known {
        return Ok(());
    }
    Ok(host.act(trust)?)
}

/// The folder's own is for whoever runs the simulator; the other one for whoever works with the cluster.
fn write_kubeconfigs(folder: &Path, settings: &Settings, keys: &Keys) -> Result<(), ServeError> {
    let (port, namespace) = (settings.port, settings.namespace.as_str());
    let own = (folder.join("kubeconfig"), super_kubeconfig(keys, port, namespace));
    let learners = settings.kubeconfig.clone().map(|path| (path, kubeconfig(keys, port, namespace)));
    for (path, text) in std::iter::once(own).chain(learners) {
        write_whole(&path, text.as_bytes(), true).map_err(|source| ServeError::file(&path, source))?;
    }
    Ok(())
}

/// Starts `PROGRAM sim-serve FOLDER` as a process that outlives this one, and waits until it listens.
///
/// # Errors
/// It cannot be started, or does not get to listen; the error shows the end of its log.
pub fn spawn_detached(program: &Path, folder: &Path) -> Result<Ready, ServeError> {
    let absolute = std::path::absolute(folder).map_err(|source| ServeError::file(folder, source))?;
    Ok(process::launch(program, VERB, &absolute)?)
}

/// What is known of a folder's process.
///
/// # Errors
/// As the file system refuses.
pub fn find(folder: &Path) -> Result<Found, ServeError> {
    Folder::new(folder).find().map_err(|source| ServeError::file(folder, source))
}

/// Ends a folder's process, if there is one; its cluster is saved.
///
/// # Errors
/// As the system refuses.
pub fn stop(folder: &Path) -> Result<(), ServeError> {
    process::stop(folder).map_err(|source| ServeError::file(folder, source))
}
