//! A program that runs: what a host may ask of it.

use std::{net::SocketAddr, time::Duration};

use crate::{Client, End, Machine, Request, Response, Server, Ship, StopRule, Timer, WaitFor, Worker};

/// A program after its start, of whatever role.
///
/// A host opens what [`listens`](Self::listens) names, hands requests to [`handle`](Self::handle), signals to
/// [`signal`](Self::signal), and calls [`tick`](Self::tick) whenever [`wakes_at`](Self::wakes_at) is reached; after every
/// call it asks `wakes_at` and [`held_bytes`](Self::held_bytes) again. All methods take `&self`, so that the real host's
/// threads and a simulator's nested calls may be inside at once.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Program {
    Server(Box<Server>),
    Client(Client),
    WaitFor(WaitFor),
    Timer(Timer),
    Worker(Worker),
    Ship(Ship),
}

/// An address that the program listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `0.0.0.0` or `::` for every address of the machine.
    pub address: SocketAddr,
    /// Uptime from which it listens; connections before that are refused.
    pub from: Duration,
}

impl Listen {
    /// Whether a connection to `to` at this moment finds somebody.
    #[must_use]
    pub fn accepts(&self, to: SocketAddr, now: Duration) -> bool {
        let everywhere = self.address.ip().is_unspecified();
        now >= self.from && self.address.port() == to.port() && (everywhere || self.address.ip() == to.ip())
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program computes for `cpu`, waits for `delay`, then answers. Both come on top of what the machine's clock
    /// moved during the call. Memory that the request made the program hold is held before the answer is sent.
    /// Then `entry` is due in the log.
    Answer { response: Response, cpu: Duration, delay: Duration, entry: Option<Entry> },
    /// The connection stays open and nothing ever comes.
    Hang,
}

/// A request's line of the log: how long it took is known once it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Uptime at which the request came.
    pub(crate) began: Duration,
    pub(crate) front: String,
    pub(crate) back: String,
}

impl Entry {
    /// The line of a request that is answered at this uptime.
    pub fn line(&self, now: Duration) -> String {
        format!("{} {}ms{}", self.front, now.saturating_sub(self.began).as_millis(), self.back)
    }
}

/// What a signal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The process has ended.
    Ended(End),
    /// Its handler has begun to stop it; [`Program::tick`] will say when it is over.
    Stopping,
    Ignored,
}

/// Memory that the program needs for itself, before anything it holds on purpose: 2 MiB.
pub const BASE_BYTES: u64 = 2 << 20;

impl Program {
    /// Where it listens.
    #[must_use]
    pub fn listens(&self) -> Vec<Listen> {
        match self {
            Self::Server(server) => vec![server.listen()],
            _ => Vec::new(),
        }
    }

    /// Answer one request.
    pub fn handle(&self, request: &Request, machine: &mut dyn Machine) -> Outcome {
        match self {
            Self::Server(server) => server.handle(request, machine),
            _ => Outcome::Hang,
        }
    }

    /// Do what is due. An end means that the process is over.
    pub fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        match self {
            Self::Server(server) => server.tick(machine),
            Self::Client(client) => client.tick(machine),
            Self::WaitFor(wait) => wait.tick(machine),
            Self::Timer(timer) => timer.tick(machine),
            Self::Worker(worker) => worker.tick(machine),
            Self::Ship(ship) => ship.tick(machine),
        }
    }

    /// The uptime at which [`tick`](Self::tick) has something to do; `None`: nothing is planned.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        match self {
            Self::Server(server) => server.wakes_at(),
            Self::Client(client) => client.wakes_at(),
            Self::WaitFor(wait) => wait.wakes_at(),
            Self::Timer(timer) => timer.wakes_at(),
            Self::Worker(worker) => worker.wakes_at(),
            Self::Ship(ship) => ship.wakes_at(),
        }
    }

    /// A signal arrives.
    pub fn signal(&self, signal: i32, machine: &mut dyn Machine) -> Reaction {
        let rule = self.stop_rule();
        if !rule.handles(signal) {
            return rule.without_handler(signal, machine.pid());
        }
        match self {
            Self::Server(server) => server.stop(machine),
            Self::Client(client) => client.stop(machine),
            Self::Worker(worker) => worker.stop(machine),
            Self::Ship(ship) => ship.stop(machine),
            // Work that is not done must not look like success.
            Self::WaitFor(_) | Self::Timer(_) => Reaction::Ended(End::Exit(128 + signal)),
        }
    }

    /// What it does about SIGTERM and SIGINT.
    #[must_use]
    pub fn stop_rule(&self) -> StopRule {
        match self {
            Self::Server(server) => server.stop_rule(),
            Self::Client(client) => client.stop_rule(),
            Self::WaitFor(wait) => wait.stop_rule(),
            Self::Timer(timer) => timer.stop_rule(),
            Self::Worker(worker) => worker.stop_rule(),
            Self::Ship(ship) => ship.stop_rule(),
        }
    }

    /// Whether it waits for processes that were left to it when they end.
    #[must_use]
    pub fn reaps(&self) -> bool {
        match self {
            Self::Server(server) => server.reaps(),
            _ => false,
        }
    }

    /// Bytes of memory that it holds on purpose at this uptime, on top of [`BASE_BYTES`].
    #[must_use]
    pub fn held_bytes(&self, now: Duration) -> u64 {
        match self {
            Self::Server(server) => server.held_bytes(now),
            _ => 0,
        }
    }

    /// The host cannot listen where the program wants to: it says so in the log and ends.
    pub fn cannot_listen(&self, listen: Listen, reason: &str, machine: &mut dyn Machine) -> End {
        machine.print(crate::Stream::Err, &format!("cannot listen on {}: {reason}", listen.address));
        End::Exit(crate::FAILED)
    }
}
