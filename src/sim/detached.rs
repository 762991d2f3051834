//! A simulator as a process of its own: started by a command that then returns, found again by the next one, stopped.
//!
//! Its folder holds a `lock` (held while it lives), `ready.json` (once it listens) and `serve.log` (what it says).

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{file::write_whole, lock::Lock};

/// How often a waiting command looks.
const LOOK: Duration = Duration::from_millis(2);
/// How much of the log an error shows, in lines.
const TAIL: usize = 12;

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub port: u16,
    pub pid: u32,
    /// When it began to listen, RFC 3339.
    pub started: String,
}

/// What is known of the process of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Running(Ready),
    /// It lives and does not listen yet.
    Starting,
    /// There was one, and it is gone.
    Dead,
    /// There never was one.
    Never,
}

/// A process could not be started, or did not get to listen.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("start {}", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("use the folder {}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("the simulator ended at once ({ended}); the end of its log {}:\n{tail}", log.display())]
    Ended { ended: String, log: PathBuf, tail: String },
    #[error("the simulator does not listen after {} s; the end of its log {}:\n{tail}", waited.as_secs(), log.display())]
    Silent { waited: Duration, log: PathBuf, tail: String },
}

/// The files of one process.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub fn ready(&self) -> PathBuf {
        self.path.join("ready.json")
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("serve.log")
    }

    /// What is known of the process.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn find(&self) -> io::Result<Found> {
        if !self.lock().try_exists()? {
            return Ok(Found::Never);
        }
        if !Lock::is_held(&self.lock())? {
            return Ok(Found::Dead);
        }
        // Its holder removes an older one before it does anything else, so what is there is the holder's own.
        Ok(self.read_ready().map_or(Found::Starting, Found::Running))
    }

    fn read_ready(&self) -> Option<Ready> {
        serde_json::from_slice(&fs::read(self.ready()).ok()?).ok()
    }

    /// For the process itself: as [`Self::enter`], but a folder that is no more stays so. Its session was removed while the process was being
    /// started, and whoever removed it could not know of the process.
    ///
    /// # Errors
    /// The folder is gone, or the file system refuses.
    pub fn enter_to_serve(&self) -> io::Result<Option<Lock>> {
        fs::metadata(&self.path)?;
        self.take()
    }

    /// Takes the lock of a folder, which is made if need be, and forgets what an earlier process left. `None` if another process is alive.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn enter(&self) -> io::Result<Option<Lock>> {
        fs::create_dir_all(&self.path)?;
        self.take()
    }

    fn take(&self) -> io::Result<Option<Lock>> {
        let Some(lock) = Lock::take(&self.lock())? else { return Ok(None) };
        match fs::remove_file(self.ready()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Some(lock)),
        }
    }

    /// For the process itself: says that it listens.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn announce(&self, ready: &Ready) -> io::Result<()> {
        let text = serde_json::to_vec(ready).map_err(io::Error::other)?;
        write_whole(&self.ready(), &text, false)
    }

    /// Starts `program` with these arguments, its standard output and error going to the log, and waits until it listens. Where
    /// another process serves the folder already, that one is the answer. The program must [`leave`] its parent's terminal by itself.
    ///
    /// # Errors
    /// It cannot be started, ends, or does not listen in time (it is killed then).
    pub fn launch(&self, program: &Path, arguments: &[OsString], patience: Duration) -> Result<Ready, LaunchError> {
        let mut child = self.start(program, arguments)?;
        let begun = Instant::now();
        loop {
            if let Some(ready) = self.read_ready().filter(|ready| ready.pid == child.id()) {
                return Ok(ready);
            }
            if let Ok(Some(status)) = child.try_wait() {
                match self.find() {
                    // Somebody else was quicker, and theirs serves as well.
                    Ok(Found::Running(ready)) => return Ok(ready),
                    Ok(Found::Starting) if begun.elapsed() <= patience => {
                        thread::sleep(LOOK);
                        continue;
                    }
                    _ => {}
                }
                return Err(LaunchError::Ended { ended: status.to_string(), log: self.log(), tail: self.tail() });
            }
            if begun.elapsed() > patience {
                let _ = child.kill();
                let _ = child.wait();
                return Err(LaunchError::Silent { waited: patience, log: self.log(), tail: self.tail() });
            }
            thread::sleep(LOOK);
        }
    }

    fn start(&self, program: &Path, arguments: &[OsString]) -> Result<Child, LaunchError> {
        let folder = |source| LaunchError::Folder { folder: self.path.clone(), source };
        fs::create_dir_all(&self.path).map_err(folder)?;
        let log = OpenOptions::new().create(true).append(true).open(self.log()).map_err(folder)?;
        let twin = log.try_clone().map_err(folder)?;
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(twin)
            // Nothing may keep the folder in which a learner happens to stand from being unmounted or removed.
            .current_dir("/")
            .spawn()
            .map_err(|source| LaunchError::Start { program: program.to_owned(), source })
    }

    /// Asks the process to end, waits, and ends it for good if it does not. Nothing happens if there is none.
    ///
    /// # Errors
    /// As the system refuses.
    pub fn stop(&self, patience: Duration) -> io::Result<()> {
        for signal in [rustix::process::Signal::TERM, rustix::process::Signal::KILL] {
            let begun = Instant::now();
            let ready = loop {
                match self.find()? {
                    Found::Running(ready) => break ready,
                    // One that is only just starting has not said who it is, but will.
                    Found::Starting if begun.elapsed() < patience => thread::sleep(LOOK),
                    Found::Starting | Found::Dead | Found::Never => return Ok(()),
                }
            };
            let pid = i32::try_from(ready.pid).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                // It may have ended between the look and the signal; the next look tells.
                let _ = rustix::process::kill_process(pid, signal);
            }
            let begun = Instant::now();
            while Lock::is_held(&self.lock())? && begun.elapsed() < patience {
                thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    fn tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().collect::<Vec<_>>();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }
}

