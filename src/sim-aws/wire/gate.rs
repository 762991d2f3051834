//! Who a request is from: the key that signed it, whether it is still good, and whether its secret made the signature.

use super::{asked::Asked, message::Request, protocol::Protocol, refusal::Refusal};
use crate::{
    AwsError, Caller, Cloud,
    services::{iam, sts},
};

/// Operations that whoever has a token of another kind may call (STS).
const UNSIGNED: [&str; 2] = ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];

/// The caller of a request.
///
/// # Errors
/// The key is nobody's, its time is over, or another secret made the signature.
pub fn caller(cloud: &Cloud, request: &Request, asked: &Asked, protocol: Protocol) -> Result<Caller, AwsError> {
    let refused = |refusal: Refusal| refusal.error(protocol);
    let Some(signed) = &asked.signed else {
        if asked.model.name == "sts" && UNSIGNED.contains(&asked.operation.name) {
            return Ok(Caller { arn: "anonymous".to_owned() });
        }
        return Err(refused(Refusal::NotSigned));
    };
    let (caller, secret) = match sts::session(cloud, &signed.access_key_id) {
        Some(session) if signed.token.as_ref() != Some(&session.token) => return Err(refused(Refusal::UnknownKey)),
        Some(session) if session.expires <= cloud.now() => return Err(refused(Refusal::Expired)),
        Some(session) => (session.caller.clone(), session.secret.as_str()),
        None => match iam::key_owner(cloud, &signed.access_key_id) {
            // A long-term key with somebody else's token is no key.
            Some(owner) if signed.token.is_none() => owner,
            _ => return Err(refused(Refusal::UnknownKey)),
        },
    };
    if !signed.is_by(secret, request) {
        return Err(refused(Refusal::WrongSignature));
    }
    if !is_region(&signed.region) {
        return Err(refused(Refusal::NoRegion));
    }
    Ok(caller)
}

/// `eu-central-1`, `us-gov-west-1`.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] if words.len() >= 2 => words.iter().all(letters) && number.parse::<u8>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_look() {
        for name in ["eu-central-1", "us-gov-west-1", "ap-southeast-12"] {
            assert!(is_region(name), "{name}");
        }
        for name in ["", "eu-central", "eu-central-", "-1", "eu--1", "EU-central-1", "aws-global"] {
            assert!(!is_region(name), "{name}");
        }
    }
}
