//! The create body that gives the same container again, from what `inspect` says of it and of its image. Pure.

use serde_json::{Map, Value, json};

/// The keys of an endpoint that a person chose; the others are what the engine gave.
const ENDPOINT_KEYS: [&str; 5] = ["IPAMConfig", "Links", "Aliases", "DriverOpts", "GwPriority"];
/// What an image sets where a container's own command line does not.
const IMAGE_KEYS: [&str; 8] =
    ["User", "WorkingDir", "StopSignal", "StopTimeout", "Healthcheck", "Volumes", "Shell", "OnBuild"];

/// The body. What the container has from its image is left out, so that an edit of `Image` brings the new image's settings.
/// `image` is `None` where the image is gone.
pub(super) fn body_of(container: &Value, image: Option<&Value>) -> Value {
    let mut body = container.get("Config").and_then(Value::as_object).cloned().unwrap_or_default();
    let id = container.get("Id").and_then(Value::as_str).unwrap_or_default();
    let short: String = id.chars().take(12).collect();
    if body.get("Hostname").and_then(Value::as_str) == Some(&short) {
        body.remove("Hostname");
    }
    body.remove("MacAddress");
    if let Some(config) = image.and_then(|image| image.get("Config")).and_then(Value::as_object) {
        without_image(&mut body, config);
    }
    body.insert("Image".into(), image_of(container, image));
    let mut host = container.get("HostConfig").cloned().unwrap_or_default();
    if let Some(links) = host.get_mut("Links").and_then(Value::as_array_mut) {
        for link in links {
            *link = Value::from(written_link(link.as_str().unwrap_or_default()));
        }
    }
    let mode = host.get("NetworkMode").and_then(Value::as_str).unwrap_or_default().to_owned();
    body.insert("HostConfig".into(), host);
    let endpoints = endpoints(container, &mode, &short);
    if !endpoints.is_empty() {
        body.insert("NetworkingConfig".into(), json!({"EndpointsConfig": endpoints}));
    }
    Value::Object(body)
}

/// The body with an edit. Another network mode takes the place of the networks that it was on, unless the edit names some.
pub(super) fn edited(mut body: Value, merge: Option<&Value>) -> Value {
    let Some(merge) = merge else { return body };
    if merge.pointer("/HostConfig/NetworkMode").is_some()
        && merge.get("NetworkingConfig").is_none()
        && let Some(body) = body.as_object_mut()
    {
        body.remove("NetworkingConfig");
    }
    crate::life::edit::merge(&mut body, merge);
    body
}

/// The reference while it still means the same image, else the image's id: a tag may have moved.
fn image_of(container: &Value, image: Option<&Value>) -> Value {
    let id = container.get("Image").cloned().unwrap_or_default();
    let reference = container.pointer("/Config/Image").cloned().unwrap_or_default();
    let tags = image.and_then(|image| image.get("RepoTags")).and_then(Value::as_array);
    if tags.is_some_and(|tags| tags.contains(&reference)) || id.is_null() { reference } else { id }
}

/// Takes away what the image says as well.
fn without_image(body: &mut Map<String, Value>, config: &Map<String, Value>) {
    for key in IMAGE_KEYS {
        if body.get(key).is_some() && body.get(key) == config.get(key) {
            body.remove(key);
        }
    }
    // The image's command counts only with the image's entry point.
    let same = |key: &str| body.get(key).filter(|it| !it.is_null()) == config.get(key).filter(|it| !it.is_null());
    if same("Entrypoint") {
        let command = same("Cmd");
        body.remove("Entrypoint");
        if command {
            body.remove("Cmd");
        }
    }
    let known = config.get("Env").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(env) = body.get_mut("Env").and_then(Value::as_array_mut) {
        env.retain(|entry| !known.contains(entry));
    }
    for key in ["ExposedPorts", "Labels"] {
        let known = config.get(key).and_then(Value::as_object);
        if let (Some(own), Some(known)) = (body.get_mut(key).and_then(Value::as_object_mut), known) {
            own.retain(|name, value| known.get(name) != Some(value));
        }
    }
}

/// Networks as a person would have written them. None where the mode says it all.
fn endpoints(container: &Value, mode: &str, short: &str) -> Map<String, Value> {
    let all = container.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    let mut endpoints = Map::new();
    if mode == "host" || mode.starts_with("container:") {
        return endpoints;
    }
    for (name, settings) in all.into_iter().flatten() {
        let mut kept = Map::new();
        for key in ENDPOINT_KEYS {
            match settings.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::Array(list)) => {
                    let list: Vec<Value> = list.iter().filter(|it| it.as_str() != Some(short)).cloned().collect();
                    if !list.is_empty() {
                        kept.insert(key.into(), Value::Array(list));
                    }
                }
                Some(Value::Number(number)) if number.as_i64() == Some(0) => {}
                Some(value) => drop(kept.insert(key.into(), value.clone())),
            }
        }
        endpoints.insert(name.clone(), Value::Object(kept));
    }
    let plain = endpoints.values().all(|it| it.as_object().is_some_and(Map::is_empty));
    let said = |name: &String| name == mode || (name == "bridge" && (mode == "default" || mode.is_empty()));
    if plain && endpoints.len() == 1 && endpoints.keys().all(said) { Map::new() } else { endpoints }
}

/// `/db:/web/data` is how the engine writes `db:data` down.
fn written_link(link: &str) -> String {
    match link.split_once(':') {
        Some((target, alias)) => {
            let alias = alias.rsplit('/').next().unwrap_or(alias);
            format!("{}:{alias}", target.trim_start_matches('/'))
        }
        None => link.to_owned(),
    }
}

#[cfg(test)]
mod tests;
