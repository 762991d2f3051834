//! What stands in a service account's token, and whether it still holds (`pkg/serviceaccount/claims.go`, `legacy.go`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{User, identity};
use crate::{
    Cluster, kind,
    object::{entries, text, uid},
};

/// Who issues tokens, and whom they are for where nobody says otherwise: a kind cluster's.
pub const API_AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";
/// The issuer of tokens that lie in Secrets.
const LEGACY: &str = "kubernetes/serviceaccount";
/// Clocks may differ by so much, in seconds.
const LEEWAY: i64 = 60;
/// Keys under which a user's `extra` holds what a token is bound to.
const EXTRA: &str = "authentication.kubernetes.io";

/// A name and a uid: what a token is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub uid: String,
}

impl Reference {
    /// That of an object.
    pub fn of(object: &Value) -> Self {
        Self { name: text(object, "/metadata/name").to_owned(), uid: uid(object).to_owned() }
    }

    fn object(&self) -> Value {
        json!({"name": self.name, "uid": self.uid})
    }

    fn read(value: Option<&Value>) -> Option<Self> {
        let value = value.filter(|value| value.is_object())?;
        Some(Self { name: text(value, "/name").to_owned(), uid: text(value, "/uid").to_owned() })
    }
}

/// What a token says. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    pub namespace: String,
    pub account: Reference,
    pub audiences: Vec<String>,
    pub issued: i64,
    /// Tokens in Secrets never expire.
    pub expires: Option<i64>,
    /// When its use begins to be frowned upon: a token that lives longer than was asked for.
    pub warn_after: Option<i64>,
    /// The token's own name.
    pub id: String,
    pub pod: Option<Reference>,
    pub node: Option<Reference>,
    pub secret: Option<Reference>,
}

impl Claims {
    /// As a token holds them.
    pub fn object(&self) -> Value {
        let mut own = json!({"namespace": self.namespace, "serviceaccount": self.account.object()});
        for (key, bound) in [("pod", &self.pod), ("node", &self.node), ("secret", &self.secret)] {
            if let Some(bound) = bound {
                own[key] = bound.object();
            }
        }
        if let Some(moment) = self.warn_after {
            own["warnafter"] = json!(moment);
        }
        json!({
            "aud": self.audiences,
            "exp": self.expires,
            "iat": self.issued,
            "iss": API_AUDIENCE,
            "jti": self.id,
            "kubernetes.io": own,
            "nbf": self.issued,
            "sub": identity::service_account_name(&self.namespace, &self.account.name),
        })
    }

    /// As a token in a Secret holds them.
    pub fn legacy_object(&self) -> Value {
        let secret = self.secret.as_ref().map(|secret| secret.name.as_str()).unwrap_or_default();
        json!({
            "iss": LEGACY,
            "kubernetes.io/serviceaccount/namespace": self.namespace,
            "kubernetes.io/serviceaccount/secret.name": secret,
            "kubernetes.io/serviceaccount/service-account.name": self.account.name,
            "kubernetes.io/serviceaccount/service-account.uid": self.account.uid,
            "sub": identity::service_account_name(&self.namespace, &self.account.name),
        })
    }

    /// Reads either kind; none where the issuer is another.
    fn read(token: &Value) -> Option<Self> {
        let of = |key: &str| token.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if of("iss") == LEGACY {
            let own = |key: &str| of(&format!("kubernetes.io/serviceaccount/{key}"));
            let account = Reference { name: own("service-account.name"), uid: own("service-account.uid") };
            let secret = Some(Reference { name: own("secret.name"), uid: String::new() });
            let audiences = vec![API_AUDIENCE.to_owned()];
            return Some(Self { namespace: own("namespace"), account, secret, audiences, ..Self::default() });
        }
        if of("iss") != API_AUDIENCE {
            return None;
        }
        let own = token.get("kubernetes.io")?;
        Some(Self {
            namespace: text(own, "/namespace").to_owned(),
            account: Reference::read(own.get("serviceaccount"))?,
            audiences: entries(token, "/aud").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            issued: token.get("nbf").and_then(Value::as_i64).unwrap_or_default(),
            expires: Some(token.get("exp").and_then(Value::as_i64)?),
            warn_after: own.get("warnafter").and_then(Value::as_i64),
            id: of("jti"),
            pod: Reference::read(own.get("pod")),
            node: Reference::read(own.get("node")),
            secret: Reference::read(own.get("secret")),
        })
    }
}

