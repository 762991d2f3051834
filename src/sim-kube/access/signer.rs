//! Signing and checking tokens: ES256, one of the algorithms that an API server takes (`pkg/serviceaccount/jwt.go`).
//!
//! Signatures follow RFC 6979: the same token signed twice is the same text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use p256::ecdsa::{
    Signature, SigningKey,
    signature::{Signer as _, Verifier as _},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "ES256";
/// What stands before the point in the DER of a P-256 public key (`SubjectPublicKeyInfo`).
const KEY_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The key of a cluster's tokens.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    /// The key's name in tokens and in the published key set: a hash of the public key, as an API server's is.
    id: String,
}

impl std::fmt::Debug for Signer {
    /// Without the key.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Signer").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key that a secret makes.
    pub fn from_secret(secret: &str) -> Option<Self> {
        // Nearly every number is a key; where one is not, the next is.
        let key = (0_u8..8).find_map(|number| {
            let digest = Sha256::digest(format!("{secret} {number}"));
            SigningKey::from_slice(&digest).ok()
        })?;
        let point = key.verifying_key().to_encoded_point(false);
        let id = BASE64.encode(Sha256::digest([&KEY_INFO, point.as_bytes()].concat()));
        Some(Self { key, id })
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Value) -> String {
        let head = json!({"alg": ALGORITHM, "kid": self.id});
        let text = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        let signature: Signature = self.key.sign(text.as_bytes());
        format!("{text}.{}", BASE64.encode(signature.to_bytes()))
    }

    /// What a token of this key says; none if it is no token, or another's.
    pub fn check(&self, token: &str) -> Option<Value> {
        let (text, signature) = token.rsplit_once('.')?;
        let (head, claims) = text.split_once('.')?;
        let head: Value = serde_json::from_slice(&BASE64.decode(head).ok()?).ok()?;
        let signature = Signature::from_slice(&BASE64.decode(signature).ok()?).ok()?;
        if head["alg"] != ALGORITHM || self.key.verifying_key().verify(text.as_bytes(), &signature).is_err() {
            return None;
        }
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }

    /// The public key, as `/openid/v1/jwks` publishes it (RFC 7517).
    pub fn key_set(&self) -> Value {
        let point = self.key.verifying_key().to_encoded_point(false);
        let part = |part: Option<&p256::FieldBytes>| part.map(|part| BASE64.encode(part)).unwrap_or_default();
        json!({"keys": [{
            "use": "sig",
            "kty": "EC",
            "kid": self.id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": part(point.x()),
            "y": part(point.y()),
        }]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_believed_only_by_its_own_key_and_whole() {
        let signer = Signer::from_secret("one").unwrap();
        let token = signer.sign(&json!({"sub": "jane"}));
        assert_eq!(signer.check(&token), Some(json!({"sub": "jane"})));
        assert_eq!(signer.sign(&json!({"sub": "jane"})), token, "the same every time");
        assert_eq!(Signer::from_secret("two").unwrap().check(&token), None);
        let forged = token.replacen(&BASE64.encode("{\"sub\":\"jane\"}"), &BASE64.encode("{\"sub\":\"root\"}"), 1);
        assert_ne!(forged, token);
        for other in [forged.as_str(), "", "a.b", "a.b.c", &token[..token.len() - 2]] {
            assert_eq!(signer.check(other), None, "{other}");
        }
        let none = format!("{}.{}.", BASE64.encode("{\"alg\":\"none\"}"), BASE64.encode("{\"sub\":\"jane\"}"));
        assert_eq!(signer.check(&none), None);
    }

    #[test]
    fn the_published_key_names_the_key_of_the_tokens() {
        let signer = Signer::from_secret("one").unwrap();
        let set = signer.key_set();
        let token = signer.sign(&json!({}));
        let head = BASE64.decode(token.split('.').next().unwrap()).unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        assert_eq!(set["keys"][0]["kid"], head["kid"]);
        assert_eq!(set["keys"][0]["x"].as_str().unwrap().len(), 43);
    }
}
