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
    /// The service broke down over the question, without a word of the API: it may be only this once.
    #[error("an answer that is none: status {status}, {body}")]
    Broken { status: u16, body: String },
    /// An emulator has no answer to this operation, however often it is asked.
    #[error("{operation} is not served there ({why})")]
    Unserved { operation: String, why: String },
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
/// Too many questions: the same one may be asked again in a moment (AWS SDKs' standard retry, "throttling errors").
const THROTTLED: [&str; 9] = [
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "BandwidthLimitExceeded",
];
/// The service's own trouble of the moment, in its own words.
const PASSING: [&str; 6] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];
/// No more of this in the account: a limit that somebody can have raised.
const AT_ITS_LIMIT: [&str; 3] = ["LimitExceeded", "QuotaExceeded", "TooMany"];
/// Credentials whose time is over (signature errors of the query and the JSON protocols).
const EXPIRED: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"];
/// Credentials that are nobody's here.
const UNKNOWN_CREDENTIALS: [&str; 9] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];
/// The caller's policies do not allow it.
const FORBIDDEN: [&str; 4] = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired"];
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
        THROTTLED.contains(&self.code()) || matches!(self, Self::Refused { status: 429, .. })
    }

    /// The same question may well be answered in a moment.
    pub(super) fn is_passing(&self) -> bool {
        self.is_throttled() || PASSING.contains(&self.code()) || matches!(self, Self::Broken { .. })
    }

    /// A quota is reached.
    pub(super) fn is_at_its_limit(&self) -> bool {
        let code = self.code();
        !self.is_throttled() && AT_ITS_LIMIT.iter().any(|word| code.contains(word))
    }

    /// Whoever asked may not.
    pub(super) fn is_forbidden(&self) -> bool {
        FORBIDDEN.contains(&self.code())
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
        let known = [
            "NotImplemented",
            "NotImplementedException",
            "UnknownOperation",
            "UnknownOperationException",
            "UnknownAction",
            "InvalidAction",
            "UnsupportedOperation",
        ];
        let said = matches!(self, Self::Refused { status: 501 | 404 | 405, .. }) && !self.is_missing();
        said || known.contains(&self.code()) || matches!(self, Self::Unserved { .. })
    }

    /// The same as an error of the target's, while doing `what`.
    pub(super) fn on(self, what: impl Into<String>) -> TargetError {
        let cause = match &self {
            it if it.is_unknown_operation() => Cause::Missing,
            Self::Refused { .. } | Self::Odd(_) | Self::Broken { .. } | Self::NoReference(_) => Cause::Answered,
            Self::Unserved { .. } => Cause::Missing,
            Self::Unreachable(_) => Cause::Unreachable,
            Self::Slow(_) => Cause::Slow,
        };
        let hint = self.hint();
        let error = TargetError::new(cause, what).because(self);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// What to try; a whole sentence.
    fn hint(&self) -> Option<&'static str> {
        let code = self.code();
        if EXPIRED.contains(&code) {
            Some("The credentials have expired: get new ones, then give the same command again.")
        } else if UNKNOWN_CREDENTIALS.contains(&code) {
            Some("The credentials are not those of this account: `aws sts get-caller-identity` says whose they are.")
        } else if self.is_throttled() {
            Some("AWS asks for fewer questions; try again in a minute.")
        } else if self.is_at_its_limit() {
            Some(
                "The account has no room for more of this: remove what nobody needs, or ask for a higher quota \
                 (`aws service-quotas list-service-quotas`).",
            )
        } else if self.is_forbidden() {
            Some("Whoever's credentials these are may not do that: an administrator can give them the right.")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, status: u16) -> Trouble {
        Trouble::Refused { code: code.to_owned(), message: "no".to_owned(), status }
    }

    #[test]
    fn each_kind_of_refusal_says_what_to_try() {
        for (code, hint) in [
            ("ExpiredTokenException", "have expired"),
            ("RequestExpired", "have expired"),
            ("InvalidClientTokenId", "get-caller-identity"),
            ("AuthFailure", "get-caller-identity"),
            ("ThrottlingException", "fewer questions"),
            ("VpcLimitExceeded", "quota"),
            ("AddressLimitExceeded", "quota"),
            ("TooManyTargetGroups", "quota"),
            ("UnauthorizedOperation", "administrator"),
        ] {
            let error = refused(code, 400).on("do it");
            assert!(error.hints.concat().contains(hint), "{code}: {:?}", error.hints);
            assert_eq!(error.cause, Cause::Answered, "{code}");
        }
        assert!(refused("InvalidParameterException", 400).on("do it").hints.is_empty());
    }

    #[test]
    fn what_is_not_there_is_told_from_an_operation_that_is_not_served() {
        assert!(!refused("NoSuchEntity", 404).is_unknown_operation() && refused("NoSuchEntity", 404).is_missing());
        assert!(refused("NotFoundPage", 404).is_unknown_operation());
        assert!(refused("NotImplemented", 400).is_unknown_operation());
        assert_eq!(refused("InvalidAction", 400).on("x").cause, Cause::Missing);
    }

    #[test]
    fn a_throttled_question_is_no_quota() {
        let throttled = refused("TooManyRequestsException", 400);
        assert!(throttled.is_passing() && !throttled.is_at_its_limit());
        assert!(refused("Whatever", 429).is_throttled());
        assert!(refused("ServiceUnavailable", 503).is_passing() && !refused("ServiceUnavailable", 503).is_throttled());
    }
}
