//! Looking into a container without its help: its processes from a probe in its PID namespace, its files through the engine.

use bollard::query_parameters::{ContainerArchiveInfoOptionsBuilder, LogsOptionsBuilder, WaitContainerOptions};
use breakfix_grade::{
    Failure, Fetched,
    observation::{FileSeen, Process},
};
use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    DockerTarget,
    belongs::{id, text},
    engine::{escaped, found},
    labels::Role,
    probe::{failure, streams},
};
use crate::target::{Cause, TargetError};

/// One line of what the probe prints.
#[derive(Deserialize)]
struct Line {
    pid: u32,
    uid: u32,
    state: char,
    command: String,
}

impl DockerTarget {
    /// The processes of a container. `exec` would fail where its limit is reached, and the engine's own list leaves ended ones out.
    pub(super) async fn processes(&self, container: &str, what: &str) -> Result<Fetched, Failure> {
        let seen = async {
            let Some(there) = self.container(container).await? else { return Ok(None) };
            if there.pointer("/State/Running") != Some(&Value::Bool(true)) {
                return Ok(None);
            }
            let id = id(&there).unwrap_or_default();
            let more = json!({"Cmd": ["ps", "--json"], "HostConfig": {
                "PidMode": format!("container:{id}"), "AutoRemove": false, "LogConfig": {"Type": "json-file"},
            }});
            let name = format!("breakfix-probe-{}-{}", self.place.session, super::observe::nonce());
            let probe = self.start_helper(&name, "none", Role::Probe, more).await?;
            let said = self.said(&probe).await;
            self.remove_container(&probe, true).await?;
            read(&said?).map(Some)
        };
        seen.await.map(Fetched::Processes).map_err(|error: TargetError| failure(what, &error))
    }

    /// What a container of ours has printed at its end.
    async fn said(&self, probe: &str) -> Result<String, TargetError> {
        let trouble = |error| self.engine.trouble("read what a probe has seen", error);
        let docker = &self.engine.docker;
        let ended = docker.wait_container(probe, None::<WaitContainerOptions>).try_collect::<Vec<_>>();
        self.engine.ask(ended).await.map_err(trouble)?;
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).build();
        let (said, _) = self.engine.ask(streams(docker.logs(probe, Some(options)))).await.map_err(trouble)?;
        Ok(said)
    }

    /// What stands at a path.
    pub(super) async fn file(&self, container: &str, path: &str, what: &str) -> Result<Fetched, Failure> {
        let seen = async {
            if self.container(container).await?.is_none() {
                return Ok(FileSeen::NoContainer);
            }
            let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
            let name = escaped(container);
            let stat = self.engine.ask(self.engine.docker.get_container_archive_info(&name, Some(options))).await;
            let stat = found(stat).map_err(|error| self.engine.trouble(format!("look at {path}"), error))?;
            // Go's own bits for kinds stand above the permission bits.
            Ok(stat.map_or(FileSeen::Missing, |stat| FileSeen::There { mode: permissions(stat.file_mode.into()) }))
        };
        seen.await.map(Fetched::File).map_err(|error: TargetError| failure(what, &error))
    }

    async fn container(&self, name: &str) -> Result<Option<Value>, TargetError> {
        let there = self.engine.find(&format!("/containers/{}/json", escaped(name))).await;
        let there = there.map_err(|error| self.engine.trouble("look at the container", error))?;
        // The engine takes the beginning of an id for a name.
        Ok(there.filter(|it| text(it, &["Name"]).is_some_and(|it| it.trim_start_matches('/') == name)))
    }
}

/// The permission bits of Go's `FileMode`: the lower nine.
fn permissions(mode: u64) -> u32 {
    u32::try_from(mode & 0o777).unwrap_or_default()
}

fn read(said: &str) -> Result<Vec<Process>, TargetError> {
    let line = |line: &str| {
        let Line { pid, uid, state, command } = serde_json::from_str(line)?;
        Ok(Process { pid, uid, state, command })
    };
    let lines: Result<Vec<Process>, serde_json::Error> = said.lines().map(line).collect();
    lines.map_err(|error| TargetError::new(Cause::Answered, "read what a probe has seen").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probes_lines_are_read_and_anything_else_is_trouble() {
        let said = "{\"pid\":1,\"uid\":0,\"state\":\"S\",\"command\":\"/workload\"}\n{\"pid\":7,\"uid\":3,\"state\":\"Z\",\"command\":\"[workload]\"}\n";
        let processes = read(said).unwrap();
        assert_eq!((processes.len(), processes[1].uid, processes[1].state), (2, 3, 'Z'));
        assert!(read("ps: not found\n").is_err());
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn kinds_of_files_are_no_permissions() {
        assert_eq!(permissions(0x8000_01ed), 0o755);
        assert_eq!(permissions(0o777), 0o777);
    }
}
