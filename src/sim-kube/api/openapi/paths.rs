//! The operations of a group's kinds, with what `kubectl` looks for in them: the kind, the action, the names of parameters.

use serde_json::{Map, Value, json};

use super::schemas::PREFIX;
use crate::{
    Kind,
    kind::{KINDS, QUESTIONS, Question, READINGS},
};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// The paths of a group at a version.
pub(super) fn of(group: &str, version: &str) -> Value {
    let kinds: Vec<&'static Kind> =
        KINDS.iter().copied().filter(|kind| kind.group == group && kind.version == version).collect();
    of_kinds(group, version, &kinds)
}

/// The paths of a group at a version that has these kinds.
pub(super) fn of_kinds(group: &str, version: &str, kinds: &[&'static Kind]) -> Value {
    let base = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut paths = Map::new();
    for kind in kinds {
        stored(&base, kind, &mut paths);
    }
    for kind in READINGS.iter().filter(|kind| kind.group == group && kind.version == version) {
        read(&base, kind, &mut paths);
    }
    for question in QUESTIONS.iter().filter(|question| question.group == group && question.version == version) {
        asked(&base, question, &mut paths);
    }
    Value::Object(paths)
}

/// Who an operation is for.
struct Operation<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    schema: &'a str,
}

fn stored(base: &str, kind: &'static Kind, paths: &mut Map<String, Value>) {
    let schema = kind.published();
    let one = Operation { group: kind.group, version: kind.version, kind: kind.kind, schema: &schema };
    let list_schema = format!("{schema}List");
    let list = Operation { schema: &list_schema, ..one };
    let scoped = if kind.namespaced { format!("{base}/namespaces/{{namespace}}") } else { base.to_owned() };
    let place: &[&str] = if kind.namespaced { &["namespace"] } else { &[] };
    if kind.namespaced {
        let all = json!({"get": list.get("list"), "parameters": parameters(&[], LIST)});
        paths.insert(format!("{base}/{}", kind.plural), all);
    }
    let mut collection = json!({
        "get": list.get_with("list", LIST),
        "post": one.with_body("post", WRITE, one.schema),
        "parameters": parameters(place, &["pretty"]),
    });
    if kind.collection != "namespaces" {
        collection["delete"] = one.with_body("deletecollection", DELETE, &format!("{META}.DeleteOptions"));
    }
    paths.insert(format!("{scoped}/{}", kind.plural), collection);
    let mut named = vec!["name"];
    named.extend(place);
    let item = json!({
        "get": one.get("get"),
        "put": one.with_body("put", WRITE, one.schema),
        "delete": one.with_body("delete", DELETE, &format!("{META}.DeleteOptions")),
        "patch": one.patch(),
        "parameters": parameters(&named, &["pretty"]),
    });
    paths.insert(format!("{scoped}/{}/{{name}}", kind.plural), item);
    for name in kind.subresources {
        let part = match *name {
            "scale" => Operation {
                group: "autoscaling",
                version: "v1",
                kind: "Scale",
                schema: "io.k8s.api.autoscaling.v1.Scale",
            },
            "status" | "finalize" | "approval" | "ephemeralcontainers" | "resize" => Operation { ..one },
            "token" => Operation {
                group: "authentication.k8s.io",
                version: "v1",
                kind: "TokenRequest",
                schema: "io.k8s.api.authentication.v1.TokenRequest",
            },
            "binding" => Operation { group: "", version: "v1", kind: "Binding", schema: "io.k8s.api.core.v1.Binding" },
            "eviction" => {
                Operation { group: "policy", version: "v1", kind: "Eviction", schema: "io.k8s.api.policy.v1.Eviction" }
            }
            _ => continue,
        };
        let operations = match *name {
            "binding" | "eviction" | "token" => json!({"post": part.with_body("post", WRITE, part.schema)}),
            "finalize" => json!({"put": part.with_body("put", WRITE, part.schema)}),
            _ => json!({
                "get": part.get("get"),
                "put": part.with_body("put", WRITE, part.schema),
                "patch": part.patch(),
            }),
        };
        let mut operations = operations;
        operations["parameters"] = parameters(&named, &["pretty"]);
        paths.insert(format!("{scoped}/{}/{{name}}/{name}", kind.plural), operations);
    }
}

