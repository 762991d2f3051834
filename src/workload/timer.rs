//! `job` and `sleep`: programs that do nothing until they end.

use std::time::Duration;

use crate::{
    End, Machine, Settings, StopRule, Stream, boot::NotStarted, shared::Shared, span::parse_span, stop::Ending,
};

/// `SIGSEGV` of signal(7).
const SIGSEGV: i32 = 11;

/// A process that ends by itself at a known uptime.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timer {
    /// `None`: it never ends (`sleep infinity`).
    ending: Option<Ending>,
    stop: StopRule,
    /// A line that is printed first.
    say: Shared<Option<String>>,
}

impl Timer {
    /// The role `job`: prints SAY, works for AFTER, ends with EXIT or, with SEGFAULT, by an invalid access.
    pub(crate) fn job(settings: &Settings) -> Result<Self, NotStarted> {
        let code = settings.number("EXIT", 0)?;
        let code = i32::try_from(code).ok().filter(|code| *code < 256);
        let code = code.ok_or_else(|| NotStarted::misconfigured("EXIT is wanted from 0 to 255"))?;
        let end = match settings.text("SEGFAULT") {
            Some("yes" | "true" | "1") => End::Signal(SIGSEGV),
            _ => End::Exit(code),
        };
        let ending = Ending { end, at: settings.span("AFTER", Duration::ZERO)? };
        let stop = stop_rule(settings)?;
        Ok(Self { ending: Some(ending), stop, say: Shared::new(settings.text("SAY").map(str::to_owned)) })
    }

    /// The tool `sleep` as a main process; `None` where the arguments are no times (the tool itself then complains).
    pub(crate) fn sleep(times: &[String]) -> Option<Self> {
        let ending = if times == ["infinity"] {
            None
        } else if times.is_empty() {
            return None;
        } else {
            let times: Option<Vec<Duration>> = times.iter().map(|time| parse_span(time)).collect();
            Some(Ending { end: End::Exit(0), at: times?.iter().sum() })
        };
        Some(Self { ending, stop: StopRule::Default, say: Shared::new(None) })
    }

    pub(crate) fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        if let Some(line) = self.say.with(Option::take) {
            machine.print(Stream::Out, &line);
        }
        self.ending?.due(machine.uptime())
    }

    pub(crate) fn wakes_at(&self) -> Option<Duration> {
        if self.say.with(|say| say.is_some()) { Some(Duration::ZERO) } else { self.ending.map(|ending| ending.at) }
    }

    pub(crate) fn stop_rule(&self) -> StopRule {
        self.stop
    }
}

/// The setting STOP.
pub(crate) fn stop_rule(settings: &Settings) -> Result<StopRule, crate::SettingError> {
    let rule = settings.parsed("STOP", "term, none or ignore", StopRule::parse)?;
    Ok(rule.unwrap_or(StopRule::Handle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boot, MemoryMachine, Program, Reaction, SIGTERM, boot};

    fn start(line: &str, machine: &mut MemoryMachine) -> Program {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match boot(&argv, machine) {
            Boot::Running(program) => program,
            Boot::Ended(end) => panic!("ended with {end:?}"),
        }
    }

    #[test]
    fn jobs_end_as_told() {
        let mut machine = MemoryMachine::new();
        let job = start("/workload job --exit=75 --after=5s --say=importing", &mut machine);
        assert_eq!(job.tick(&mut machine), None);
        assert_eq!((machine.log().as_str(), job.wakes_at()), ("importing\n", Some(Duration::from_secs(5))));
        machine.now = Duration::from_secs(5);
        assert_eq!(job.tick(&mut machine), Some(End::Exit(75)));
        let job = start("/workload job --segfault", &mut machine);
        assert_eq!(job.tick(&mut machine).map(End::code), Some(139));
    }

    #[test]
    fn sleep_is_waited_for_and_has_no_handler() {
        let mut machine = MemoryMachine::new();
        let sleep = start("sleep 1h", &mut machine);
        assert_eq!(sleep.wakes_at(), Some(Duration::from_secs(3_600)));
        assert_eq!(sleep.signal(SIGTERM, &mut machine), Reaction::Ignored);
        assert_eq!(start("/workload sleep infinity", &mut machine).wakes_at(), None);
        let argv = ["sleep".to_owned(), "soon".to_owned()];
        assert!(matches!(boot(&argv, &mut machine), Boot::Ended(End::Exit(1))));
        assert_eq!(machine.log(), "sleep: invalid number 'soon'\n");
    }

    #[test]
    fn a_tool_as_main_process_writes_to_the_log() {
        let mut machine = MemoryMachine::new().with_env(&[("A", "1")]);
        let argv = ["sh", "-c", "echo $A; sleep 2; nosuch"].map(str::to_owned);
        assert!(matches!(boot(&argv, &mut machine), Boot::Ended(End::Exit(127))));
        assert_eq!(machine.log(), "1\nsh: nosuch: not found\n");
        assert_eq!(machine.now.as_secs(), 2);
    }
}
