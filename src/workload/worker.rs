//! The role `worker`: takes jobs from a queue, works on each for a while, and reports it done.
//!
//! Asked to stop, it finishes the job in hand, if that takes no longer than DRAIN. A job that a worker took along into its end is given to
//! another one later: it is then done twice.

use std::time::Duration;

use crate::{
    CallError, End, Machine, Reaction, Request, Response, Settings, StopRule, Stream, Url, boot::NotStarted,
    fetch::fetch, shared::Shared, timer::stop_rule,
};

/// From an empty queue to the next look.
const PAUSE: Duration = Duration::from_secs(1);
/// From a failed call to the next one.
const PAUSE_FAILED: Duration = Duration::from_secs(2);

/// A running worker.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Worker {
    /// The queue: `http://api:8080/jobs`.
    jobs: Url,
    work: Duration,
    drain: Duration,
    timeout: Duration,
    stop: StopRule,
    state: Shared<State>,
}

#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct State {
    next: Duration,
    /// The job in hand.
    job: Option<String>,
    /// It has been asked to stop: when it ends at the latest.
    last: Option<Duration>,
    told: String,
}

impl Worker {
    pub(crate) fn start(settings: &Settings, machine: &mut dyn Machine) -> Result<Self, NotStarted> {
        let text = settings.text("JOBS").or_else(|| settings.positional.first().map(String::as_str));
        let text = text.ok_or_else(|| NotStarted::misconfigured("JOBS is not set"))?;
        let jobs = Url::parse(text).map_err(|error| NotStarted::misconfigured(format!("JOBS: {error}")))?;
        let work = settings.span("WORK", Duration::from_secs(2))?;
        machine.print(Stream::Out, &format!("taking jobs from {text}, {} each", crate::write_span(work)));
        Ok(Self {
            jobs,
            work,
            drain: settings.span("DRAIN", Duration::from_secs(20))?,
            timeout: settings.span("TIMEOUT", Duration::from_secs(2))?,
            stop: stop_rule(settings)?,
            state: Shared::default(),
        })
    }

    pub(crate) fn stop_rule(&self) -> StopRule {
        self.stop
    }

    pub(crate) fn stop(&self, machine: &mut dyn Machine) -> Reaction {
        let now = machine.uptime();
        let busy = self.state.with(|state| {
            state.last.get_or_insert(now + self.drain);
            if state.job.is_none() {
                state.next = now;
            }
            state.job.clone()
        });
        let line = match busy {
            Some(job) => format!("asked to stop, finishing {job} first"),
            None => "asked to stop".to_owned(),
        };
        machine.print(Stream::Out, &line);
        Reaction::Stopping
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        self.state.with(|state| Some(state.last.map_or(state.next, |last| last.min(state.next))))
    }

    pub(crate) fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        let now = machine.uptime();
        let (next, job, last) = self.state.with(|state| (state.next, state.job.clone(), state.last));
        match job {
            Some(job) if now >= next => self.finish(&job, machine),
            None if last.is_some() => return Some(End::Exit(0)),
            None if now >= next => self.take(machine),
            _ => {}
        }
        let (job, last) = self.state.with(|state| (state.job.clone(), state.last));
        match (job, last) {
            (None, Some(_)) => Some(End::Exit(0)),
            (Some(job), Some(last)) if machine.uptime() >= last => {
                machine.print(Stream::Err, &format!("no time left, {job} is not done"));
                Some(End::Exit(crate::FAILED))
            }
            _ => None,
        }
    }

    fn call(&self, verb: &str, job: &str, machine: &mut dyn Machine) -> Result<Response, CallError> {
        let path = self.jobs.target.split('?').next().unwrap_or_default().trim_end_matches('/');
        let request = Request::post(&format!("{path}/{verb}"), job);
        fetch(&self.jobs, &request, self.timeout, machine).map(|fetched| fetched.response)
    }

    fn take(&self, machine: &mut dyn Machine) {
        let answer = self.call("take", "", machine);
        let now = machine.uptime();
        match answer {
            Ok(answer) if answer.status == 200 => {
                let job = answer.body_text().trim().to_owned();
                machine.print(Stream::Out, &format!("took {job}"));
                self.state.with(|state| {
                    state.next = now + self.work;
                    state.job = Some(job);
                    state.told.clear();
                });
            }
            Ok(answer) if answer.status == 204 => self.pause(PAUSE, "", machine),
            Ok(answer) => self.pause(PAUSE_FAILED, &format!("no job: status {}", answer.status), machine),
            Err(error) => self.pause(PAUSE_FAILED, &format!("no job: {error}"), machine),
        }
    }

    fn finish(&self, job: &str, machine: &mut dyn Machine) {
        match self.call("done", job, machine) {
            Ok(answer) if answer.is_success() => {
                machine.print(Stream::Out, &format!("done {job}"));
                let now = machine.uptime();
                self.state.with(|state| {
                    state.job = None;
                    state.next = now;
                });
            }
            Ok(answer) => self.pause(PAUSE_FAILED, &format!("{job} not reported: status {}", answer.status), machine),
            Err(error) => self.pause(PAUSE_FAILED, &format!("{job} not reported: {error}"), machine),
        }
    }

    /// Wait, and tell why where that is news.
    fn pause(&self, time: Duration, why: &str, machine: &mut dyn Machine) {
        let next = machine.uptime() + time;
        let is_news = self.state.with(|state| {
            state.next = next;
            std::mem::replace(&mut state.told, why.to_owned()) != why
        });
        if is_news && !why.is_empty() {
            machine.print(Stream::Err, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryMachine, Program, SIGTERM, memory_machine::start};

    fn on(machine: &mut MemoryMachine, worker: &Program) -> Option<End> {
        machine.now = machine.now.max(worker.wakes_at().unwrap());
        worker.tick(machine)
    }

    #[test]
    fn the_job_in_hand_is_finished_before_the_end() {
        let mut machine = MemoryMachine::new();
        machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "j-1\n")));
        let worker = start("/workload worker http://10.0.0.2/jobs --work=5s", &mut machine);
        assert_eq!(on(&mut machine, &worker), None);
        assert_eq!(machine.calls.last().unwrap().1.target, "/jobs/take");
        worker.signal(SIGTERM, &mut machine);
        assert_eq!(on(&mut machine, &worker), Some(End::Exit(0)));
        assert_eq!(machine.calls.last().unwrap().1.target, "/jobs/done");
        assert!(machine.log().ends_with("took j-1\nasked to stop, finishing j-1 first\ndone j-1\n"));
    }

    #[test]
    fn work_that_takes_too_long_is_left_undone() {
        let mut machine = MemoryMachine::new();
        machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "j-1\n")));
        let worker = start("/workload worker http://10.0.0.2/jobs --work=60s --drain=3s", &mut machine);
        on(&mut machine, &worker);
        worker.signal(SIGTERM, &mut machine);
        assert_eq!(on(&mut machine, &worker), Some(End::Exit(1)));
        assert!(machine.now.as_secs() < 4 && machine.log().ends_with("no time left, j-1 is not done\n"));
    }

    #[test]
    fn an_idle_worker_ends_at_once() {
        let mut machine = MemoryMachine::new();
        machine.answer([10, 0, 0, 2], 80, Ok(Response::text(204, "")));
        let worker = start("/workload worker http://10.0.0.2/jobs", &mut machine);
        assert_eq!(on(&mut machine, &worker), None);
        worker.signal(SIGTERM, &mut machine);
        assert_eq!(on(&mut machine, &worker), Some(End::Exit(0)));
    }
}
