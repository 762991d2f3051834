//! Refusals in EC2's words.

use crate::AwsError;

/// `code`: "The NOUN ID 'ID' does not exist".
pub(super) fn no_such(code: &str, noun: &str, id: &str) -> AwsError {
    AwsError::new(code, format!("The {noun} ID '{id}' does not exist"))
}

/// Something still uses it.
pub(super) fn in_use(noun: &str, id: &str) -> AwsError {
    AwsError::new("DependencyViolation", format!("The {noun} '{id}' has dependencies and cannot be deleted."))
}

/// A value that cannot be.
pub(super) fn bad_value(value: &str, parameter: &str, why: &str) -> AwsError {
    AwsError::new("InvalidParameterValue", format!("Value ({value}) for parameter {parameter} is invalid. {why}"))
}

/// A range that is none.
pub(super) fn malformed_cidr(value: &str, parameter: &str) -> AwsError {
    bad_value(value, parameter, "This is not a valid CIDR block.")
}

/// Members that do not go together, or are too few.
pub(super) fn missing_one_of(what: &str) -> AwsError {
    AwsError::new("MissingParameter", format!("The request must contain the parameter {what}"))
}
