//! What is a session's own: its namespaces as a whole, and labelled things elsewhere.

use std::collections::BTreeSet;

use breakfix_lab::Document;
use serde_json::{Value, json};

use super::{
    object::{self, LAB_LABEL, SESSION_LABEL},
    resource::Resource,
};
use crate::target::Place;

/// The prefix of the namespace that the probes of a session live in.
const PROBE_NAMESPACE: &str = "breakfix-probe-";

/// The namespaces that the lab's documents make: everything inside is the session's.
pub(crate) fn namespaces(place: &Place) -> BTreeSet<&str> {
    let documents = place.documents.iter().chain(place.files.values().flatten());
    let named = documents.filter(|document| document.kind == "Namespace").map(|document| document.name.as_str());
    named.chain([place.namespace.as_str()]).filter(|name| !name.is_empty()).collect()
}

/// The namespace of our own probes.
pub(crate) fn probe_namespace(place: &Place) -> String {
    format!("{PROBE_NAMESPACE}{}", place.session)
}

/// The namespace that a document's object lives in; `None` for cluster-scoped kinds.
pub(crate) fn namespace_of<'a>(place: &'a Place, resource: &Resource, named: Option<&'a str>) -> Option<&'a str> {
    resource.namespaced.then(|| named.unwrap_or(&place.namespace))
}

/// Whether the object must carry the session's labels itself: no namespace of the session holds it. Inside the lab's
/// namespaces labels of ours would only puzzle the learner.
pub(crate) fn needs_label(place: &Place, resource: &Resource, namespace: Option<&str>) -> bool {
    !resource.namespaced || namespace.is_none_or(|namespace| !namespaces(place).contains(namespace))
}

/// What is sent for a document: its own body, at home in its namespace, labelled where it must be.
pub(crate) fn body_of(place: &Place, resource: &Resource, document: &Document) -> Value {
    let mut body = document.body.clone();
    let namespace = namespace_of(place, resource, document.namespace.as_deref());
    if let Some(namespace) = namespace {
        object::set(&mut body, &["metadata", "namespace"], json!(namespace));
    }
    if needs_label(place, resource, namespace) {
        object::set_label(&mut body, SESSION_LABEL, &place.session);
        object::set_label(&mut body, LAB_LABEL, &place.lab);
    }
    body
}

/// Namespaces first, then what pods need, then as written: nothing can be made in a namespace that is not there.
pub(crate) fn in_order(documents: &[Document]) -> Vec<&Document> {
    let rank = |document: &&Document| match document.kind.as_str() {
        "Namespace" => 0,
        // What pods name is there when they come: nobody has to wonder at a mount that failed once.
        "ServiceAccount" | "ConfigMap" | "Secret" => 1,
        // What judges pods when they come is there before them.
        "ResourceQuota" | "LimitRange" | "NetworkPolicy" | "PriorityClass" => 1,
        _ => 2,
    };
    let mut documents: Vec<&Document> = documents.iter().collect();
    documents.sort_by_key(rank);
    documents
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn document(kind: &str, name: &str, namespace: Option<&str>) -> Document {
        let mut body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace {
            object::set(&mut body, &["metadata", "namespace"], json!(namespace));
        }
        let api_version = Resource::built_in(None, kind).map(|resource| resource.api_version);
        body["apiVersion"] = json!(api_version);
        Document {
            api_version,
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            body,
            file: "system/shop.yaml".to_owned(),
            line: 1,
        }
    }

    pub(crate) fn place(documents: Vec<Document>) -> Place {
        Place {
            platform: breakfix_lab::Platform::Kubernetes,
            session: "s1".to_owned(),
            lab: "shop-answers-nobody".to_owned(),
            folder: std::env::temp_dir(),
            namespace: "shop".to_owned(),
            documents,
            files: Default::default(),
            texts: std::collections::BTreeMap::new(),
            images: vec!["registry.example/shop/web:1.4".to_owned()],
            zones: Vec::new(),
            contexts: Vec::new(),
            requires: Vec::new(),
            opened: "2026-01-05T09:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn labels_go_where_no_namespace_of_the_session_holds_the_object() {
        let place = place(vec![document("Namespace", "shop", None), document("Namespace", "billing", None)]);
        let service = Resource::built_in(None, "Service").unwrap();
        for (namespace, labelled) in [(None, false), (Some("billing"), false), (Some("kube-system"), true)] {
            let body = body_of(&place, &service, &document("Service", "web", namespace));
            assert_eq!(object::is_of_session(&body, "s1"), labelled, "{namespace:?}");
            assert_eq!(object::namespace(&body), Some(namespace.unwrap_or("shop")));
        }
        let role = Resource::built_in(None, "ClusterRole").unwrap();
        let body = body_of(&place, &role, &document("ClusterRole", "r", None));
        assert!(object::is_of_session(&body, "s1") && object::namespace(&body).is_none());
        assert_eq!(object::label(&body, LAB_LABEL), Some("shop-answers-nobody"));
    }

    #[test]
    fn namespaces_come_first() {
        let documents = [
            document("Service", "a", None),
            document("Namespace", "n", None),
            document("Pod", "p", None),
            document("ResourceQuota", "q", None),
        ];
        let names: Vec<&str> = in_order(&documents).into_iter().map(|document| document.name.as_str()).collect();
        assert_eq!(names, ["n", "q", "a", "p"]);
    }
}
