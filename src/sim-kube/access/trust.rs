//! The keys of a cluster: its certificate authority, and what service accounts' tokens are signed with.
//!
//! A cluster begins with keys that its seed decides, so that it is whole without being served and the same run makes the same bytes.
//! Whoever serves it to others hands in keys of its own ([`trust`]): those of the seed can be guessed.

use std::cell::OnceCell;

use breakfix_sim::ca::{Authority, Credentials};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Access, policies::Policies};
use crate::{Cluster, controllers};

/// What the certificate authority of a cluster is called.
pub const AUTHORITY: &str = "kubernetes";

/// Keys of a cluster.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The certificate authority; its certificate is what `kube-root-ca.crt` publishes.
    pub authority: Credentials,
    /// The secret that the token signing key is made of (any text that nobody else knows).
    pub token_secret: String,
}

impl std::fmt::Debug for Trust {
    /// Without the secrets: they must not end up in a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Trust").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Access {
    /// The keys that a seed decides, for a cluster that begins on this date.
    pub fn from_seed(seed: u64, date: Timestamp) -> Self {
        let secret = |what: &str| Sha256::digest(format!("breakfix {what} {seed}"));
        let today = date.to_zoned(TimeZone::UTC).date();
        let authority = Authority::from_seed(AUTHORITY, &secret("authority").into(), today);
        // A date or name that cannot stand in a certificate leaves the cluster without an authority, and nothing else.
        let authority = authority.map(|authority| authority.credentials()).unwrap_or_default();
        let token_secret = secret("tokens").iter().map(|byte| format!("{byte:02x}")).collect();
        Self { trust: Trust { authority, token_secret }, policies: Policies::default(), signer: OnceCell::new() }
    }
}

/// Gives a cluster its keys. What was signed with earlier ones is no longer believed.
pub fn trust(cluster: &mut Cluster, trust: &Trust) {
    if cluster.access.trust != *trust {
        cluster.access.trust = trust.clone();
        cluster.access.signer = OnceCell::new();
    }
    controllers::root_ca::publish(cluster, &trust.authority.certificate);
}
