//! What an account may do: a review, and the call itself.

use breakfix_grade::{Failure, Fetched, Permit};
use breakfix_lab::check::{Account, Action};
use http::Method;
use serde_json::{Value, json};

use crate::kubernetes::{
    account,
    api::Answer,
    probe::{bare, failure},
    resource::{Resource, escape},
    target::KubeTarget,
    trouble::Trouble,
};

/// Where reviews are asked for (authorization.k8s.io/v1).
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
/// A name that no object has: authorization comes before the look for the object.
const NOBODY: &str = "breakfix-not-there";

impl KubeTarget {
    /// Answers `Query::Access`.
    pub(in crate::kubernetes) async fn permits(
        &self,
        account: &Account,
        actions: &[Action],
        what: &str,
    ) -> Result<Fetched, Failure> {
        let api = &*self.api().await.map_err(|error| failure(&error))?;
        let Some(own) = self.api_as(account).await.map_err(|error| failure(&error))? else {
            return Ok(Fetched::Permits(None));
        };
        let home = account.namespace.as_deref().unwrap_or(&self.place.namespace);
        let mut permits = Vec::new();
        for action in actions {
            let review = review(home, &account.name, action, &self.place.namespace);
            let answer = api.send(Method::POST, REVIEWS, Some(("application/json", &review))).await;
            let answer = answer.map_err(|trouble| trouble.failure(format!("review {}", action.in_words())))?;
            let allowed = answer.body.pointer("/status/allowed").and_then(Value::as_bool);
            let allowed = allowed.ok_or_else(|| bare(what, "a review was answered without a yes or no"))?;
            // A watch has no end of its own; its rights are those that the review tells.
            let (call, said) = if action.verb == "watch" {
                (allowed, "a review's answer".to_owned())
            } else {
                let (method, path, body) = request(action, &self.place.namespace);
                let content = body.as_ref().map(|(kind, body)| (*kind, body));
                outcome(action, own.send(method, &path, content).await)
                    .map_err(|trouble| trouble.failure(format!("{} as {}", action.in_words(), account.name)))?
            };
            permits.push(Permit { review: allowed, call, said });
        }
        Ok(Fetched::Permits(Some(permits)))
    }
}

fn namespace_of<'a>(action: &'a Action, own: &'a str) -> Option<&'a str> {
    if action.cluster_wide { None } else { Some(action.namespace.as_deref().unwrap_or(own)) }
}

fn review(home: &str, account: &str, action: &Action, own: &str) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": account::user(home, account),
            "groups": account::groups(home),
            "resourceAttributes": {
                "namespace": namespace_of(action, own).unwrap_or_default(),
                "verb": action.verb,
                "group": action.group.as_deref().unwrap_or_default(),
                "resource": action.resource,
                "subresource": action.subresource.as_deref().unwrap_or_default(),
                "name": action.name.as_deref().unwrap_or_default(),
            },
        },
    })
}

