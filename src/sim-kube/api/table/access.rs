//! Who may do what: bindings of roles, and requests for certificates.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, age::human, column, name, wide};
use crate::object::{entries, number, text};

pub static BINDING: Layout = Layout {
    columns: &[
        NAME,
        column("Role", "The role that is given."),
        AGE,
        wide("Users", "Users in the roleBinding"),
        wide("Groups", "Groups in the roleBinding"),
        wide("ServiceAccounts", "ServiceAccounts in the roleBinding"),
    ],
    cells: binding,
};

pub static SIGNING_REQUEST: Layout = Layout {
    columns: &[
        NAME,
        AGE,
        column("SignerName", "Who is asked to sign."),
        column("Requestor", "Who asks."),
        column("RequestedDuration", "How long the certificate shall last."),
        column("Condition", "What has become of the request."),
    ],
    cells: signing_request,
};

fn binding(object: &Value, now: Timestamp) -> Vec<Value> {
    let subjects = |kind: &str| {
        let found = entries(object, "/subjects").iter().filter(|subject| text(subject, "/kind") == kind);
        let shown: Vec<String> = found
            .map(|subject| match kind {
                "ServiceAccount" => format!("{}/{}", text(subject, "/namespace"), text(subject, "/name")),
                _ => text(subject, "/name").to_owned(),
            })
            .collect();
        json!(shown.join(", "))
    };
    vec![
        name(object),
        json!(format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name"))),
        age(object, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

fn signing_request(object: &Value, now: Timestamp) -> Vec<Value> {
    let duration = number(object, "/spec/expirationSeconds").map_or("<none>".to_owned(), human);
    let has =
        |kind: &str| entries(object, "/status/conditions").iter().any(|condition| text(condition, "/type") == kind);
    let mut status = if has("Denied") {
        "Denied"
    } else if has("Approved") {
        "Approved"
    } else {
        "Pending"
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !text(object, "/status/certificate").is_empty() {
        status.push_str(",Issued");
    }
    let signer = text(object, "/spec/signerName");
    vec![
        name(object),
        age(object, now),
        json!(if signer.is_empty() { "<none>" } else { signer }),
        json!(text(object, "/spec/username")),
        json!(duration),
        json!(status),
    ]
}
