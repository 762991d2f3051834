//! A container's environment: the image's, Services', `envFrom`, `env` with everything it may refer to (`makeEnvironmentVariables`).

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{image::ImageConfig, pod_run::PodRun, volumes};
use crate::{
    Cluster, Kind,
    api::quantity::Quantity,
    kind,
    object::{entries, members, name, namespace, text, truth},
};

type Env = BTreeMap<String, String>;

/// The environment, or the message of CreateContainerConfigError.
pub(super) fn build(cluster: &Cluster, id: &str, definition: &Value, config: &ImageConfig) -> Result<Env, String> {
    let Some(pod) = cluster.nodes.pods.get(id) else { return Err("pod not found".to_owned()) };
    let mut env: Env = config.env.iter().cloned().collect();
    env.insert("HOSTNAME".to_owned(), super::hostname(&pod.pod));
    env.insert("HOME".to_owned(), "/".to_owned());
    let links = service_links(cluster, &pod.pod);
    let mut own = Env::new();
    for source in entries(definition, "/envFrom") {
        from_all(cluster, &pod.pod, source, &mut own)?;
    }
    // A reference sees what stands before it, Services' variables last.
    for variable in entries(definition, "/env") {
        let key = text(variable, "/name").to_owned();
        let value = match variable.get("valueFrom") {
            None => {
                let mut known = links.clone();
                known.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
                Some(expand(text(variable, "/value"), &known))
            }
            Some(from) => from_one(cluster, pod, definition, from)?,
        };
        if let Some(value) = value {
            own.insert(key, value);
        }
    }
    env.extend(links);
    env.extend(own);
    Ok(env)
}

/// `$(NAME)` becomes the variable's value, `$$(NAME)` a plain `$(NAME)`; what is not known stays as it is (`third_party/forked/golang/expansion`).
pub(super) fn expand(text: &str, env: &Env) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or("");
        if let Some(escaped) = after.strip_prefix('$') {
            out.push('$');
            rest = escaped;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match env.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Variables for every Service of the namespace, and for the API server.
fn service_links(cluster: &Cluster, pod: &Value) -> Env {
    let mut env = Env::new();
    let wants_all = pod.pointer("/spec/enableServiceLinks").and_then(Value::as_bool).unwrap_or(true);
    let api = cluster.store.get(&kind::SERVICE.key("default", "kubernetes"));
    let services = cluster.store.list(kind::SERVICE.collection, Some(namespace(pod))).map(|(_, service)| service);
    for service in api.into_iter().chain(services.filter(|_| wants_all)) {
        link(service, &mut env);
    }
    env
}

fn link(service: &Value, env: &mut Env) {
    let ip = text(service, "/spec/clusterIP");
    let ports = entries(service, "/spec/ports");
    if ip.is_empty() || ip == "None" {
        return;
    }
    let upper = |name: &str| name.to_uppercase().replace('-', "_");
    let front = upper(name(service));
    env.insert(format!("{front}_SERVICE_HOST"), ip.to_owned());
    for (at, port) in ports.iter().enumerate() {
        let number = port["port"].to_string();
        let protocol = match text(port, "/protocol") {
            "" => "TCP",
            protocol => protocol,
        };
        let url = format!("{}://{ip}:{number}", protocol.to_lowercase());
        if at == 0 {
            env.insert(format!("{front}_SERVICE_PORT"), number.clone());
            env.insert(format!("{front}_PORT"), url.clone());
        }
        if !text(port, "/name").is_empty() {
            env.insert(format!("{front}_SERVICE_PORT_{}", upper(text(port, "/name"))), number.clone());
        }
        let port_front = format!("{front}_PORT_{number}_{}", protocol.to_uppercase());
        env.insert(port_front.clone(), url);
        env.insert(format!("{port_front}_PROTO"), protocol.to_lowercase());
        env.insert(format!("{port_front}_PORT"), number);
        env.insert(format!("{port_front}_ADDR"), ip.to_owned());
    }
}

/// A ConfigMap or Secret that a container refers to.
fn look_up(
    cluster: &Cluster,
    pod: &Value,
    kind: &'static Kind,
    reference: &Value,
) -> Result<Option<Arc<Value>>, String> {
    let wanted = text(reference, "/name");
    match cluster.store.get(&kind.key(namespace(pod), wanted)) {
        Some(found) => Ok(Some(Arc::clone(found))),
        None if truth(reference, "/optional") => Ok(None),
        None => Err(format!("{} \"{wanted}\" not found", kind.singular)),
    }
}

/// The keys of a ConfigMap or Secret as texts.
pub(super) fn data(kind: &Kind, object: &Value) -> BTreeMap<String, Vec<u8>> {
    let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap_or("")).unwrap_or_default();
    let mut all = BTreeMap::new();
    for (key, value) in members(object, "/data") {
        let bytes =
            if kind.kind == "Secret" { decode(value) } else { value.as_str().unwrap_or("").as_bytes().to_vec() };
        all.insert(key.clone(), bytes);
    }
    for (key, value) in members(object, "/binaryData") {
        all.insert(key.clone(), decode(value));
    }
    all
}

