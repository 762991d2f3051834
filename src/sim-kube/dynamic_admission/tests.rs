use serde_json::{Value, json};

use crate::{
    Cluster,
    api::{
        verbs::{DeleteOptions, Part},
        write::{
            Options, Unknown,
            tests::{admin, cluster},
        },
    },
    kind,
    object::set,
};

fn rules(operations: &Value, resource: &str) -> Value {
    json!([{"apiGroups": ["*"], "apiVersions": ["*"], "operations": operations, "resources": [resource]}])
}

fn webhook(name: &str, client: Value, resource: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "webhooks": [{
            "name": format!("{name}.lab.example"),
            "clientConfig": client,
            "rules": rules(&json!(["CREATE"]), resource),
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 3,
        }],
    })
}

fn service(name: &str) -> Value {
    json!({"service": {"name": name, "namespace": "shop", "path": "/validate"}})
}

fn map() -> Value {
    json!({"metadata": {"name": "x"}})
}

fn refusal(cluster: &mut Cluster, kind: &'static crate::Kind, body: Value) -> String {
    cluster.create(kind, "shop", body, &admin()).unwrap_err().message
}

/// The words are those of `golden/webhook-no-backend/errors.txt`.
#[test]
fn a_webhook_without_a_backend_refuses_everything() {
    let mut cluster = cluster();
    let mut put = |kind, space, body| cluster.create(kind, space, body, &admin()).unwrap();
    put(&kind::VALIDATING_WEBHOOK_CONFIGURATION, "", webhook("nosvc", service("nope"), "configmaps"));
    put(&kind::VALIDATING_WEBHOOK_CONFIGURATION, "", webhook("noep", service("empty"), "secrets"));
    let url = json!({"url": "https://127.0.0.1:9/validate"});
    put(&kind::VALIDATING_WEBHOOK_CONFIGURATION, "", webhook("refused", url, "serviceaccounts"));
    let ports = json!([{"port": 443}]);
    let made = put(&kind::SERVICE, "shop", json!({"metadata": {"name": "empty"}, "spec": {"ports": ports}}));
    let refused = cluster.create(&kind::CONFIG_MAP, "shop", map(), &admin()).unwrap_err();
    let wanted = "failed calling webhook \"nosvc.lab.example\": failed to call webhook: Post \
                  \"https://nope.shop.svc:443/validate?timeout=3s\": service \"nope\" not found";
    assert_eq!((refused.code, refused.reason.as_str()), (500, "InternalError"));
    assert_eq!(refused.message, format!("Internal error occurred: {wanted}"));
    assert_eq!(refused.details, json!({"causes": [{"message": wanted}]}));
    let address = made["spec"]["clusterIP"].as_str().unwrap();
    assert_eq!(
        refusal(&mut cluster, &kind::SECRET, map()),
        format!(
            "Internal error occurred: failed calling webhook \"noep.lab.example\": failed to call webhook: Post \
             \"https://empty.shop.svc:443/validate?timeout=3s\": dial tcp {address}:443: connect: connection refused"
        )
    );
    assert_eq!(
        refusal(&mut cluster, &kind::SERVICE_ACCOUNT, map()),
        "Internal error occurred: failed calling webhook \"refused.lab.example\": failed to call webhook: Post \
         \"https://127.0.0.1:9/validate?timeout=3s\": dial tcp 127.0.0.1:9: connect: connection refused"
    );
}

#[test]
fn a_webhook_is_asked_about_what_it_names_and_no_more() {
    for (pointer, value) in [
        ("/failurePolicy", json!("Ignore")),
        ("/namespaceSelector", json!({"matchLabels": {"guarded": "yes"}})),
        ("/objectSelector", json!({"matchLabels": {"guarded": "yes"}})),
        ("/rules", rules(&json!(["UPDATE"]), "configmaps")),
        ("/rules", rules(&json!(["*"]), "secrets")),
        ("/rules", rules(&json!(["*"]), "configmaps/status")),
        ("/matchConditions", json!([{"name": "named", "expression": "object.metadata.name != 'x'"}])),
    ] {
        let mut cluster = cluster();
        let mut guard = webhook("guard", service("nope"), "configmaps");
        set(&mut guard["webhooks"][0], pointer, value);
        cluster.create(&kind::VALIDATING_WEBHOOK_CONFIGURATION, "", guard, &admin()).unwrap();
        assert!(cluster.create(&kind::CONFIG_MAP, "shop", map(), &admin()).is_ok(), "{pointer}");
    }
    // Nobody is locked out of the configuration itself.
    let mut cluster = cluster();
    let mut all = webhook("all", service("nope"), "*");
    set(&mut all["webhooks"][0], "/rules", rules(&json!(["*"]), "*"));
    cluster.create(&kind::VALIDATING_WEBHOOK_CONFIGURATION, "", all, &admin()).unwrap();
    assert!(cluster.create(&kind::CONFIG_MAP, "shop", map(), &admin()).is_err());
    let options = DeleteOptions::default();
    cluster.delete(&kind::VALIDATING_WEBHOOK_CONFIGURATION, "", "all", &options, &admin()).unwrap();
    assert!(cluster.create(&kind::CONFIG_MAP, "shop", map(), &admin()).is_ok());
}

fn policy(spec: Value) -> Value {
    json!({"metadata": {"name": "pinned"}, "spec": spec})
}

fn images() -> Value {
    policy(json!({
        "matchConstraints": {"resourceRules": rules(&json!(["CREATE", "UPDATE"]), "pods")},
        "variables": [{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}],
        "validations": [{
            "expression": "variables.images.all(i, i.contains(':') && !i.endsWith(':latest'))",
            "message": "images must be pinned",
        }],
    }))
}

