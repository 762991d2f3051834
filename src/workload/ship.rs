//! The role `ship`: prints the lines that another program writes into a file, and ends once that program is done.

use std::time::Duration;

use crate::{
    End, FileError, Machine, Reaction, Settings, StopRule, Stream,
    boot::NotStarted,
    rounds::{Due, Rounds},
    shared::Shared,
    timer::stop_rule,
};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A shipper of lines.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ship {
    log: String,
    /// The file whose being there means that nothing more will come.
    done: Option<String>,
    stop: StopRule,
    state: Shared<State>,
}

#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct State {
    /// Bytes shipped.
    shipped: usize,
    #[cfg_attr(feature = "serde", serde(flatten))]
    rounds: Rounds,
}

impl Ship {
    pub(crate) fn start(settings: &Settings) -> Result<Self, NotStarted> {
        let log = settings.text("LOG_FILE").or_else(|| settings.positional.first().map(String::as_str));
        let log = log.ok_or_else(|| NotStarted::misconfigured("LOG_FILE is not set"))?.to_owned();
        let done = settings.text("DONE_FILE").map(str::to_owned);
        Ok(Self { log, done, stop: stop_rule(settings)?, state: Shared::default() })
    }

    pub(crate) fn stop_rule(&self) -> StopRule {
        self.stop
    }

    /// What is there is still shipped.
    pub(crate) fn stop(&self, machine: &mut dyn Machine) -> Reaction {
        self.ship(machine);
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
        // Looked at before the lines: what is written last stands in the file by then.
        let is_done = self.done.as_ref().is_some_and(|done| machine.stat(done).is_ok());
        self.ship(machine);
        self.state.with(|state| state.rounds.next = now + LOOK);
        is_done.then_some(End::Exit(0))
    }

    /// Prints whole lines that are new; a file that has become shorter is begun anew.
    fn ship(&self, machine: &mut dyn Machine) {
        let bytes = match machine.read(&self.log) {
            Ok(bytes) => bytes,
            Err(FileError::NotFound) => return,
            Err(error) => {
                machine.print(Stream::Err, &format!("cannot read {}: {error}", self.log));
                return;
            }
        };
        let from = self.state.with(|state| if state.shipped > bytes.len() { 0 } else { state.shipped });
        let fresh = bytes.get(from..).unwrap_or_default();
        let end = fresh.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in String::from_utf8_lossy(fresh.get(..end).unwrap_or_default()).lines() {
            machine.print(Stream::Out, line);
        }
        self.state.with(|state| state.shipped = from + end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryMachine, WriteMode, memory_machine::start};

    #[test]
    fn lines_are_shipped_once_until_the_other_is_done() {
        let mut machine = MemoryMachine::new();
        let ship = start("/workload ship --log-file=/log --done-file=/done", &mut machine);
        assert_eq!(ship.tick(&mut machine), None);
        machine.write("/log", b"one\ntw", WriteMode::Replace).unwrap();
        machine.now = ship.wakes_at().unwrap();
        assert_eq!(ship.tick(&mut machine), None);
        assert_eq!(machine.log(), "one\n");
        machine.write("/log", b"o\n", WriteMode::Append).unwrap();
        machine.write("/done", b"", WriteMode::Replace).unwrap();
        machine.now = ship.wakes_at().unwrap();
        assert_eq!(ship.tick(&mut machine), Some(End::Exit(0)));
        assert_eq!(machine.log(), "one\ntwo\n");
    }
}
