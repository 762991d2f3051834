//! `up`: what the work folder's Compose file says, brought up through the engine's API.

use std::{collections::BTreeMap, time::Duration};

use breakfix_lab::{
    Document,
    compose::{self, Condition},
    problem::Problem,
};
use serde_json::{Value, json};

use super::{
    DockerTarget,
    belongs::label,
    engine::{escaped, found},
    labels::SESSION,
};
use crate::{
    journal::Undo,
    target::{Cause, TargetError},
    work,
};

/// The label by which the tools know what belongs to a project.
const PROJECT: &str = "com.docker.compose.project";
const WHAT: &str = "bring up what the Compose file of the work folder says";
/// How long a service waits for one that it depends on. `docker compose up` has no end of its own; a health check decides, and this is
/// longer than any that a lab may have.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(200);

impl DockerTarget {
    /// What is missing is made, every container is stopped with its grace and made again, in the order of `depends_on`.
    pub(super) async fn up(&self, variables: &BTreeMap<String, String>, undo: &dyn Undo) -> Result<(), TargetError> {
        let documents = self.composed(variables)?;
        let note =
            |error: Box<dyn std::error::Error + Send + Sync>| TargetError::new(Cause::Local, WHAT).because(error);
        undo.note(json!({"docker": "up", "variables": variables})).map_err(|error| note(error.into()))?;
        let done = self.bring_up(&documents).await;
        // What the engine would not make now it would not make a second time either; anything else is to be finished later.
        if done.as_ref().err().is_none_or(|error| matches!(error.cause, Cause::Refused | Cause::Denied)) {
            undo.settled().map_err(|error| note(error.into()))?;
        }
        done
    }

    /// Finishes an `up` that was cut short. A file that can no longer be read, or asks for what cannot be made, is its owner's matter.
    pub(super) async fn up_again(&self, note: &Value) -> Result<(), TargetError> {
        let variables = note.get("variables").and_then(Value::as_object).into_iter().flatten();
        let variables =
            variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        match self.composed(&variables) {
            Ok(documents) => match self.bring_up(&documents).await {
                Err(error) if matches!(error.cause, Cause::Refused | Cause::Denied) => Ok(()),
                done => done,
            },
            Err(_) => Ok(()),
        }
    }

    fn composed(&self, variables: &BTreeMap<String, String>) -> Result<Vec<Document>, TargetError> {
        let folder = work::folder(&self.place);
        let files = work::Files::read(&folder).map_err(|error| TargetError::new(Cause::Local, WHAT).because(error))?;
        let texts: BTreeMap<String, String> =
            files.texts().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        let documents = compose::read("", &texts, variables).map_err(|problems| misread(&problems))?;
        if documents.is_empty() {
            return Err(TargetError::new(Cause::Denied, WHAT).hint(format!(
                "There is no Compose file in {}: it has to be called {}.",
                folder.display(),
                compose::FILES[0]
            )));
        }
        Ok(documents)
    }

    async fn bring_up(&self, documents: &[Document]) -> Result<(), TargetError> {
        // Nothing is stopped before it is clear that all of it may be made again.
        for document in documents.iter().filter(|it| it.kind == "Container") {
            if let Some(there) = self.inspected(&document.name).await? {
                self.may_make_again(&there, document)?;
            }
        }
        for document in documents {
            let is_there = match document.kind.as_str() {
                "Network" => self.is_there(&format!("/networks/{}", escaped(&document.name))).await?,
                "Volume" => self.is_there(&format!("/volumes/{}", escaped(&document.name))).await?,
                _ => {
                    if self.inspected(&document.name).await?.is_some() {
                        self.stop(&document.name).await?;
                    }
                    false
                }
            };
            if !is_there {
                self.create_composed(document, documents).await.map_err(denied)?;
            }
        }
        Ok(())
    }

    /// The file is the learner's: a name in it may be that of a container that is nobody's business here. Made again is what the lab declares,
    /// what bears the session's label, and what a tool made of this very project since the session began.
    fn may_make_again(&self, there: &Value, document: &Document) -> Result<(), TargetError> {
        self.may_replace(there, WHAT)?;
        let declared = |it: &Document| it.kind == "Container" && it.name == document.name;
        let project = document.body.pointer("/Labels").and_then(|it| it.get(PROJECT)).and_then(Value::as_str);
        let is_ours = label(there, SESSION).is_some()
            || self.place.documents.iter().any(declared)
            || project.is_some() && label(there, PROJECT) == project;
        if is_ours {
            return Ok(());
        }
        Err(TargetError::new(Cause::Refused, WHAT)
            .because(format!("`{}` is on the engine already and is not this project's", document.name))
            .hint("Remove or rename it, or give your service another `container_name`."))
    }

