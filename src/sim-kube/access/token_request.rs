//! `serviceaccounts/token`: a token for the asking (`pkg/registry/core/serviceaccount/storage/token.go`).

use serde_json::{Value, json};

use super::{
    Wanted,
    issue::{Bound, claims},
};
use crate::{
    Cluster, Status,
    api::{
        check::{At, Problems, problem},
        schema::value::seconds_text,
    },
    kind,
    object::{entries, number, set, text, uid},
};

const SECONDS_DEFAULT: i64 = 3600;
const SECONDS_MIN: i64 = 600;
const SECONDS_MAX: i64 = 1 << 32;

/// Answers a request for a token of this account; `asked` is the TokenRequest.
///
/// # Errors
/// No such account, a binding that does not fit, or a life that is too short or too long, in the API's words.
pub fn answer(cluster: &mut Cluster, namespace: &str, name: &str, mut asked: Value) -> Result<Value, Status> {
    let account = cluster.get(&kind::SERVICE_ACCOUNT, namespace, name)?;
    for (member, own) in [("name", name), ("namespace", namespace)] {
        let given = text(&asked, &format!("/metadata/{member}"));
        if !given.is_empty() && given != own {
            let message = format!("{member} in URL does not match {member} in TokenRequest object");
            return Err(Status::bad_request(message));
        }
    }
    let seconds = number(&asked, "/spec/expirationSeconds").unwrap_or(SECONDS_DEFAULT);
    lasts_well(seconds)?;
    let bound = bound(cluster, namespace, name, asked.pointer("/spec/boundObjectRef"))?;
    let audiences: Vec<String> =
        entries(&asked, "/spec/audiences").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let by_reference = bound.as_ref().map(|(kind, object)| match *kind {
        "Pod" => Bound::Pod(object),
        "Node" => Bound::Node(object),
        _ => Bound::Secret(object),
    });
    let wanted = Wanted { namespace, account: name, audiences: &audiences, seconds, bound: by_reference, issued: None };
    let now = cluster.clock.today();
    let mut claims = claims(cluster, &wanted, &account, now.as_second());
    claims.id = cluster.chance.uuid();
    let signer = cluster.access.signer().ok_or_else(|| Status::internal("failed to generate token"))?;
    let token = signer.sign(&claims.object());
    let end = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    for (pointer, value) in [
        ("/apiVersion", json!("authentication.k8s.io/v1")),
        ("/kind", json!("TokenRequest")),
        ("/metadata/name", json!(name)),
        ("/metadata/namespace", json!(namespace)),
        ("/metadata/creationTimestamp", json!(seconds_text(now))),
        ("/spec/audiences", json!(claims.audiences)),
        ("/spec/expirationSeconds", json!(seconds)),
        ("/status", json!({"token": token, "expirationTimestamp": seconds_text(end)})),
    ] {
        set(&mut asked, pointer, value);
    }
    Ok(asked)
}

fn lasts_well(seconds: i64) -> Result<(), Status> {
    let mut problems = Problems::default();
    let at = At::new("spec").child("expirationSeconds");
    if seconds < SECONDS_MIN {
        problems.invalid(&at, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > SECONDS_MAX {
        problems.invalid(&at, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    if problems.list.is_empty() {
        return Ok(());
    }
    Err(problem::invalid("authentication.k8s.io", "TokenRequest", "", &problems.list))
}

/// What the token is to be bound to, and its kind.
fn bound(
    cluster: &Cluster,
    namespace: &str,
    account: &str,
    reference: Option<&Value>,
) -> Result<Option<(&'static str, std::sync::Arc<Value>)>, Status> {
    let Some(reference) = reference.filter(|reference| reference.is_object()) else { return Ok(None) };
    let (version, wanted, name) = (text(reference, "/apiVersion"), text(reference, "/kind"), text(reference, "/name"));
    let (kind, place) = match (version, wanted) {
        ("v1", "Pod") => (&kind::POD, namespace),
        ("v1", "Secret") => (&kind::SECRET, namespace),
        ("v1", "Node") => (&kind::NODE, ""),
        _ => {
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let message = format!("cannot bind token to object of type {group}/{version}, Kind={wanted}");
            return Err(Status::bad_request(message));
        }
    };
    let object = cluster.get(kind, place, name)?;
    if kind.kind == "Pod" && text(&object, "/spec/serviceAccountName") != account {
        let other = text(&object, "/spec/serviceAccountName");
        return Err(Status::bad_request(format!(
            "cannot bind token for serviceaccount {account:?} to pod running with serviceaccount {other:?}"
        )));
    }
    let own = text(reference, "/uid");
    if !own.is_empty() && own != uid(&object) {
        return Err(Status::new(
            409,
            "Conflict",
            format!(
                "Operation cannot be fulfilled on {wanted} {name:?}: the UID in the bound object reference ({own}) does not match the UID \
                 in record. The object might have been deleted and then recreated"
            ),
        ));
    }
    Ok(Some((kind.kind, object)))
}
