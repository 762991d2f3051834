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
