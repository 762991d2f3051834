//! What a request needs before a service looks at it: actions on resources, in a context; and the refusal in that service's shape.

use std::collections::BTreeMap;

use super::{Decision, evaluate};
use crate::{AwsError, Call, Cloud};

/// Condition keys of a request and their values: `iam:PassedToService` → `ecs-tasks.amazonaws.com`. Keys match in any case.
pub type Context = BTreeMap<String, Vec<String>>;

/// One right that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// `ecs:RunTask`.
    pub action: String,
    /// An ARN; `*` for an action that knows no resources.
    pub resource: String,
    /// Another way to write the resource, which is as good.
    pub or_on: Option<String>,
    /// What the service adds to the global context keys.
    pub context: Context,
}

impl Need {
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), or_on: None, context: Context::new() }
    }

    /// The right to an operation that knows no resources.
    pub fn anywhere(prefix: &str, operation: &str) -> Self {
        Self::new(format!("{prefix}:{operation}"), "*")
    }

    /// The right to hand a role to a service (`iam:PassRole`), judged with `iam:PassedToService`.
    pub fn pass_role(role_arn: &str, to: &str) -> Self {
        Self::new("iam:PassRole", role_arn).with("iam:PassedToService", to)
    }

    /// The same right, if it is given on this resource.
    #[must_use]
    pub fn or_on(mut self, resource: String) -> Self {
        self.or_on = Some(resource);
        self
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.context.entry(key.to_owned()).or_default().push(value.to_owned());
        self
    }
}

/// Refuses a request whose caller lacks one of its needs.
///
/// # Errors
/// The first need that is not met, in the words and the shape of the service that was asked.
pub fn authorize(cloud: &Cloud, call: &Call, needs: &[Need]) -> Result<(), AwsError> {
    for need in needs {
        let on = |resource: &str| evaluate(cloud, &call.caller, &need.action, resource, &need.context);
        let decision = match (on(&need.resource), need.or_on.as_deref().map(on)) {
            // A deny of either is a deny; an allow of either is enough.
            (Decision::ImplicitDeny(_), Some(other @ (Decision::Allowed | Decision::ExplicitDeny(_)))) => other,
            (Decision::Allowed, Some(other @ Decision::ExplicitDeny(_))) => other,
            (decision, _) => decision,
        };
        if let Some(error) = denied(call, decision, need) {
            return Err(error);
        }
    }
    Ok(())
}

/// JSON services answer 400 `AccessDeniedException`, query services 403 `AccessDenied`, EC2 403 `UnauthorizedOperation` (each as its
/// service's list of common errors has it).
fn denied(call: &Call, decision: Decision, need: &Need) -> Option<AwsError> {
    let sentence = decision.refusal(&call.caller, &need.action, &need.resource)?;
    Some(match call.service.as_str() {
        "ec2" => {
            let sentence = format!("You are not authorized to perform this operation. {sentence}");
            AwsError::new("UnauthorizedOperation", sentence).status(403)
        }
        "iam" | "sts" | "elasticloadbalancing" | "autoscaling" | "monitoring" => {
            AwsError::new("AccessDenied", sentence).status(403)
        }
        _ => AwsError::new("AccessDeniedException", sentence),
    })
}
