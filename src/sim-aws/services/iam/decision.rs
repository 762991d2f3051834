//! What an evaluation comes to, and the sentence that tells a caller about a refusal.

use serde::{Deserialize, Serialize};

use crate::Caller;

/// Which of the policies that were asked decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyKind {
    Identity,
    Boundary,
    Resource,
    /// A role's trust policy.
    Trust,
}

/// May the caller do it?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    Allowed,
    /// A statement says no, in a policy of this kind.
    ExplicitDeny(PolicyKind),
    /// Nothing says yes, and a policy of this kind would have had to.
    ImplicitDeny(PolicyKind),
}

impl Decision {
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    /// The sentence for the caller; none where it may. The wording of each kind of policy is the one in IAM's user guide,
    /// "Troubleshoot access denied error messages".
    pub fn refusal(self, caller: &Caller, action: &str, resource: &str) -> Option<String> {
        let tail = match self {
            Self::Allowed => return None,
            // STS keeps to itself what a trust policy lacks.
            Self::ImplicitDeny(PolicyKind::Trust) => String::new(),
            Self::ExplicitDeny(kind) => format!(" with an explicit deny in {} {}", kind.article(), kind.name()),
            Self::ImplicitDeny(kind) => format!(" because no {} allows the {action} action", kind.name()),
        };
        Some(format!("User: {} is not authorized to perform: {action} on resource: {resource}{tail}", caller.arn))
    }
}

impl PolicyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
        }
    }

    fn article(self) -> &'static str {
        match self {
            Self::Identity => "an",
            Self::Boundary | Self::Resource => "a",
            Self::Trust => "the",
        }
    }
}
