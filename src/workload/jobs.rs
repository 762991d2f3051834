//! A queue of jobs in a store's folder: the file `jobs`, a line `id state runs until` for each.

use crate::{FileError, Machine, WriteMode};

/// A job that is taken and not reported done for so long is given to another worker, in milliseconds.
const LEASE_MILLIS: u64 = 30_000;

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Job {
    id: String,
    state: State,
    /// How often it was taken.
    runs: u32,
    /// Until when its taker has it, in milliseconds since 1970.
    until: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Taken,
    Done,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Done => "done",
        }
    }

    fn read(word: &str) -> Self {
        match word {
            "taken" => Self::Taken,
            "done" => Self::Done,
            _ => Self::Waiting,
        }
    }
}

fn read(path: &str, machine: &mut dyn Machine) -> Result<Vec<Job>, FileError> {
    let bytes = match machine.read(path) {
        Ok(bytes) => bytes,
        Err(FileError::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let jobs = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let id = words.next().filter(|id| !id.is_empty())?.to_owned();
        let state = State::read(words.next().unwrap_or_default());
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        let (runs, until) = (u32::try_from(number()).unwrap_or(0), number());
        Some(Job { id, state, runs, until })
    });
    Ok(jobs.collect())
}

fn write(path: &str, jobs: &[Job], machine: &mut dyn Machine) -> Result<(), FileError> {
    let line = |job: &Job| format!("{} {} {} {}\n", job.id, job.state.word(), job.runs, job.until);
    let text: String = jobs.iter().map(line).collect();
    machine.write(path, text.as_bytes(), WriteMode::Replace)
}

/// Puts a job in line; one that is known stays as it is.
pub(crate) fn add(path: &str, id: &str, machine: &mut dyn Machine) -> Result<(), FileError> {
    let mut jobs = read(path, machine)?;
    if jobs.iter().any(|job| job.id == id) {
        return Ok(());
    }
    jobs.push(Job { id: id.to_owned(), state: State::Waiting, runs: 0, until: 0 });
    write(path, &jobs, machine)
}

/// The next job for a worker: the first that waits, or whose taker has been silent for too long.
pub(crate) fn take(path: &str, machine: &mut dyn Machine) -> Result<Option<String>, FileError> {
    let now = machine.unix_millis();
    let mut jobs = read(path, machine)?;
    let free = |job: &&mut Job| job.state == State::Waiting || (job.state == State::Taken && job.until <= now);
    let Some(job) = jobs.iter_mut().find(free) else { return Ok(None) };
    job.state = State::Taken;
    job.runs += 1;
    job.until = now + LEASE_MILLIS;
    let id = job.id.clone();
    write(path, &jobs, machine)?;
    Ok(Some(id))
}

/// A job is done; whether it was known.
pub(crate) fn done(path: &str, id: &str, machine: &mut dyn Machine) -> Result<bool, FileError> {
    let mut jobs = read(path, machine)?;
    let Some(job) = jobs.iter_mut().find(|job| job.id == id) else { return Ok(false) };
    job.state = State::Done;
    write(path, &jobs, machine).map(|()| true)
}

/// A line `id state runs` for each job.
pub(crate) fn list(path: &str, machine: &mut dyn Machine) -> Result<String, FileError> {
    let jobs = read(path, machine)?;
    Ok(jobs.iter().map(|job| format!("{} {} {}\n", job.id, job.state.word(), job.runs)).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::MemoryMachine;

    #[test]
    fn a_job_is_taken_once_and_again_only_when_its_worker_was_lost() {
        let mut machine = MemoryMachine::new();
        let at = "/jobs";
        for id in ["a", "b", "a"] {
            add(at, id, &mut machine).unwrap();
        }
        assert_eq!(take(at, &mut machine).unwrap().as_deref(), Some("a"));
        assert_eq!(take(at, &mut machine).unwrap().as_deref(), Some("b"));
        assert_eq!(take(at, &mut machine).unwrap(), None);
        assert!(done(at, "b", &mut machine).unwrap());
        assert!(!done(at, "z", &mut machine).unwrap());
        machine.now = Duration::from_millis(LEASE_MILLIS);
        assert_eq!(take(at, &mut machine).unwrap().as_deref(), Some("a"), "nobody heard of it again");
        assert_eq!(list(at, &mut machine).unwrap(), "a taken 2\nb done 1\n");
    }
}