fn from_all(cluster: &Cluster, pod: &Value, source: &Value, env: &mut Env) -> Result<(), String> {
    let prefix = text(source, "/prefix");
    for (field, kind) in [("configMapRef", &kind::CONFIG_MAP), ("secretRef", &kind::SECRET)] {
        let Some(reference) = source.get(field) else { continue };
        let Some(object) = look_up(cluster, pod, kind, reference)? else { continue };
        for (key, value) in data(kind, &object) {
            env.insert(format!("{prefix}{key}"), String::from_utf8_lossy(&value).into_owned());
        }
    }
    Ok(())
}

fn from_one(cluster: &Cluster, pod: &PodRun, definition: &Value, from: &Value) -> Result<Option<String>, String> {
    for (field, kind) in [("configMapKeyRef", &kind::CONFIG_MAP), ("secretKeyRef", &kind::SECRET)] {
        let Some(reference) = from.get(field) else { continue };
        let Some(object) = look_up(cluster, &pod.pod, kind, reference)? else { return Ok(None) };
        let key = text(reference, "/key");
        return match data(kind, &object).get(key) {
            Some(value) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
            None if truth(reference, "/optional") => Ok(None),
            None => Err(format!("couldn't find key {key} in {} {}/{}", kind.kind, namespace(&pod.pod), name(&object))),
        };
    }
    if let Some(field) = from.get("fieldRef") {
        let path = text(field, "/fieldPath");
        return volumes::field(cluster, pod, path).map(Some).ok_or_else(|| format!("unsupported fieldPath: {path}"));
    }
    if let Some(resource) = from.get("resourceFieldRef") {
        return Ok(Some(resource_field(cluster, pod, definition, resource)));
    }
    Ok(None)
}

/// `limits.memory` and its like, in units of the divisor; without a limit what the node has to give.
pub(super) fn resource_field(cluster: &Cluster, pod: &PodRun, own: &Value, reference: &Value) -> String {
    let container = match text(reference, "/containerName") {
        "" => own.clone(),
        wanted => super::spec::container(&pod.pod, wanted).cloned().unwrap_or_default(),
    };
    let (list, resource) = text(reference, "/resource").split_once('.').unwrap_or(("limits", "cpu"));
    let read = |value: Option<&Value>| {
        let value = value?;
        let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
        Quantity::parse(&text).ok()
    };
    let node = cluster.store.get(&kind::NODE.key("", &pod.node));
    let given = read(container["resources"][list].get(resource));
    let fallback =
        if list == "limits" { read(node.and_then(|node| node["status"]["allocatable"].get(resource))) } else { None };
    let Some(amount) = given.or(fallback) else { return "0".to_owned() };
    let divisor = read(reference.get("divisor")).filter(|divisor| !divisor.is_zero());
    let (milli, by) = (i128::from(amount.milli()), divisor.map_or(1000, |divisor| i128::from(divisor.milli())));
    // Rounded up: half a processor reads as 1.
    ((milli + by - 1) / by.max(1)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_as_documented() {
        let env: Env = [("A".to_owned(), "x".to_owned())].into();
        let cases = [("$(A)-$(B)", "x-$(B)"), ("$$(A)", "$(A)"), ("cost $5", "cost $5"), ("$(A", "$(A"), ("$", "$")];
        for (text, wanted) in cases {
            assert_eq!(expand(text, &env), wanted, "{text}");
        }
    }

    /// Recorded: healthy-deployment of a 1.36 cluster.
    #[test]
    fn a_service_has_the_variables_of_the_record() {
        let service = serde_json::json!({
            "metadata": {"name": "web"},
            "spec": {"clusterIP": "10.96.146.203", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
        });
        let mut env = Env::new();
        link(&service, &mut env);
        let lines: Vec<String> = env.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            lines,
            [
                "WEB_PORT=tcp://10.96.146.203:80",
                "WEB_PORT_80_TCP=tcp://10.96.146.203:80",
                "WEB_PORT_80_TCP_ADDR=10.96.146.203",
                "WEB_PORT_80_TCP_PORT=80",
                "WEB_PORT_80_TCP_PROTO=tcp",
                "WEB_SERVICE_HOST=10.96.146.203",
                "WEB_SERVICE_PORT=80",
                "WEB_SERVICE_PORT_HTTP=80",
            ]
        );
    }
}
