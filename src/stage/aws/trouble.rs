//! What can go wrong with one call.

use crate::target::{Cause, TargetError};

/// A call that did not bring what it was made for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// The service said no, in its own words.
    #[error("{code}: {message}")]
    Refused { code: String, message: String, status: u16 },
    #[error("nobody answers: {0}")]
    Unreachable(String),
    #[error("no answer within {0} s")]
    Slow(u64),
    /// Neither a refusal nor the answer that the API promises.
    #[error("an answer that is none: {0}")]
    Odd(String),
    /// A document that names what is not there.
    #[error("${{{0}}} names nothing that is there")]
    NoReference(String),
}

/// What services say of things that are not there, in the various ways of their models.
const MISSING: [&str; 20] = [
    "NotFound",
    "NoSuchEntity",
    "ResourceNotFoundException",
    "ClusterNotFoundException",
    "ServiceNotFoundException",
    "ServiceNotActiveException",
    "RepositoryNotFoundException",
    "ImageNotFoundException",
    "ParameterNotFound",
    "TargetGroupNotFound",
    "LoadBalancerNotFound",
    "ListenerNotFound",
    "RuleNotFound",
    "ResourceNotFound",
    "ObjectNotFoundException",
    "NatGatewayNotFound",
    "NamespaceNotFound",
    "ServiceNotFound",
    "InstanceNotFound",
    "NotFoundException",
];
/// Too many questions: the same one may be asked again in a moment.
const THROTTLED: [&str; 4] = ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"];
/// Something else is still in the way, for a while.
const BUSY: [&str; 8] = [
    "DependencyViolation",
    "ResourceInUse",
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "ClusterContainsContainerInstancesException",
    "ScalingActivityInProgress",
    "UpdateInProgressException",
    "DeleteConflict",
];

impl Trouble {
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// What was asked for does not exist.
    pub(super) fn is_missing(&self) -> bool {
        // EC2: InvalidVpcID.NotFound, InvalidGroup.NotFound …
        let code = self.code();
        MISSING.contains(&code) || code.ends_with(".NotFound")
    }

    pub(super) fn is_throttled(&self) -> bool {
        THROTTLED.contains(&self.code())
    }

    /// It will go once something else is gone.
    pub(super) fn is_busy(&self) -> bool {
        BUSY.contains(&self.code())
    }

    /// There is one already, so nothing was made.
    pub(super) fn is_duplicate(&self) -> bool {
        let code = self.code();
        code.contains("AlreadyExists") || code.contains("Duplicate") || code == "InvalidGroup.Duplicate"
    }

    /// The operation is none of this service's: a simulator's or an emulator's limit.
    pub(super) fn is_unknown_operation(&self) -> bool {
        let known = ["NotImplemented", "UnknownOperationException", "InvalidAction", "UnsupportedOperation"];
        matches!(self, Self::Refused { status: 501 | 404 | 405, .. }) || known.contains(&self.code())
    }

    /// The same as an error of the target's, while doing `what`.
    pub(super) fn on(self, what: impl Into<String>) -> TargetError {
        let cause = match &self {
            Self::Refused { status, .. } if *status < 500 && !self.is_throttled() => Cause::Answered,
            Self::Refused { .. } | Self::Odd(_) | Self::NoReference(_) => Cause::Answered,
            Self::Unreachable(_) => Cause::Unreachable,
            Self::Slow(_) => Cause::Slow,
        };
        let hint = match self.code() {
            "ExpiredToken" | "ExpiredTokenException" => Some("The credentials have expired: get new ones."),
            "UnrecognizedClientException" | "InvalidClientTokenId" | "SignatureDoesNotMatch" => Some(
                "The credentials are not those of this account: `aws sts get-caller-identity` says whose they are.",
            ),
            _ if self.is_throttled() => Some("AWS asks for fewer questions; try again in a minute."),
            _ => None,
        };
        let error = TargetError::new(cause, what).because(self);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
