//! The roles `serve` and `store`: a page, orders, health, and switches that break it.

mod cache;
mod config;
mod follower;
mod jobs;
mod orders;
mod page;
mod state;
mod switches;

use std::{net::SocketAddr, time::Duration};

use crate::{
    End, Entry, Listen, Machine, Outcome, Reaction, Request, Response, Settings, StopRule, Store, Stream,
    boot::NotStarted, fetch::reach, shared::Shared, stop::Ending,
};

use config::Config;
pub(crate) use config::Password;
use state::State;

/// A request that has passed through so many programs is going round in a circle.
const HOPS_MAX: u32 = 8;
/// Counts the programs that a request has passed through.
const HOPS_HEADER: &str = "x-workload-hops";

/// Every path that a server answers, with its method; `*`: any method.
pub const ENDPOINTS: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("POST", "/order"),
    ("GET", "/orders"),
    ("POST", "/records"),
    ("GET", "/records"),
    ("GET", "/backup"),
    ("GET", "/sync"),
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("POST", "/jobs/take"),
    ("POST", "/jobs/done"),
    ("GET", "/cache"),
    ("POST", "/cache"),
    ("POST", "/hang"),
    ("POST", "/break"),
    ("POST", "/unready"),
    ("POST", "/mend"),
    ("POST", "/load"),
    ("POST", "/helper"),
    ("POST", "/exit"),
];

/// A running server.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Server {
    config: Config,
    store: Option<Store>,
    /// Told in every answer: this start and no other.
    run: String,
    /// The machine's name.
    instance: String,
    state: Shared<State>,
}

/// What one request has gone through.
struct Trail {
    id: String,
    hops: u32,
    /// `api=12ms`, one for each program called.
    calls: Vec<String>,
}

impl Server {
    /// Read the settings, see that what is needed is there, open the store.
    pub(crate) fn start(settings: &Settings, role: &str, machine: &mut dyn Machine) -> Result<Self, NotStarted> {
        if let Some(extra) = settings.positional.first() {
            let line = format!("unexpected argument \"{extra}\"");
            return Err(NotStarted { line, end: End::Exit(crate::USAGE) });
        }
        let mut config = Config::read(settings, machine)?;
        config.is_cache = role == "cache";
        let store = if role == "store" { Some(Store::open(settings, machine)?) } else { None };
        let run = format!("{:016x}", machine.random());
        if config.start_delay > Duration::ZERO {
            let delay = crate::write_span(config.start_delay);
            machine.print(Stream::Out, &format!("{} {} starts, this takes {delay}", config.app, config.version));
        }
        Ok(Self { config, store, run, instance: machine.hostname(), state: Shared::new(State::default()) })
    }

    pub(crate) fn listen(&self) -> Listen {
        Listen { address: SocketAddr::new(self.config.bind, self.config.port), from: self.config.start_delay }
    }

    pub(crate) fn stop_rule(&self) -> StopRule {
        self.config.stop
    }

    pub(crate) fn reaps(&self) -> bool {
        self.config.reap
    }

