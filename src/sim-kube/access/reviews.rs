//! Questions about rights and identities: who am I, may I, may they, what may I, whose token is this.

use serde_json::{Value, json};

use super::{
    Attributes, User,
    authorize::{Decision, authorize, rules_of, together},
    token::{self, API_AUDIENCE},
};
use crate::{
    Cluster, Status,
    api::check::{At, Problems, problem},
    object::{entries, members, text},
};

/// The status of a review; `kind` is its kind, `namespace` that of the path.
///
/// # Errors
/// 422 for a question that is none.
pub fn answer(
    cluster: &mut Cluster,
    asker: &User,
    kind: &str,
    namespace: &str,
    review: &Value,
) -> Result<Value, Status> {
    match kind {
        "SelfSubjectReview" => Ok(json!({"userInfo": user_info(asker)})),
        "SelfSubjectRulesReview" => rules(cluster, asker, text(review, "/spec/namespace")),
        "TokenReview" => token_review(cluster, review),
        "SelfSubjectAccessReview" => {
            let asked = asked(kind, review)?;
            Ok(status(&authorize(cluster, asker, &asked)))
        }
        _ => {
            let asked = asked(kind, review)?;
            if kind == "LocalSubjectAccessReview" && asked.namespace != namespace {
                let mut problems = Problems::default();
                let own = asked.namespace.as_str();
                let at = At::new("spec.resourceAttributes.namespace");
                problems.invalid(&at, own, "must match metadata.namespace");
                return Err(problem::invalid("authorization.k8s.io", kind, "", &problems.list));
            }
            let user = subject(kind, review)?;
            Ok(status(&authorize(cluster, &user, &asked)))
        }
    }
}

/// A user as reviews show one.
pub fn user_info(user: &User) -> Value {
    let mut info = json!({});
    for (key, value) in [("username", &user.name), ("uid", &user.uid)] {
        if !value.is_empty() {
            info[key] = json!(value);
        }
    }
    if !user.groups.is_empty() {
        info["groups"] = json!(user.groups);
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

fn status(decision: &Decision) -> Value {
    let mut status = json!({"allowed": decision.is_allowed});
    if !decision.reason.is_empty() {
        status["reason"] = json!(decision.reason);
    }
    status
}

/// The act that is asked about (`pkg/apis/authorization/validation`).
fn asked(kind: &str, review: &Value) -> Result<Attributes, Status> {
    let resource = review.pointer("/spec/resourceAttributes").filter(|value| value.is_object());
    let path = review.pointer("/spec/nonResourceAttributes").filter(|value| value.is_object());
    let spec = At::new("spec");
    let mut problems = Problems::default();
    match (resource, path) {
        (Some(resource), None) => {
            let of = |key: &str| text(resource, key).to_owned();
            return Ok(Attributes {
                verb: of("/verb"),
                group: of("/group"),
                version: of("/version"),
                // A review without a resource asks about something, and nobody has a right to that.
                resource: Some(of("/resource")).filter(|name| !name.is_empty()).unwrap_or_else(|| " ".to_owned()),
                subresource: of("/subresource"),
                namespace: of("/namespace"),
                name: of("/name"),
                path: String::new(),
            });
        }
        (None, Some(path)) => return Ok(Attributes::path(text(path, "/verb"), text(path, "/path"))),
        (Some(_), Some(_)) => {
            let at = spec.child("nonResourceAttributes");
            problems.invalid(&at, Value::Null, "cannot be specified in combination with resourceAttributes");
        }
        (None, None) => {
            let at = spec.child("resourceAttributes");
            problems.invalid(
                &at,
                Value::Null,
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            );
        }
    }
    Err(problem::invalid("authorization.k8s.io", kind, "", &problems.list))
}

/// The one who is asked about.
fn subject(kind: &str, review: &Value) -> Result<User, Status> {
    let texts = |value: &Value| {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let user = User {
        name: text(review, "/spec/user").to_owned(),
        uid: text(review, "/spec/uid").to_owned(),
        groups: entries(review, "/spec/groups").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        extra: members(review, "/spec/extra").map(|(key, values)| (key.clone(), texts(values))).collect(),
    };
    if !user.name.is_empty() || !user.groups.is_empty() {
        return Ok(user);
    }
    let mut problems = Problems::default();
    problems.invalid(&At::new("spec.user"), "", "at least one of user or group must be specified");
    Err(problem::invalid("authorization.k8s.io", kind, "", &problems.list))
}

/// Everything that somebody may do in a namespace.
fn rules(cluster: &mut Cluster, asker: &User, namespace: &str) -> Result<Value, Status> {
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    if asker.is_master() {
        resources.push(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        paths.push(json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    let (rules, errors) = rules_of(cluster, asker, namespace);
    for rule in rules {
        let into = if rule.resources.is_empty() { &mut paths } else { &mut resources };
        into.push(rule.object());
    }
    let mut status = json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": !errors.is_empty()});
    if !errors.is_empty() {
        status["evaluationError"] = json!(together(&errors));
    }
    Ok(status)
}

fn token_review(cluster: &Cluster, review: &Value) -> Result<Value, Status> {
    let token = text(review, "/spec/token");
    if token.is_empty() {
        return Err(Status::bad_request("token is required for TokenReview in authentication"));
    }
    let audiences: Vec<String> =
        entries(review, "/spec/audiences").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let audiences = if audiences.is_empty() { vec![API_AUDIENCE.to_owned()] } else { audiences };
    Ok(match token::check(cluster, token, &audiences) {
        Ok((user, common)) => json!({"authenticated": true, "user": user_info(&user), "audiences": common}),
        Err(why) => json!({"user": {}, "error": why}),
    })
}
