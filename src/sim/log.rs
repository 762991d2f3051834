//! A log of lines on disk: what was handed to a simulator since its last snapshot.
//!
//! A line counts once its line break is there, so a process killed in the middle of one leaves a torn end, which the next opening cuts
//! off. Lines are not fsynced one by one: they survive the death of the process, which is what a session has to fear; a snapshot
//! (see [`file`](crate::file)) also survives the loss of power.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// An open log. One process at a time may hold it ([`Lock`](crate::lock::Lock)).
#[derive(Debug)]
pub struct Log {
    file: File,
    /// Where the last whole line ends.
    good: u64,
    /// Something was written behind `good` and could not be taken back.
    torn: bool,
}

impl Log {
    /// Opens a log, made where it is missing, and reads its whole lines (without line breaks).
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<Vec<u8>>)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        let mut content = Vec::new();
        let length = file.metadata()?.len();
        (&mut file).take(length).read_to_end(&mut content)?;
        let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let lines = content
            .get(..whole)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        let good = whole as u64;
        let mut log = Self { file, good, torn: good < content.len() as u64 };
        log.mend()?;
        Ok((log, lines))
    }

    /// Appends one line. When this returns, the line outlives the process.
    ///
    /// # Errors
    /// As the file system refuses; the log is then as it was.
    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.mend()?;
        let mut whole = Vec::with_capacity(line.len() + 1);
        whole.extend_from_slice(line);
        whole.push(b'\n');
        if let Err(error) = self.file.write_all(&whole) {
            self.torn = true;
            let _ = self.mend();
            return Err(error);
        }
        self.good += whole.len() as u64;
        Ok(())
    }

    /// Forgets all lines: a snapshot holds what they did.
    ///
    /// # Errors
    /// As the file system refuses.
    pub fn clear(&mut self) -> io::Result<()> {
        self.torn = true;
        self.good = 0;
        self.mend()
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.good
    }

    /// Cuts off what stands behind the last whole line.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.good)?;
            self.file.seek(SeekFrom::Start(self.good))?;
            self.torn = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_torn_end_is_cut_off_and_the_next_line_follows_the_last_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, b"one\ntwo\nthr").unwrap();
        let (mut log, lines) = Log::open(&path).unwrap();
        assert_eq!(lines, [b"one", b"two"]);
        log.append(b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(log.bytes(), 14);
    }

    #[test]
    fn a_cleared_log_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (mut log, _) = Log::open(&path).unwrap();
        log.append(b"one").unwrap();
        log.clear().unwrap();
        log.append(b"two").unwrap();
        let (_, lines) = Log::open(&path).unwrap();
        assert_eq!(lines, [b"two"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_and_not_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let (mut log, lines) = Log::open(&path).unwrap();
        assert!(lines.is_empty());
        assert_eq!(log.append(b"one").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(log.bytes(), 0);
    }
}
