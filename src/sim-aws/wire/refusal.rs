//! Refusals that come before a service is asked. Each family of protocols has codes of its own for them.
//!
//! Codes, statuses and sentences are those of the services' lists of common errors; EC2's of its list of client errors.

use super::{malformed::Malformed, protocol::Protocol, sign::Incomplete};
use crate::AwsError;

/// Why a request gets no further than the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotSigned,
    Incomplete(Incomplete),
    UnknownKey,
    WrongSignature,
    /// Temporary credentials after their time.
    Expired,
    /// A text that is no region's name.
    NoRegion,
    UnknownOperation {
        operation: String,
        version: String,
    },
    Malformed(Malformed),
    UnknownParameter(String),
    TooLarge,
    /// More requests than the service takes, as the stage has it.
    Throttled,
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Incomplete> for Refusal {
    fn from(incomplete: Incomplete) -> Self {
        Self::Incomplete(incomplete)
    }
}

const WRONG_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                               Secret Access Key and signing method. Consult the service documentation for details.";
const NOT_VALIDATED: &str = "AWS was not able to validate the provided access credentials";

impl Refusal {
    /// As this protocol says it.
    pub fn error(&self, protocol: Protocol) -> AwsError {
        match protocol {
            Protocol::Ec2 => self.by_ec2(),
            Protocol::Query => self.by_query(),
            Protocol::Json | Protocol::Rest | Protocol::Cbor => self.by_json(),
        }
    }

    fn by_json(&self) -> AwsError {
        let (code, sentence) = match self {
            Self::NotSigned => ("MissingAuthenticationTokenException", "Missing Authentication Token".to_owned()),
            Self::Incomplete(what) => ("IncompleteSignatureException", what.0.clone()),
            Self::UnknownKey => {
                ("UnrecognizedClientException", "The security token included in the request is invalid.".to_owned())
            }
            Self::WrongSignature => ("InvalidSignatureException", WRONG_SIGNATURE.to_owned()),
            Self::Expired => {
                ("ExpiredTokenException", "The security token included in the request is expired".to_owned())
            }
            Self::NoRegion => {
                ("InvalidSignatureException", "Credential should be scoped to a valid region. ".to_owned())
            }
            Self::UnknownOperation { .. } => ("UnknownOperationException", String::new()),
            Self::Malformed(what) => ("SerializationException", what.to_string()),
            Self::UnknownParameter(name) => ("ValidationException", format!("Unknown parameter: {name}")),
            Self::TooLarge => {
                let sentence = "Request size is larger than the service accepts.".to_owned();
                return AwsError::new("RequestEntityTooLargeException", sentence).status(413);
            }
            Self::Throttled => ("ThrottlingException", "Rate exceeded".to_owned()),
        };
        AwsError::new(code, sentence)
    }

    fn by_query(&self) -> AwsError {
        let (code, sentence, status) = match self {
            Self::NotSigned => {
                ("MissingAuthenticationToken", "Request is missing Authentication Token".to_owned(), 403)
            }
            Self::Incomplete(what) => ("IncompleteSignature", what.0.clone(), 403),
            Self::UnknownKey => {
                ("InvalidClientTokenId", "The security token included in the request is invalid.".to_owned(), 403)
            }
            Self::WrongSignature => ("SignatureDoesNotMatch", WRONG_SIGNATURE.to_owned(), 403),
            Self::Expired => ("ExpiredToken", "The security token included in the request is expired".to_owned(), 403),
            Self::NoRegion => {
                ("SignatureDoesNotMatch", "Credential should be scoped to a valid region. ".to_owned(), 403)
            }
            Self::UnknownOperation { operation, version } => {
                ("InvalidAction", format!("Could not find operation {operation} for version {version}"), 400)
            }
            Self::Malformed(what) => ("MalformedInput", what.to_string(), 400),
            Self::UnknownParameter(name) => ("InvalidParameterValue", format!("Unknown parameter: {name}"), 400),
            Self::TooLarge => {
                ("RequestEntityTooLarge", "Request size is larger than the service accepts.".to_owned(), 413)
            }
            Self::Throttled => ("Throttling", "Rate exceeded".to_owned(), 400),
        };
        AwsError::new(code, sentence).status(status)
    }

    fn by_ec2(&self) -> AwsError {
        let (code, sentence, status) = match self {
            Self::NotSigned => {
                ("MissingParameter", "The request must contain the parameter AWSAccessKeyId".to_owned(), 400)
            }
            Self::Incomplete(_) | Self::UnknownKey | Self::WrongSignature | Self::NoRegion => {
                ("AuthFailure", NOT_VALIDATED.to_owned(), 401)
            }
            Self::Expired => ("RequestExpired", "Request has expired.".to_owned(), 400),
            Self::UnknownOperation { operation, .. } => {
                ("InvalidAction", format!("The action {operation} is not valid for this web service."), 400)
            }
            Self::Malformed(what) => ("InvalidParameterValue", what.to_string(), 400),
            Self::UnknownParameter(name) => {
                ("UnknownParameter", format!("The parameter {name} is not recognized"), 400)
            }
            Self::TooLarge => {
                ("RequestEntityTooLarge", "Request size is larger than the service accepts.".to_owned(), 413)
            }
            Self::Throttled => ("RequestLimitExceeded", "Request limit exceeded.".to_owned(), 503),
        };
        AwsError::new(code, sentence).status(status)
    }
}
