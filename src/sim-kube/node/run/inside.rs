//! What a process in a container may do: the workload's seam to its surroundings, answered by the model.
//!
//! A call that takes time moves this process ahead of the cluster's clock (`lead`); what it does then is dated accordingly.

use std::{
    cell::Cell,
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use breakfix_sim::SimTime;
use breakfix_workload::{
    CallError, DnsReply, FileError, LockError, Machine, NoReply, Process, RecordKind, Records, Request, Response,
    SignalError, Stat, Stream, User, WriteMode,
};

use super::{Run, program};
use crate::{
    Cluster,
    network::{self, Caller, Source},
    node::{Nodes, files::View, host},
    object::{entries, text},
};

/// Which process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The pod's uid.
    pub pod: String,
    pub container: String,
    /// The run's number.
    pub run: u32,
    /// 1 is the container's main process.
    pub pid: u32,
}

/// A process's surroundings for as long as it is asked something.
pub struct Inside<'a> {
    pub cluster: &'a mut Cluster,
    pub who: Who,
    /// How far this process is ahead of the cluster's clock.
    pub lead: Duration,
    /// The same, for whoever takes down what it prints and when.
    pub pace: Option<Rc<Cell<Duration>>>,
    /// How many programs wait for this one's answer.
    pub depth: u32,
    /// When the process started.
    started: SimTime,
    argv: Vec<String>,
}

impl<'a> Inside<'a> {
    /// The container's main process.
    pub fn main(cluster: &'a mut Cluster, pod: &str, container: &str, run: u32, lead: Duration, depth: u32) -> Self {
        let now = cluster.now();
        let who = Who { pod: pod.to_owned(), container: container.to_owned(), run, pid: 1 };
        let mut inside = Self { cluster, who, lead, pace: None, depth, started: now, argv: Vec::new() };
        if let Some(run) = inside.run() {
            let (started, argv) = (run.started.unwrap_or(now), run.argv.clone());
            (inside.started, inside.argv) = (started, argv);
        }
        inside
    }

    /// Another process of the container, started now.
    pub fn beside(cluster: &'a mut Cluster, pod: &str, container: &str, run: u32, argv: &[String]) -> Self {
        let started = cluster.now();
        let pid = match cluster.nodes.pods.get_mut(pod) {
            Some(pod) => {
                pod.next_pid += 1;
                pod.next_pid
            }
            None => 7,
        };
        let who = Who { pod: pod.to_owned(), container: container.to_owned(), run, pid };
        Self { cluster, who, lead: Duration::ZERO, pace: None, depth: 0, started, argv: argv.to_vec() }
    }

    /// Something takes time.
    fn spend(&mut self, time: Duration) {
        self.lead = self.lead.saturating_add(time);
        if let Some(pace) = &self.pace {
            pace.set(self.lead);
        }
    }

    /// This process's present.
    pub fn now(&self) -> SimTime {
        self.cluster.now() + self.lead
    }

    fn run(&self) -> Option<&Run> {
        self.cluster.nodes.pods.get(&self.who.pod)?.run(&self.who.container, self.who.run)
    }

    /// The container whose processes this one sees: a debug container joins its target's PID namespace (`targetContainerName`;
    /// CRI's namespace mode TARGET). With it the number of this container's own main process in there.
    fn joined(&self) -> Option<(&str, &Run, u32)> {
        let pod = self.cluster.nodes.pods.get(&self.who.pod)?;
        let debuggers = entries(&pod.pod, "/spec/ephemeralContainers");
        let place = debuggers.iter().position(|it| text(it, "/name") == self.who.container)?;
        let target = debuggers.get(place).map(|it| text(it, "/targetContainerName"))?;
        let run = pod.containers.get(target)?.run.as_ref().filter(|run| run.is_running())?;
        // 1 is the target's.
        Some((target, run, u32::try_from(place).ok()? + 2))
    }

    fn seconds(&self) -> u64 {
        u64::try_from(self.cluster.clock.date(self.now()).as_second()).unwrap_or(0)
    }

    fn with_files<T>(&mut self, work: impl FnOnce(&mut View, &User) -> Result<T, FileError>) -> Result<T, FileError> {
        let node = self.cluster.nodes.pods.get(&self.who.pod).ok_or(FileError::NotFound)?.node.clone();
        host::ensure(self.cluster, &node);
        let Nodes { pods, disks, .. } = &mut self.cluster.nodes;
        let pod = pods.get_mut(&self.who.pod).ok_or(FileError::NotFound)?;
        let host = disks.get_mut(&node).ok_or(FileError::NotFound)?;
        let volumes = &mut pod.volumes;
        let run = pod.containers.get_mut(&self.who.container).and_then(|container| container.run.as_mut());
        let run = run.filter(|run| run.number == self.who.run).ok_or(FileError::NotFound)?;
        let user = run.user.clone();
        let mut view = View {
            root: &mut run.root,
            is_root_read_only: run.is_root_read_only,
            mounts: &mut run.mounts,
            volumes,
            host,
            is_root_bound: run.is_root_bound,
        };
        work(&mut view, &user)
    }

    fn caller(&self) -> Caller {
        Caller { source: Source::Pod(self.who.pod.clone()), lead: self.lead, depth: self.depth }
    }
}

