//! The kubeconfig of a served cluster: everything is inside, so the file can be moved and nothing else is read.

use base64::{Engine, engine::general_purpose::STANDARD};

use breakfix_sim::ca::Credentials;

use super::keys::Keys;

/// The name of cluster, context and user: what `kubectl config current-context` says.
pub const NAME: &str = "breakfix";

/// The text of a kubeconfig for the administrator of the cluster that listens on this port.
pub fn kubeconfig(keys: &Keys, port: u16, namespace: &str) -> String {
    text(keys, &keys.admin, port, namespace)
}

/// The same for the one whom no role and no binding can shut out, and from whom the simulator itself takes orders.
pub fn super_kubeconfig(keys: &Keys, port: u16, namespace: &str) -> String {
    text(keys, &keys.super_admin, port, namespace)
}

fn text(keys: &Keys, user: &Credentials, port: u16, namespace: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let encoded = |text: &str| STANDARD.encode(text);
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: {NAME}
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority-data: {authority}
contexts:
- name: {NAME}
  context:
    cluster: {NAME}
    namespace: {namespace}
    user: {NAME}
current-context: {NAME}
users:
- name: {NAME}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
",
        authority = encoded(&keys.authority.certificate),
        namespace = quoted(namespace),
        certificate = encoded(&user.certificate),
        key = encoded(&user.key),
    )
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn it_is_yaml_that_names_server_context_and_namespace() {
        let keys = Keys::generate(date(2026, 11, 21)).unwrap();
        let text = kubeconfig(&keys, 6443, "shop");
        let config: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(config["clusters"][0]["cluster"]["server"], "https://127.0.0.1:6443");
        assert_eq!(config["current-context"], "breakfix");
        assert_eq!(config["contexts"][0]["context"]["namespace"], "shop");
        assert!(!text.contains("PRIVATE"), "keys are encoded");
    }
}
