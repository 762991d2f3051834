//! Users, roles and tokens on a whole cluster, through the API.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    Cluster, Config,
    api::{ApiRequest, ApiResponse, handle},
    bootstrap,
};

/// A cluster with the namespace `shop` and an account `viewer` that may read config maps and the pod `one` (golden `rbac-forbidden`).
pub(crate) fn cluster() -> Cluster {
    let date = "2026-11-21T12:00:00Z".parse().unwrap();
    let config = Config { seed: 7, date, workers: 1, images: BTreeSet::from(["registry.example/shop:1".to_owned()]) };
    let mut cluster = bootstrap(config).unwrap();
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop";
    for (path, body) in [
        ("/api/v1/namespaces".to_owned(), json!({"metadata": {"name": "shop"}})),
        ("/api/v1/namespaces/shop/serviceaccounts".to_owned(), json!({"metadata": {"name": "viewer"}})),
        (
            format!("{rbac}/roles"),
            json!({"metadata": {"name": "cm-reader"}, "rules": [
                {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]},
                {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["one"], "verbs": ["get"]},
            ]}),
        ),
        (
            format!("{rbac}/rolebindings"),
            json!({
                "metadata": {"name": "cm-reader"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "cm-reader"},
                "subjects": [{"kind": "ServiceAccount", "name": "viewer"}],
            }),
        ),
    ] {
        let (status, answer) = send(&mut cluster, &User::admin(), "POST", &path, &body);
        assert_eq!(status, 201, "{answer}");
    }
    settle(&mut cluster);
    cluster
}

fn settle(cluster: &mut Cluster) {
    cluster.advance(cluster.now() + Duration::from_secs(2));
}

fn asked(user: &User, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> ApiRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        headers: headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        user: user.clone(),
    }
}

