//! What can go wrong between breakfix and an API server, told apart, and by whom it concerns.

use std::time::Duration;

use breakfix_grade::Failure;

pub(crate) use crate::target::causes;
use crate::target::{Cause, TargetError};

/// A request without a usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// No connection, or one that broke.
    #[error("the API server cannot be reached: {why}")]
    Unreachable { why: String },
    /// No answer in time.
    #[error("the API server did not answer within {} s", after.as_secs())]
    Slow { after: Duration },
    /// The API's own no.
    #[error("{message}")]
    Said { code: u16, reason: String, message: String },
    /// The group, version or kind is not served at all.
    #[error("the server does not serve {path}")]
    NotServed { path: String },
    /// Something answered, but not in the API's terms.
    #[error("the answer is not one of a Kubernetes API: {why}")]
    Garbage { why: String },
    /// The credentials could not be had, or the connection could not be secured.
    #[error("{why}")]
    Credentials { why: String },
}

impl Trouble {
    /// A `Status` says: there is no such object.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Said { code: 404, .. })
    }

    pub(crate) fn is_already_exists(&self) -> bool {
        matches!(self, Self::Said { reason, .. } if reason == "AlreadyExists")
    }

    /// Somebody else wrote in between.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Said { code: 409, reason, .. } if reason != "AlreadyExists")
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Said { code: 403, .. })
    }

    fn cause(&self) -> Cause {
        match self {
            Self::Unreachable { .. } => Cause::Unreachable,
            Self::Slow { .. } => Cause::Slow,
            Self::NotServed { .. } => Cause::Missing,
            Self::Said { .. } | Self::Garbage { .. } | Self::Credentials { .. } => Cause::Answered,
        }
    }

    /// What to try; a whole sentence.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } | Self::NotServed { .. } => None,
            Self::Slow { .. } => Some("Try again; the cluster may be busy or far away."),
            Self::Garbage { .. } => Some("Is there a proxy or a login page between this machine and the cluster?"),
            Self::Credentials { .. } => Some(
                "Check the user and the certificates of the kubeconfig; plain kubectl should fail in the same way.",
            ),
            Self::Said { code: 401, .. } => {
                Some("The credentials are not valid (any more); log in to the cluster again.")
            }
            // Admission says no to everybody: no other account helps.
            Self::Said { code: 403, message, .. } if is_of_admission(message) => None,
            Self::Said { code: 403, .. } => {
                Some("This account may not do that here; use one that may, or open the lab on `--target sim`.")
            }
            Self::Said { code: 500.., .. } => Some("The API server has trouble of its own; try again in a moment."),
            Self::Said { .. } => None,
        }
    }

    /// As trouble of a target. `what`: what was being done, as a fragment after "could not".
    pub(crate) fn on(self, what: impl Into<String>) -> TargetError {
        let error = TargetError::new(self.cause(), what);
        let error = match self.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        };
        error.because(self)
    }

    /// As a failure to observe.
    pub(crate) fn failure(&self, what: impl Into<String>) -> Failure {
        Failure { what: what.into(), why: self.to_string(), hint: self.hint().map(str::to_owned) }
    }
}

/// Whether a 403 is the word of a quota, a limit or a policy, and not of who may do what: those say what somebody cannot do.
fn is_of_admission(message: &str) -> bool {
    message.contains(" is forbidden: ")
        && ![" cannot ", " attempting to grant "].iter().any(|words| message.contains(words))
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                Self::Said { code: status.code, reason: status.reason.clone(), message: status.message.clone() }
            }
            kube::Error::Auth(error) => Self::Credentials { why: causes(&error) },
            kube::Error::RustlsTls(error) => Self::Credentials { why: causes(&error) },
            kube::Error::UpgradeConnection(error) => Self::Garbage { why: causes(&error) },
            kube::Error::Service(error) => of_connection(error.as_ref()),
            kube::Error::HyperError(error) => of_connection(&error),
            error => Self::Garbage { why: causes(&error) },
        }
    }
}

/// A connection that did not come about, or broke; a certificate that is not trusted is no matter of reachability.
fn of_connection(error: &(dyn std::error::Error + 'static)) -> Trouble {
    let why = causes(error);
    if why.contains("certificate") { Trouble::Credentials { why } } else { Trouble::Unreachable { why } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u16, reason: &str) -> Trouble {
        Trouble::Said { code, reason: reason.to_owned(), message: format!("{reason} it is") }
    }

    #[test]
    fn each_trouble_has_its_cause_and_keeps_the_words_of_the_api() {
        let cases = [
            (Trouble::Unreachable { why: "refused".to_owned() }, Cause::Unreachable),
            (Trouble::Slow { after: Duration::from_secs(5) }, Cause::Slow),
            (said(403, "Forbidden"), Cause::Answered),
            (said(500, "InternalError"), Cause::Answered),
            (Trouble::NotServed { path: "/apis/x".to_owned() }, Cause::Missing),
            (Trouble::Garbage { why: "<html>".to_owned() }, Cause::Answered),
        ];
        for (trouble, cause) in cases {
            let words = trouble.to_string();
            let error = trouble.on("list pods in shop");
            assert_eq!(error.cause, cause, "{words}");
            assert_eq!(error.chain(), format!("list pods in shop: {words}"));
        }
        assert!(said(401, "Unauthorized").hint().unwrap().contains("log in"));
        assert!(said(409, "AlreadyExists").is_already_exists() && !said(409, "AlreadyExists").is_conflict());
        assert!(said(409, "Conflict").is_conflict());
        assert!(said(404, "NotFound").is_not_found() && !said(403, "Forbidden").is_not_found());
    }
}
