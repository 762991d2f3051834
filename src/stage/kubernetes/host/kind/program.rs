//! The `kind` program: found, its version checked, called with what it needs and nothing more.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use crate::{
    home::Guard,
    target::{Cause, TargetError},
};

/// The oldest version that is known to do what is asked of it.
const OLDEST: (u32, u32) = (0, 20);
/// How long a question may take.
const ASK: Duration = Duration::from_secs(60);
/// How long loading may take.
const LOAD: Duration = Duration::from_secs(180);
/// How long a cluster may take to be made, its node image being fetched included.
const CREATE: Duration = Duration::from_secs(900);
/// How much of what the program says an error quotes, in lines from the end.
const TAIL: usize = 12;

/// A `kind` program that is new enough.
#[derive(Debug)]
pub(super) struct Kind {
    program: PathBuf,
}

impl Kind {
    /// Finds it: by its path, or by its name on the PATH.
    ///
    /// # Errors
    /// It is missing, or too old.
    pub(super) async fn find(program: &Path) -> Result<Self, TargetError> {
        let kind = Self { program: program.to_owned() };
        let said = kind.run(&["version"], ASK).await?;
        let version = read_version(&said).ok_or_else(|| {
            TargetError::new(Cause::Missing, format!("understand the version of the kind program: `{}`", said.trim()))
        })?;
        if version < OLDEST {
            let (major, minor) = version;
            let what = format!("use kind {major}.{minor}: breakfix needs {}.{} or later", OLDEST.0, OLDEST.1);
            return Err(TargetError::new(Cause::Missing, what).hint(INSTALL));
        }
        Ok(kind)
    }

    /// The names of all clusters.
    pub(super) async fn clusters(&self) -> Result<Vec<String>, TargetError> {
        Ok(self.run(&["get", "clusters"], ASK).await?.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// A cluster's kubeconfig. The learner's own is never written to.
    pub(super) async fn kubeconfig(&self, cluster: &str) -> Result<String, TargetError> {
        self.run(&["get", "kubeconfig", "--name", cluster], ASK).await
    }

    /// Creates a cluster. The program holds the lock with us, so that it stays known where we are killed before it ends.
    pub(super) async fn create(
        &self,
        cluster: &str,
        config: &Path,
        kubeconfig: &Path,
        image: Option<&str>,
        maker: &Guard,
    ) -> Result<(), TargetError> {
        let shared = maker
            .share()
            .map_err(|error| TargetError::new(Cause::Local, "share the kind cluster's lock").because(error))?;
        let (config, kubeconfig) = (config.display().to_string(), kubeconfig.display().to_string());
        let mut arguments = vec![
            "create",
            "cluster",
            "--name",
            cluster,
            "--config",
            &config,
            "--kubeconfig",
            &kubeconfig,
            "--wait",
            "180s",
        ];
        arguments.extend(image.iter().flat_map(|image| ["--image", image]));
        self.run_holding(&arguments, CREATE, shared.into()).await.map(drop).map_err(explained)
    }

    /// Deletes a cluster and its entry in our own kubeconfig; without a file named it would look into the learner's.
    pub(super) async fn delete(&self, cluster: &str, kubeconfig: &Path) -> Result<(), TargetError> {
        let kubeconfig = kubeconfig.display().to_string();
        self.run(&["delete", "cluster", "--name", cluster, "--kubeconfig", &kubeconfig], LOAD).await.map(drop)
    }

    /// The nodes of a cluster, those that are off included.
    pub(super) async fn nodes(&self, cluster: &str) -> Result<Vec<String>, TargetError> {
        let said = self.run(&["get", "nodes", "--name", cluster], ASK).await?;
        let mut nodes: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
        nodes.sort();
        Ok(nodes)
    }

    /// Puts the images of an archive on all nodes.
    pub(super) async fn load(&self, cluster: &str, archive: &Path) -> Result<(), TargetError> {
        let archive = archive.display().to_string();
        self.run(&["load", "image-archive", &archive, "--name", cluster], LOAD).await.map(drop)
    }

    /// Runs it and yields its standard output.
    async fn run(&self, arguments: &[&str], limit: Duration) -> Result<String, TargetError> {
        self.run_holding(arguments, limit, Stdio::null()).await
    }

    async fn run_holding(&self, arguments: &[&str], limit: Duration, held: Stdio) -> Result<String, TargetError> {
        let what = format!("run `kind {}`", arguments.join(" "));
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(held).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let output = match tokio::time::timeout(limit, command.output()).await {
            Err(_) => {
                return Err(TargetError::new(
                    Cause::Slow,
                    format!("{what}: it takes longer than {} s", limit.as_secs()),
                ));
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(TargetError::new(Cause::Missing, "find the program `kind` on the PATH").hint(INSTALL));
            }
            Ok(Err(error)) => return Err(TargetError::new(Cause::Local, what).because(error)),
            Ok(Ok(output)) => output,
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n");
        let engine_down = [
            "Cannot connect to the Docker daemon",
            "failed to list nodes",
            "failed to list clusters",
            "is the docker daemon running",
        ];
        let cause =
            if engine_down.iter().any(|words| said.contains(words)) { Cause::Unreachable } else { Cause::Answered };
        let error = TargetError::new(cause, format!("{what} ({}): {tail}", output.status));
        Err(if cause == Cause::Unreachable {
            error.hint("Start the container engine: `docker ps` must work.")
        } else {
            error
        })
    }
}

/// What to try when a cluster could not be made: that depends on how far it got.
fn explained(error: TargetError) -> TargetError {
    match error.cause {
        Cause::Unreachable | Cause::Missing | Cause::Local => error,
        _ if NO_IMAGE.iter().any(|words| error.what.contains(words)) => error.hint(
            "Without internet give a node image that is there: `--kind-image kindest/node:…` (`docker images` lists them).",
        ),
        _ => error.hint("What often helps is at https://kind.sigs.k8s.io/docs/user/known-issues/; `--target sim` needs no cluster."),
    }
}

/// How the `kind` program says that it has no node image.
const NO_IMAGE: [&str; 2] = ["failed to pull image", "No such image"];

/// How to get the program.
const INSTALL: &str = "Install kind: `go install sigs.k8s.io/kind@latest`, `brew install kind`, or as \
                       https://kind.sigs.k8s.io/docs/user/quick-start/ says. `--target sim` needs nothing.";

/// `kind v0.29.0 go1.24.2 linux/amd64`, `kind version 0.20.0-alpha`: the first number with a dot.
fn read_version(said: &str) -> Option<(u32, u32)> {
    said.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches('v').split(['.', '-', '+']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(read_version("kind v0.29.0 go1.24.2 linux/amd64\n"), Some((0, 29)));
        assert_eq!(read_version("kind version 0.9.0-alpha+abc"), Some((0, 9)));
        assert_eq!(read_version("v1.0.0"), Some((1, 0)));
        assert_eq!(read_version("kind"), None);
        assert!((0, 9) < OLDEST && (0, 20) >= OLDEST && (1, 0) > OLDEST);
    }
}
