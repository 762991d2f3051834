//! Whether a statement speaks of a request, and how directly it names the principal.

use super::{
    condition,
    document::{Document, Patterns, Principals, Statement},
    pattern::Pattern,
    question::{Principal, Question},
};

/// How a statement of a resource's policy names whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// As a part of its account: the account may give the right on, by its own policies.
    ByAccount,
    /// By the ARN of the role behind the session.
    ByRole,
    /// By its own ARN, as a service, or as everybody.
    Directly,
}

impl Statement {
    /// Whether action, resource and conditions fit.
    pub fn fits(&self, document: &Document, question: &Question<'_>) -> bool {
        let variables = document.knows_variables.then_some(question.keys);
        let action = |pattern: &str| {
            // Actions are the same in any case, resources are not (IAM user guide, "Grammar of the IAM JSON policy language").
            let lower = pattern.to_ascii_lowercase();
            Pattern::read(&lower, None).is_some_and(|it| it.matches(&question.action.to_ascii_lowercase()))
        };
        let resource =
            |pattern: &str| Pattern::read(pattern, variables).is_some_and(|it| it.matches_arn(question.resource));
        self.actions.fits(action)
            && self.resources.as_ref().is_none_or(|resources| resources.fits(resource))
            && self
                .conditions
                .iter()
                .all(|condition| condition::holds(condition, question.keys, document.knows_variables))
    }

    /// How the statement names this principal; none where it does not, or where it has no principals.
    pub fn names(&self, principal: &Principal) -> Option<Named> {
        let principals = self.principals.as_ref()?;
        if !principals.except {
            return principals.name(principal);
        }
        // `NotPrincipal` spares whom it names, and for a session its role's and its account's entry spare it just as well.
        principals.name(principal).is_none().then_some(Named::Directly)
    }
}

impl Patterns {
    fn fits(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.any_of.iter().any(|pattern| matches(pattern)) != self.except
    }
}

impl Principals {
    fn name(&self, principal: &Principal) -> Option<Named> {
        let everybody = self.aws.iter().any(|it| it == "*").then_some(Named::Directly);
        let own = match principal {
            Principal::Service(name) => {
                self.services.iter().any(|it| it == name || it == "*").then_some(Named::Directly)
            }
            Principal::Federated(provider) => self.federated.contains(provider).then_some(Named::Directly),
            Principal::User { account, arn } => self.aws.iter().filter_map(|it| of_arn(it, account, arn, None)).max(),
            Principal::Session { account, arn, role } => {
                self.aws.iter().filter_map(|it| of_arn(it, account, arn, Some(role))).max()
            }
        };
        own.max(everybody)
    }
}

fn of_arn(entry: &str, account: &str, arn: &str, role: Option<&str>) -> Option<Named> {
    if entry == arn {
        Some(Named::Directly)
    } else if Some(entry) == role {
        Some(Named::ByRole)
    } else if entry == account
        || entry.strip_prefix("arn:aws:iam::").and_then(|it| it.strip_suffix(":root")) == Some(account)
    {
        Some(Named::ByAccount)
    } else {
        None
    }
}
