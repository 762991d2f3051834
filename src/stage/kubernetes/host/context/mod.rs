//! The target `context:NAME`: a cluster of the learner's, used only when named, through a kubeconfig of our own that holds
//! nothing but that context.

mod consent;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use async_trait::async_trait;
use kube::config::Kubeconfig;
use serde_json::Value;

pub(crate) use consent::consent;

use super::{Host, kubeconfig_env, rewrite_images};
use crate::{
    kubernetes::{
        api::Api,
        images::{self, REGISTRY},
        kubeconfig, probe,
        resource::Resource,
    },
    target::{Cause, Place, Reach, TargetError},
};

/// A way to a named cluster.
pub(crate) struct ContextHost {
    place: Place,
    context: String,
    /// With a slash at the end.
    registry: Option<String>,
    allow_cluster_scoped: bool,
    home: PathBuf,
}

impl ContextHost {
    pub(crate) fn new(
        place: Place,
        context: String,
        registry: Option<&str>,
        allow_cluster_scoped: bool,
        home: PathBuf,
    ) -> Self {
        Self { place, context, registry: registry.map(with_slash), allow_cluster_scoped, home }
    }
}

/// `reg.example/team` and `reg.example/team/` are the same prefix.
fn with_slash(prefix: &str) -> String {
    format!("{}/", prefix.trim_end_matches('/'))
}

/// The learner's kubeconfig: KUBECONFIG, or `~/.kube/config`.
pub(crate) fn ambient() -> Result<Kubeconfig, TargetError> {
    Kubeconfig::read().map_err(|error| {
        TargetError::new(Cause::Refused, "read your kubeconfig")
            .because(error)
            .hint("KUBECONFIG names the file, or it is ~/.kube/config; `kubectl config view` should print it.")
    })
}

#[async_trait]
impl Host for ContextHost {
    async fn connect(&self) -> Result<kube::Client, TargetError> {
        // The copy of `start` is used from then on: what the learner does to the context later does not lead us elsewhere.
        let path = kubeconfig::path(&self.place.folder);
        let own = match std::fs::read_to_string(&path) {
            Ok(text) => kubeconfig::parse(&text, "this session")?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let own = kubeconfig::only(&ambient()?, &self.context, &self.place.namespace)?;
                kubeconfig::write(&path, &own)?;
                own
            }
            Err(error) => return Err(TargetError::new(Cause::Local, format!("read {}", path.display())).because(error)),
        };
        kubeconfig::client(own, &format!("context {}", self.context)).await
    }

    async fn provide_images(&self, api: &Api, references: &[String]) -> Result<(), TargetError> {
        // Where images come from a registry, the nodes will say whether they do.
        if self.registry.is_some() {
            return Ok(());
        }
        let Some(nodes) = Resource::built_in(None, "Node") else { return Ok(()) };
        let nodes = match api.list(&nodes, None, "").await {
            Ok((_, nodes)) => nodes,
            Err(trouble) if trouble.is_forbidden() => Vec::new(),
            Err(trouble) => return Err(trouble.on("look at the nodes' images")),
        };
        images::check_architecture(&nodes)?;
        let wanted: BTreeSet<String> = references.iter().cloned().chain([probe::IMAGE.to_owned()]).collect();
        let missing = images::missing(&nodes, &wanted);
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = missing.iter().map(String::as_str).collect();
        let what =
            format!("run the lab's containers: the nodes do not have {}, and no registry is named", names.join(", "));
        let mut error = TargetError::new(Cause::Refused, what);
        for hint in consent::ways_to_images(&self.place, None, &self.home)? {
            error = error.hint(hint);
        }
        Err(error)
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        tokio::time::sleep(time).await;
        Ok(())
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        let mut notes = vec![format!(
            "The lab is in namespace {} of the cluster behind the context {}; `kubectl get pods` shows it.",
            self.place.namespace, self.context
        )];
        if let Some(registry) = self.registry.as_deref().filter(|registry| *registry != REGISTRY) {
            notes.push(format!("Images that the story calls {REGISTRY}… are at {registry}… here."));
        }
        Ok(Reach { env: kubeconfig_env(&kubeconfig::path(&self.place.folder)), notes })
    }

    fn adapt(&self, body: &mut Value) {
        if let Some(registry) = &self.registry {
            rewrite_images(body, REGISTRY, registry);
        }
    }

    fn allows_cluster_scoped(&self) -> bool {
        self.allow_cluster_scoped
    }

    fn when_unreachable(&self) -> String {
        format!("Try `kubectl --context {} get namespaces`: it should fail in the same way and say more.", self.context)
    }

    fn pull_policy(&self) -> &'static str {
        "IfNotPresent"
    }
}
