//! `exec`: a command in a container, with its streams on a connection.

use std::{sync::Arc, time::Duration};

use breakfix_workload::tool::Shell;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    blob::Blob,
    exec_run::{ExecRun, Job, Output, Place, Ran},
    host::{Host, Refused},
    inside,
    remote::{Channels, Heard, STDERR, STDIN, STDOUT},
    terminal::{Key, Terminal, printed},
};
use crate::{Status, api::stream::ExecSpec};

/// As a shell says it of a command that `^C` ended.
const INTERRUPTED: i32 = 130;
/// Its container ended, and everything in it was killed.
const KILLED: i32 = 137;
/// A command's input is kept until it ends.
const STDIN_BYTES_MAX: usize = 32 << 20;

/// Runs a command until it or the client ends.
pub async fn run(host: Arc<Host>, spec: ExecSpec, channels: Channels) {
    let place = Place { namespace: spec.namespace.clone(), pod: spec.pod.clone(), container: spec.container.clone() };
    let input = Input {
        terminal: spec.tty.then(Terminal::default),
        bytes: Vec::new(),
        closed: !spec.stdin,
        ended: !spec.stdin,
        interrupted: false,
    };
    let mut session = Session { host, place, spec, channels, input };
    let status = match session.run().await {
        Ok(code) => exit_status(code, &session.spec.command),
        Err(Over::Refused(status)) => status.body(),
        Err(Over::Gone) => return,
        Err(Over::Killed) => exit_status(KILLED, &session.spec.command),
        Err(Over::Interrupted) => exit_status(INTERRUPTED, &session.spec.command),
    };
    session.channels.finish(&status).await;
}

/// Why a session ends before its command does.
enum Over {
    Gone,
    Killed,
    Interrupted,
    Refused(Status),
}

impl From<Status> for Over {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl From<Refused> for Over {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused.into())
    }
}

/// What has come in and was not used yet.
struct Input {
    /// The driver between keys and lines, where there is a terminal.
    terminal: Option<Terminal>,
    bytes: Vec<u8>,
    /// The client sends no more.
    closed: bool,
    /// No more comes for now: closed, or `^D`.
    ended: bool,
    interrupted: bool,
}

struct Session {
    host: Arc<Host>,
    place: Place,
    spec: ExecSpec,
    channels: Channels,
    input: Input,
}

impl Session {
    async fn run(&mut self) -> Result<i32, Over> {
        if self.spec.stdin {
            let shell = self.host.look(|cluster| inside::shell(cluster, &self.place, &self.spec.command));
            if let Some(shell) = shell.map_err(Refused::from)? {
                return self.shell(shell).await;
            }
        }
        self.job(Job::Command(self.spec.command.clone())).await.map(|ran| ran.code)
    }

    /// One command after another, as the lines come.
    async fn shell(&mut self, mut shell: Shell) -> Result<i32, Over> {
        loop {
            if self.spec.tty {
                let prompt = self.host.look(|cluster| inside::prompt(cluster, &self.place, &shell));
                let prompt = prompt.map_err(Refused::from)?;
                self.print(Output::Out, prompt.as_bytes()).await;
            }
            let Some(text) = self.line().await? else {
                if self.spec.tty {
                    self.print(Output::Out, b"\n").await;
                }
                return Ok(shell.last());
            };
            if std::mem::take(&mut self.input.interrupted) {
                continue;
            }
            match self.job(Job::Line { shell: shell.clone(), text }).await {
                Ok(Ran { shell: Some(next), .. }) => shell = next,
                Ok(Ran { code, .. }) => return Ok(code),
                // A person's ^C ends the command, not the shell.
                Err(Over::Interrupted) => self.input.interrupted = false,
                Err(over) => return Err(over),
            }
        }
    }