/// For the process itself: leaves its parent's session and terminal, so that closing the terminal or Ctrl-C there does not end it,
/// and asks for ordinary pages of memory.
pub fn leave() {
    // Fails only for one that leads a session already, and that is what was wanted.
    let _ = rustix::process::setsid();
    // A world is small and waits for most of its life: huge pages, half empty, were a third of the memory it held. Where the
    // kernel has none there is nothing to refuse.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (PathBuf, Vec<OsString>) {
        (PathBuf::from("/bin/sh"), vec!["-c".into(), script.into()])
    }

    #[test]
    fn the_folder_of_nobody_and_of_somebody() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        assert_eq!(folder.find().unwrap(), Found::Never);
        let lock = folder.enter().unwrap().unwrap();
        assert!(folder.enter().unwrap().is_none(), "two do not get in");
        assert_eq!(folder.find().unwrap(), Found::Starting);
        let ready = Ready { port: 1, pid: 2, started: "2026-11-21T12:00:00Z".to_owned() };
        folder.announce(&ready).unwrap();
        assert_eq!(folder.find().unwrap(), Found::Running(ready));
        drop(lock);
        assert_eq!(folder.find().unwrap(), Found::Dead);
        let _lock = folder.enter().unwrap().unwrap();
        assert_eq!(folder.find().unwrap(), Found::Starting, "what the dead one said does not count");
    }

    #[test]
    fn a_folder_that_is_gone_is_not_served_and_does_not_come_back() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("gone");
        assert_eq!(Folder::new(&path).enter_to_serve().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!path.exists());
    }

    #[test]
    fn one_that_is_only_just_starting_is_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let lock = folder.enter().unwrap().unwrap();
        let ending = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(lock);
        });
        folder.stop(Duration::from_secs(20)).unwrap();
        assert_eq!(folder.find().unwrap(), Found::Dead, "it has ended before stop returns");
        ending.join().unwrap();
    }

    #[test]
    fn one_that_ends_at_once_tells_why() {
        let place = tempfile::tempdir().unwrap();
        let (program, arguments) = shell("echo no such snapshot >&2; exit 3");
        let error = Folder::new(place.path()).launch(&program, &arguments, Duration::from_secs(5)).unwrap_err();
        assert!(error.to_string().contains("no such snapshot"), "{error}");
        assert!(matches!(error, LaunchError::Ended { .. }));
    }

    #[test]
    fn one_that_never_listens_is_ended() {
        let place = tempfile::tempdir().unwrap();
        let (program, arguments) = shell("exec sleep 60");
        let error = Folder::new(place.path()).launch(&program, &arguments, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, LaunchError::Silent { .. }), "{error}");
    }
}
