//! A request that does not say what its operation's model says it may: never a service's affair.

/// What is wrong with a request's bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Neither JSON nor CBOR nor a form.
    #[error("{0}")]
    Syntax(String),
    /// JSON: a value of another kind than the member's.
    #[error("{found} can not be converted to {wanted}")]
    Kind { found: &'static str, wanted: &'static str },
    #[error("Start of {0} found where not expected.")]
    Start(&'static str),
    /// A form's text that does not spell the member's kind of value.
    #[error("Invalid value '{text}' for {place}. Value must be of type {kind}.")]
    Spelling { text: String, place: String, kind: &'static str },
    #[error("The request is nested too deeply.")]
    TooDeep,
}