impl Machine for Inside<'_> {
    fn pid(&self) -> u32 {
        match self.joined() {
            Some((_, _, main)) if self.who.pid == 1 => main,
            _ => self.who.pid,
        }
    }

    fn env(&self) -> BTreeMap<String, String> {
        self.run().map(|run| run.env.clone()).unwrap_or_default()
    }

    fn hostname(&self) -> String {
        self.cluster.nodes.pods.get(&self.who.pod).map(|pod| crate::node::hostname(&pod.pod)).unwrap_or_default()
    }

    fn user(&self) -> User {
        self.run().map(|run| run.user.clone()).unwrap_or_default()
    }

    fn uptime(&self) -> Duration {
        self.now() - self.started
    }

    fn unix_millis(&self) -> u64 {
        u64::try_from(self.cluster.clock.date(self.now()).as_millisecond()).unwrap_or(0)
    }

    fn random(&mut self) -> u64 {
        self.cluster.chance.bits()
    }

    fn sleep(&mut self, time: Duration) {
        self.spend(time);
    }

    fn print(&mut self, stream: Stream, line: &str) {
        let at = self.now();
        let (container, number) = (self.who.container.clone(), self.who.run);
        let pod = self.cluster.nodes.pods.get_mut(&self.who.pod);
        if let Some(run) = pod.and_then(|pod| pod.run_mut(&container, number)) {
            run.log.print(at, stream, line);
        }
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        self.with_files(|files, user| files.read(path, user))
    }

    fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode) -> Result<(), FileError> {
        let now = self.seconds();
        self.with_files(|files, user| files.write(path, bytes, mode, user, now))
    }

    fn stat(&mut self, path: &str) -> Result<Stat, FileError> {
        self.with_files(|files, user| files.stat(path, user))
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, FileError> {
        self.with_files(|files, user| files.list(path, user))
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.with_files(|files, user| files.remove(path, user))
    }

    fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        let now = self.seconds();
        self.with_files(|files, user| files.make_directory(path, user, now))
    }

    fn lock(&mut self, path: &str) -> Result<(), LockError> {
        let now = self.seconds();
        let private = format!("{}/{}/{}", self.who.pod, self.who.container, self.who.run);
        let key = self.with_files(|files, user| {
            files.write(path, b"", WriteMode::Append, user, now)?;
            let place = files.locate(path, user, true)?;
            Ok(files.lock_key(&place, &private))
        });
        // The same volume's name means another volume in another pod; a place on the node's disk is the same for all of its pods.
        let key = key.map_err(LockError::File)?;
        let node = self.cluster.nodes.pods.get(&self.who.pod).map_or("", |pod| pod.node.as_str());
        let whose = if key.starts_with("host:") { node } else { self.who.pod.as_str() };
        let key = format!("{whose} {key}");
        if self.cluster.nodes.locks.get(&key).is_some_and(|holder| *holder != private) {
            return Err(LockError::Held);
        }
        self.cluster.nodes.locks.insert(key, private);
        Ok(())
    }

    fn ask(&mut self, server: IpAddr, name: &str, timeout: Duration) -> Result<DnsReply, NoReply> {
        let caller = self.caller();
        let (reply, took) = network::ask(self.cluster, &caller, server, name, timeout);
        self.spend(took);
        reply
    }

    fn ask_records(
        &mut self,
        server: IpAddr,
        name: &str,
        kind: RecordKind,
        timeout: Duration,
    ) -> Result<Records, NoReply> {
        let caller = self.caller();
        let (reply, took) = network::ask_records(self.cluster, &caller, server, name, kind, timeout);
        self.spend(took);
        reply
    }

    fn connect(&mut self, to: SocketAddr, timeout: Duration) -> Result<(), CallError> {
        let caller = self.caller();
        let (outcome, took) = network::connect(self.cluster, &caller, to, timeout);
        self.spend(took);
        outcome
    }

    fn exchange(&mut self, to: SocketAddr, request: &Request, timeout: Duration) -> Result<Response, CallError> {
        let caller = self.caller();
        let (outcome, took) = network::exchange(self.cluster, &caller, to, request, timeout);
        self.spend(took);
        outcome
    }

    fn processes(&self) -> Vec<Process> {
        let Some(run) = self.run() else { return Vec::new() };
        let main = |pid: u32, run: &Run| Process { pid, uid: run.user.uid, state: 'S', argv: run.argv.clone() };
        let mut processes = match self.joined() {
            Some((_, target, own)) => vec![main(1, target), main(own, run)],
            None => vec![main(1, run)],
        };
        if self.who.pid != 1 {
            processes.push(Process { pid: self.who.pid, uid: run.user.uid, state: 'R', argv: self.argv.clone() });
        }
        processes
    }

    fn signal(&mut self, pid: u32, signal: i32) -> Result<(), SignalError> {
        let joined = self.joined().map(|(target, run, own)| (target.to_owned(), run.number, own));
        if pid != 1 {
            let own = self.who.pid == pid || joined.is_some_and(|(_, _, own)| own == pid);
            return if own { Ok(()) } else { Err(SignalError::NoSuchProcess) };
        }
        if self.run().is_none_or(|run| !run.is_running()) {
            return Err(SignalError::NoSuchProcess);
        }
        let Who { pod, container, run, .. } = self.who.clone();
        let (container, run) = joined.map_or((container, run), |(target, number, _)| (target, number));
        // A signal from inside never reaches PID 1 without a handler, not even SIGKILL (pid_namespaces(7)).
        if signal != breakfix_workload::SIGKILL {
            program::interrupt(self.cluster, &pod, &container, run, signal, self.lead);
        }
        Ok(())
    }
}
