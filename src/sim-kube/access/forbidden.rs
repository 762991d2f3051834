//! How a refusal is worded (`apiserver/pkg/endpoints/handlers/responsewriters/errors.go`).

use serde_json::{Value, json};

use super::{Attributes, User};
use crate::Status;

/// 403 for an act that somebody may not do; `reason` is what the authorizer has to say, mostly nothing.
pub fn forbidden(user: &User, attributes: &Attributes, reason: &str) -> Status {
    let why = sentence(user, attributes).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let why = if reason.is_empty() { why } else { format!("{why}: {reason}") };
    refusal(&attributes.group, &attributes.resource, &attributes.name, &why)
}

/// 403 about an object or resource (`errors.NewForbidden`).
pub fn refusal(group: &str, resource: &str, name: &str, why: &str) -> Status {
    let full = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let message = match (full.as_str(), name) {
        ("", _) => format!("forbidden: {why}"),
        (full, "") => format!("{full} is forbidden: {why}"),
        (full, name) => format!("{full} {name:?} is forbidden: {why}"),
    };
    let mut details = json!({});
    for (key, value) in [("name", name), ("group", group), ("kind", resource)] {
        if !value.is_empty() {
            details[key] = Value::from(value);
        }
    }
    Status { details, ..Status::new(403, "Forbidden", message) }
}

fn sentence(user: &User, attributes: &Attributes) -> String {
    let Attributes { verb, group, namespace, path, .. } = attributes;
    let user = &user.name;
    if !attributes.is_resource() {
        return format!("User {user:?} cannot {verb} path {path:?}");
    }
    let resource = attributes.full_resource();
    let place = match namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    format!("User {user:?} cannot {verb} resource {resource:?} in API group {group:?} {place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of a 1.36 server (golden `rbac-forbidden`).
    #[test]
    fn refusals_are_worded_as_a_server_words_them() {
        let viewer = User::new("jane", &[]);
        let of = |attributes: &Attributes| forbidden(&viewer, attributes, "").message;
        assert_eq!(
            of(&Attributes::resource("list", "apps", "deployments", "shop", "")),
            "deployments.apps is forbidden: User \"jane\" cannot list resource \"deployments\" in API group \"apps\" in the namespace \
             \"shop\""
        );
        assert_eq!(
            of(&Attributes::resource("get", "", "namespaces", "shop", "shop")),
            "namespaces \"shop\" is forbidden: User \"jane\" cannot get resource \"namespaces\" in API group \"\" in the namespace \
             \"shop\""
        );
        assert_eq!(of(&Attributes::path("get", "/metrics")), "forbidden: User \"jane\" cannot get path \"/metrics\"");
        let status = forbidden(&viewer, &Attributes::resource("list", "", "nodes", "", ""), "RBAC: why");
        assert!(status.message.ends_with("at the cluster scope: RBAC: why"), "{}", status.message);
        assert_eq!(status.details, json!({"kind": "nodes"}));
    }
}
