//! Making tokens.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Access, Claims, Signer,
    token::{API_AUDIENCE, Reference},
};
use crate::{Cluster, kind, object::text};

/// A projected token that asks for exactly this lives a year: `kubelet` renews it anyhow, and old programs read it but once
/// (`WarnOnlyBoundTokenExpirationSeconds`, `ExpirationExtensionSeconds`).
const PROJECTED_SECONDS: i64 = 3607;
const EXTENDED_SECONDS: i64 = 365 * 24 * 3600;

/// What a token is to be.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    pub namespace: &'a str,
    pub account: &'a str,
    /// None: the API's own.
    pub audiences: &'a [String],
    /// How long it is to hold, in seconds.
    pub seconds: i64,
    pub bound: Option<Bound<'a>>,
    /// When it is issued, in seconds since 1970; none: now.
    pub issued: Option<i64>,
}

/// What a token is bound to: it holds no longer than that.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    Pod(&'a Value),
    Node(&'a Value),
    Secret(&'a Value),
}

impl Access {
    /// The signing key; none where the secret makes none, which is as good as never.
    pub(super) fn signer(&self) -> Option<&Signer> {
        if self.signer.get().is_none() {
            let signer = Signer::from_secret(&self.trust.token_secret)?;
            // It is empty: nobody else is here.
            let _ = self.signer.set(signer);
        }
        self.signer.get()
    }

    /// The keys that tokens can be checked with, as `/openid/v1/jwks` publishes them.
    pub(crate) fn key_set(&self) -> Option<Value> {
        self.signer().map(Signer::key_set)
    }
}

/// A token for a service account: the same question gets the same token. None if there is no such account.
///
/// For a pod's volume: `bound` is the pod's object, and `seconds` what the projection asks for.
pub fn token_for(cluster: &Cluster, wanted: &Wanted<'_>) -> Option<String> {
    let account = cluster.store.get(&kind::SERVICE_ACCOUNT.key(wanted.namespace, wanted.account))?;
    let issued = wanted.issued.unwrap_or_else(|| cluster.clock.today().as_second());
    let mut claims = claims(cluster, wanted, account, issued);
    claims.id = id(&claims);
    cluster.access.signer().map(|signer| signer.sign(&claims.object()))
}

/// What a token for this account is to say, but for its name.
pub(super) fn claims(cluster: &Cluster, wanted: &Wanted<'_>, account: &Value, now: i64) -> Claims {
    let audiences = match wanted.audiences {
        [] => vec![API_AUDIENCE.to_owned()],
        some => some.to_vec(),
    };
    let lives_on = wanted.seconds == PROJECTED_SECONDS
        && matches!(wanted.bound, Some(Bound::Pod(_)))
        && audiences.iter().any(|audience| audience == API_AUDIENCE);
    let mut claims = Claims {
        namespace: wanted.namespace.to_owned(),
        account: Reference::of(account),
        audiences,
        issued: now,
        expires: Some(now + if lives_on { EXTENDED_SECONDS } else { wanted.seconds }),
        warn_after: lives_on.then_some(now + wanted.seconds),
        ..Claims::default()
    };
    match wanted.bound {
        Some(Bound::Pod(pod)) => {
            claims.pod = Some(Reference::of(pod));
            let node = cluster.store.get(&kind::NODE.key("", text(pod, "/spec/nodeName")));
            claims.node = node.map(|node| Reference::of(node));
        }
        Some(Bound::Node(node)) => claims.node = Some(Reference::of(node)),
        Some(Bound::Secret(secret)) => claims.secret = Some(Reference::of(secret)),
        None => {}
    }
    claims
}

/// A name for a token, in the form of a UUID, that what it says decides: looking at a volume must not use up chance.
fn id(claims: &Claims) -> String {
    let digest = Sha256::digest(claims.object().to_string());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// The token that a Secret of type `kubernetes.io/service-account-token` holds: it never expires, and dies with the Secret.
pub fn secret_token(cluster: &Cluster, account: &Value, secret: &Value) -> Option<String> {
    let claims = Claims {
        namespace: text(account, "/metadata/namespace").to_owned(),
        account: Reference::of(account),
        secret: Some(Reference::of(secret)),
        ..Claims::default()
    };
    cluster.access.signer().map(|signer| signer.sign(&claims.legacy_object()))
}