    /// The value told as `x-workload-run`.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    pub(crate) fn held_bytes(&self, now: Duration) -> u64 {
        self.state.with(|state| state.held_bytes(now))
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        self.state
            .with(|state| {
                let start = (!state.announced).then_some(self.config.start_delay);
                state.wakes_at().into_iter().chain(start).min()
            })
            .into_iter()
            .chain(self.follows_at())
            .min()
    }

    pub(crate) fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        let now = machine.uptime();
        let (announce, end) = self.state.with(|state| {
            state.release(now);
            let announce = !state.announced && now >= self.config.start_delay;
            state.announced |= announce;
            (announce, state.ending.and_then(|ending| ending.due(now)))
        });
        if announce {
            let Config { app, version, .. } = &self.config;
            machine.print(Stream::Out, &format!("{app} {version} listens on {}", self.listen().address));
        }
        if end.is_none() {
            self.follow(machine);
        }
        end
    }

    /// SIGTERM: answer what comes until STOP_DELAY is over, then end well.
    pub(crate) fn stop(&self, machine: &mut dyn Machine) -> Reaction {
        let at = machine.uptime() + self.config.stop_delay;
        let first = self.state.with(|state| {
            let first = !state.stopping;
            if first {
                state.stopping = true;
                state.ending = Some(Ending { end: End::Exit(0), at });
            }
            first
        });
        if first {
            machine.print(Stream::Out, "asked to stop");
        }
        Reaction::Stopping
    }

    pub(crate) fn handle(&self, request: &Request, machine: &mut dyn Machine) -> Outcome {
        let began = machine.uptime();
        let (hung, number) = self.state.with(|state| {
            state.requests += 1;
            (state.hung, state.requests)
        });
        if hung {
            return Outcome::Hang;
        }
        let mut trail = self.trail(request, number);
        let mut response = self.route(request, &mut trail, machine);
        self.sign(&mut response, &trail);
        let entry = self.count(request, response.status).then(|| {
            let calls: String = trail.calls.iter().map(|call| format!(" {call}")).collect();
            let front = format!("{} {} {}", request.method, request.path(), response.status);
            Entry { began, front, back: format!("{calls} id={}", trail.id) }
        });
        Outcome::Answer { response, cpu: self.config.cpu, delay: self.config.latency, entry }
    }

    fn trail(&self, request: &Request, number: u64) -> Trail {
        let own = || format!("{}-{number}", self.run.get(..8).unwrap_or(&self.run));
        let id = request.header("x-request-id").filter(|id| !id.is_empty()).map_or_else(own, str::to_owned);
        let hops = request.header(HOPS_HEADER).and_then(|hops| hops.parse().ok()).unwrap_or(0);
        Trail { id, hops, calls: Vec::new() }
    }

    fn route(&self, request: &Request, trail: &mut Trail, machine: &mut dyn Machine) -> Response {
        let path = request.path();
        let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
        let known: Vec<&str> =
            ENDPOINTS.iter().filter(|(_, known)| *known == path).map(|(method, _)| *method).collect();
        if known.is_empty() {
            return Response::text(404, format!("no page {path}\n"));
        }
        if !known.contains(&method) {
            return Response::text(405, format!("{path} takes {}\n", known.join(", ")));
        }
        if trail.hops >= HOPS_MAX {
            return Response::text(508, "this request goes round in a circle\n");
        }
        match (method, path) {
            ("GET", "/") => self.cached(trail, machine, |trail, machine| self.page(trail, machine)),
            ("GET", "/healthz") => self.health(),
            ("GET", "/ready") => self.readiness(machine),
            ("GET", "/metrics") => self.metrics(machine),
            ("POST", "/order" | "/records") => self.take_order(request, trail, machine),
            ("GET", "/orders" | "/records") => self.list_orders(request, trail, machine),
            (_, "/jobs" | "/jobs/take" | "/jobs/done") => self.jobs(request, trail, machine),
            (_, "/cache") => self.cache(request, machine),
            ("GET", "/backup") => self.backup(request, machine),
            ("GET", "/sync") => self.sync(),
            (_, switch) => self.switch(switch, request, machine),
        }
    }

    fn health(&self) -> Response {
        if self.state.with(|state| state.broken) {
            Response::text(500, "broken\n")
        } else {
            Response::text(200, "ok\n")
        }
    }

    fn readiness(&self, machine: &mut dyn Machine) -> Response {
        let now = machine.uptime();
        let (unready, stopping) = self.state.with(|state| (state.unready, state.stopping));
        if stopping {
            return Response::text(503, "stopping\n");
        }
        if unready || now < self.config.start_delay + self.config.ready_delay {
            return Response::text(503, "not ready\n");
        }
        if let Some(why) = self.out_of_sync() {
            return Response::text(503, format!("out of sync: {why}\n"));
        }
        for (host, port) in &self.config.wait_for {
            if let Err(error) = reach(host, *port, self.config.upstream_timeout, machine) {
                return Response::text(503, format!("waits for {host}:{port}: {error}\n"));
            }
        }
        Response::text(200, "ready\n")
    }

    fn metrics(&self, machine: &mut dyn Machine) -> Response {
        let now = machine.uptime();
        let Config { app, version, .. } = &self.config;
        let mut text = format!("workload_info{{app=\"{app}\",version=\"{version}\"}} 1\n");
        self.state.with(|state| {
            for (status, count) in &state.answers {
                text.push_str(&format!("workload_answers_total{{status=\"{status}\"}} {count}\n"));
            }
            text.push_str(&format!("workload_held_bytes {}\n", state.held_bytes(now)));
        });
        text.push_str(&format!("workload_uptime_seconds {}\n", now.as_secs()));
        Response::text(200, text)
    }

    /// Headers that say who answered.
    fn sign(&self, response: &mut Response, trail: &Trail) {
        let headers = [
            ("x-workload-app", &self.config.app),
            ("x-workload-version", &self.config.version),
            ("x-workload-instance", &self.instance),
            ("x-workload-run", &self.run),
            ("x-request-id", &trail.id),
        ];
        for (name, value) in headers {
            response.headers.insert(name.to_owned(), value.clone());
        }
    }

    /// Count an answer and say whether it is worth a line: probes only when they are told something new.
    fn count(&self, request: &Request, status: u16) -> bool {
        let path = request.path();
        self.state.with(|state| {
            *state.answers.entry(status).or_default() += 1;
            if !matches!(path, "/healthz" | "/ready" | "/metrics") {
                return true;
            }
            state.probes.insert(path.to_owned(), status) != Some(status)
        })
    }
}

#[cfg(test)]
mod tests;
