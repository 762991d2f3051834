//! What a process in a container may do: the workload's seam to its surroundings, answered by the model.
//!
//! A call that takes time moves this process ahead of the cloud's clock (`lead`); what it does then is dated accordingly.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use breakfix_sim::SimTime;
use breakfix_workload::{
    CallError, DnsReply, FileError, FileKind, LockError, Machine, NoReply, ParameterError, Process, Request, Response,
    SignalError, Stat, Stream, User, WriteMode, tool,
};

use super::{
    account, connect, deliver,
    files::View,
    logs,
    run::{self, Run},
};
use crate::{
    Cloud,
    network::{self, Destination, InterfaceId, Way},
};

/// A process's surroundings for as long as it is asked something.
pub struct Inside<'a> {
    pub cloud: &'a mut Cloud,
    pub task: String,
    pub container: String,
    /// How far this process is ahead of the cloud's clock.
    pub lead: Duration,
    pid: u32,
    started: SimTime,
    argv: Vec<String>,
}

/// Between two programs.
pub(super) const ROUND_TRIP: Duration = Duration::from_millis(1);

impl<'a> Inside<'a> {
    /// The container's main process.
    pub fn main(cloud: &'a mut Cloud, task: &str, container: &str, lead: Duration) -> Self {
        let now = cloud.now();
        let run = run::of(cloud, task, container);
        let (started, argv) = run.map_or((now, Vec::new()), |run| (run.started, run.argv.clone()));
        Self { cloud, task: task.to_owned(), container: container.to_owned(), lead, pid: 1, started, argv }
    }

    /// Another process of the container, started now.
    pub fn beside(cloud: &'a mut Cloud, task: &str, container: &str, argv: &[String]) -> Self {
        let started = cloud.now();
        let (task, container) = (task.to_owned(), container.to_owned());
        Self { cloud, task, container, lead: Duration::ZERO, pid: 17, started, argv: argv.to_vec() }
    }

    /// Why a command line names no program of the image, in the runtime's words.
    pub(super) fn missing_program(&mut self, argv: &[String]) -> Option<String> {
        let first = argv.first().map_or("", String::as_str);
        let name = first.rsplit('/').next().unwrap_or(first);
        let is_there = match first.contains('/') {
            true => self.stat(first).is_ok_and(|stat| matches!(stat.kind, FileKind::File | FileKind::Link(_))),
            false => tool::exists(name),
        };
        if is_there {
            return None;
        }
        Some(if first.contains('/') {
            format!("exec: \"{first}\": stat {first}: no such file or directory")
        } else {
            format!("exec: \"{first}\": executable file not found in $PATH")
        })
    }

    fn now(&self) -> SimTime {
        self.cloud.now() + self.lead
    }

    fn run(&self) -> Option<&Run> {
        run::of(self.cloud, &self.task, &self.container)
    }

    fn seconds(&self) -> u64 {
        u64::try_from(self.cloud.clock.date(self.now()).as_second()).unwrap_or(0)
    }

    fn with_files<T>(&mut self, work: impl FnOnce(&mut View) -> Result<T, FileError>) -> Result<T, FileError> {
        let super::State { tasks, shared, .. } = &mut self.cloud.tasks;
        let task = tasks.get_mut(&self.task).ok_or(FileError::NotFound)?;
        // A file system that several tasks share is lent to this one for the operation.
        let keys: Vec<(String, String)> = task.shared.iter().map(|(a, b)| (a.clone(), b.clone())).collect();
        for (volume, key) in &keys {
            task.volumes.insert(volume.clone(), shared.remove(key).unwrap_or_default());
        }
        let super::Task { containers, volumes, .. } = &mut *task;
        let container = containers.iter_mut().find(|container| container.name == self.container);
        let done = match container.and_then(|container| container.run.as_mut()) {
            None => Err(FileError::NotFound),
            Some(run) => {
                let is_root_read_only = run.is_root_read_only;
                work(&mut View { root: &mut run.root, is_root_read_only, mounts: &run.mounts, volumes })
            }
        };
        for (volume, key) in keys {
            if let Some(disk) = task.volumes.remove(&volume) {
                shared.insert(key, disk);
            }
        }
        done
    }

    fn interface(&self) -> Option<InterfaceId> {
        Some(self.cloud.tasks.get(&self.task)?.link.as_ref()?.interface.clone())
    }

    /// The address that a loopback connection ends at: the task's own, whose containers share one network.
    fn local(&self, to: SocketAddr) -> bool {
        let own = self.cloud.tasks.get(&self.task).and_then(|task| task.link.as_ref());
        to.ip().is_loopback() || own.is_some_and(|link| link.is_own && to.ip() == IpAddr::V4(link.address))
    }
}

