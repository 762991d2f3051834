//! The detached process of a session: begun, started, found again, ended.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use breakfix_sim::{
    detached::{self, Folder, Found, Ready},
    pace::Pace,
    serve::{
        process::{self, LAST_WORDS, idle},
        record::{Record, RecordError},
    },
};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{Host, error::ServeError, server::Server, service::Service, settings::Settings};
use crate::Cloud;

/// The hidden verb of the program that runs [`run`]: `PROGRAM sim-serve-aws FOLDER`.
pub const VERB: &str = "sim-serve-aws";

/// Begins a cloud in a folder; one that was there before is forgotten. Nothing is started.
///
/// # Errors
/// A process serves the folder, or the file system refuses.
pub fn begin(folder: &Path, cloud: &Cloud, settings: &Settings) -> Result<(), ServeError> {
    let held = Folder::new(folder).enter().map_err(|source| RecordError::file(folder, source))?;
    if held.is_none() {
        return Err(ServeError::Taken { path: folder.to_owned() });
    }
    Record::begin(folder, cloud)?;
    Ok(settings.save(folder)?)
}

/// Serves a folder's cloud in this process until it is told to end, by SIGTERM, SIGINT or `POST /breakfix/shutdown`, or is idle.
/// The folder stays taken until the process is gone.
///
/// # Errors
/// Another process serves it, its files are damaged, or no port is free.
pub async fn run(folder: &Path) -> Result<(), ServeError> {
    detached::leave();
    let file = |source: io::Error| RecordError::file(folder, source);
    let files = Folder::new(folder);
    let Some(lock) = files.enter_to_serve().map_err(file)? else {
        return Err(ServeError::Taken { path: folder.to_owned() });
    };
    // From here on a signal is an order to end, not a death.
    let mut term = signal(SignalKind::terminate()).map_err(file)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(file)?;
    let mut settings = Settings::load(folder)?;
    let (record, cloud) = Record::open::<Cloud>(folder)?;
    let now = Timestamp::now();
    let pace = Pace::Wall { speed: settings.speed };
    let host = Arc::new(Host::new(Arc::new(Mutex::new(cloud)), pace, Some(record), Timestamp::now));
    let service = Service::new(Arc::clone(&host), now.as_nanosecond().unsigned_abs() as u64);
    let server = Server::listen(service, settings.port, settings.balancer_port).await?;
    let (port, balancer_port) = server.ports();
    if (port, balancer_port) != (settings.port, settings.balancer_port) {
        (settings.port, settings.balancer_port) = (port, balancer_port);
        settings.save(folder)?;
    }
    let ready = Ready { port, pid: std::process::id(), started: now.to_string() };
    files.announce(&ready).map_err(file)?;
    tokio::select! {
        () = server.run() => {}
        () = host.keep_time() => {}
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
        () = idle(&host, settings.idle()) => {}
    }
    tokio::time::sleep(LAST_WORDS).await;
    // A disk that refuses loses nothing: snapshot and log on it say the same.
    let saved = host.save().map_err(file);
    // Whoever ends this process waits for the lock, and then must find no process any more: the kernel lets go of it.
    std::mem::forget(lock);
    Ok(saved?)
}

/// Starts `PROGRAM sim-serve-aws FOLDER` as a process that outlives this one, and waits until it listens.
///
/// # Errors
/// It cannot be started, or does not get to listen; the error shows the end of its log.
pub fn spawn_detached(program: &Path, folder: &Path) -> Result<Ready, ServeError> {
    let folder = std::path::absolute(folder).map_err(|source| RecordError::file(folder, source))?;
    Ok(process::launch(program, VERB, &folder)?)
}

/// What is known of a folder's process.
///
/// # Errors
/// As the file system refuses.
pub fn find(folder: &Path) -> Result<Found, ServeError> {
    Ok(Folder::new(folder).find().map_err(|source| RecordError::file(folder, source))?)
}

/// Ends a folder's process, if there is one; its cloud is saved.
///
/// # Errors
/// As the system refuses.
pub fn stop(folder: &Path) -> Result<(), ServeError> {
    Ok(process::stop(folder).map_err(|source| RecordError::file(folder, source))?)
}
