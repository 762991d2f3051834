//! Questions that are answered and forgotten: access reviews, token reviews. What the answer is, `access/` knows.

use serde_json::{Value, json};

use super::{body, resource::of_kind};
use crate::{
    Cluster, Status, access,
    api::{handle::ApiRequest, schema},
    kind::Question,
    object::{set, text},
};

/// Answers a question, asked in this namespace if in any, with the object that holds the answer.
pub(super) fn answer(
    cluster: &mut Cluster,
    request: &ApiRequest,
    question: &Question,
    namespace: &str,
) -> Result<Value, Status> {
    let given = body::read(request, question.kind, question.schema)?;
    of_kind(question.group, question.version, question.kind, &given)?;
    let of = schema::find(question.schema).ok_or_else(|| Status::internal(format!("no schema {}", question.schema)))?;
    let mut object = schema::decode(of, &given)
        .map_err(|fault| {
            Status::bad_request(format!(
                "{kind} in version \"v1\" cannot be handled as a {kind}: {}",
                fault.as_json(),
                kind = question.kind
            ))
        })?
        .object;
    set(&mut object, "/apiVersion", json!(format!("{}/{}", question.group, question.version)));
    set(&mut object, "/kind", json!(question.kind));
    if question.namespaced {
        let own = text(&object, "/metadata/namespace");
        if !own.is_empty() && own != namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        set(&mut object, "/metadata/namespace", json!(namespace));
    }
    if question.kind == "SelfSubjectReview" {
        let now = schema::value::seconds_text(cluster.clock.today());
        set(&mut object, "/metadata/creationTimestamp", json!(now));
    }
    let status = access::review(cluster, &request.user, question.kind, namespace, &object)?;
    set(&mut object, "/status", status);
    Ok(object)
}
