//! Ingresses and their classes (`pkg/apis/networking/validation`, admission `DefaultIngressClass`).

use serde_json::{Value, json};

use super::{PLAIN, Rules};
use crate::{
    Cluster, Status,
    api::check::{At, Problems, name},
    kind::INGRESS_CLASS,
    object::{entries, number, set, text},
};

pub static RULES: Rules = Rules {
    create: |object| set(object, "/status", json!({"loadBalancer": {}})),
    admit: |cluster, new, old| {
        if old.is_none() {
            default_class(cluster, new);
        }
        Ok::<(), Status>(())
    },
    validate,
    ..PLAIN
};

pub static CLASS: Rules = Rules { validate: validate_class, validate_update: same_controller, ..PLAIN };

/// Names the class in objects older than the field.
const OLD_CLASS: &str = "kubernetes.io/ingress.class";
const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
const TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];

/// An ingress without a class is of the marked one: of several the youngest, then by name.
fn default_class(cluster: &Cluster, ingress: &mut Value) {
    let note = |object: &Value, key: &str| {
        object
            .pointer("/metadata/annotations")
            .and_then(|notes| notes.get(key))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if !text(ingress, "/spec/ingressClassName").is_empty() || note(ingress, OLD_CLASS).is_some() {
        return;
    }
    let mut marked: Vec<_> = cluster
        .list(&INGRESS_CLASS, None)
        .filter(|class| note(class, DEFAULT).as_deref() == Some("true"))
        .map(|class| (text(class, "/metadata/creationTimestamp").to_owned(), text(class, "/metadata/name").to_owned()))
        .collect();
    marked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    if let Some((_, class)) = marked.into_iter().next() {
        set(ingress, "/spec/ingressClassName", json!(class));
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let class = text(object, "/spec/ingressClassName");
    let old = object.pointer("/metadata/annotations").and_then(|notes| notes.get(OLD_CLASS));
    if let Some(old) = old
        && !class.is_empty()
    {
        let at = At::new("metadata").child("annotations").key(OLD_CLASS);
        problems.invalid(&at, old.clone(), "can not be set when the class field is also set");
    }
    for problem in name::subdomain(class).into_iter().filter(|_| !class.is_empty()) {
        problems.invalid(&at.child("ingressClassName"), class, problem);
    }
    let (rules, backend) = (entries(object, "/spec/rules"), object.pointer("/spec/defaultBackend"));
    let backend = backend.filter(|backend| !backend.is_null());
    if rules.is_empty() && backend.is_none() {
        let spec = object.get("spec").unwrap_or(&Value::Null);
        let shown = super::pod_diff::shown_of("io.k8s.api.networking.v1.IngressSpec", spec);
        problems.invalid_text(&at, &shown, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(backend) = backend {
        validate_backend(backend, &at.child("defaultBackend"), problems);
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = at.child("rules").index(index);
        host(text(rule, "/host"), &at.child("host"), problems);
        let Some(http) = rule.get("http").filter(|http| !http.is_null()) else { continue };
        let at = at.child("http").child("paths");
        let paths = entries(http, "/paths");
        if paths.is_empty() {
            problems.required(&at, "");
        }
        for (index, path) in paths.iter().enumerate() {
            validate_path(path, &at.index(index), problems);
        }
    }
    for (index, tls) in entries(object, "/spec/tls").iter().enumerate() {
        let at = at.child("tls").index(index);
        for (index, given) in entries(tls, "/hosts").iter().filter_map(Value::as_str).enumerate() {
            let problems_of = if given.contains('*') { wildcard(given) } else { name::subdomain(given) };
            for problem in problems_of {
                problems.invalid(&at.child("hosts").index(index), given, problem);
            }
        }
        let secret = text(tls, "/secretName");
        for problem in name::subdomain(secret).into_iter().filter(|_| !secret.is_empty()) {
            problems.invalid(&at.child("secretName"), secret, problem);
        }
    }
}

fn host(given: &str, at: &At, problems: &mut Problems) {
    if given.is_empty() {
        return;
    }
    if given.parse::<std::net::IpAddr>().is_ok() {
        problems.invalid(at, given, "must be a DNS name, not an IP address");
    }
    for problem in if given.contains('*') { wildcard(given) } else { name::subdomain(given) } {
        problems.invalid(at, given, problem);
    }
}

fn wildcard(given: &str) -> Vec<String> {
    let fits = given.strip_prefix("*.").is_some_and(|rest| name::subdomain(rest).is_empty());
    if fits {
        return Vec::new();
    }
    vec![
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric \
         characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is \
         '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            .to_owned(),
    ]
}

fn validate_path(path: &Value, at: &At, problems: &mut Problems) {
    let given = text(path, "/path");
    let at_path = at.child("path");
    match path.get("pathType").and_then(Value::as_str) {
        None => problems.required(&at.child("pathType"), "pathType must be specified"),
        Some("Exact" | "Prefix") => {
            if !given.starts_with('/') {
                problems.invalid(&at_path, given, "must be an absolute path");
            }
            for bad in ["//", "/./", "/../", "%2f", "%2F"] {
                if given.contains(bad) {
                    problems.invalid(&at_path, given, format!("must not contain '{bad}'"));
                }
            }
            for bad in ["/..", "/."] {
                if given.ends_with(bad) {
                    problems.invalid(&at_path, given, format!("cannot end with '{bad}'"));
                }
            }
        }
        Some("ImplementationSpecific") => {
            if !given.is_empty() && !given.starts_with('/') {
                problems.invalid(&at_path, given, "must be an absolute path");
            }
        }
        Some(other) => problems.not_supported(&at.child("pathType"), other, &TYPES),
    }
    validate_backend(path.get("backend").unwrap_or(&Value::Null), &at.child("backend"), problems);
}

fn validate_backend(backend: &Value, at: &At, problems: &mut Problems) {
    let given = |member: &str| backend.get(member).filter(|value| !value.is_null());
    match (given("resource"), given("service")) {
        (Some(_), Some(_)) => problems.invalid(at, "", "cannot set both resource and service backends"),
        (Some(_), None) => {}
        (None, Some(service)) => {
            let at = at.child("service");
            let own = text(service, "/name");
            if own.is_empty() {
                problems.required(&at.child("name"), "");
            } else {
                for problem in name::label_1035(own) {
                    problems.invalid(&at.child("name"), own, problem);
                }
            }
            let at = at.child("port");
            match (text(service, "/port/name"), number(service, "/port/number").unwrap_or(0)) {
                ("", 0) => problems.required(&at, "port name or number is required"),
                ("", number) => problems.port(&at.child("number"), number),
                (named, 0) => {
                    for problem in name::port_name(named) {
                        problems.invalid(&at.child("name"), named, problem);
                    }
                }
                _ => problems.invalid(&at, "", "cannot set both port name & port number"),
            }
        }
        (None, None) => problems.required(at, "resource or service backend is required"),
    }
}

fn validate_class(object: &Value, problems: &mut Problems) {
    let controller = text(object, "/spec/controller");
    let at = At::new("spec").child("controller");
    if controller.is_empty() {
        problems.required(&at, "");
        return;
    }
    if controller.len() > 250 {
        problems.too_long(&at, 250);
    }
    let fits =
        controller.split_once('/').is_some_and(|(domain, rest)| name::subdomain(domain).is_empty() && !rest.is_empty());
    if !fits {
        problems.invalid(&at, controller, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    }
}

fn same_controller(new: &Value, old: &Value, problems: &mut Problems) {
    let controller = text(new, "/spec/controller");
    if controller != text(old, "/spec/controller") {
        problems.invalid(&At::new("spec").child("controller"), controller, "field is immutable");
    }
}
