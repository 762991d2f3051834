//! Validating admission policies (`apiserver/pkg/admission/plugin/policy/validating`): CEL over what is written, by policy and binding.

use serde_json::{Map, Value};

use super::{conditions, matching, review::Review};
use crate::{
    Cluster, Status,
    api::select::label::matches_selector,
    cel::Expression,
    kind::{self, VALIDATING_ADMISSION_POLICY, VALIDATING_ADMISSION_POLICY_BINDING},
    object::{entries, text},
};

/// What expressions of validations may name.
pub const VARIABLES: [&str; 6] = ["object", "oldObject", "request", "namespaceObject", "params", "variables"];

/// What a validation that does not hold says, and with which reason.
struct Denial {
    message: String,
    reason: String,
}

/// Asks the policies.
///
/// # Errors
/// The first refusal, in the API's words.
pub fn validate(cluster: &Cluster, review: &Review<'_>, warnings: &mut Vec<String>) -> Result<(), Status> {
    if matching::is_exempt(review) {
        return Ok(());
    }
    let mut refusals = Vec::new();
    for policy in cluster.list(&VALIDATING_ADMISSION_POLICY, None) {
        let constraints = policy.pointer("/spec/matchConstraints").unwrap_or(&Value::Null);
        if !matching::fits(cluster, constraints, "/resourceRules", "/excludeResourceRules", review) {
            continue;
        }
        let policy_name = text(policy, "/metadata/name");
        let bindings = cluster
            .list(&VALIDATING_ADMISSION_POLICY_BINDING, None)
            .filter(|binding| text(binding, "/spec/policyName") == policy_name);
        for binding in bindings {
            let fits = match binding.pointer("/spec/matchResources").filter(|resources| !resources.is_null()) {
                None => true,
                Some(resources) => binding_fits(cluster, resources, review),
            };
            if !fits {
                continue;
            }
            let binding_name = text(binding, "/metadata/name");
            for denial in judge(cluster, policy, binding, review) {
                let about = format!("ValidatingAdmissionPolicy '{policy_name}' with binding '{binding_name}'");
                for action in entries(binding, "/spec/validationActions") {
                    match action.as_str() {
                        Some("Deny") => refusals.push(refuse(review, &about, &denial)),
                        Some("Warn") => warnings.push(format!("Validation failed for {about}: {}", denial.message)),
                        // What is audited goes to a log that nobody reads here.
                        _ => {}
                    }
                }
            }
        }
    }
    refusals.into_iter().next().map_or(Ok(()), Err)
}

/// A binding without rules narrows by its selectors alone.
fn binding_fits(cluster: &Cluster, resources: &Value, review: &Review<'_>) -> bool {
    if !entries(resources, "/resourceRules").is_empty() {
        return matching::fits(cluster, resources, "/resourceRules", "/excludeResourceRules", review);
    }
    let mut open = resources.clone();
    let all = ["*"];
    open["resourceRules"] = serde_json::json!([
        {"apiGroups": all, "apiVersions": all, "operations": all, "resources": ["*", "*/*"], "scope": "*"}
    ]);
    matching::fits(cluster, &open, "/resourceRules", "/excludeResourceRules", review)
}

fn refuse(review: &Review<'_>, about: &str, denial: &Denial) -> Status {
    let message = format!("{about} denied request: {}", denial.message);
    let mut status = Status::forbidden(review.kind, review.name, &message);
    status.details["causes"] = serde_json::json!([{"message": message}]);
    let reason = if denial.reason.is_empty() { "Invalid" } else { &denial.reason };
    status.code = match reason {
        "Forbidden" => 403,
        "Unauthorized" => 401,
        "RequestEntityTooLarge" => 413,
        _ => 422,
    };
    reason.clone_into(&mut status.reason);
    status
}

/// What a policy has against a request under one binding; nothing if it is content.
fn judge(cluster: &Cluster, policy: &Value, binding: &Value, review: &Review<'_>) -> Vec<Denial> {
    let fails = text(policy, "/spec/failurePolicy") != "Ignore";
    let trouble = |message: String| {
        if fails { vec![Denial { message, reason: String::new() }] } else { Vec::new() }
    };
    match conditions::hold(cluster, policy.get("spec").unwrap_or(&Value::Null), review) {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return trouble(why),
    }
    match parameters(cluster, policy, binding, review) {
        Err(why) => trouble(why),
        Ok(all) => all.iter().flat_map(|params| check(cluster, policy, params, review, fails)).collect(),
    }
}