    /// Makes one document; a container only when what it depends on has got where it has to. Otherwise it is made and not started, as
    /// Compose leaves it.
    pub(super) async fn create_composed(&self, document: &Document, all: &[Document]) -> Result<(), TargetError> {
        for (service, condition) in compose::conditions(document) {
            let other = all.iter().find(|it| compose::service_of(it) == Some(&service));
            if let Some(other) = other
                && !self.has_got_there(&other.name, condition).await?
            {
                return self.create_unstarted(document).await;
            }
        }
        self.create_one(document).await
    }

    async fn has_got_there(&self, container: &str, condition: Condition) -> Result<bool, TargetError> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let path = format!("/containers/{}/json", escaped(container));
            let state = self.engine.find(&path).await.map_err(|error| self.engine.trouble(WHAT, error))?;
            let state = state.and_then(|it| it.get("State").cloned()).unwrap_or_default();
            if let Some(answer) = is_met(&state, condition) {
                return Ok(answer);
            }
            if tokio::time::Instant::now() >= until {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn inspected(&self, container: &str) -> Result<Option<Value>, TargetError> {
        let found = self.engine.find(&format!("/containers/{}/json", escaped(container))).await;
        found.map_err(|error| self.engine.trouble(WHAT, error))
    }

    async fn is_there(&self, path: &str) -> Result<bool, TargetError> {
        let there = found(self.engine.get(path).await);
        Ok(there.map_err(|error| self.engine.trouble(WHAT, error))?.is_some())
    }
}

/// Whether a container is where a dependent wants it; `None`: not yet.
fn is_met(state: &Value, condition: Condition) -> Option<bool> {
    let is_running = state.get("Running") == Some(&Value::Bool(true));
    let status = state.get("Status").and_then(Value::as_str).unwrap_or_default();
    match condition {
        Condition::Started => Some(true),
        Condition::Healthy => match state.pointer("/Health/Status").and_then(Value::as_str) {
            Some("healthy") if is_running => Some(true),
            Some("unhealthy") => Some(false),
            // It has none, or has ended and does not come back.
            None => Some(false),
            Some(_) => (status == "exited").then_some(false),
        },
        Condition::CompletedSuccessfully => match status {
            "exited" => Some(state.get("ExitCode").and_then(Value::as_i64) == Some(0)),
            "dead" | "" => Some(false),
            _ => None,
        },
    }
}

/// A file that is no YAML is the learner's fault; one that only breakfix does not understand is not.
fn misread(problems: &[Problem]) -> TargetError {
    let is_broken = problems.iter().any(|it| it.rule != "compose");
    let cause = if is_broken { Cause::Denied } else { Cause::Refused };
    let said = problems.iter().map(|it| {
        let help = it.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}, line {}: {}{help}", it.file, it.line, it.message)
    });
    TargetError::new(cause, WHAT).because(said.collect::<Vec<_>>().join("; "))
}

/// What the engine will not make is wrong in the file, and an answer.
fn denied(mut error: TargetError) -> TargetError {
    if error.cause == Cause::Answered {
        error.cause = Cause::Denied;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependent_waits_as_long_as_it_can_still_come_true() {
        let is_met = |state: Value, condition| is_met(&state, condition);
        let health = |status: &str, running: bool| json!({"Running": running, "Status": if running { "running" } else { "exited" }, "Health": {"Status": status}});
        assert_eq!(is_met(health("starting", true), Condition::Healthy), None);
        assert_eq!(is_met(health("healthy", true), Condition::Healthy), Some(true));
        assert_eq!(is_met(health("unhealthy", true), Condition::Healthy), Some(false));
        assert_eq!(is_met(health("starting", false), Condition::Healthy), Some(false));
        assert_eq!(is_met(json!({"Running": true, "Status": "running"}), Condition::Healthy), Some(false));
        let ended = |code: i64| json!({"Running": false, "Status": "exited", "ExitCode": code});
        assert_eq!(is_met(ended(0), Condition::CompletedSuccessfully), Some(true));
        assert_eq!(is_met(ended(1), Condition::CompletedSuccessfully), Some(false));
        assert_eq!(is_met(json!({"Running": true, "Status": "running"}), Condition::CompletedSuccessfully), None);
        assert_eq!(is_met(Value::Null, Condition::Started), Some(true));
    }

    #[test]
    fn what_is_no_yaml_is_the_files_fault_and_what_is_not_understood_is_ours() {
        let problem = |rule| Problem::error(rule, "compose.yaml", Default::default(), "x");
        assert_eq!(misread(&[problem("yaml")]).cause, Cause::Denied);
        assert_eq!(misread(&[problem("compose")]).cause, Cause::Refused);
    }
}
