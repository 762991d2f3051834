//! Acting as an account: with a token of its own, over a connection that carries no other credentials.
//!
//! A token beside a client certificate is not looked at: the server takes the certificate (seen on a real cluster).

use std::sync::Arc;

use breakfix_lab::check::Account;
use http::Method;
use serde_json::json;

use super::{api::Api, object, resource::Resource, target::KubeTarget, trouble::Trouble};
use crate::target::TargetError;

/// How long a token is good for, in seconds: the shortest that the API gives.
const TOKEN_SECONDS: u32 = 600;

/// The name under which authorization knows an account.
pub(super) fn user(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// The groups that every account is in. A review that leaves them out misses what is granted to groups.
pub(super) fn groups(namespace: &str) -> [String; 3] {
    [
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
        "system:authenticated".to_owned(),
    ]
}

impl KubeTarget {
    /// The API as this account. `None`: there is no such account.
    pub(super) async fn api_as(&self, account: &Account) -> Result<Option<Arc<Api>>, TargetError> {
        let namespace = account.namespace.as_deref().unwrap_or(&self.place.namespace);
        let what = || format!("act as ServiceAccount {namespace}/{}", account.name);
        let token = self.token(namespace, &account.name, TOKEN_SECONDS).await;
        let Some(token) = token.map_err(|trouble| self.cannot(what(), trouble))? else { return Ok(None) };
        let client = self.host.without_credentials(&self.place.folder).await?;
        Ok(Some(Arc::new(self.api_of(client).with_token(&token))))
    }

    /// A token of the account's own. `None`: there is no such account.
    pub(super) async fn token(&self, namespace: &str, name: &str, seconds: u32) -> Result<Option<String>, Trouble> {
        let api = self.api().await.map_err(|error| Trouble::Unreachable { why: error.chain() })?;
        let Some(accounts) = Resource::built_in(None, "ServiceAccount") else { return Ok(None) };
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        });
        let path = accounts.path(Some(namespace), Some(name), Some("token"));
        match api.send(Method::POST, &path, Some(("application/json", &body))).await {
            Ok(answer) => match object::text(&answer.body, "/status/token") {
                Some(token) => Ok(Some(token.to_owned())),
                None => Err(Trouble::Garbage { why: "a TokenRequest was answered without a token".to_owned() }),
            },
            Err(trouble) if trouble.is_not_found() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }
}