impl Machine for Inside<'_> {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn env(&self) -> BTreeMap<String, String> {
        self.run().map(|run| run.env.clone()).unwrap_or_default()
    }

    fn hostname(&self) -> String {
        self.run().and_then(|run| run.env.get("HOSTNAME").cloned()).unwrap_or_default()
    }

    fn user(&self) -> User {
        User::default()
    }

    fn uptime(&self) -> Duration {
        self.now() - self.started
    }

    fn unix_millis(&self) -> u64 {
        u64::try_from(self.cloud.clock.date(self.now()).as_millisecond()).unwrap_or(0)
    }

    fn random(&mut self) -> u64 {
        self.cloud.chance.bits()
    }

    fn sleep(&mut self, time: Duration) {
        self.lead = self.lead.saturating_add(time);
    }

    fn print(&mut self, _stream: Stream, line: &str) {
        let at = self.now();
        logs::print(self.cloud, &self.task, &self.container, at, line);
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        self.with_files(|files| files.read(path))
    }

    fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode) -> Result<(), FileError> {
        let now = self.seconds();
        self.with_files(|files| files.write(path, bytes, mode, now))
    }

    fn stat(&mut self, path: &str) -> Result<Stat, FileError> {
        self.with_files(|files| files.stat(path))
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, FileError> {
        self.with_files(|files| files.list(path))
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.with_files(|files| files.remove(path))
    }

    fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        let now = self.seconds();
        self.with_files(|files| files.make_directory(path, now))
    }

    fn lock(&mut self, path: &str) -> Result<(), LockError> {
        let now = self.seconds();
        let key = self.with_files(|files| {
            files.write(path, b"", WriteMode::Append, now)?;
            Ok(files.lock_key(path))
        });
        let (volume, inner) = key.map_err(LockError::File)?;
        let task = self.cloud.tasks.get(&self.task);
        let shared = volume.as_ref().and_then(|volume| task?.shared.get(volume).cloned());
        let key = match (shared, volume) {
            (Some(shared), _) => format!("{shared} {inner}"),
            (None, Some(volume)) => format!("{} {volume} {inner}", self.task),
            (None, None) => format!("{}/{} {inner}", self.task, self.container),
        };
        let holder = format!("{}/{}", self.task, self.container);
        if self.cloud.tasks.locks.get(&key).is_some_and(|other| *other != holder) {
            return Err(LockError::Held);
        }
        self.cloud.tasks.locks.insert(key, holder);
        Ok(())
    }

    fn ask(&mut self, _server: IpAddr, name: &str, timeout: Duration) -> Result<DnsReply, NoReply> {
        self.cloud.tasks.went_out = true;
        let Some(interface) = self.interface() else {
            self.lead += timeout;
            return Err(NoReply::TimedOut);
        };
        self.lead += ROUND_TRIP;
        Ok(match network::resolve(self.cloud, &interface, name) {
            None => DnsReply::NoSuchName,
            Some(addresses) if addresses.is_empty() => DnsReply::NoAddress,
            Some(addresses) => {
                let addresses = addresses.into_iter().map(IpAddr::V4).collect();
                DnsReply::Addresses { canonical: name.to_owned(), addresses }
            }
        })
    }

    fn connect(&mut self, to: SocketAddr, timeout: Duration) -> Result<(), CallError> {
        // The proxy takes every connection; whom it finds is seen only by what is asked then.
        if connect::met(self.cloud, &self.task, to).is_some() {
            return Ok(());
        }
        if self.local(to) {
            return match deliver::local(self.cloud, &self.task, to.port(), self.lead) {
                Some(_) => Ok(()),
                None => Err(CallError::Refused),
            };
        }
        self.cloud.tasks.went_out = true;
        let (Some(interface), SocketAddr::V4(to)) = (self.interface(), to) else {
            return Err(CallError::Unreachable);
        };
        match network::way(self.cloud, &interface, &Destination::Address(*to.ip(), to.port())) {
            Way::Silent => {
                self.lead += timeout;
                Err(CallError::TimedOut)
            }
            Way::Open => {
                self.lead += ROUND_TRIP;
                if deliver::listens(self.cloud, to, self.lead) { Ok(()) } else { Err(CallError::Refused) }
            }
        }
    }

    fn exchange(&mut self, to: SocketAddr, request: &Request, timeout: Duration) -> Result<Response, CallError> {
        if let Some(endpoint) = connect::met(self.cloud, &self.task, to) {
            self.cloud.tasks.went_out = true;
            let Some(interface) = self.interface() else { return Err(CallError::Unreachable) };
            let answer = connect::exchange(self.cloud, &interface, &endpoint, request, (timeout, self.lead));
            self.lead += answer.took;
            return answer.result;
        }
        if self.local(to) {
            let found = deliver::local(self.cloud, &self.task, to.port(), self.lead);
            let Some(container) = found else { return Err(CallError::Refused) };
            let task = self.task.clone();
            let answer = deliver::deliver(self.cloud, &task, &container, request, timeout, self.lead);
            self.lead += answer.took;
            return answer.result;
        }
        self.cloud.tasks.went_out = true;
        let (Some(interface), SocketAddr::V4(to)) = (self.interface(), to) else {
            return Err(CallError::Unreachable);
        };
        let before = self.cloud.tasks.ahead;
        self.cloud.tasks.ahead = self.lead;
        let answer = network::exchange_timed(self.cloud, &interface, to, request, timeout);
        self.cloud.tasks.ahead = before;
        self.lead += answer.took;
        answer.result
    }

    fn parameter(&mut self, name: &str, timeout: Duration) -> Result<String, ParameterError> {
        self.cloud.tasks.went_out = true;
        let (task, env) = (self.task.clone(), self.env());
        let found = account::parameter(self.cloud, &task, &env, name);
        self.lead += if found == Err(ParameterError::TimedOut) { timeout } else { ROUND_TRIP };
        found
    }

    fn processes(&self) -> Vec<Process> {
        let Some(run) = self.run() else { return Vec::new() };
        let mut processes = vec![Process { pid: 1, uid: 0, state: 'S', argv: run.argv.clone() }];
        if self.pid != 1 {
            processes.push(Process { pid: self.pid, uid: 0, state: 'R', argv: self.argv.clone() });
        }
        processes
    }

    fn signal(&mut self, pid: u32, signal: i32) -> Result<(), SignalError> {
        if pid != 1 {
            return if self.pid == pid { Ok(()) } else { Err(SignalError::NoSuchProcess) };
        }
        // A signal from inside never reaches PID 1 without a handler, not even SIGKILL (pid_namespaces(7)).
        if signal != breakfix_workload::SIGKILL {
            let (task, container) = (self.task.clone(), self.container.clone());
            run::interrupt(self.cloud, &task, &container, signal, self.lead);
        }
        Ok(())
    }
}
