//! What a web identity token says (RFC 7519). Its signature is not looked at: nobody here has the issuer's key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{AwsError, Cloud, input, services::iam::policy::Keys};

/// The claims that count.
#[derive(Debug)]
pub struct Token {
    /// Without `https://`, as condition keys spell it: `token.actions.githubusercontent.com`.
    pub issuer: String,
    pub subject: String,
    pub audience: String,
    /// Epoch seconds.
    expires: Option<i64>,
}

/// Reads a token.
///
/// # Errors
/// `InvalidIdentityToken`: it is none.
pub fn read(text: &str) -> Result<Token, AwsError> {
    let invalid = |what: &str| AwsError::new("InvalidIdentityToken", what);
    let part = text.split('.').nth(1).ok_or_else(|| {
        invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    })?;
    let claims = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
    let claims: Value = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    })?;
    let claim = |name: &str| match claims.get(name) {
        Some(Value::Array(values)) => values.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    let required = |name: &str| {
        claim(name).map(str::to_owned).ok_or_else(|| invalid(&format!("Missing a required claim: {name}")))
    };
    let issuer = required("iss")?;
    Ok(Token {
        issuer: issuer.trim_start_matches("https://").trim_end_matches('/').to_owned(),
        subject: required("sub")?,
        audience: required("aud")?,
        expires: input::integer(&claims, "exp"),
    })
}

impl Token {
    /// Whether its time is over.
    ///
    /// # Errors
    /// `ExpiredTokenException`: it is.
    pub fn check(&self, cloud: &Cloud) -> Result<(), AwsError> {
        let now = cloud.clock.today().as_second();
        match self.expires {
            Some(end) if end <= now => Err(AwsError::new(
                "ExpiredTokenException",
                format!("Token expired: current date/time {now} must be before the expiration date/time {end}"),
            )),
            _ => Ok(()),
        }
    }

    /// As condition keys: `ISSUER:sub`, `ISSUER:aud`.
    pub fn keys(&self) -> Keys {
        let mut keys = Keys::default();
        keys.set(&format!("{}:sub", self.issuer), self.subject.as_str());
        keys.set(&format!("{}:aud", self.issuer), self.audience.as_str());
        keys
    }
}