fn bind(cluster: &mut Cluster, actions: &Value) {
    let spec = json!({"policyName": "pinned", "validationActions": actions});
    let body = json!({"metadata": {"name": "shop"}, "spec": spec});
    cluster.create(&kind::VALIDATING_ADMISSION_POLICY_BINDING, "", body, &admin()).unwrap();
}

fn pod(image: &str) -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": image}]}})
}

/// The words are those of `apiserver/pkg/admission/plugin/policy/validating/dispatcher.go`.
#[test]
fn a_policy_refuses_where_it_is_bound() {
    let mut cluster = cluster();
    cluster.create(&kind::VALIDATING_ADMISSION_POLICY, "", images(), &admin()).unwrap();
    let by = admin();
    let options = Options { dry_run: true, ..Options::strict(&by) };
    let latest = || pod("shop/web:latest");
    assert!(cluster.create_with(&kind::POD, "shop", latest(), &options).is_ok(), "an unbound policy");
    bind(&mut cluster, &json!(["Deny"]));
    let refused = cluster.create(&kind::POD, "shop", latest(), &admin()).unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (422, "Invalid"));
    assert_eq!(
        refused.message,
        "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'pinned' with binding 'shop' denied request: images must be pinned"
    );
    assert!(cluster.create(&kind::POD, "shop", pod("shop/web:1.4"), &admin()).is_ok());
    let edit = |pod: &mut Value| set(&mut pod["spec"]["containers"][0], "/image", json!("shop/web:latest"));
    assert!(cluster.update(&kind::POD, "shop", "a", Part::Main, &admin(), edit).is_err());
}

#[test]
fn a_policy_can_warn_instead() {
    let mut cluster = cluster();
    cluster.create(&kind::VALIDATING_ADMISSION_POLICY, "", images(), &admin()).unwrap();
    bind(&mut cluster, &json!(["Warn", "Audit"]));
    let by = admin();
    let options = Options { unknown: Unknown::Warn, ..Options::strict(&by) };
    let made = cluster.create_with(&kind::POD, "shop", pod("shop/web:latest"), &options).unwrap();
    assert_eq!(
        made.warnings,
        ["Validation failed for ValidatingAdmissionPolicy 'pinned' with binding 'shop': images must be pinned"]
    );
}

#[test]
fn an_expression_that_cannot_be_worked_out_counts_as_the_policy_says() {
    for (failure, fits) in [("Fail", false), ("Ignore", true)] {
        let mut cluster = cluster();
        let mut policy = images();
        policy["spec"]["failurePolicy"] = json!(failure);
        policy["spec"]["validations"] = json!([{"expression": "object.metadata.labels.team == 'shop'"}]);
        cluster.create(&kind::VALIDATING_ADMISSION_POLICY, "", policy, &admin()).unwrap();
        bind(&mut cluster, &json!(["Deny"]));
        let made = cluster.create(&kind::POD, "shop", pod("shop/web:1"), &admin());
        assert_eq!(made.is_ok(), fits);
        if let Err(refused) = made {
            assert!(
                refused.message.ends_with(
                    "denied request: expression 'object.metadata.labels.team == 'shop'' resulted in error: no such key: labels"
                ),
                "{}",
                refused.message
            );
        }
    }
}

#[test]
fn parameters_are_objects_of_the_cluster() {
    let mut cluster = cluster();
    let mut policy = images();
    policy["spec"]["paramKind"] = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    policy["spec"]["validations"] = json!([{
        "expression": "variables.images.all(i, i.startsWith(params.data.prefix))",
        "messageExpression": "'images must come from ' + params.data.prefix",
    }]);
    cluster.create(&kind::VALIDATING_ADMISSION_POLICY, "", policy, &admin()).unwrap();
    let reference = json!({"name": "registry", "namespace": "shop", "parameterNotFoundAction": "Deny"});
    let spec = json!({"policyName": "pinned", "validationActions": ["Deny"], "paramRef": reference});
    let body = json!({"metadata": {"name": "shop"}, "spec": spec});
    cluster.create(&kind::VALIDATING_ADMISSION_POLICY_BINDING, "", body, &admin()).unwrap();
    let said = refusal(&mut cluster, &kind::POD, pod("shop/web:1"));
    assert!(said.contains("no params found for policy binding with `Deny` parameterNotFoundAction"), "{said}");
    let registry = json!({"metadata": {"name": "registry"}, "data": {"prefix": "registry.example/"}});
    cluster.create(&kind::CONFIG_MAP, "shop", registry, &admin()).unwrap();
    let said = refusal(&mut cluster, &kind::POD, pod("shop/web:1"));
    assert!(said.ends_with("denied request: images must come from registry.example/"), "{said}");
    assert!(cluster.create(&kind::POD, "shop", pod("registry.example/web:1"), &admin()).is_ok());
}

#[test]
fn a_policy_that_cannot_be_read_is_refused() {
    let mut broken = images();
    broken["spec"]["validations"] = json!([{"expression": "authorizer.allowed()"}]);
    let refused = cluster().create(&kind::VALIDATING_ADMISSION_POLICY, "", broken, &admin()).unwrap_err();
    assert!(
        refused.message.contains(
            "spec.validations[0].expression: Invalid value: \"authorizer.allowed()\": compilation failed: ERROR: <input>:1:1: undeclared \
             reference to 'authorizer' (in container '')"
        ),
        "{}",
        refused.message
    );
}
