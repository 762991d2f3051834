//! CEL, as admission policies run it: an expression is refused when it is made, or says something when it is asked, and soon.

use serde_json::json;

use super::{lines, run};
use crate::asking::{MAPS, cluster, config_map, is_an_answer, post};

const WORDS: &[&str] = &[
    "object",
    "object.data",
    ".all(a, ",
    ".exists(a, ",
    ".map(a, ",
    ".filter(a, ",
    ")",
    "[1, 2, 3]",
    "'a'",
    "+",
    "*",
    "&&",
    "||",
    "!",
    "? 1 : 2",
    "has(",
    "size(",
    ".matches('(a*)*b')",
    ".split('')",
    ".join()",
    "quantity('1Gi')",
    "duration('1h')",
    "timestamp('2026-01-01T00:00:00Z')",
    "9223372036854775807",
    "-9223372036854775808",
    "1u",
    "1e308",
    "b'a'",
    "{'a': 1}",
    "type(",
    "int(",
    "string(",
    "in",
    ".?a",
    "optional.none()",
    "r'\\'",
    ".format([1])",
    ".replace('', 'a')",
    ".sort()",
    ".flatten()",
    ".substring(1)",
    ".charAt(99)",
    ".reverse()",
    ".slice(0, 9)",
];

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

#[test]
fn expressions_say_something_soon() {
    run("expressions", &lines("expressions.txt"), WORDS, |_, input| {
        let text = String::from_utf8_lossy(input);
        let mut cluster = cluster();
        let rules =
            json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}]);
        let policy = json!({"metadata": {"name": "fuzz"}, "spec": {
            "matchConstraints": {"resourceRules": rules}, "validations": [{"expression": text, "messageExpression": text}]}});
        let made = post(&mut cluster, POLICIES, &policy);
        is_an_answer(&made);
        if made.0 != 201 {
            return;
        }
        let binding =
            json!({"metadata": {"name": "fuzz"}, "spec": {"policyName": "fuzz", "validationActions": ["Deny"]}});
        assert_eq!(post(&mut cluster, BINDINGS, &binding).0, 201);
        let mut map = config_map("asked");
        map["data"] = (0..50).map(|number| (format!("key-{number}"), json!("value"))).collect();
        let answer = post(&mut cluster, MAPS, &map);
        is_an_answer(&answer);
        assert!(matches!(answer.0, 201 | 403 | 422), "{}", answer.1);
    });
}