    /// The next line of input; `None` at its end. Empty where `^C` came instead.
    async fn line(&mut self) -> Result<Option<String>, Over> {
        loop {
            if let Some(end) = self.input.bytes.iter().position(|byte| *byte == b'\n') {
                let line = self.input.bytes.drain(..=end).collect::<Vec<_>>();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned()));
            }
            if self.input.interrupted {
                return Ok(Some(String::new()));
            }
            if self.input.ended {
                let rest = std::mem::take(&mut self.input.bytes);
                let rest = String::from_utf8_lossy(&rest).into_owned();
                return Ok(Some(rest).filter(|rest| !rest.is_empty()));
            }
            self.hear().await?;
        }
    }

    /// Runs a command or a line: at once if it needs no more input than there is, or else when its input has ended.
    async fn job(&mut self, job: Job) -> Result<Ran, Over> {
        let mut run = ExecRun {
            place: self.place.clone(),
            job,
            stdin: Blob::default(),
            stdin_ends: self.input.ended,
            tty: self.spec.tty,
        };
        if !self.input.ended {
            run.stdin = self.waiting();
            let tried = self.host.try_out(&run).map_err(Refused::from)??;
            while tried.starved && !self.input.ended {
                if self.input.interrupted {
                    return Err(Over::Interrupted);
                }
                self.hear().await?;
            }
            run.stdin_ends = self.input.ended && tried.starved;
        }
        run.stdin = self.waiting();
        let is_line = matches!(run.job, Job::Line { .. });
        let ran = self.host.act(run)??;
        self.input.bytes.drain(..ran.consumed.min(self.input.bytes.len()));
        if ran.starved && is_line {
            // ^D ended the input of this command; the shell's own goes on.
            self.input.ended = self.input.closed;
        }
        let mut passed = Duration::ZERO;
        for printed in &ran.printed {
            self.pass(printed.at.saturating_sub(passed)).await?;
            passed = passed.max(printed.at);
            self.print(printed.output, &printed.bytes).await;
        }
        self.pass(ran.took.saturating_sub(passed)).await?;
        Ok(ran)
    }

    fn waiting(&self) -> Blob {
        Blob(self.input.bytes.clone().into())
    }

    /// Lets the time pass that a command takes.
    async fn pass(&mut self, took: Duration) -> Result<(), Over> {
        let wait = self.host.wait_for(took);
        if wait.is_zero() {
            return Ok(());
        }
        let sleep = sleep(wait);
        tokio::pin!(sleep);
        loop {
            let heard = tokio::select! {
                () = &mut sleep => return Ok(()),
                heard = hear(&mut self.channels, &self.host, &self.place) => heard?,
            };
            self.take(heard).await?;
            if self.input.interrupted {
                return Err(Over::Interrupted);
            }
        }
    }

    /// Waits for something from the client, or for the end of the container.
    async fn hear(&mut self) -> Result<(), Over> {
        let heard = hear(&mut self.channels, &self.host, &self.place).await?;
        self.take(heard).await
    }

    async fn take(&mut self, heard: Heard) -> Result<(), Over> {
        match heard {
            Heard::Gone => return Err(Over::Gone),
            Heard::Closed(STDIN) => (self.input.closed, self.input.ended) = (true, true),
            Heard::Data(STDIN, bytes) if !self.input.closed => {
                if self.input.bytes.len() + bytes.len() > STDIN_BYTES_MAX {
                    let limit = STDIN_BYTES_MAX >> 20;
                    return Err(Status::new(
                        400,
                        "BadRequest",
                        format!("the simulator takes {limit} MiB of input at most"),
                    )
                    .into());
                }
                self.typed(&bytes).await;
            }
            // Resizing a terminal changes nothing for programs that print lines.
            Heard::Data(..) | Heard::Closed(_) => {}
        }
        Ok(())
    }

    async fn typed(&mut self, bytes: &[u8]) {
        let Some(terminal) = &mut self.input.terminal else {
            self.input.bytes.extend_from_slice(bytes);
            return;
        };
        for key in terminal.typed(bytes) {
            match key {
                Key::Echo(bytes) => self.channels.send(STDOUT, &bytes).await,
                Key::Line(line) => self.input.bytes.extend_from_slice(&line),
                Key::End => self.input.ended = true,
                Key::Interrupt => {
                    self.input.bytes.clear();
                    self.input.interrupted = true;
                }
            }
        }
    }

    async fn print(&mut self, output: Output, bytes: &[u8]) {
        // A terminal has one screen for both.
        let (channel, wanted) = match output {
            Output::Err if !self.spec.tty => (STDERR, self.spec.stderr),
            Output::Out | Output::Err => (STDOUT, self.spec.stdout),
        };
        if !wanted {
            return;
        }
        if self.spec.tty {
            self.channels.send(channel, &printed(bytes)).await;
        } else {
            self.channels.send(channel, bytes).await;
        }
    }
}

/// The next thing that the client says, unless the container ends first.
async fn hear(channels: &mut Channels, host: &Host, place: &Place) -> Result<Heard, Over> {
    let mut news = host.news();
    loop {
        // Looked at before the first wait, too: it may have ended while nobody listened.
        if !host.look(|cluster| inside::is_running(cluster, place)).unwrap_or(false) {
            return Err(Over::Killed);
        }
        tokio::select! {
            heard = channels.next() => return Ok(heard),
            _ = news.changed() => {}
        }
    }
}

/// How a command ended, as kubelet says it (`remotecommand.NewStatus…`).
pub fn exit_status(code: i32, command: &[String]) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!(
            "command terminated with non-zero exit code: error executing command [{}], exit code {code}",
            command.join(" ")
        ),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_a_cause_and_no_number() {
        let status = exit_status(3, &["sh".to_owned(), "-c".to_owned(), "exit 3".to_owned()]);
        assert_eq!(status["details"]["causes"][0], json!({"reason": "ExitCode", "message": "3"}));
        assert_eq!(exit_status(0, &[])["status"], "Success");
    }
}
