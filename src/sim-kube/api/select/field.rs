//! Field selectors: `status.phase=Running,spec.nodeName!=worker-1`. Each kind allows a few fields and no others.

use serde_json::Value;

use crate::Kind;

/// A field selector of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: String,
    value: String,
    equal: bool,
}

/// What a kind's objects can be selected by beside name and namespace.
fn fields(kind: &Kind) -> &'static [&'static str] {
    match kind.collection {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "nodes" => &["spec.unschedulable"],
        "namespaces" => &["status.phase"],
        "secrets" => &["type"],
        "jobs.batch" => &["status.successful"],
        "replicasets.apps" | "replicationcontrollers" => &["status.replicas"],
        "certificatesigningrequests.certificates.k8s.io" => &["spec.signerName"],
        "services" => &["spec.clusterIP", "spec.type"],
        _ => &[],
    }
}

impl Selector {
    /// Reads a selector for a kind.
    ///
    /// # Errors
    /// The API's own words.
    pub fn parse(kind: &Kind, text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in split(text) {
            if part.is_empty() {
                continue;
            }
            let term = term(&part).ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{part}'"))?;
            let known = fields(kind);
            let general = term.field == "metadata.name" || term.field == "metadata.namespace";
            let selectable = kind.custom.is_some_and(|custom| custom.selectable.contains(&term.field));
            if !general && !selectable && !known.contains(&term.field.as_str()) {
                return Err(if known.is_empty() {
                    format!(
                        "{:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                        term.field
                    )
                } else {
                    format!("field label not supported: {}", term.field)
                });
            }
            terms.push(term);
        }
        Ok(Self { terms })
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an object fits.
    pub fn matches(&self, object: &Value) -> bool {
        self.terms.iter().all(|term| (value_of(object, &term.field) == term.value) == term.equal)
    }
}

fn value_of(object: &Value, field: &str) -> String {
    let field = match field {
        "source" => "source.component",
        "reportingComponent" => "reportingComponent",
        "status.successful" => "status.succeeded",
        other => other,
    };
    let value = object.pointer(&format!("/{}", field.replace('.', "/")));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Array(list)) => {
            list.first().and_then(|entry| entry.get("ip")).and_then(Value::as_str).unwrap_or("").to_owned()
        }
        Some(Value::Number(number)) => number.to_string(),
        _ if field == "status.succeeded" || field == "status.replicas" => "0".to_owned(),
        _ if field == "spec.unschedulable" || field == "spec.hostNetwork" => "false".to_owned(),
        _ => String::new(),
    }
}

/// Splits at commas that no backslash stands before.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts
}

fn term(part: &str) -> Option<Term> {
    for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((field, value)) = part.split_once(operator)
            && !field.contains('=')
        {
            return Some(Term { field: field.to_owned(), value: unescape(value)?, equal });
        }
    }
    None
}

/// A value without its backslashes; `None` for an escape that means nothing.
fn unescape(value: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                c @ ('\\' | ',' | '=') => out.push(c),
                _ => return None,
            },
            ',' | '=' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{DEPLOYMENT, POD};

    #[test]
    fn objects_are_found_by_their_fields() {
        let pod = json!({"metadata": {"name": "a"}, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}});
        for (selector, fits) in [
            ("", true),
            ("status.phase=Running", true),
            ("status.phase!=Succeeded,status.phase!=Failed", true),
            ("metadata.name==b", false),
            ("spec.nodeName=", false),
            ("spec.hostNetwork=false", true),
        ] {
            assert_eq!(Selector::parse(&POD, selector).unwrap().matches(&pod), fits, "{selector}");
        }
    }

    #[test]
    fn other_fields_are_refused() {
        assert_eq!(Selector::parse(&POD, "spec.nope=x").unwrap_err(), "field label not supported: spec.nope");
        assert_eq!(
            Selector::parse(&DEPLOYMENT, "spec.nope=x").unwrap_err(),
            "\"spec.nope\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert!(Selector::parse(&POD, "nope").is_err());
    }
}
