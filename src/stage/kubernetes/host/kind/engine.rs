//! The container engine's own program: a kind node is a container, and a command on it is an `exec`.

use std::{process::Stdio, time::Duration};

use tokio::process::Command;

use crate::target::{Cause, NodeOutput, TargetError};

/// kind's own variable for the engine that it uses.
const PROVIDER: &str = "KIND_EXPERIMENTAL_PROVIDER";
const DEFAULT: &str = "docker";
/// How long a command on a node may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a command in a node's container.
pub(super) async fn exec(node: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
    let arguments: Vec<&str> = ["exec", node].into_iter().chain(command.iter().map(String::as_str)).collect();
    run(&program(), &arguments).await
}

/// Starts a node's container; one that runs is left alone.
pub(super) async fn start(node: &str) -> Result<(), TargetError> {
    let output = run(&program(), &["start", node]).await?;
    if output.exit == 0 {
        return Ok(());
    }
    Err(TargetError::new(Cause::Answered, format!("start the node {node}: {}", output.stderr.trim())))
}

fn program() -> String {
    std::env::var(PROVIDER).ok().filter(|name| !name.is_empty()).unwrap_or_else(|| DEFAULT.to_owned())
}

async fn run(program: &str, arguments: &[&str]) -> Result<NodeOutput, TargetError> {
    let what = format!("run `{program} {}`", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    match tokio::time::timeout(LIMIT, command.output()).await {
        Err(_) => Err(TargetError::new(Cause::Slow, format!("{what}: it takes longer than {} s", LIMIT.as_secs()))),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(TargetError::new(Cause::Missing, format!("find the program `{program}` on the PATH"))
                .hint("The nodes of a kind cluster are its containers."))
        }
        Ok(Err(error)) => Err(TargetError::new(Cause::Local, what).because(error)),
        Ok(Ok(output)) => Ok(NodeOutput {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            exit: output.status.code().unwrap_or(-1),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_says_what_it_says_and_one_that_is_not_there_is_named() {
        let output = run("sh", &["-c", "echo out; echo err >&2; exit 3"]).await.unwrap();
        assert_eq!(output, NodeOutput { stdout: "out\n".into(), stderr: "err\n".into(), exit: 3 });
        let error = run("no-such-engine", &["exec"]).await.unwrap_err();
        assert!(error.what.contains("no-such-engine") && error.cause == Cause::Missing, "{error}");
    }
}
