//! The grader's probes: containers of our own on the caller's network, made when a check first needs one, used by exec, gone when the check is over.
//!
//! Nothing that the learner could have prepared or replaced takes part: a probe runs from the workload's image by its id.

use std::{collections::BTreeMap, time::Duration};

use bollard::{
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecResults},
};
use breakfix_grade::{Exchange, Failure};
use futures::{Stream, TryStreamExt};
use serde_json::{Value, json};

use super::{
    DockerTarget,
    body::set,
    engine::EngineError,
    labels::{Role, labels},
};
use crate::{
    asking::Run,
    target::{Cause, TargetError},
};

/// A probe ends by itself after this long, should breakfix be killed before it removes it. Longer than any hold.
const LIFE: &str = "15m";
/// How long exec itself may take on top of the requests.
const EXEC: Duration = Duration::from_secs(15);

/// The probes of one check, by network.
#[derive(Debug, Default)]
pub(super) struct Probes {
    by_network: BTreeMap<String, String>,
    made: u32,
}

impl DockerTarget {
    /// Sends the requests of a run from a probe on a network.
    pub(super) async fn probed(&self, network: &str, run: &Run<'_>, what: &str) -> Result<Vec<Exchange>, Failure> {
        if run.urls.is_empty() {
            return Ok(Vec::new());
        }
        let probe = self.probe(network).await.map_err(|error| failure(what, &error))?;
        let said = self.exec(&probe, run).await.map_err(|error| failure(what, &error))?;
        run.read(&said).map_err(|why| Failure { what: what.to_owned(), why, hint: None })
    }

    /// The network's probe, made if need be; one that was removed meanwhile is made anew.
    async fn probe(&self, network: &str) -> Result<String, TargetError> {
        let mut probes = self.probes.lock().await;
        if let Some(id) = probes.by_network.get(network) {
            let there = self.engine.find(&format!("/containers/{id}/json")).await;
            let there = there.map_err(|error| self.engine.trouble("look at the probe", error))?;
            if there.is_some_and(|it| it.pointer("/State/Running") == Some(&Value::Bool(true))) {
                return Ok(id.clone());
            }
        }
        probes.made += 1;
        let name = format!("breakfix-probe-{}-{}-{}", self.place.session, std::process::id(), probes.made);
        let id = self.start_helper(&name, network, Role::Probe, json!({})).await?;
        probes.by_network.insert(network.to_owned(), id.clone());
        Ok(id)
    }

    /// Starts a container of ours that does nothing, on one network; returns its id. `more`: what its body has besides.
    pub(super) async fn start_helper(
        &self,
        name: &str,
        network: &str,
        role: Role,
        more: Value,
    ) -> Result<String, TargetError> {
        let what = format!("start a {} on the network {network}", role.as_str());
        let mut body = json!({
            "Image": self.engine.probe_image(&self.place).await?,
            "Entrypoint": ["/workload"],
            "Cmd": ["sleep", LIFE],
            "Labels": labels(&self.place, role),
            // Gone at once, when it is stopped and when its time is over.
            "StopSignal": "SIGKILL",
            "HostConfig": {"NetworkMode": network, "AutoRemove": true, "LogConfig": {"Type": "none"}},
        });
        crate::life::edit::merge(&mut body, &more);
        set(&mut body, &["HostConfig", "NetworkMode"], network.into());
        let made = self.engine.create_container(name, &body).await;
        let id = made.map_err(|error| self.engine.trouble(what.clone(), error))?;
        self.engine.add_helper(&id);
        match self.engine.ask(self.engine.docker.start_container(&id, None)).await {
            Ok(()) => Ok(id),
            Err(error) => {
                // It never ran, so nothing removes it by itself.
                drop(self.remove_container(&id, true).await);
                let missing = error.is_missing();
                let mut error = self.engine.trouble(what, error);
                if missing {
                    // More than the engine's words alone let one guess.
                    error.hints = vec![format!("There is no network `{network}` to ask from.")];
                }
                Err(error)
            }
        }
    }

    /// What the tool prints.
    async fn exec(&self, probe: &str, run: &Run<'_>) -> Result<String, TargetError> {
        let what = "run the probe's program";
        let trouble = |error: EngineError| self.engine.trouble(what, error);
        let docker = &self.engine.docker;
        let exec = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(run.command()),
            ..CreateExecOptions::default()
        };
        let id = self.engine.ask(docker.create_exec(probe, exec)).await.map_err(trouble)?.id;
        let (said, complaints) = self
            .engine
            .within(run.longest().saturating_add(EXEC), async {
                match docker.start_exec(&id, None).await? {
                    StartExecResults::Attached { output, .. } => streams(output).await,
                    StartExecResults::Detached => Ok(Default::default()),
                }
            })
            .await
            .map_err(trouble)?;
        let ended = self.engine.ask(docker.inspect_exec(&id)).await.map_err(trouble)?;
        // 0: all answered; 1: some were not. Anything else is no report.
        match ended.exit_code {
            Some(0 | 1) => Ok(said),
            code => {
                let code = code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
                let why = format!("{code}: {}{}", complaints.trim(), said.trim());
                Err(TargetError::new(Cause::Answered, what).because(why))
            }
        }
    }

    /// Removes this check's probes. What cannot be removed ends by itself; `clear` looks again.
    pub(super) async fn remove_probes(&self) {
        let probes = std::mem::take(&mut self.probes.lock().await.by_network);
        let removals = probes.values().map(|id| self.remove_container(id, true));
        futures::future::join_all(removals).await;
    }
}

/// What a program wrote to its output and to its errors.
pub(super) async fn streams(
    mut output: impl Stream<Item = Result<LogOutput, Error>> + Unpin,
) -> Result<(String, String), Error> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(frame) = output.try_next().await? {
        match frame {
            LogOutput::StdErr { message } => err.extend_from_slice(&message),
            LogOutput::StdOut { message } | LogOutput::Console { message } => out.extend_from_slice(&message),
            LogOutput::StdIn { .. } => {}
        }
    }
    Ok((String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned()))
}

/// A target's trouble as the answer to a query.
pub(super) fn failure(what: &str, error: &TargetError) -> Failure {
    Failure { what: what.to_owned(), why: format!("could not {}", error.chain()), hint: error.hints.first().cloned() }
}
