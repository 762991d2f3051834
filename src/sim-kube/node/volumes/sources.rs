//! The contents of volumes: ConfigMaps, Secrets, fields of the pod, tokens.

use serde_json::Value;

use super::payload::Payload;
use crate::{
    Cluster, Kind,
    access::{self, Bound, Wanted},
    kind,
    node::{environment, pod_run::PodRun},
    object::{entries, members, namespace, number, text, truth, uid},
};

/// What a volume is to show. An error is the message of FailedMount.
pub(super) fn content(cluster: &Cluster, pod: &PodRun, volume: &Value) -> Result<Payload, String> {
    let mut payload = Payload::default();
    if let Some(source) = volume.get("configMap") {
        let wanted = text(source, "/name");
        keys(cluster, pod, &kind::CONFIG_MAP, wanted, source, default_mode(source), &mut payload)?;
    } else if let Some(source) = volume.get("secret") {
        payload.is_in_memory = true;
        let wanted = text(source, "/secretName");
        keys(cluster, pod, &kind::SECRET, wanted, source, default_mode(source), &mut payload)?;
    } else if let Some(source) = volume.get("downwardAPI") {
        payload.is_in_memory = true;
        fields(cluster, pod, source, default_mode(source), &mut payload)?;
    } else if let Some(projected) = volume.get("projected") {
        payload.is_in_memory = true;
        let mode = default_mode(projected);
        for source in entries(projected, "/sources") {
            projection(cluster, pod, source, mode, &mut payload)?;
        }
    } else {
        let other = volume.as_object().and_then(|volume| volume.keys().find(|key| *key != "name")).cloned();
        return Err(format!("volumes of type {} are not simulated", other.unwrap_or_default()));
    }
    Ok(payload)
}

fn default_mode(source: &Value) -> u32 {
    number(source, "/defaultMode").and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0o644)
}

fn item_mode(item: &Value, default: u32) -> u32 {
    number(item, "/mode").and_then(|mode| u32::try_from(mode).ok()).unwrap_or(default)
}

fn projection(cluster: &Cluster, pod: &PodRun, source: &Value, mode: u32, payload: &mut Payload) -> Result<(), String> {
    if let Some(source) = source.get("configMap") {
        keys(cluster, pod, &kind::CONFIG_MAP, text(source, "/name"), source, mode, payload)
    } else if let Some(source) = source.get("secret") {
        keys(cluster, pod, &kind::SECRET, text(source, "/name"), source, mode, payload)
    } else if let Some(source) = source.get("downwardAPI") {
        fields(cluster, pod, source, mode, payload)
    } else if let Some(source) = source.get("serviceAccountToken") {
        let file = (token(cluster, pod, source).into_bytes(), mode);
        payload.files.insert(text(source, "/path").to_owned(), file);
        Ok(())
    } else {
        Err("projections of this type are not simulated".to_owned())
    }
}

fn keys(
    cluster: &Cluster,
    pod: &PodRun,
    kind: &'static Kind,
    wanted: &str,
    source: &Value,
    mode: u32,
    payload: &mut Payload,
) -> Result<(), String> {
    let is_optional = truth(source, "/optional");
    let Some(object) = cluster.store.get(&kind.key(namespace(&pod.pod), wanted)) else {
        return if is_optional { Ok(()) } else { Err(format!("{} \"{wanted}\" not found", kind.singular)) };
    };
    let data = environment::data(kind, object);
    let items = entries(source, "/items");
    if items.is_empty() {
        payload.files.extend(data.into_iter().map(|(key, bytes)| (key, (bytes, mode))));
        return Ok(());
    }
    for item in items {
        let key = text(item, "/key");
        match data.get(key) {
            Some(bytes) => {
                payload.files.insert(text(item, "/path").to_owned(), (bytes.clone(), item_mode(item, mode)));
            }
            None if is_optional => {}
            None => {
                let what = if kind.kind == "Secret" { "secret" } else { "config" };
                return Err(format!("references non-existent {what} key: {key}"));
            }
        }
    }
    Ok(())
}

fn fields(cluster: &Cluster, pod: &PodRun, source: &Value, mode: u32, payload: &mut Payload) -> Result<(), String> {
    for item in entries(source, "/items") {
        let value = if let Some(resource) = item.get("resourceFieldRef") {
            environment::resource_field(cluster, pod, &Value::Null, resource)
        } else {
            let path = text(item, "/fieldRef/fieldPath");
            field(cluster, pod, path).ok_or_else(|| format!("unsupported fieldPath: {path}"))?
        };
        payload.files.insert(text(item, "/path").to_owned(), (value.into_bytes(), item_mode(item, mode)));
    }
    Ok(())
}

/// A field of the pod as `fieldRef` names it.
pub(crate) fn field(cluster: &Cluster, pod: &PodRun, path: &str) -> Option<String> {
    let object = &pod.pod;
    if let Some((map, key)) = path.strip_suffix("']").and_then(|path| path.split_once("['")) {
        let map = map.strip_prefix("metadata.")?;
        return matches!(map, "labels" | "annotations")
            .then(|| object["metadata"][map][key].as_str().unwrap_or("").to_owned());
    }
    let list =
        |map: &str| members(object, map).map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("\n");
    let host_ip = || {
        let node = cluster.store.get(&kind::NODE.key("", &pod.node))?;
        crate::network::node_address(node).map(|ip| ip.to_string())
    };
    Some(match path {
        "metadata.name" => text(object, "/metadata/name").to_owned(),
        "metadata.namespace" => text(object, "/metadata/namespace").to_owned(),
        "metadata.uid" => uid(object).to_owned(),
        "metadata.labels" => list("/metadata/labels"),
        "metadata.annotations" => list("/metadata/annotations"),
        "spec.nodeName" => pod.node.clone(),
        "spec.serviceAccountName" => text(object, "/spec/serviceAccountName").to_owned(),
        "status.hostIP" | "status.hostIPs" => host_ip().unwrap_or_default(),
        "status.podIP" | "status.podIPs" => pod.address().map(|ip| ip.to_string()).unwrap_or_default(),
        _ => return None,
    })
}

/// A service account's token, as old as kubelet lets one get: it is renewed when four fifths of its life are over
/// (`pkg/kubelet/token/token_manager.go`).
fn token(cluster: &Cluster, pod: &PodRun, source: &Value) -> String {
    let seconds = number(source, "/expirationSeconds").unwrap_or(3600);
    let first = cluster.clock.date(pod.seen).as_second();
    let each = (seconds * 4 / 5).max(1);
    let age = cluster.clock.today().as_second().saturating_sub(first);
    let audience: Vec<String> =
        Some(text(source, "/audience").to_owned()).filter(|name| !name.is_empty()).into_iter().collect();
    let wanted = Wanted {
        namespace: namespace(&pod.pod),
        account: text(&pod.pod, "/spec/serviceAccountName"),
        audiences: &audience,
        seconds,
        bound: Some(Bound::Pod(&pod.pod)),
        issued: Some(first + age / each * each),
    };
    access::token_for(cluster, &wanted).unwrap_or_default()
}