/// The call that an action is: reading for real, writing as a dry run with nothing in it, so that whatever gets past authorization
/// fails or changes nothing.
fn request(action: &Action, own: &str) -> (Method, String, Option<(&'static str, Value)>) {
    let mut path = Resource::of_plural(action.group.as_deref().unwrap_or_default(), &action.resource).path(
        namespace_of(action, own),
        None,
        None,
    );
    let of_one = !matches!(action.verb.as_str(), "list" | "create") || action.subresource.is_some();
    if of_one {
        path.push('/');
        path.push_str(&escape(action.name.as_deref().unwrap_or(NOBODY)));
    }
    if let Some(subresource) = &action.subresource {
        path.push('/');
        path.push_str(&escape(subresource));
    }
    let json = "application/json";
    match action.verb.as_str() {
        "create" => (Method::POST, format!("{path}?dryRun=All"), Some((json, new_object(action)))),
        "update" => (Method::PUT, format!("{path}?dryRun=All"), Some((json, json!({})))),
        "patch" => (Method::PATCH, format!("{path}?dryRun=All"), Some(("application/merge-patch+json", json!({})))),
        "delete" => (Method::DELETE, format!("{path}?dryRun=All"), None),
        "list" => (Method::GET, format!("{path}?limit=1"), None),
        _ => (Method::GET, path, None),
    }
}

/// What is sent to be created, without any effect. A binding is looked at for the rights that it hands out before anything else: one that names no
/// role is a 500 to everybody.
fn new_object(action: &Action) -> Value {
    match action.resource.as_str() {
        "rolebindings" | "clusterrolebindings" if action.subresource.is_none() => json!({
            "metadata": {"generateName": "breakfix-"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NOBODY},
        }),
        _ => json!({}),
    }
}

/// Whether a call got past authorization, and what was said. Forbidden by another rail is past it.
fn outcome(action: &Action, answer: Result<Answer, Trouble>) -> Result<(bool, String), Trouble> {
    match answer {
        Ok(_) => Ok((true, "let through".to_owned())),
        Err(Trouble::Said { code: 403, message, .. }) => {
            Ok((!message.contains(&format!("cannot {} resource", action.verb)), message))
        }
        Err(
            trouble @ (Trouble::Said { code: 401 | 500.., .. } | Trouble::Unreachable { .. } | Trouble::Slow { .. }),
        ) => Err(trouble),
        Err(trouble) => Ok((true, trouble.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(value: Value) -> Action {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn writing_is_tried_without_doing_anything() {
        let patch = action(json!({"verb": "patch", "resource": "deployments", "group": "apps"}));
        let (method, path, body) = request(&patch, "shop");
        assert_eq!(method, Method::PATCH);
        assert_eq!(path, "/apis/apps/v1/namespaces/shop/deployments/breakfix-not-there?dryRun=All");
        assert_eq!(body, Some(("application/merge-patch+json", json!({}))));
        let create =
            action(json!({"verb": "create", "resource": "rolebindings", "group": "rbac.authorization.k8s.io"}));
        let (_, path, body) = request(&create, "shop");
        assert_eq!(path, "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?dryRun=All");
        assert_eq!(body.unwrap().1["roleRef"]["name"], NOBODY, "a binding without a role is a 500 to everybody");
        let secrets = action(json!({"verb": "list", "resource": "secrets", "namespace": "kube-system"}));
        assert_eq!(request(&secrets, "shop").1, "/api/v1/namespaces/kube-system/secrets?limit=1");
        let wide = action(json!({"verb": "get", "resource": "nodes", "name": "a", "cluster_wide": true}));
        assert_eq!(request(&wide, "shop").1, "/api/v1/nodes/a");
        let exec = action(json!({"verb": "create", "resource": "pods", "subresource": "exec"}));
        assert_eq!(request(&exec, "shop").1, "/api/v1/namespaces/shop/pods/breakfix-not-there/exec?dryRun=All");
    }

    #[test]
    fn a_review_names_the_groups() {
        let review = review("shop", "pipeline", &action(json!({"verb": "get", "resource": "secrets"})), "shop");
        assert_eq!(review["spec"]["user"], json!("system:serviceaccount:shop:pipeline"));
        let groups = ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"];
        assert_eq!(review["spec"]["groups"], json!(groups));
    }

    #[test]
    fn only_authorization_says_cannot() {
        let patch = action(json!({"verb": "patch", "resource": "deployments", "group": "apps"}));
        let said =
            |code: u16, message: &str| Err(Trouble::Said { code, reason: String::new(), message: message.to_owned() });
        // The message of a real API server (RBAC's, apimachinery errors.NewForbidden).
        let denied = "deployments.apps \"x\" is forbidden: User \"system:serviceaccount:shop:pipeline\" cannot patch resource \
                      \"deployments\" in API group \"apps\" in the namespace \"shop\"";
        assert!(!outcome(&patch, said(403, denied)).unwrap().0);
        assert!(outcome(&patch, said(403, "pods \"x\" is forbidden: exceeded quota: team")).unwrap().0);
        assert!(outcome(&patch, said(404, "deployments.apps \"breakfix-not-there\" not found")).unwrap().0);
        assert!(outcome(&patch, said(422, "name is required")).unwrap().0);
        assert!(outcome(&patch, said(401, "Unauthorized")).is_err());
        assert!(outcome(&patch, said(503, "etcd is away")).is_err());
    }
}
