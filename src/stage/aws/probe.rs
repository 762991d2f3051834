//! What a service that speaks AWS's API can show: tried out with a few things of our own, since an emulator takes much that it does nothing about.
//!
//! They bear the session's tag like everything else, so that a probe that is cut short is cleared away with the session.

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::{Document, lab::Capability};
use serde_json::{Value, json};

use super::{
    api::Api,
    resolve::Known,
    target::AwsTarget,
    wire::Service::{Ecs, Iam},
};
use crate::target::{Cause, TargetError};

/// How long a service may take to begin with its first task.
const TASK_WITHIN: Duration = Duration::from_secs(10);
/// How long that task, whose image does not exist, must not be said to run.
const HONEST_FOR: Duration = Duration::from_secs(4);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// A port on which nobody listens, and an address that nobody has.
const NOBODY: (&str, u16) = ("10.255.0.20", 80);

impl AwsTarget {
    /// What the service is able to do. What it refuses, or breaks down over, it is not.
    pub(super) async fn probed(&self) -> Result<BTreeSet<Capability>, TargetError> {
        let api = &*self.api().await?;
        let name = probe_name(&self.place.session);
        let mut able = BTreeSet::new();
        let tried = self.try_out(api, &name, &mut able).await;
        // Also after trouble: what is left over here would be in the way of the next try.
        self.delete_documents(&documents(&name)).await?;
        tried.map(|()| able)
    }

    async fn try_out(&self, api: &Api, name: &str, able: &mut BTreeSet<Capability>) -> Result<(), TargetError> {
        if answered(self.decides(api, name).await)? {
            able.insert(Capability::PolicySimulation);
        }
        if answered(self.looks_after_targets(api, name).await)? {
            able.insert(Capability::TargetHealth);
        }
        if answered(self.runs_tasks(api, name).await)? {
            able.insert(Capability::RunningTasks);
        }
        Ok(())
    }

    async fn make_kinds(&self, api: &Api, name: &str, kinds: &[&str]) -> Result<(), TargetError> {
        let mut known = Known::default();
        for document in documents(name).iter().filter(|it| kinds.contains(&it.kind.as_str())) {
            self.make(api, &mut known, document).await?;
        }
        Ok(())
    }

    /// A role that may do one thing is said to be allowed that and nothing else.
    async fn decides(&self, api: &Api, name: &str) -> Result<bool, TargetError> {
        self.make_kinds(api, name, &["Role"]).await?;
        let mut arn = json!(format!("${{Role/{name}.arn}}"));
        let cannot = |trouble| self.cannot("ask what a role may do", trouble);
        Known::default().fill(api, &mut arn).await.map_err(cannot)?;
        let actions = ["ecr:GetAuthorizationToken", "ecr:DeleteRepository"];
        let input = json!({"PolicySourceArn": arn, "ActionNames": actions});
        let answer = api.call(Iam, "SimulatePrincipalPolicy", input).await.map_err(cannot)?;
        let said = answer.get("EvaluationResults").and_then(Value::as_array).cloned().unwrap_or_default();
        let decision = |action: &str| {
            let of = said.iter().find(|it| it.get("EvalActionName").and_then(Value::as_str) == Some(action));
            of.and_then(|it| it.get("EvalDecision")).and_then(Value::as_str).map(str::to_owned)
        };
        Ok(decision(actions[0]).as_deref() == Some("allowed") && decision(actions[1]).is_some_and(|it| it != "allowed"))
    }

    /// A target at which nobody answers is not said to be healthy.
    async fn looks_after_targets(&self, api: &Api, name: &str) -> Result<bool, TargetError> {
        // The address of a target has to lie in a subnet.
        self.make_kinds(api, name, &["Vpc", "Subnet", "TargetGroup"]).await?;
        let found = Known::default().object(api, "TargetGroup", name).await;
        let group = found.map_err(|trouble| self.cannot("ask for the health of a target", trouble))?;
        let states = group.as_ref().and_then(|it| it.get("TargetHealthDescriptions")).and_then(Value::as_array);
        let state = |it: &Value| it.pointer("/TargetHealth/State").and_then(Value::as_str).map(str::to_owned);
        let states: Vec<String> = states.into_iter().flatten().filter_map(state).collect();
        Ok(!states.is_empty() && states.iter().all(|it| it != "healthy"))
    }

