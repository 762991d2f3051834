//! Who may do what: who a request comes from, and whether that one may.
//!
//! A request goes through here before anything of it is done, as in an API server's chain of handlers: `authenticate` (whose certificate,
//! whose token, nobody's), `impersonate` (in whose name), `authorize` (roles and bindings, read once into `policies` and looked up by
//! subject). `escalation` keeps people from handing out rights that they do not have. `reviews` answers questions about all of it.
//!
//! Tokens are real ones: `token` says what stands in them, `signer` signs and checks them (ES256), `issue` makes them. What the roles
//! of a new cluster are stands in `data/roles.txt`.

pub mod attributes;
pub mod authenticate;
mod authorize;
mod compact;
mod covers;
mod escalation;
pub mod forbidden;
mod identity;
mod impersonate;
mod issue;
pub mod policies;
mod reviews;
pub mod rules;
mod signer;
mod subject;
mod token;
mod token_request;
mod trust;

#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};

pub use attributes::Attributes;
pub(crate) use authorize::together;
pub use authorize::{Decision, authorize};
pub use escalation::may_grant;
pub use forbidden::forbidden;
pub use identity::{MASTERS, User};
pub use impersonate::{SEPARATOR, impersonate};
pub use issue::{Bound, Wanted, secret_token, token_for};
pub use reviews::answer as review;
pub use signer::Signer;
pub use token::{API_AUDIENCE, Claims};
pub use token_request::answer as token_request;
pub use trust::{AUTHORITY, Trust, trust};

/// What a cluster knows of keys and rights beside its objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    /// The certificate authority of the cluster, and the key that service accounts' tokens are signed with.
    pub(crate) trust: Trust,
    /// Roles and bindings as they were read last. Always made anew from the objects.
    #[serde(skip)]
    policies: policies::Policies,
    /// The signing key, read from `trust` when it is first needed.
    #[serde(skip)]
    signer: std::cell::OnceCell<Signer>,
}
