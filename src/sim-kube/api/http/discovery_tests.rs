use serde_json::Value;

use super::*;
use crate::{
    api::{golden::golden_dir, write::tests::cluster},
    kind,
};

const METRICS: &str = "metrics.k8s.io";

/// The JSON document at the end of a record.
fn recorded(file: &str) -> Option<Value> {
    let text = std::fs::read_to_string(golden_dir()?.join(file)).expect(file);
    let start = text.find("\n\n{").expect(file);
    Some(serde_json::from_str(text[start..].trim()).expect(file))
}

/// What is served here is served there, in the same words; what is not modelled may be missing.
fn is_part_of(own: &Value, real: &Value, name: &str, parts: &str) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for entry in list(own) {
        let found = list(real).into_iter().find(|other| other[name] == entry[name]);
        let mut real = found.unwrap_or_else(|| panic!("{} is not served by a real server", entry[name]));
        let mut own = entry;
        if let (Some(members), Some(real)) = (own.as_object_mut(), real.as_object_mut()) {
            real.remove("storageVersionHash");
            let (mine, theirs) = (members.remove(parts), real.remove(parts));
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                is_part_of(&mine, &theirs, "subresource", "");
            }
        }
        assert_eq!(own, real);
    }
}

#[test]
fn plain_discovery_reads_as_on_a_real_server() {
    for (file, group, version) in [
        ("cluster/raw-api-v1.txt", "", "v1"),
        ("cluster/raw-apis-apps-v1.txt", "apps", "v1"),
        ("cluster/raw-apis-batch-v1.txt", "batch", "v1"),
        ("cluster/raw-apis-discovery-k8s-io-v1.txt", "discovery.k8s.io", "v1"),
    ] {
        let Some(real) = recorded(file) else { return };
        let own = resources(&cluster(), group, version);
        assert_eq!(
            (&own["kind"], &own["apiVersion"], &own["groupVersion"]),
            (&real["kind"], &real["apiVersion"], &real["groupVersion"])
        );
        is_part_of(&own["resources"], &real["resources"], "name", "");
    }
    let Some(real) = recorded("cluster/raw-apis.txt") else { return };
    // The recorded cluster has no metrics server.
    let own = groups(&cluster());
    let own: Vec<&Value> = own["groups"].as_array().unwrap().iter().filter(|group| group["name"] != METRICS).collect();
    is_part_of(&json!(own), &real["groups"], "name", "");
    let order = |list: &Value| -> Vec<String> {
        let names = list["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap().to_owned());
        names.filter(|name| kind::has_group(name) && name != METRICS).collect()
    };
    assert_eq!(order(&groups(&cluster())), order(&real));
}

#[test]
fn aggregated_discovery_reads_as_on_a_real_server() {
    for (file, core) in [("cluster/aggregated-api.txt", true), ("cluster/aggregated-apis.txt", false)] {
        let Some(real) = recorded(file) else { return };
        let own = aggregated(&cluster(), core, "v2");
        assert_eq!((&own["kind"], &own["apiVersion"]), (&real["kind"], &real["apiVersion"]));
        for group in own["items"].as_array().unwrap().iter().filter(|group| group["metadata"]["name"] != METRICS) {
            let found = real["items"].as_array().unwrap().iter().find(|other| other["metadata"] == group["metadata"]);
            let versions = |group: &Value| group["versions"].as_array().cloned().unwrap();
            for (mine, theirs) in versions(group).iter().zip(versions(found.unwrap())) {
                assert_eq!((&mine["version"], &mine["freshness"]), (&theirs["version"], &theirs["freshness"]));
                is_part_of(&mine["resources"], &theirs["resources"], "resource", "subresources");
            }
        }
    }
}
