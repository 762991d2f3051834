//! Kubeconfigs of our own: one context, one cluster, one user, readable by the learner alone.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};

use crate::{
    home::{make_private, write_whole},
    target::{Cause, TargetError},
};

/// The file in a session's folder.
const FILE: &str = "kubeconfig.yaml";
/// How long a connection may take to come about.
const CONNECT: std::time::Duration = std::time::Duration::from_secs(10);

/// Where the learner's kubeconfig of a session lies.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The kubeconfig with nothing but this context, its cluster and its user; `namespace` becomes the default one.
///
/// # Errors
/// There is no such context, or it names a cluster or user that is not there.
pub(crate) fn only(all: &Kubeconfig, context: &str, namespace: &str) -> Result<Kubeconfig, TargetError> {
    let missing = |what: String| {
        let known: Vec<&str> = all.contexts.iter().map(|context| context.name.as_str()).collect();
        let known = if known.is_empty() {
            "no contexts at all".to_owned()
        } else {
            format!("the contexts {}", known.join(", "))
        };
        TargetError::new(Cause::Refused, what)
            .hint(format!("KUBECONFIG (or ~/.kube/config) has {known}; `kubectl config get-contexts` shows them."))
    };
    let mut chosen = all.contexts.iter().find(|entry| entry.name == context).cloned();
    let settings = chosen.as_mut().and_then(|entry| entry.context.as_mut());
    let settings =
        settings.ok_or_else(|| missing(format!("use the context `{context}`: there is none of that name")))?;
    if !namespace.is_empty() {
        settings.namespace = Some(namespace.to_owned());
    }
    let cluster = all.clusters.iter().find(|entry| entry.name == settings.cluster).cloned();
    let cluster = cluster.ok_or_else(|| {
        missing(format!("use the context `{context}`: its cluster `{}` is not described", settings.cluster))
    })?;
    let user =
        match &settings.user {
            Some(name) => {
                let user = all.auth_infos.iter().find(|entry| entry.name == *name).cloned();
                Some(user.ok_or_else(|| {
                    missing(format!("use the context `{context}`: its user `{name}` is not described"))
                })?)
            }
            None => None,
        };
    Ok(Kubeconfig {
        api_version: Some("v1".to_owned()),
        kind: Some("Config".to_owned()),
        clusters: vec![cluster],
        contexts: chosen.into_iter().collect(),
        auth_infos: user.into_iter().collect(),
        current_context: Some(context.to_owned()),
        ..Kubeconfig::default()
    })
}

/// Reads the text of a kubeconfig.
///
/// # Errors
/// It is none.
pub(crate) fn parse(text: &str, whose: &str) -> Result<Kubeconfig, TargetError> {
    Kubeconfig::from_yaml(text)
        .map_err(|error| TargetError::new(Cause::Answered, format!("read the kubeconfig of {whose}")).because(error))
}

/// Writes a kubeconfig that only its owner can read. JSON is YAML, and every tool takes it.
///
/// # Errors
/// The disk's.
pub(crate) fn write(path: &Path, config: &Kubeconfig) -> Result<(), TargetError> {
    let local = |error: Box<dyn std::error::Error + Send + Sync>| {
        TargetError::new(Cause::Local, format!("write {}", path.display())).because(error)
    };
    let bytes = serde_json::to_vec_pretty(config).map_err(|error| local(error.into()))?;
    if let Some(folder) = path.parent() {
        make_private(folder).map_err(|error| local(error.into()))?;
    }
    write_whole(path, &bytes).map_err(|error| local(error.into()))
}

/// A client for the cluster of a session's kubeconfig that presents nothing: no certificate, no token.
///
/// # Errors
/// There is no kubeconfig yet, or it cannot be used.
pub(crate) async fn without_credentials(folder: &Path) -> Result<kube::Client, TargetError> {
    let path = path(folder);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| TargetError::new(Cause::Local, format!("read {}", path.display())).because(error))?;
    let mut config = parse(&text, "this session")?;
    for user in &mut config.auth_infos {
        user.auth_info = Some(AuthInfo::default());
    }
    client(config, "this session").await
}

/// A client for a kubeconfig of one context.
///
/// # Errors
/// Certificates or credentials cannot be read.
pub(crate) async fn client(config: Kubeconfig, whose: &str) -> Result<kube::Client, TargetError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        TargetError::new(Cause::Answered, format!("use the kubeconfig of {whose}"))
            .because(error)
            .hint("Plain kubectl with the same kubeconfig should say more.")
    };
    let mut config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default())
        .await
        .map_err(|error| failed(error.into()))?;
    // Retrying is decided where it is known what a request does.
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT);
    kube::Client::try_from(config).map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "
apiVersion: v1
kind: Config
current-context: prod
clusters:
- {name: far, cluster: {server: 'https://far.example:6443', certificate-authority-data: QQ==}}
- {name: near, cluster: {server: 'https://near.example:6443', tls-server-name: n}}
contexts:
- {name: prod, context: {cluster: far, user: root}}
- {name: dev, context: {cluster: near, user: me, namespace: mine}}
- {name: dangling, context: {cluster: gone, user: me}}
users:
- {name: root, user: {token: SECRET-PROD}}
- {name: me, user: {token: SECRET-DEV}}
";

    #[test]
    fn nothing_of_another_context_is_copied() {
        let only = only(&parse(ALL, "test").unwrap(), "dev", "shop").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("session"));
        write(&path, &only).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("SECRET-DEV") && text.contains("near.example") && text.contains("tls-server-name"),
            "{text}"
        );
        assert!(!text.contains("SECRET-PROD") && !text.contains("far.example"), "{text}");
        let again = parse(&text, "test").unwrap();
        assert_eq!(again.current_context.as_deref(), Some("dev"));
        assert_eq!(again.contexts[0].context.as_ref().unwrap().namespace.as_deref(), Some("shop"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_unknown_context_names_those_there_are() {
        let all = parse(ALL, "test").unwrap();
        let error = only(&all, "pord", "shop").unwrap_err();
        assert_eq!(error.cause, Cause::Refused);
        assert!(error.hints[0].contains("prod, dev, dangling"), "{:?}", error.hints);
        assert!(only(&all, "dangling", "shop").unwrap_err().what.contains("`gone`"));
    }
}