/// What is worked out can be read, and nothing else.
fn read(base: &str, kind: &Kind, paths: &mut Map<String, Value>) {
    let one = Operation { group: kind.group, version: kind.version, kind: kind.kind, schema: kind.schema };
    let list_schema = format!("{}List", kind.schema);
    let list = Operation { schema: &list_schema, ..one };
    let (scoped, mut named) = match kind.namespaced {
        true => (format!("{base}/namespaces/{{namespace}}"), vec!["namespace"]),
        false => (base.to_owned(), Vec::new()),
    };
    if kind.namespaced {
        let all = json!({"get": list.get("list"), "parameters": parameters(&[], LIST)});
        paths.insert(format!("{base}/{}", kind.plural), all);
    }
    let collection = json!({"get": list.get_with("list", LIST), "parameters": parameters(&named, &["pretty"])});
    paths.insert(format!("{scoped}/{}", kind.plural), collection);
    named.insert(0, "name");
    let item = json!({"get": one.get("get"), "parameters": parameters(&named, &["pretty"])});
    paths.insert(format!("{scoped}/{}/{{name}}", kind.plural), item);
}

fn asked(base: &str, question: &Question, paths: &mut Map<String, Value>) {
    let one =
        Operation { group: question.group, version: question.version, kind: question.kind, schema: question.schema };
    let place: &[&str] = if question.namespaced { &["namespace"] } else { &[] };
    let scoped = if question.namespaced { format!("{base}/namespaces/{{namespace}}") } else { base.to_owned() };
    let operations = json!({
        "post": one.with_body("post", WRITE, one.schema),
        "parameters": parameters(place, &["pretty"]),
    });
    paths.insert(format!("{scoped}/{}", question.plural), operations);
}

const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];
const DELETE: &[&str] = &["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"];
const LIST: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];

fn parameters(path: &[&str], query: &[&str]) -> Value {
    let required = path.iter().map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}}),
    );
    let optional = query.iter().map(|name| {
        let kind = match *name {
            "allowWatchBookmarks" | "force" | "orphanDependents" | "sendInitialEvents" | "watch" => "boolean",
            "gracePeriodSeconds" | "limit" | "timeoutSeconds" => "integer",
            _ => "string",
        };
        json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}})
    });
    required.chain(optional).collect()
}

impl Operation<'_> {
    fn base(&self, action: &str) -> Value {
        let content = json!({"schema": {"$ref": format!("{PREFIX}{}", self.schema)}});
        json!({
            "responses": {
                "200": {"description": "OK", "content": {"application/json": content, "application/yaml": content}},
                "401": {"description": "Unauthorized"},
            },
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": self.group, "version": self.version, "kind": self.kind},
        })
    }

    fn get(&self, action: &str) -> Value {
        self.base(action)
    }

    fn get_with(&self, action: &str, query: &[&str]) -> Value {
        let mut operation = self.base(action);
        operation["parameters"] = parameters(&[], query);
        operation
    }

    fn with_body(&self, action: &str, query: &[&str], schema: &str) -> Value {
        let mut operation = self.get_with(action, query);
        let content = json!({"schema": {"$ref": format!("{PREFIX}{schema}")}});
        operation["requestBody"] = json!({"content": {"*/*": content}});
        operation
    }

    fn patch(&self) -> Value {
        let mut operation = self.get_with("patch", PATCH);
        let patch = json!({"schema": {"$ref": format!("{PREFIX}{META}.Patch")}});
        operation["requestBody"] = json!({
            "required": true,
            "content": {
                "application/apply-patch+yaml": patch,
                "application/json-patch+json": patch,
                "application/merge-patch+json": patch,
                "application/strategic-merge-patch+json": patch,
            },
        });
        operation
    }
}
