//! The journal: what is about to be done to a system, on disk before it is done.
//!
//! One JSON line an entry, appended and synced. A step that has a `begin` and no `done` was cut short; the next command
//! finishes or undoes it. A torn last line is a step whose mutation had not begun.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The steps of a session that change a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The healthy system is created.
    Create,
    /// The fault is injected.
    Fault,
    /// Everything of the session is removed, to be created again.
    Reset,
    /// A grader's trigger.
    Trigger,
    /// A control of `lab test`.
    Control,
    /// Everything of the session is removed for good.
    Clear,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub enum Entry {
    Begin {
        step: Step,
    },
    /// What a repair would need, should the step under way be cut short here.
    Note {
        note: Value,
    },
    /// What the latest note provided for is done.
    Settled,
    Done {
        step: Step,
    },
}

/// Where a change tells what its own interruption would need; see [`crate::Target::repair`].
pub trait Undo: Send + Sync {
    /// On disk when this returns. To be called before the mutation.
    ///
    /// # Errors
    /// The disk's; the mutation must not be made then.
    fn note(&self, note: Value) -> io::Result<()>;

    /// The noted mutation is complete; nothing would be left to repair.
    ///
    /// # Errors
    /// The disk's.
    fn settled(&self) -> io::Result<()>;
}

/// For tests of recovery: a process with this variable set to N ends itself, without any clean-up, right after its Nth entry.
const CRASH_AFTER: &str = "BREAKFIX_TEST_CRASH_AFTER_ENTRY";

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<File>,
    path: PathBuf,
    /// Entries left until the process ends itself; none but in tests of recovery.
    crash_after: Option<AtomicUsize>,
}

/// What was under way when breakfix last stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unfinished {
    pub step: Option<Step>,
    /// Notes not settled, oldest first.
    pub notes: Vec<Value>,
}

impl Journal {
    /// Opens the journal of a session's folder, making it if need be.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("journal.jsonl");
        let file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        drop_torn_line(&file, &path)?;
        let crash_after = std::env::var(CRASH_AFTER).ok().and_then(|text| text.parse().ok()).map(AtomicUsize::new);
        Ok(Self { file: Mutex::new(file), path, crash_after })
    }

    /// Writes one entry and syncs it.
    ///
    /// # Errors
    /// The disk's: the step must not be made.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry).map_err(io::Error::other)?;
        line.push(b'\n');
        let mut file = self.file.lock().map_err(|_| io::Error::other("the journal's lock is poisoned"))?;
        file.write_all(&line)?;
        file.sync_data()?;
        if let Some(left) = &self.crash_after
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
        }
        Ok(())
    }

    /// Whether nothing was ever written: nothing was done to any system.
    ///
    /// # Errors
    /// The disk's.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(std::fs::metadata(&self.path)?.len() == 0)
    }

    /// What was under way.
    ///
    /// # Errors
    /// The disk's, or a line in the middle that is not an entry.
    pub fn unfinished(&self) -> io::Result<Unfinished> {
        let lines: Vec<String> = BufReader::new(File::open(&self.path)?).lines().collect::<io::Result<_>>()?;
        let mut unfinished = Unfinished::default();
        for (index, line) in lines.iter().enumerate() {
            let entry = serde_json::from_str::<Entry>(line).map_err(|error| {
                let place = format!("{}, line {}: {error}", self.path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            match entry {
                Entry::Begin { step } => unfinished = Unfinished { step: Some(step), notes: Vec::new() },
                Entry::Note { note } => unfinished.notes.push(note),
                Entry::Settled => drop(unfinished.notes.pop()),
                Entry::Done { .. } => unfinished = Unfinished::default(),
            }
        }
        Ok(unfinished)
    }
}

/// A line without its end is one whose write was cut short: what it announces was never begun.
fn drop_torn_line(file: &File, path: &Path) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < bytes.len() { file.set_len(whole as u64) } else { Ok(()) }
}

impl Undo for Journal {
    fn note(&self, note: Value) -> io::Result<()> {
        self.write(&Entry::Note { note })
    }

    fn settled(&self) -> io::Result<()> {
        self.write(&Entry::Settled)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_without_its_end_is_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.unfinished().unwrap(), Unfinished::default());
        journal.write(&Entry::Begin { step: Step::Create }).unwrap();
        journal.write(&Entry::Done { step: Step::Create }).unwrap();
        journal.write(&Entry::Begin { step: Step::Trigger }).unwrap();
        journal.note(json!(1)).unwrap();
        journal.note(json!(2)).unwrap();
        journal.settled().unwrap();
        let again = Journal::open(folder.path()).unwrap();
        assert_eq!(again.unfinished().unwrap(), Unfinished { step: Some(Step::Trigger), notes: vec![json!(1)] });
    }

    #[test]
    fn a_torn_last_line_is_a_step_that_had_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("journal.jsonl"),
            "{\"entry\":\"begin\",\"step\":\"fault\"}\n{\"entry\":\"do",
        )
        .unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.unfinished().unwrap().step, Some(Step::Fault));
    }

    /// `/dev/full` takes no byte, as a full disk does (full(4)).
    #[cfg(target_os = "linux")]
    #[test]
    fn on_a_full_disk_nothing_is_announced_and_the_learner_is_told_why() {
        let file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let journal = Journal { file: Mutex::new(file), path: PathBuf::from("/dev/full"), crash_after: None };
        let error = journal.write(&Entry::Begin { step: Step::Create }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let error = crate::life::LifeError::from(error);
        assert!(error.hints().concat().contains("disk is full"), "{error}");
    }

    #[test]
    fn nonsense_in_the_middle_is_an_error_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("journal.jsonl"), "garbage\n{\"entry\":\"settled\"}\n").unwrap();
        let error = Journal::open(folder.path()).unwrap().unfinished().unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
