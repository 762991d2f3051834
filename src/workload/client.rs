//! The role `client`: calls a URL for ever and tells what came of it.

use std::time::Duration;

use crate::{
    End, Machine, Reaction, Request, Settings, StopRule, Stream, Url,
    boot::NotStarted,
    fetch::fetch,
    rounds::{Due, Rounds},
    shared::Shared,
    timer::stop_rule,
};

/// Successful calls are summed up this often; failures are told at once.
const SUMMARY_TIME: Duration = Duration::from_secs(30);

/// A running client.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Client {
    url: Url,
    interval: Duration,
    timeout: Duration,
    stop: StopRule,
    agent: String,
    state: Shared<State>,
}

#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct State {
    #[cfg_attr(feature = "serde", serde(flatten))]
    rounds: Rounds,
    calls: u64,
    failures: u64,
    /// What the last call came to, so that a change is told.
    last: Option<String>,
    next_summary: Duration,
}

impl Client {
    pub(crate) fn start(settings: &Settings, machine: &mut dyn Machine) -> Result<Self, NotStarted> {
        let text = settings.text("URL").or_else(|| settings.positional.first().map(String::as_str));
        let text = text.ok_or_else(|| NotStarted::misconfigured("URL is not set"))?;
        let url = Url::parse(text).map_err(|error| NotStarted::misconfigured(format!("URL: {error}")))?;
        let interval = settings.span("INTERVAL", Duration::from_secs(1))?;
        if interval.is_zero() {
            return Err(NotStarted::misconfigured("INTERVAL is 0: more is wanted"));
        }
        let timeout = settings.span("TIMEOUT", Duration::from_secs(2))?;
        let agent = settings.text("APP").unwrap_or("client").to_owned();
        machine.print(Stream::Out, &format!("calling {text} every {}", crate::write_span(interval)));
        let state = State { next_summary: SUMMARY_TIME, ..State::default() };
        Ok(Self { url, interval, timeout, stop: stop_rule(settings)?, agent, state: Shared::new(state) })
    }

    pub(crate) fn stop_rule(&self) -> StopRule {
        self.stop
    }

    pub(crate) fn stop(&self, machine: &mut dyn Machine) -> Reaction {
        let at = machine.uptime();
        self.state.with(|state| state.rounds.stop(at));
        Reaction::Stopping
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        Some(self.state.with(|state| state.rounds.wakes_at()))
    }

    pub(crate) fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        let now = machine.uptime();
        match self.state.with(|state| state.rounds.due(now)) {
            Due::End(end) => return Some(end),
            Due::Nothing => return None,
            Due::Round => {}
        }
        let request = Request::get(&self.url.target).with_header("user-agent", &self.agent);
        let answer = fetch(&self.url, &request, self.timeout, machine).map(|fetched| fetched.response);
        let (outcome, well) = match answer {
            Ok(answer) if answer.is_success() => {
                (format!("answered: {}", answer.body_text().lines().next().unwrap_or_default()), true)
            }
            Ok(answer) => (format!("failed: status {}", answer.status), false),
            Err(error) => (format!("failed: {error}"), false),
        };
        self.note(now, &outcome, well, machine);
        None
    }

    /// Count a call; print failures, changes, and a sum now and then.
    fn note(&self, began: Duration, outcome: &str, well: bool, machine: &mut dyn Machine) {
        let now = machine.uptime();
        let (changed, summary) = self.state.with(|state| {
            state.calls += 1;
            state.failures += u64::from(!well);
            state.rounds.next = (began + self.interval).max(now);
            let changed = state.last.as_deref() != Some(outcome);
            state.last = Some(outcome.to_owned());
            let due = now >= state.next_summary;
            if due {
                state.next_summary = now + SUMMARY_TIME;
            }
            (changed, due.then_some((state.calls, state.failures)))
        });
        if changed || !well {
            machine.print(if well { Stream::Out } else { Stream::Err }, outcome);
        }
        if let Some((calls, failures)) = summary {
            machine.print(Stream::Out, &format!("{calls} calls so far, {failures} failed"));
        }
    }

    /// Calls made and how many of them failed.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        self.state.with(|state| (state.calls, state.failures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boot, CallError, MemoryMachine, Program, Response, boot};

    fn start(machine: &mut MemoryMachine) -> Program {
        let argv = ["/workload", "client", "http://10.0.0.2/", "--interval=2s", "--timeout=5s"].map(str::to_owned);
        match boot(&argv, machine) {
            Boot::Running(program) => program,
            Boot::Ended(end) => panic!("ended with {end:?}"),
        }
    }

    #[test]
    fn it_calls_on_time_and_tells_failures_and_changes() {
        let mut machine = MemoryMachine::new();
        let client = start(&mut machine);
        let step = |machine: &mut MemoryMachine, answer| {
            machine.answer([10, 0, 0, 2], 80, answer);
            machine.now = client.wakes_at().unwrap();
            assert_eq!(client.tick(machine), None);
        };
        step(&mut machine, Ok(Response::text(200, "shop 1.4\n")));
        step(&mut machine, Ok(Response::text(200, "shop 1.4\n")));
        step(&mut machine, Err(CallError::TimedOut));
        assert_eq!(client.wakes_at(), Some(Duration::from_secs(9)), "a slow call does not make the next one early");
        step(&mut machine, Ok(Response::text(503, "")));
        step(&mut machine, Ok(Response::text(200, "shop 1.5\n")));
        let log = "calling http://10.0.0.2/ every 2s\nanswered: shop 1.4\nfailed: timed out\nfailed: status 503\nanswered: shop 1.5\n";
        assert_eq!(machine.log(), log);
        let Program::Client(client) = &client else { panic!("no client") };
        assert_eq!(client.counts(), (5, 2));
    }

    #[test]
    fn it_sums_up_and_stops() {
        let mut machine = MemoryMachine::new();
        let client = start(&mut machine);
        machine.now = Duration::from_secs(31);
        client.tick(&mut machine);
        assert!(machine.log().ends_with("1 calls so far, 1 failed\n"));
        assert_eq!(client.signal(crate::SIGTERM, &mut machine), Reaction::Stopping);
        assert_eq!(client.tick(&mut machine), Some(End::Exit(0)));
    }
}