/// The objects that a policy is given, one after the other; null where it wants none.
fn parameters(cluster: &Cluster, policy: &Value, binding: &Value, review: &Review<'_>) -> Result<Vec<Value>, String> {
    let wanted = policy.pointer("/spec/paramKind").filter(|kind| !kind.is_null());
    let reference = binding.pointer("/spec/paramRef").filter(|reference| !reference.is_null());
    let (Some(wanted), Some(reference)) = (wanted, reference) else { return Ok(vec![Value::Null]) };
    let (version, kind_name) = (text(wanted, "/apiVersion"), text(wanted, "/kind"));
    let Some(kind) = kind::by_kind(version, kind_name) else {
        return Err(format!(
            "failed to configure policy: failed to find resource referenced by paramKind: '{version}, Kind={kind_name}'"
        ));
    };
    let own = text(reference, "/namespace");
    let namespace = match (kind.namespaced, own.is_empty()) {
        (false, _) => "",
        (true, false) => own,
        (true, true) => review.namespace,
    };
    let found: Vec<Value> = match text(reference, "/name") {
        "" => {
            let selector = reference.get("selector").unwrap_or(&Value::Null);
            cluster
                .list(kind, kind.namespaced.then_some(namespace))
                .filter(|object| matches_selector(selector, object.pointer("/metadata/labels")))
                .map(|object| Value::clone(object))
                .collect()
        }
        name => cluster.get(kind, namespace, name).map(|object| Value::clone(&object)).into_iter().collect(),
    };
    if found.is_empty() && text(reference, "/parameterNotFoundAction") != "Allow" {
        return Err(
            "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
                .to_owned(),
        );
    }
    Ok(found)
}

fn check(cluster: &Cluster, policy: &Value, params: &Value, review: &Review<'_>, fails: bool) -> Vec<Denial> {
    let (request, namespace) = (review.request(), review.namespace_object(cluster));
    let mut made = Value::Object(Map::new());
    for variable in entries(policy, "/spec/variables") {
        let value = {
            let known = known(review, &request, &namespace, params, &made);
            Expression::compile(text(variable, "/expression"), &VARIABLES).and_then(|it| it.evaluate(&known))
        };
        // One that cannot be worked out is missed only where it is used.
        if let (Ok(value), Some(made)) = (value, made.as_object_mut()) {
            made.insert(text(variable, "/name").to_owned(), value);
        }
    }
    let known = known(review, &request, &namespace, params, &made);
    let mut denials = Vec::new();
    for validation in entries(policy, "/spec/validations") {
        let source = text(validation, "/expression");
        let reason = text(validation, "/reason").to_owned();
        match Expression::compile(source, &VARIABLES).and_then(|expression| expression.holds(&known)) {
            Ok(true) => {}
            Ok(false) => denials.push(Denial { message: message(validation, &known), reason }),
            Err(why) if fails => {
                let message = format!("expression '{}' resulted in error: {why}", source.trim());
                denials.push(Denial { message, reason: String::new() });
            }
            Err(_) => {}
        }
    }
    denials
}

type Known<'a> = [(&'static str, &'a Value); 6];

fn known<'a>(
    review: &Review<'a>,
    request: &'a Value,
    namespace: &'a Value,
    params: &'a Value,
    variables: &'a Value,
) -> Known<'a> {
    [
        ("object", review.object),
        ("oldObject", review.old),
        ("request", request),
        ("namespaceObject", namespace),
        ("params", params),
        ("variables", variables),
    ]
}

/// The message of a validation: the expression's, else the plain one, else what did not hold.
fn message(validation: &Value, known: &Known<'_>) -> String {
    let made = text(validation, "/messageExpression");
    if !made.is_empty()
        && let Ok(Value::String(made)) =
            Expression::compile(made, &VARIABLES).and_then(|expression| expression.evaluate(known))
        && !made.trim().is_empty()
        && !made.contains('\n')
    {
        return made.trim().to_owned();
    }
    match text(validation, "/message").trim() {
        "" => format!("failed expression: {}", text(validation, "/expression").trim()),
        plain => plain.to_owned(),
    }
}