    /// A service starts a task, and one whose image does not exist is not said to run.
    async fn runs_tasks(&self, api: &Api, name: &str) -> Result<bool, TargetError> {
        self.make_kinds(api, name, &["Vpc", "Subnet", "Cluster", "TaskDefinition", "Service"]).await?;
        let mut passed = Duration::ZERO;
        let mut begun: Option<Duration> = None;
        loop {
            let statuses = self.statuses(api, name).await?;
            if statuses.iter().any(|it| it == "RUNNING") {
                return Ok(false);
            }
            if !statuses.is_empty() {
                let since = *begun.get_or_insert(passed);
                if passed - since >= HONEST_FOR || statuses.iter().any(|it| it == "STOPPED") {
                    return Ok(true);
                }
            } else if passed >= TASK_WITHIN {
                return Ok(false);
            }
            self.host.pass(PAUSE).await?;
            passed += PAUSE;
        }
    }

    /// In what state the probe's tasks are said to be.
    async fn statuses(&self, api: &Api, cluster: &str) -> Result<Vec<String>, TargetError> {
        let cannot = |trouble| self.cannot("look at a service's tasks", trouble);
        let mut found = Vec::new();
        for desired in ["RUNNING", "STOPPED"] {
            let input = json!({"cluster": cluster, "desiredStatus": desired});
            let arns = api.all(Ecs, "ListTasks", input, "taskArns", ("nextToken", "nextToken")).await;
            let arns = arns.map_err(cannot)?;
            if arns.is_empty() {
                continue;
            }
            let some: Vec<Value> = arns.into_iter().take(100).collect();
            let tasks = api.call(Ecs, "DescribeTasks", json!({"cluster": cluster, "tasks": some})).await;
            let tasks = tasks.map_err(cannot)?;
            let tasks = tasks.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default();
            found.extend(tasks.iter().filter_map(|it| it.get("lastStatus")?.as_str().map(str::to_owned)));
        }
        Ok(found)
    }
}

/// What a try has shown. A refusal shows that the service cannot; that nobody answers shows nothing.
fn answered(tried: Result<bool, TargetError>) -> Result<bool, TargetError> {
    match tried {
        Err(error) if [Cause::Answered, Cause::Missing].contains(&error.cause) => Ok(false),
        other => other,
    }
}

/// The name of everything that a probe makes: its own in every session, and short enough for a target group.
fn probe_name(session: &str) -> String {
    let end: String = session.chars().rev().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("breakfix-probe-{}", end.chars().rev().collect::<String>())
}

fn documents(name: &str) -> Vec<Document> {
    let document = |kind: &str, body: Value| Document {
        api_version: None,
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: None,
        body,
        file: "probe".to_owned(),
        line: 1,
    };
    let vpc = format!("${{Vpc/{name}.id}}");
    vec![
        document(
            "Role",
            json!({
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
                ]},
                "RolePolicyList": [{"PolicyName": "one-thing", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
                ]}}],
            }),
        ),
        document("Vpc", json!({"CidrBlock": "10.255.0.0/24"})),
        document("Subnet", json!({"VpcId": vpc, "CidrBlock": "10.255.0.0/26"})),
        document(
            "TargetGroup",
            json!({
                "Protocol": "HTTP", "Port": NOBODY.1, "VpcId": vpc, "TargetType": "ip",
                "Targets": [{"Id": NOBODY.0, "Port": NOBODY.1}],
            }),
        ),
        document("Cluster", json!({})),
        document(
            "TaskDefinition",
            json!({
                "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                "containerDefinitions": [{"name": "probe", "image": "registry.example/nobody/nothing:0", "essential": true}],
            }),
        ),
        document(
            "Service",
            json!({
                "cluster": name, "taskDefinition": name, "desiredCount": 1, "launchType": "FARGATE",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": [format!("${{Subnet/{name}.id}}")]}},
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_has_a_name_of_its_own_that_fits_everywhere() {
        let name = probe_name("load-balancer-times-out-bcdf");
        assert_eq!(name, "breakfix-probe-soutbcdf");
        // A target group's name has 32 characters at most.
        assert!(name.len() <= 32 && documents(&name).iter().all(|it| it.name == name));
    }

    #[test]
    fn a_refusal_is_an_answer_and_silence_is_none() {
        let error = |cause| Err(TargetError::new(cause, "try"));
        assert!(!answered(error(Cause::Answered)).unwrap() && !answered(error(Cause::Missing)).unwrap());
        assert!(answered(error(Cause::Unreachable)).is_err() && answered(error(Cause::Slow)).is_err());
        assert!(answered(Ok(true)).unwrap());
    }
}
