//! The role `wait-for`: ends well once everything named accepts connections.

use std::time::Duration;

use crate::{
    End, FAILED, Machine, Settings, StopRule, Stream, USAGE, boot::NotStarted, fetch::reach, shared::Shared,
    timer::stop_rule, url::host_and_port,
};

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// What one try may take.
const TRY_TIME: Duration = Duration::from_secs(2);

/// Waiting.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WaitFor {
    /// Where it gives up; `None`: never.
    timeout: Option<Duration>,
    stop: StopRule,
    state: Shared<State>,
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct State {
    left: Vec<(String, u16)>,
    next: Duration,
    told: String,
}

impl WaitFor {
    pub(crate) fn start(settings: &Settings, _machine: &mut dyn Machine) -> Result<Self, NotStarted> {
        let mut left = Vec::new();
        for text in settings.positional.iter().cloned().chain(settings.list("WAIT_FOR")) {
            match host_and_port(&text) {
                Some((host, Some(port))) if !host.is_empty() => left.push((host, port)),
                _ => {
                    let line = format!("\"{text}\" is nothing to wait for: HOST:PORT is wanted");
                    return Err(NotStarted { line, end: End::Exit(USAGE) });
                }
            }
        }
        if left.is_empty() {
            return Err(NotStarted { line: "nothing to wait for: HOST:PORT is wanted".into(), end: End::Exit(USAGE) });
        }
        let timeout = match settings.text("TIMEOUT") {
            Some(_) => Some(settings.span("TIMEOUT", Duration::ZERO)?),
            None => None,
        };
        let state = State { left, next: Duration::ZERO, told: String::new() };
        Ok(Self { timeout, stop: stop_rule(settings)?, state: Shared::new(state) })
    }

    pub(crate) fn stop_rule(&self) -> StopRule {
        self.stop
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        Some(self.state.with(|state| state.next))
    }

    pub(crate) fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        let left = self.state.with(|state| state.left.clone());
        for (host, port) in left {
            match reach(&host, port, TRY_TIME, machine) {
                Ok(_) => {
                    machine.print(Stream::Out, &format!("{host}:{port} is there"));
                    self.state.with(|state| state.left.retain(|waited| *waited != (host.clone(), port)));
                }
                Err(error) => {
                    let line = format!("waiting for {host}:{port}: {error}");
                    let news = self.state.with(|state| std::mem::replace(&mut state.told, line.clone()) != line);
                    if news {
                        machine.print(Stream::Out, &line);
                    }
                    return self.try_again(machine);
                }
            }
        }
        Some(End::Exit(0))
    }

    fn try_again(&self, machine: &mut dyn Machine) -> Option<End> {
        let now = machine.uptime();
        if self.timeout.is_some_and(|timeout| now >= timeout) {
            machine.print(Stream::Err, "gave up waiting");
            return Some(End::Exit(FAILED));
        }
        self.state.with(|state| state.next = now + PAUSE);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryMachine, Response, memory_machine::start};

    #[test]
    fn it_ends_when_everything_is_there() {
        let mut machine = MemoryMachine::new();
        let wait = start("/workload wait-for cache:6379 10.0.0.3:80", &mut machine);
        assert_eq!(wait.tick(&mut machine), None);
        assert_eq!(wait.tick(&mut machine), None);
        machine.name("cache", [10, 0, 0, 2]);
        machine.answer([10, 0, 0, 2], 6379, Ok(Response::default()));
        assert_eq!(wait.tick(&mut machine), None);
        machine.answer([10, 0, 0, 3], 80, Ok(Response::default()));
        assert_eq!(wait.tick(&mut machine), Some(End::Exit(0)));
        let log = "waiting for cache:6379: name unknown: cache\ncache:6379 is there\nwaiting for 10.0.0.3:80: connection refused\n10.0.0.3:80 is there\n";
        assert_eq!(machine.log(), log);
    }

    #[test]
    fn it_gives_up_only_when_told() {
        let mut machine = MemoryMachine::new();
        let wait = start("/workload wait-for nosuch:1 --timeout=10s", &mut machine);
        while wait.tick(&mut machine).is_none() {
            machine.now = wait.wakes_at().unwrap();
        }
        assert_eq!(machine.now.as_secs(), 10);
        assert!(machine.log().ends_with("gave up waiting\n"));
        let wait = start("/workload wait-for nosuch:1", &mut machine);
        machine.now = Duration::from_secs(86_400);
        assert_eq!(wait.tick(&mut machine), None);
        assert_eq!(wait.signal(crate::SIGTERM, &mut machine), crate::Reaction::Ended(End::Exit(143)));
    }
}
