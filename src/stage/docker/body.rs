//! A container's create body: what a document says, made ready for any engine.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

/// A create body and what comes after it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Plan {
    /// For `POST /containers/create`.
    pub(super) body: Value,
    /// Further networks with their endpoint settings, to be joined before the start: engines before API 1.44 take one at creation.
    pub(super) networks: BTreeMap<String, Value>,
}

impl Plan {
    /// The plan of a create body.
    pub(super) fn new(mut body: Value) -> Self {
        let mut endpoints = take_endpoints(&mut body);
        if endpoints.is_empty() {
            return Self { body, networks: endpoints };
        }
        let mode = body.pointer("/HostConfig/NetworkMode").and_then(Value::as_str).unwrap_or_default().to_owned();
        let first = if endpoints.contains_key(&mode) { Some(mode.clone()) } else { endpoints.keys().next().cloned() };
        if let Some((name, settings)) = first.and_then(|name| endpoints.remove_entry(&name)) {
            if mode.is_empty() {
                // As `docker run --network NAME` writes it.
                set(&mut body, &["HostConfig", "NetworkMode"], Value::from(name.as_str()));
            }
            let settings = if settings.is_null() { json!({}) } else { settings };
            let only: Map<String, Value> = [(name, settings)].into_iter().collect();
            set(&mut body, &["NetworkingConfig", "EndpointsConfig"], Value::Object(only));
        }
        Self { body, networks: endpoints }
    }

    /// With these labels on top of the document's own.
    pub(super) fn labelled(mut self, labels: &Map<String, Value>) -> Self {
        for (key, value) in labels {
            set(&mut self.body, &["Labels", key], value.clone());
        }
        self
    }
}

fn take_endpoints(body: &mut Value) -> BTreeMap<String, Value> {
    let config = body.get_mut("NetworkingConfig").and_then(Value::as_object_mut);
    let endpoints = config.and_then(|config| config.remove("EndpointsConfig"));
    if let Some(body) = body.as_object_mut() {
        body.remove("NetworkingConfig");
    }
    match endpoints {
        Some(Value::Object(map)) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

/// Sets a value deep inside, making what is missing on the way.
pub(super) fn set(value: &mut Value, path: &[&str], new: Value) {
    let patch = path.iter().rev().fold(new, |inner, key| json!({ *key: inner }));
    crate::life::edit::merge(value, &patch);
}

/// Folders of the machine that a body mounts and that are not inside `allowed`. A lab comes from somebody else: it may not see what is the learner's.
pub(super) fn foreign_binds(body: &Value, allowed: &Path) -> Vec<String> {
    let binds = body.pointer("/HostConfig/Binds").and_then(Value::as_array).into_iter().flatten();
    let binds = binds.filter_map(Value::as_str).filter_map(|bind| bind.split(':').next());
    // A source that begins with neither `/` nor `.` is the name of a volume.
    let binds = binds.filter(|source| source.starts_with(['/', '.', '~']) || source.contains('\\'));
    let mounts = body.pointer("/HostConfig/Mounts").and_then(Value::as_array).into_iter().flatten();
    let mounts = mounts
        .filter(|mount| mount.get("Type").and_then(Value::as_str) == Some("bind"))
        .map(|mount| mount.get("Source").and_then(Value::as_str).unwrap_or_default());
    let inside = |source: &str| {
        let path = Path::new(source);
        path.starts_with(allowed) && !path.components().any(|part| part == std::path::Component::ParentDir)
    };
    binds.chain(mounts).filter(|source| !inside(source)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_at_creation_the_others_after_it() {
        let plan = Plan::new(json!({
            "Image": "web",
            "NetworkingConfig": {"EndpointsConfig": {"back": {"Aliases": ["db"]}, "shop": {}}},
        }));
        assert_eq!(plan.body["HostConfig"]["NetworkMode"], "back");
        assert_eq!(plan.body["NetworkingConfig"]["EndpointsConfig"], json!({"back": {"Aliases": ["db"]}}));
        assert_eq!(plan.networks, BTreeMap::from([("shop".to_owned(), json!({}))]));
    }

    #[test]
    fn the_network_mode_says_which_is_first() {
        let endpoints = json!({"EndpointsConfig": {"back": {}, "shop": null}});
        let plan = Plan::new(json!({"HostConfig": {"NetworkMode": "shop"}, "NetworkingConfig": endpoints}));
        assert_eq!(plan.body["NetworkingConfig"]["EndpointsConfig"], json!({"shop": {}}));
        assert_eq!(plan.networks.keys().collect::<Vec<_>>(), ["back"]);
    }

    #[test]
    fn a_body_without_networks_stays_as_it_is() {
        let body = json!({"Image": "web", "HostConfig": {"NetworkMode": "container:web"}});
        let plan = Plan::new(body.clone()).labelled(&Map::new());
        assert_eq!((plan.body, plan.networks.len()), (body, 0));
    }

    #[test]
    fn labels_are_added_to_the_documents_own() {
        let labels: Map<String, Value> = [("breakfix.dev/session".to_owned(), json!("x"))].into_iter().collect();
        let plan = Plan::new(json!({"Labels": {"team": "shop"}})).labelled(&labels);
        assert_eq!(plan.body["Labels"], json!({"team": "shop", "breakfix.dev/session": "x"}));
    }

    #[test]
    fn folders_of_the_machine_are_seen_and_volumes_are_not() {
        let body = json!({"HostConfig": {
            "Binds": ["db-data:/data", "/etc:/etc:ro", "/home/me/s/work:/w", "/home/me/s/../x:/y", "./z:/z"],
            "Mounts": [
                {"Type": "volume", "Source": "v", "Target": "/v"},
                {"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/s"},
            ],
        }});
        let foreign = foreign_binds(&body, Path::new("/home/me/s"));
        assert_eq!(foreign, ["/etc", "/home/me/s/../x", "./z", "/var/run/docker.sock"]);
        assert!(foreign_binds(&json!({}), Path::new("/home/me/s")).is_empty());
    }
}
