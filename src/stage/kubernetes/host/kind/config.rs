//! The cluster's configuration: ours, with what the learner asks for merged over it.

use std::path::Path;

use serde_json::{Value, json};

use crate::target::{Cause, TargetError};

/// One control-plane node, which takes no ordinary pods, and workers: what labs about several nodes need.
fn base(workers: usize) -> Value {
    let mut nodes = vec![json!({"role": "control-plane"})];
    nodes.extend(std::iter::repeat_n(json!({"role": "worker"}), workers));
    json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": nodes,
    })
}

/// Our configuration with a file's merged over it: mappings by key, everything else replaced. `name` stays ours.
///
/// # Errors
/// The file cannot be read, or is no configuration of a kind cluster.
pub(super) fn merged(file: Option<&Path>, workers: usize) -> Result<Value, TargetError> {
    let mut config = base(workers);
    if let Some(path) = file {
        let wrong = |why: String| {
            TargetError::new(Cause::Local, format!("use --kind-config {}: {why}", path.display()))
                .hint("It is a kind configuration: https://kind.sigs.k8s.io/docs/user/configuration/")
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let more: Value = serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let Value::Object(mut more) = more else { return Err(wrong("it is no mapping".to_owned())) };
        if let Some(kind) = more.get("kind").filter(|kind| *kind != "Cluster") {
            return Err(wrong(format!("its kind is {kind}, not Cluster")));
        }
        more.remove("name");
        merge(&mut config, &Value::Object(more));
    }
    Ok(config)
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Value, TargetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kind.yaml");
        std::fs::write(&path, text).unwrap();
        merged(Some(&path), 2)
    }

    #[test]
    fn two_workers_unless_the_learner_says_otherwise() {
        assert_eq!(merged(None, 2).unwrap()["nodes"].as_array().unwrap().len(), 3);
        assert_eq!(merged(None, 3).unwrap()["nodes"].as_array().unwrap().len(), 4);
        let config = with("kind: Cluster\nname: mine\nnetworking: {ipFamily: ipv6}\n").unwrap();
        assert_eq!(config["nodes"].as_array().unwrap().len(), 3);
        assert_eq!((&config["networking"]["ipFamily"], config.get("name")), (&json!("ipv6"), None));
        let config = with("nodes: [{role: control-plane, image: x}]").unwrap();
        assert_eq!(config["nodes"], json!([{"role": "control-plane", "image": "x"}]));
    }

    #[test]
    fn what_is_no_configuration_is_named() {
        assert!(with("- a").unwrap_err().what.contains("no mapping"));
        assert!(with("kind: Pod").unwrap_err().what.contains("Pod"));
        assert!(with("a: [").is_err());
        assert!(merged(Some(Path::new("/nowhere/kind.yaml")), 2).unwrap_err().what.contains("/nowhere/kind.yaml"));
    }
}
