use super::*;
use crate::api::{golden::golden_json, write::tests::cluster};

fn own(name: &str) -> Value {
    serde_json::from_str(&document(&cluster(), name).unwrap().0).unwrap()
}

#[test]
fn the_index_names_documents_that_are_there() {
    let index = index(&cluster());
    for (name, entry) in index["paths"].as_object().unwrap() {
        let url = entry["serverRelativeURL"].as_str().unwrap();
        assert!(url.starts_with(&format!("/openapi/v3/{name}?hash=")), "{url}");
        assert!(document(&cluster(), name).is_some());
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for name in DOCUMENTS.keys() {
        let document = own(name);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut names = BTreeSet::new();
        referred(&document, &BTreeMap::new(), &mut names);
        for name in names {
            assert!(schemas.contains_key(&name), "{name}");
        }
    }
}

/// What `kubectl` reads of a property, without descriptions.
fn plain(property: &Value) -> Value {
    let mut plain = json!({});
    for key in [
        "type",
        "format",
        "default",
        "enum",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-map-type",
        "x-kubernetes-patch-strategy",
        "x-kubernetes-patch-merge-key",
    ] {
        if let Some(value) = property.get(key) {
            plain[key] = value.clone();
        }
    }
    let first = |paths: &[&str]| paths.iter().find_map(|path| property.pointer(path)).cloned().unwrap_or_default();
    plain["items"] = first(&["/items/enum", "/additionalProperties/enum"]);
    plain["of"] = first(&["/items/$ref", "/allOf/0/$ref", "/$ref"]);
    plain
}

#[test]
fn schemas_are_those_of_a_real_server() {
    let mut differences = Vec::new();
    for (name, file) in [
        ("api/v1", "cluster/openapi-v3/api_v1.json.gz"),
        ("apis/apps/v1", "cluster/openapi-v3/apis_apps_v1.json.gz"),
        ("apis/admissionregistration.k8s.io/v1", "cluster/openapi-v3/apis_admissionregistration.k8s.io_v1.json.gz"),
        ("apis/apiextensions.k8s.io/v1", "cluster/openapi-v3/apis_apiextensions.k8s.io_v1.json.gz"),
        ("apis/authentication.k8s.io/v1", "cluster/openapi-v3/apis_authentication.k8s.io_v1.json.gz"),
        ("apis/autoscaling/v1", "cluster/openapi-v3/apis_autoscaling_v1.json.gz"),
        ("apis/autoscaling/v2", "cluster/openapi-v3/apis_autoscaling_v2.json.gz"),
        ("apis/batch/v1", "cluster/openapi-v3/apis_batch_v1.json.gz"),
        ("apis/certificates.k8s.io/v1", "cluster/openapi-v3/apis_certificates.k8s.io_v1.json.gz"),
        ("apis/coordination.k8s.io/v1", "cluster/openapi-v3/apis_coordination.k8s.io_v1.json.gz"),
        ("apis/networking.k8s.io/v1", "cluster/openapi-v3/apis_networking.k8s.io_v1.json.gz"),
        ("apis/node.k8s.io/v1", "cluster/openapi-v3/apis_node.k8s.io_v1.json.gz"),
        ("apis/policy/v1", "cluster/openapi-v3/apis_policy_v1.json.gz"),
        ("apis/rbac.authorization.k8s.io/v1", "cluster/openapi-v3/apis_rbac.authorization.k8s.io_v1.json.gz"),
        ("apis/scheduling.k8s.io/v1", "cluster/openapi-v3/apis_scheduling.k8s.io_v1.json.gz"),
        ("apis/storage.k8s.io/v1", "cluster/openapi-v3/apis_storage.k8s.io_v1.json.gz"),
        ("apis/discovery.k8s.io/v1", "cluster/openapi-v3/apis_discovery.k8s.io_v1.json.gz"),
        ("apis/events.k8s.io/v1", "cluster/openapi-v3/apis_events.k8s.io_v1.json.gz"),
    ] {
        let Some(real) = golden_json(file) else { return };
        let own = own(name);
        for (schema, wanted) in real["components"]["schemas"].as_object().unwrap() {
            let Some(found) = own["components"]["schemas"].get(schema) else { continue };
            for key in ["required", "x-kubernetes-map-type"] {
                if found.get(key) != wanted.get(key) {
                    differences.push(format!("{schema} {key}: {:?}, not {:?}", found.get(key), wanted.get(key)));
                }
            }
            let (found, wanted) = (&found["properties"], &wanted["properties"]);
            let names: BTreeSet<&String> =
                [found, wanted].into_iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
            for name in names {
                let (found, wanted) = (plain(&found[name]), plain(&wanted[name]));
                if found != wanted {
                    differences.push(format!("{schema} {name}: {found}, not {wanted}"));
                }
            }
        }
    }
    differences.sort();
    differences.dedup();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