fn answered(cluster: &mut Cluster, request: &ApiRequest) -> (u16, Value) {
    match handle(cluster, request) {
        ApiResponse::Reply(reply) => {
            let text = || Value::String(String::from_utf8_lossy(&reply.body.to_bytes()).into_owned());
            (reply.status, serde_json::from_slice(&reply.body.to_bytes()).unwrap_or_else(|_| text()))
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn send(cluster: &mut Cluster, user: &User, method: &str, target: &str, body: &Value) -> (u16, Value) {
    answered(cluster, &asked(user, method, target, &[], body))
}

/// The message of a refusal, or the status of what is none.
fn said(cluster: &mut Cluster, user: &User, method: &str, target: &str, body: &Value) -> String {
    let (status, answer) = send(cluster, user, method, target, body);
    match answer["message"].as_str() {
        Some(message) => format!("{status} {message}"),
        None => status.to_string(),
    }
}

/// A token of an account of `shop`, and who comes with it.
fn token(cluster: &mut Cluster, account: &str, spec: Value) -> String {
    let path = format!("/api/v1/namespaces/shop/serviceaccounts/{account}/token");
    let (status, answer) = send(cluster, &User::admin(), "POST", &path, &json!({"spec": spec}));
    assert_eq!(status, 201, "{answer}");
    answer["status"]["token"].as_str().unwrap().to_owned()
}

fn bearer(cluster: &Cluster, token: &str) -> Result<User, u16> {
    authenticate::bearer(cluster, Some(&format!("Bearer {token}"))).map_err(|status| status.code)
}

fn viewer(cluster: &mut Cluster) -> User {
    let token = token(cluster, "viewer", json!({}));
    bearer(cluster, &token).unwrap()
}

const PODS: &str = "/api/v1/namespaces/shop/pods";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings";
const CLUSTER_ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

/// Golden `rbac-forbidden`, but for the namespace's name.
#[test]
fn an_account_may_do_what_its_role_says_and_is_told_so_otherwise() {
    let mut cluster = cluster();
    let viewer = viewer(&mut cluster);
    let user = "User \"system:serviceaccount:shop:viewer\"";
    for (method, target, wanted) in [
        (
            "GET",
            PODS,
            format!(
                "403 pods is forbidden: {user} cannot list resource \"pods\" in API group \"\" in the namespace \"shop\""
            ),
        ),
        (
            "GET",
            "/api/v1/nodes",
            format!(
                "403 nodes is forbidden: {user} cannot list resource \"nodes\" in API group \"\" at the cluster scope"
            ),
        ),
        (
            "GET",
            "/apis/apps/v1/namespaces/shop/deployments",
            format!(
                "403 deployments.apps is forbidden: {user} cannot list resource \"deployments\" in API group \"apps\" in the namespace \"shop\""
            ),
        ),
        ("GET", "/api/v1/namespaces/shop/pods/one", "404 pods \"one\" not found".to_owned()),
        (
            "GET",
            "/api/v1/namespaces/shop/pods/two",
            format!(
                "403 pods \"two\" is forbidden: {user} cannot get resource \"pods\" in API group \"\" in the namespace \"shop\""
            ),
        ),
        ("GET", "/api/v1/namespaces/shop/configmaps", "200".to_owned()),
        (
            "GET",
            "/api/v1/namespaces/shop/pods/one/log",
            format!(
                "403 pods \"one\" is forbidden: {user} cannot get resource \"pods/log\" in API group \"\" in the namespace \"shop\""
            ),
        ),
        ("GET", "/metrics", format!("403 forbidden: {user} cannot get path \"/metrics\"")),
        ("GET", "/healthz", "200".to_owned()),
        ("GET", "/api", "200".to_owned()),
    ] {
        assert_eq!(said(&mut cluster, &viewer, method, target, &Value::Null), wanted, "{target}");
    }
}

#[test]
fn nobody_sees_but_what_is_public() {
    let mut cluster = cluster();
    let nobody = User::anonymous();
    assert_eq!(said(&mut cluster, &nobody, "GET", "/version", &Value::Null), "200");
    assert_eq!(
        said(&mut cluster, &nobody, "GET", "/api", &Value::Null),
        "403 forbidden: User \"system:anonymous\" cannot get path \"/api\""
    );
    assert!(
        said(&mut cluster, &nobody, "GET", "/apis/nope/v1/things", &Value::Null)
            .starts_with("403 things.nope is forbidden")
    );
}

/// Golden `rbac-forbidden`, `escalate.yaml`.
#[test]
fn nobody_hands_out_more_than_they_have() {
    let mut cluster = cluster();
    let viewer = viewer(&mut cluster);
    let admin = User::admin();
    let binding = |role: &str, kind: &str| {
        json!({
            "metadata": {"name": format!("give-{role}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": "shop"}],
        })
    };
    assert_eq!(said(&mut cluster, &admin, "POST", BINDINGS, &binding("admin", "ClusterRole")), "201");
    let more =
        json!({"metadata": {"name": "more"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]});
    assert_eq!(
        said(&mut cluster, &viewer, "POST", ROLES, &more),
        "403 roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"system:serviceaccount:shop:viewer\" \
         (groups=[\"system:serviceaccounts\" \"system:serviceaccounts:shop\" \"system:authenticated\"]) is attempting to grant RBAC \
         permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"*\"]}"
    );
    let less = json!({"metadata": {"name": "less"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]});
    assert_eq!(said(&mut cluster, &viewer, "POST", ROLES, &less), "201", "what one has one may give");
    let to_all = said(&mut cluster, &viewer, "POST", BINDINGS, &binding("cluster-admin", "ClusterRole"));
    assert!(to_all.contains("not currently held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}"), "{to_all}");
    assert_eq!(
        said(&mut cluster, &viewer, "POST", BINDINGS, &binding("nope", "Role")),
        "404 role.rbac.authorization.k8s.io \"nope\" not found"
    );
    // A real server says so even to those who may bind anything, and gives no reason.
    assert!(
        said(&mut cluster, &viewer, "POST", BINDINGS, &json!({})).contains("unsupported role reference kind: \"\"")
    );
    assert_eq!(said(&mut cluster, &admin, "POST", BINDINGS, &binding("nope", "Role")), "201", "the administrator may");
}

#[test]
fn a_binding_that_goes_takes_its_rights_along_at_once() {
    let mut cluster = cluster();
    let viewer = viewer(&mut cluster);
    let maps = "/api/v1/namespaces/shop/configmaps";
    assert_eq!(said(&mut cluster, &viewer, "GET", maps, &Value::Null), "200");
    assert_eq!(said(&mut cluster, &User::admin(), "DELETE", &format!("{ROLES}/cm-reader"), &Value::Null), "200");
    let message = said(&mut cluster, &viewer, "GET", maps, &Value::Null);
    assert!(
        message.ends_with("in the namespace \"shop\": RBAC: role.rbac.authorization.k8s.io \"cm-reader\" not found"),
        "{message}"
    );
    assert_eq!(said(&mut cluster, &User::admin(), "DELETE", &format!("{BINDINGS}/cm-reader"), &Value::Null), "200");
    assert!(!said(&mut cluster, &viewer, "GET", maps, &Value::Null).contains("RBAC:"));
}

#[test]
fn whoever_may_only_look_runs_nothing_through_a_socket() {
    let mut cluster = cluster();
    let look = json!({"metadata": {"name": "look"}, "rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}]});
    assert_eq!(said(&mut cluster, &User::admin(), "POST", ROLES, &look), "201");
    let bind = json!({
        "metadata": {"name": "look"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "look"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}],
    });
    assert_eq!(said(&mut cluster, &User::admin(), "POST", BINDINGS, &bind), "201");
    let jane = User::new("jane", &["system:authenticated"]);
    let message = said(&mut cluster, &jane, "GET", &format!("{PODS}/one/exec?command=ls"), &Value::Null);
    assert!(
        message.starts_with("403 pods \"one\" is forbidden: User \"jane\" cannot create resource \"pods/exec\""),
        "{message}"
    );
}

#[test]
fn an_aggregating_role_follows_what_it_selects() {
    let mut cluster = cluster();
    let rules = |cluster: &mut Cluster, name: &str| {
        let (_, role) = send(cluster, &User::admin(), "GET", &format!("{CLUSTER_ROLES}/{name}"), &Value::Null);
        role["rules"].as_array().map_or(0, Vec::len)
    };
    // Golden `cluster/clusterroles-yaml`: so many rules has each.
    assert_eq!([rules(&mut cluster, "view"), rules(&mut cluster, "edit"), rules(&mut cluster, "admin")], [12, 27, 29]);
    let more = json!({
        "metadata": {"name": "see-leases", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get"]}],
    });
    assert_eq!(said(&mut cluster, &User::admin(), "POST", CLUSTER_ROLES, &more), "201");
    settle(&mut cluster);
    assert_eq!([rules(&mut cluster, "view"), rules(&mut cluster, "edit"), rules(&mut cluster, "admin")], [13, 28, 30]);
    assert_eq!(
        said(&mut cluster, &User::admin(), "DELETE", &format!("{CLUSTER_ROLES}/see-leases"), &Value::Null),
        "200"
    );
    settle(&mut cluster);
    assert_eq!(rules(&mut cluster, "view"), 12);
}

#[test]
fn somebody_else_s_name_is_taken_on_only_with_the_right_to_it() {
    let mut cluster = cluster();
    let admin = User::admin();
    let as_jane = [("impersonate-user", "jane"), ("impersonate-group", "devs\nops")];
    let review = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (_, me) = answered(&mut cluster, &asked(&admin, "POST", review, &as_jane, &json!({})));
    assert_eq!(
        me["status"]["userInfo"],
        json!({"username": "jane", "groups": ["devs", "ops", "system:authenticated"]})
    );
    let account = [("impersonate-user", "system:serviceaccount:shop:viewer")];
    let (_, me) = answered(&mut cluster, &asked(&admin, "POST", review, &account, &json!({})));
    assert_eq!(
        me["status"]["userInfo"]["groups"],
        json!(["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"])
    );
    let (status, refused) = answered(&mut cluster, &asked(&admin, "GET", PODS, &as_jane, &Value::Null));
    assert_eq!((status, refused["message"].as_str().unwrap().contains("User \"jane\" cannot list")), (403, true));
    let viewer = viewer(&mut cluster);
    let (status, refused) = answered(&mut cluster, &asked(&viewer, "GET", PODS, &as_jane, &Value::Null));
    assert_eq!(status, 403);
    // 1.36 tries the constrained modes first, and says what the first of them lacks.
    assert_eq!(
        refused["message"],
        "pods is forbidden: User \"system:serviceaccount:shop:viewer\" cannot impersonate-on:user-info:list resource \"pods\" in API \
         group \"\" in the namespace \"shop\""
    );
    let (status, refused) =
        answered(&mut cluster, &asked(&admin, "GET", PODS, &[("impersonate-group", "devs")], &Value::Null));
    assert_eq!(status, 400, "{refused}");
}

#[test]
fn the_right_to_impersonate_is_a_role_like_any_other() {
    let mut cluster = cluster();
    let admin = User::admin();
    let role = json!({"metadata": {"name": "as-jane"}, "rules": [
        {"apiGroups": [""], "resources": ["users"], "resourceNames": ["jane"], "verbs": ["impersonate"]}]});
    assert_eq!(said(&mut cluster, &admin, "POST", CLUSTER_ROLES, &role), "201");
    let bind = json!({
        "metadata": {"name": "as-jane"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "as-jane"},
        "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": "shop"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    assert_eq!(said(&mut cluster, &admin, "POST", bindings, &bind), "201");
    let viewer = viewer(&mut cluster);
    let mut who = |headers: &[(&str, &str)]| {
        let review = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        answered(&mut cluster, &asked(&viewer, "POST", review, headers, &json!({}))).0
    };
    assert_eq!(who(&[("impersonate-user", "jane")]), 201);
    assert_eq!(who(&[("impersonate-user", "joan")]), 403);
    assert_eq!(who(&[("impersonate-user", "jane"), ("impersonate-group", "system:masters")]), 403);
}

#[test]
fn reviews_answer_what_a_request_would_be_answered() {
    let mut cluster = cluster();
    let viewer = viewer(&mut cluster);
    let of = |resource: &str, verb: &str| json!({"namespace": "shop", "resource": resource, "verb": verb});
    let mut may = |spec: Value| {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        send(&mut cluster, &viewer, "POST", path, &json!({"spec": spec})).1["status"].clone()
    };
    assert_eq!(
        may(json!({"resourceAttributes": of("configmaps", "list")})),
        json!({
            "allowed": true,
            "reason": "RBAC: allowed by RoleBinding \"cm-reader/shop\" of Role \"cm-reader\" to ServiceAccount \"viewer/shop\"",
        })
    );
    assert_eq!(may(json!({"resourceAttributes": of("pods", "list")})), json!({"allowed": false}));
    assert_eq!(may(json!({"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}))["allowed"], true);
    assert_eq!(may(json!({"resourceAttributes": {"verb": "get"}})), json!({"allowed": false}), "of nothing");
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let about = |spec: Value| json!({"spec": spec});
    let spec = json!({"user": "system:serviceaccount:shop:viewer", "resourceAttributes": of("configmaps", "get")});
    let (_, named) = send(&mut cluster, &User::admin(), "POST", path, &about(spec.clone()));
    assert_eq!(named["status"]["allowed"], true);
    assert_eq!(send(&mut cluster, &viewer, "POST", path, &about(spec)).0, 403, "about others not everybody may ask");
    let (status, nobody) =
        send(&mut cluster, &User::admin(), "POST", path, &about(json!({"resourceAttributes": of("pods", "get")})));
    assert_eq!(status, 422, "{nobody}");
    let local = "/apis/authorization.k8s.io/v1/namespaces/shop/localsubjectaccessreviews";
    let spec = json!({"groups": ["system:masters"], "resourceAttributes": {"namespace": "other", "resource": "pods", "verb": "get"}});
    assert_eq!(send(&mut cluster, &User::admin(), "POST", local, &about(spec)).0, 422);
}

/// Golden `rbac-forbidden`, `auth can-i --list` of the viewer.
#[test]
fn the_list_of_rights_is_every_rule() {
    let mut cluster = cluster();
    let viewer = viewer(&mut cluster);
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let (_, review) = send(&mut cluster, &viewer, "POST", path, &json!({"spec": {"namespace": "shop"}}));
    let status = &review["status"];
    assert_eq!(status["incomplete"], false);
    let rules = status["resourceRules"].as_array().unwrap();
    assert!(
        rules.contains(&json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["one"]}))
    );
    let paths: Vec<_> = status["nonResourceRules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| rule["nonResourceURLs"].as_array().unwrap())
        .collect();
    assert_eq!(paths.len(), 20, "as many lines as a real cluster lists");
    let (status, refused) = send(&mut cluster, &viewer, "POST", path, &json!({"spec": {}}));
    assert_eq!((status, refused["message"].as_str()), (400, Some("no namespace on request")));
}

#[test]
fn a_token_says_who_it_is_of_and_dies_with_them() {
    let mut cluster = cluster();
    let text = token(&mut cluster, "viewer", json!({}));
    let user = bearer(&cluster, &text).unwrap();
    assert_eq!(user.name, "system:serviceaccount:shop:viewer");
    assert!(!user.uid.is_empty());
    assert!(user.extra["authentication.kubernetes.io/credential-id"][0].starts_with("JTI="));
    assert_eq!(bearer(&cluster, "nonsense"), Err(401));
    let other = token(&mut cluster, "viewer", json!({"audiences": ["vault"]}));
    assert_eq!(bearer(&cluster, &other), Err(401), "it is for somebody else");
    let review = |cluster: &mut Cluster, spec: Value| {
        let path = "/apis/authentication.k8s.io/v1/tokenreviews";
        send(cluster, &User::admin(), "POST", path, &json!({"spec": spec})).1["status"].clone()
    };
    let status = review(&mut cluster, json!({"token": other, "audiences": ["vault", "x"]}));
    assert_eq!((&status["authenticated"], &status["audiences"]), (&json!(true), &json!(["vault"])));
    assert_eq!(status["user"]["username"], "system:serviceaccount:shop:viewer");
    assert!(review(&mut cluster, json!({"token": "x"}))["error"].as_str().unwrap().starts_with("invalid bearer token"));
    let account = "/api/v1/namespaces/shop/serviceaccounts";
    assert_eq!(send(&mut cluster, &User::admin(), "DELETE", &format!("{account}/viewer"), &Value::Null).0, 200);
    assert_eq!(bearer(&cluster, &text), Err(401));
    assert_eq!(send(&mut cluster, &User::admin(), "POST", account, &json!({"metadata": {"name": "viewer"}})).0, 201);
    assert_eq!(bearer(&cluster, &text), Err(401), "another of the same name");
}

#[test]
fn a_token_expires() {
    let mut cluster = cluster();
    let text = token(&mut cluster, "viewer", json!({"expirationSeconds": 600}));
    cluster.advance(cluster.now() + Duration::from_secs(650));
    assert!(bearer(&cluster, &text).is_ok(), "clocks may differ by a minute");
    cluster.advance(cluster.now() + Duration::from_secs(15));
    assert_eq!(bearer(&cluster, &text), Err(401));
    let path = "/api/v1/namespaces/shop/serviceaccounts/viewer/token";
    assert_eq!(
        said(&mut cluster, &User::admin(), "POST", path, &json!({"spec": {"expirationSeconds": 60}})),
        "422 TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration \
         less than 10 minutes"
    );
}

#[test]
fn a_pod_s_token_names_the_pod_and_goes_with_it() {
    let mut cluster = cluster();
    let pod = json!({"metadata": {"name": "one"}, "spec": {"serviceAccountName": "viewer", "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "web", "image": "registry.example/shop:1", "imagePullPolicy": "Never"}]}});
    assert_eq!(send(&mut cluster, &User::admin(), "POST", PODS, &pod).0, 201);
    cluster.advance(cluster.now() + Duration::from_secs(10));
    let bound = json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "one"}});
    let text = token(&mut cluster, "viewer", bound.clone());
    let user = bearer(&cluster, &text).unwrap();
    assert_eq!(user.extra["authentication.kubernetes.io/pod-name"], ["one"]);
    assert_eq!(user.extra["authentication.kubernetes.io/node-name"], ["breakfix-worker"]);
    let path = "/api/v1/namespaces/shop/serviceaccounts/default/token";
    assert_eq!(
        said(&mut cluster, &User::admin(), "POST", path, &json!({"spec": bound})),
        "400 cannot bind token for serviceaccount \"default\" to pod running with serviceaccount \"viewer\""
    );
    assert_eq!(send(&mut cluster, &User::admin(), "DELETE", &format!("{PODS}/one"), &Value::Null).0, 200);
    cluster.advance(cluster.now() + Duration::from_secs(5));
    assert_eq!(bearer(&cluster, &text), Err(401));
}

#[test]
fn a_token_secret_is_filled_and_goes_with_its_account() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut cluster = cluster();
    let secrets = "/api/v1/namespaces/shop/secrets";
    let secret = json!({
        "metadata": {"name": "old", "annotations": {"kubernetes.io/service-account.name": "viewer"}},
        "type": "kubernetes.io/service-account-token",
    });
    assert_eq!(said(&mut cluster, &User::admin(), "POST", secrets, &secret), "201");
    settle(&mut cluster);
    let (_, filled) = send(&mut cluster, &User::admin(), "GET", &format!("{secrets}/old"), &Value::Null);
    let decoded =
        |key: &str| String::from_utf8(STANDARD.decode(filled["data"][key].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(decoded("namespace"), "shop");
    assert!(decoded("ca.crt").contains("BEGIN CERTIFICATE"));
    let text = decoded("token");
    assert_eq!(bearer(&cluster, &text).unwrap().name, "system:serviceaccount:shop:viewer");
    let account = "/api/v1/namespaces/shop/serviceaccounts/viewer";
    assert_eq!(send(&mut cluster, &User::admin(), "DELETE", account, &Value::Null).0, 200);
    settle(&mut cluster);
    assert_eq!(send(&mut cluster, &User::admin(), "GET", &format!("{secrets}/old"), &Value::Null).0, 404);
    assert_eq!(bearer(&cluster, &text), Err(401));
}

#[test]
fn other_keys_make_old_tokens_worthless() {
    let mut cluster = cluster();
    let text = token(&mut cluster, "viewer", json!({}));
    let mut keys = cluster.access.trust.clone();
    "another".clone_into(&mut keys.token_secret);
    trust(&mut cluster, &keys);
    assert_eq!(bearer(&cluster, &text), Err(401));
}

#[test]
fn every_namespace_is_told_of_the_authority() {
    let mut cluster = cluster();
    let path = "/api/v1/namespaces/shop/configmaps/kube-root-ca.crt";
    let (_, map) = send(&mut cluster, &User::admin(), "GET", path, &Value::Null);
    assert_eq!(map["data"]["ca.crt"], json!(cluster.access.trust.authority.certificate));
    assert!(map["data"]["ca.crt"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE"));
}

#[test]
fn anybody_who_is_a_service_account_may_ask_for_the_keys_of_tokens() {
    let mut cluster = cluster();
    let viewer = viewer(&mut cluster);
    let (status, issuer) = send(&mut cluster, &viewer, "GET", "/.well-known/openid-configuration", &Value::Null);
    assert_eq!((status, issuer["issuer"].as_str()), (200, Some(API_AUDIENCE)));
    let (_, keys) = send(&mut cluster, &viewer, "GET", "/openid/v1/jwks", &Value::Null);
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    assert_eq!(
        send(&mut cluster, &User::new("jane", &["system:authenticated"]), "GET", "/openid/v1/jwks", &Value::Null).0,
        403
    );
}

#[test]
fn the_administrator_of_a_kind_cluster_has_their_rights_from_a_binding() {
    let mut cluster = cluster();
    let admin = authenticate::certified("kubernetes-admin", &["kubeadm:cluster-admins".to_owned()], "");
    assert_eq!(said(&mut cluster, &admin, "GET", "/api/v1/nodes", &Value::Null), "200");
    let binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm:cluster-admins";
    assert_eq!(said(&mut cluster, &admin, "DELETE", binding, &Value::Null), "200");
    assert!(said(&mut cluster, &admin, "GET", "/api/v1/nodes", &Value::Null).starts_with("403"));
    assert_eq!(
        said(&mut cluster, &User::admin(), "GET", "/api/v1/nodes", &Value::Null),
        "200",
        "nothing shuts out the masters"
    );
}