/// Whom a token stands for, for these audiences; the audiences are those that token and caller have in common.
///
/// # Errors
/// Why nobody is to believe it.
pub fn check(cluster: &Cluster, token: &str, audiences: &[String]) -> Result<(User, Vec<String>), String> {
    let said = cluster.access.signer().and_then(|signer| signer.check(token));
    let claims = said.as_ref().and_then(Claims::read).ok_or("invalid bearer token")?;
    let common: Vec<_> = claims.audiences.iter().filter(|audience| audiences.contains(audience)).cloned().collect();
    if common.is_empty() {
        return Err(format!(
            "invalid bearer token, token audiences {} is invalid for the target audiences {}",
            super::compact::go_list(&claims.audiences),
            super::compact::go_list(audiences)
        ));
    }
    let now = cluster.clock.today().as_second();
    if claims.expires.is_some_and(|end| now > end + LEEWAY) {
        return Err("invalid bearer token, service account token has expired".to_owned());
    }
    if now + LEEWAY < claims.issued {
        return Err("invalid bearer token, service account token is not valid yet".to_owned());
    }
    is_bound_to_what_is_there(cluster, &claims, token, now).map_err(|why| format!("invalid bearer token, {why}"))?;
    Ok((user(&claims), common))
}

/// The account and all that the token is bound to are there, and are the same ones.
fn is_bound_to_what_is_there(cluster: &Cluster, claims: &Claims, token: &str, now: i64) -> Result<(), String> {
    let place = claims.namespace.as_str();
    let account = find(cluster, &kind::SERVICE_ACCOUNT, place, &claims.account.name, now)
        .ok_or_else(|| format!("serviceaccounts {:?} not found", claims.account.name))?;
    if uid(account) != claims.account.uid {
        return Err(format!("service account UID ({}) does not match claim ({})", uid(account), claims.account.uid));
    }
    let gone = || "service account token has been invalidated".to_owned();
    if let Some(bound) = &claims.secret {
        let secret = find(cluster, &kind::SECRET, place, &bound.name, now).ok_or_else(gone)?;
        let is_same = if bound.uid.is_empty() { holds(secret, token) } else { uid(secret) == bound.uid };
        is_same.then_some(()).ok_or_else(gone)?;
    }
    let bound = [(&claims.pod, &kind::POD, place), (&claims.node, &kind::NODE, "")];
    for (bound, kind, place) in bound {
        let Some(bound) = bound else { continue };
        // A pod's token names the pod's node; that one may go without taking the pod's rights along.
        if kind.collection == "nodes" && claims.pod.is_some() {
            continue;
        }
        let object = find(cluster, kind, place, &bound.name, now).ok_or_else(gone)?;
        if uid(object) != bound.uid {
            return Err(format!(
                "{} UID ({}) does not match service account {} ref claim ({})",
                kind.singular,
                uid(object),
                kind.singular,
                bound.uid
            ));
        }
    }
    Ok(())
}

/// An object that is there, and not on its way out for longer than clocks may differ.
fn find<'a>(
    cluster: &'a Cluster,
    kind: &crate::Kind,
    namespace: &str,
    name: &str,
    now: i64,
) -> Option<&'a std::sync::Arc<Value>> {
    let object = cluster.store.get(&kind.key(namespace, name))?;
    let ends = text(object, "/metadata/deletionTimestamp").parse::<Timestamp>().ok();
    ends.is_none_or(|end| end.as_second() >= now - LEEWAY).then_some(object)
}

/// Whether a Secret holds this token.
fn holds(secret: &Value, token: &str) -> bool {
    use base64::{Engine, engine::general_purpose::STANDARD};
    text(secret, "/data/token") == STANDARD.encode(token)
}

fn user(claims: &Claims) -> User {
    let mut user = User::service_account(&claims.namespace, &claims.account.name, &claims.account.uid);
    let mut put = |key: &str, value: &str| {
        user.extra.insert(format!("{EXTRA}/{key}"), vec![value.to_owned()]);
    };
    if !claims.id.is_empty() {
        put("credential-id", &format!("JTI={}", claims.id));
    }
    for (bound, name, uid) in [(&claims.pod, "pod-name", "pod-uid"), (&claims.node, "node-name", "node-uid")] {
        if let Some(bound) = bound {
            put(name, &bound.name);
            if !bound.uid.is_empty() {
                put(uid, &bound.uid);
            }
        }
    }
    user
}
