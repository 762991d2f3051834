//! `job` and `sleep`: programs that do nothing until they end.

use std::time::Duration;

use crate::{
    End, FAILED, Machine, Request, Settings, StopRule, Stream, Url, WriteMode, boot::NotStarted, fetch::fetch,
    server::Password, shared::Shared, span::parse_span, stop::Ending,
};

/// `SIGSEGV` of signal(7).
const SIGSEGV: i32 = 11;
/// What handing in a report may take.
const REPORT_TIME: Duration = Duration::from_secs(5);

/// A process that ends by itself at a known uptime.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timer {
    /// `None`: it never ends (`sleep infinity`).
    ending: Option<Ending>,
    stop: StopRule,
    /// A line that is printed first.
    say: Shared<Option<String>>,
    /// What a job leaves behind for others.
    traces: Traces,
}

/// What a job leaves behind for others.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Traces {
    /// Its lines stand here too.
    log: Option<String>,
    /// Made at its end.
    done: Option<String>,
    /// Where its result is handed in before it ends well, and the password there.
    report: Option<Url>,
    password: Option<Password>,
}

impl Traces {
    fn read(settings: &Settings) -> Result<Self, NotStarted> {
        Ok(Self {
            log: settings.text("LOG_FILE").map(str::to_owned),
            done: settings.text("DONE_FILE").map(str::to_owned),
            report: settings.parsed("REPORT", "a URL such as http://db:5432/records", |url| Url::parse(url).ok())?,
            password: Some(Password::read(settings, "ORDERS_PASSWORD", "ORDERS_PASSWORD_FILE")),
        })
    }

    fn say(&self, line: &str, machine: &mut dyn Machine) {
        machine.print(Stream::Out, line);
        if let Some(log) = &self.log
            && let Err(error) = machine.write(log, format!("{line}\n").as_bytes(), WriteMode::Append)
        {
            machine.print(Stream::Err, &format!("cannot write {log}: {error}"));
        }
    }

    /// Hands in the result, which is called after the machine.
    fn hand_in(&self, machine: &mut dyn Machine) -> Result<(), String> {
        let Some(url) = &self.report else { return Ok(()) };
        let request = Request::post(&url.target, &format!("report-{}", machine.hostname()));
        let password = self.password.as_ref().map_or(Ok(None), |password| password.now(machine))?;
        let request = match password {
            Some(password) => request.with_header("x-password", &password),
            None => request,
        };
        match fetch(url, &request, REPORT_TIME, machine) {
            Ok(fetched) if fetched.response.is_success() => Ok(()),
            Ok(fetched) => Err(format!("{}: status {}", url.authority(), fetched.response.status)),
            Err(error) => Err(format!("{}: {error}", url.authority())),
        }
    }

    /// The end, after everything is left behind.
    fn end(&self, end: End, machine: &mut dyn Machine) -> End {
        let mut end = end;
        if end == End::Exit(0) && self.report.is_some() {
            match self.hand_in(machine) {
                Ok(()) => self.say("report handed in", machine),
                Err(why) => {
                    self.say(&format!("report not handed in: {why}"), machine);
                    end = End::Exit(FAILED);
                }
            }
        }
        if let Some(done) = &self.done
            && let Err(error) = machine.write(done, b"done\n", WriteMode::Replace)
        {
            machine.print(Stream::Err, &format!("cannot write {done}: {error}"));
        }
        end
    }
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
        let say = Shared::new(settings.text("SAY").map(str::to_owned));
        Ok(Self { ending: Some(ending), stop, say, traces: Traces::read(settings)? })
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
        Some(Self { ending, stop: StopRule::Default, say: Shared::new(None), traces: Traces::default() })
    }

    pub(crate) fn tick(&self, machine: &mut dyn Machine) -> Option<End> {
        if let Some(line) = self.say.with(Option::take) {
            self.traces.say(&line, machine);
        }
        let end = self.ending?.due(machine.uptime())?;
        Some(self.traces.end(end, machine))
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
    use crate::{Boot, MemoryMachine, Reaction, Response, SIGTERM, boot, memory_machine::start};

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
    fn a_job_leaves_its_lines_its_report_and_its_end_behind() {
        let mut machine = MemoryMachine::new();
        machine.answer([10, 0, 0, 2], 80, Ok(Response::text(200, "")));
        let line = "/workload job --say=importing --log-file=/log --done-file=/done --report=http://10.0.0.2/records";
        assert_eq!(start(line, &mut machine).tick(&mut machine), Some(End::Exit(0)));
        assert_eq!(machine.read("/log").unwrap(), b"importing\nreport handed in\n");
        assert!(machine.stat("/done").is_ok());
        assert_eq!(machine.calls.last().unwrap().1.body, b"report-here");
        machine.answers.clear();
        assert_eq!(start(line, &mut machine).tick(&mut machine), Some(End::Exit(1)), "nobody took the report");
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
