//! Access reviews: who am I, and may I. Roles and bindings are not modelled: the administrator may do everything, others nothing.

use serde_json::{Value, json};

use super::{body, resource::of_kind};
use crate::{
    Cluster, Status,
    api::{handle::ApiRequest, schema},
    kind::Question,
    object::{entries, set},
};

/// Answers a question with the object that holds the answer.
pub(super) fn answer(cluster: &Cluster, request: &ApiRequest, question: &Question) -> Result<Value, Status> {
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
    let status = match question.kind {
        "SelfSubjectReview" => {
            let now = schema::value::seconds_text(cluster.clock.today());
            set(&mut object, "/metadata/creationTimestamp", json!(now));
            json!({"userInfo": {"username": request.user.name, "groups": request.user.groups}})
        }
        "SelfSubjectRulesReview" => rules(request),
        "SelfSubjectAccessReview" => access(request.user.is_admin()),
        _ => access(admin_named(&object)),
    };
    set(&mut object, "/status", status);
    Ok(object)
}

/// Whether a review about somebody names the administrator.
fn admin_named(review: &Value) -> bool {
    entries(review, "/spec/groups").iter().any(|group| group == "kubeadm:cluster-admins" || group == "system:masters")
}

fn access(allowed: bool) -> Value {
    if allowed {
        json!({
            "allowed": true,
            "reason": "RBAC: allowed by ClusterRoleBinding \"kubeadm:cluster-admins\" of ClusterRole \"cluster-admin\" to Group \
                       \"kubeadm:cluster-admins\"",
        })
    } else {
        json!({"allowed": false})
    }
}

fn rules(request: &ApiRequest) -> Value {
    let mut resources = vec![
        json!({
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        }),
        json!({"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}),
    ];
    let mut others = vec![
        json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]}),
        json!({
        "verbs": ["get"],
        "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/", "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"],
        }),
    ];
    if request.user.is_admin() {
        resources.insert(0, json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        others.insert(0, json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    json!({"resourceRules": resources, "nonResourceRules": others, "incomplete": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_administrators_groups_are_allowed() {
        assert!(admin_named(&json!({"spec": {"groups": ["system:masters"]}})));
        assert!(!admin_named(&json!({"spec": {"user": "system:serviceaccount:shop:default"}})));
        assert_eq!(access(false), json!({"allowed": false}));
        assert!(crate::object::text(&access(true), "/reason").contains("cluster-admin"));
    }
}
