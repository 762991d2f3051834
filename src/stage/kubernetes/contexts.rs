//! Further contexts of the learner's kubeconfig: the same cluster with somebody else's rights.
//!
//! They are in a file of their own beside the session's: that one is breakfix's too. A learner who chooses a context or a namespace keeps
//! the choice.

use std::path::{Path, PathBuf};

use breakfix_lab::lab::Context;
use kube::config::{AuthInfo, Kubeconfig, NamedAuthInfo, NamedContext};

use super::{kubeconfig, target::KubeTarget};
use crate::target::{Reach, TargetError};

/// How long a context's token is good for, in seconds; a cluster may give less.
const TOKEN_SECONDS: u32 = 30 * 24 * 3_600;

/// Where the learner's kubeconfig of such a session lies.
fn learners(session: &Path) -> PathBuf {
    session.with_file_name("kubeconfig-contexts.yaml")
}

impl KubeTarget {
    /// Adds the lab's contexts to what the learner is handed.
    pub(super) async fn add_contexts(&self, reach: &mut Reach) -> Result<(), TargetError> {
        let Some(session) = reach.env.get("KUBECONFIG").map(PathBuf::from) else { return Ok(()) };
        if self.place.contexts.is_empty() {
            return Ok(());
        }
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        let Some(text) = read(&session) else { return Ok(()) };
        let base = kubeconfig::parse(&text, "this session")?;
        let file = learners(&session);
        let mut config = match read(&file) {
            // The cluster's address and the administrator's keys may be new.
            Some(text) => refreshed(kubeconfig::parse(&text, "this session")?, &base),
            None => base.clone(),
        };
        let is_new = !file.exists();
        for context in &self.place.contexts {
            let user = match &context.account {
                None => Some(impersonating(&base, context)),
                Some(account) => {
                    let namespace = account.namespace.as_deref().unwrap_or(&self.place.namespace);
                    let what = || format!("make the context `{}`", context.name);
                    let token = self.token(namespace, &account.name, TOKEN_SECONDS).await;
                    let token = token.map_err(|trouble| self.cannot(what(), trouble))?;
                    token.map(|token| AuthInfo { token: Some(token.into()), ..AuthInfo::default() })
                }
            };
            // An account that is gone leaves its context with the token that it had.
            if let Some(user) = user {
                put(&mut config, &base, context, user, &self.place.namespace);
            }
            if is_new && context.current {
                config.current_context = Some(context.name.clone());
            }
            reach.notes.push(format!("`kubectl --context {}` acts as {}.", context.name, who(context)));
        }
        kubeconfig::write(&file, &config)?;
        reach.env.insert("KUBECONFIG".to_owned(), file.display().to_string());
        Ok(())
    }
}

fn who(context: &Context) -> String {
    match (&context.account, &context.user) {
        (Some(account), _) => format!("ServiceAccount {}", account.name),
        (None, Some(user)) => format!("user {user}"),
        (None, None) => "nobody".to_owned(),
    }
}

/// The learner's file with this session's own cluster, user and context as they are now.
fn refreshed(mut config: Kubeconfig, base: &Kubeconfig) -> Kubeconfig {
    for cluster in &base.clusters {
        config.clusters.retain(|old| old.name != cluster.name);
        config.clusters.push(cluster.clone());
    }
    for user in &base.auth_infos {
        config.auth_infos.retain(|old| old.name != user.name);
        config.auth_infos.push(user.clone());
    }
    config
}

/// The session's own user, asking for another's rights.
fn impersonating(base: &Kubeconfig, context: &Context) -> AuthInfo {
    let own = base.auth_infos.first().and_then(|user| user.auth_info.clone()).unwrap_or_default();
    let groups = context.groups.clone();
    AuthInfo {
        impersonate: context.user.clone(),
        impersonate_groups: Some(groups).filter(|groups| !groups.is_empty()),
        ..own
    }
}

/// Puts a context and its user in, in place of older ones of the name; a namespace that the learner chose stays.
fn put(config: &mut Kubeconfig, base: &Kubeconfig, context: &Context, user: AuthInfo, namespace: &str) {
    let name = context.name.clone();
    let user_name = format!("breakfix-{name}");
    config.auth_infos.retain(|old| old.name != user_name);
    config.auth_infos.push(NamedAuthInfo {
        name: user_name.clone(),
        auth_info: Some(user),
        ..NamedAuthInfo::default()
    });
    if config.contexts.iter().any(|old| old.name == name) {
        return;
    }
    let cluster = base.clusters.first().map(|cluster| cluster.name.clone()).unwrap_or_default();
    let namespace = context.namespace.as_deref().unwrap_or(namespace).to_owned();
    let body = kube::config::Context {
        cluster,
        user: Some(user_name),
        namespace: Some(namespace).filter(|namespace| !namespace.is_empty()),
        ..kube::config::Context::default()
    };
    config.contexts.push(NamedContext { name, context: Some(body), ..NamedContext::default() });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Kubeconfig {
        serde_json::from_value(json!({
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "admin", "user": {"token": "t"}}],
            "contexts": [{"name": "admin", "context": {"cluster": "c", "user": "admin", "namespace": "shop"}}],
            "current-context": "admin",
        }))
        .unwrap()
    }

    fn context(body: serde_json::Value) -> Context {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_user_is_impersonated_with_the_sessions_own_keys() {
        let jane = context(json!({"name": "jane", "user": "jane", "groups": ["devs"], "namespace": "billing"}));
        let mut config = base();
        put(&mut config, &base(), &jane, impersonating(&base(), &jane), "shop");
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(written["users"][1]["name"], "breakfix-jane");
        assert_eq!(written["users"][1]["user"]["as"], "jane");
        assert_eq!(written["users"][1]["user"]["as-groups"], json!(["devs"]));
        assert_eq!(
            written["contexts"][1]["context"],
            json!({"cluster": "c", "user": "breakfix-jane", "namespace": "billing"})
        );
        assert_eq!(written["current-context"], "admin");
    }

    #[test]
    fn what_a_learner_chose_stays_and_keys_are_new() {
        let pipeline = context(json!({"name": "pipeline", "account": {"name": "pipeline"}}));
        let token = |text: &str| AuthInfo { token: Some(text.to_owned().into()), ..AuthInfo::default() };
        let mut config = base();
        put(&mut config, &base(), &pipeline, token("old"), "shop");
        config.current_context = Some("pipeline".into());
        config.contexts[1].context.as_mut().unwrap().namespace = Some("mine".into());
        put(&mut config, &base(), &pipeline, token("new"), "shop");
        let mut moved = base();
        moved.clusters[0].cluster.as_mut().unwrap().server = Some("https://127.0.0.1:2".into());
        let config = refreshed(config, &moved);
        assert_eq!(config.current_context.as_deref(), Some("pipeline"));
        assert_eq!((config.contexts.len(), config.auth_infos.len(), config.clusters.len()), (2, 2, 1));
        assert_eq!(config.contexts[1].context.as_ref().unwrap().namespace.as_deref(), Some("mine"));
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("https://127.0.0.1:2"));
        let text = serde_json::to_string(&config).unwrap();
        assert!(text.contains("\"new\"") && !text.contains("\"old\""));
    }
}
