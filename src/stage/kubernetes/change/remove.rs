//! `delete`: objects go, and the change is over when they are gone.

use std::time::Duration;

use breakfix_lab::change::Delete;
use serde_json::Value;

use crate::{
    kubernetes::{belongings, change::home, object, resource, resource::Resource, target::KubeTarget, wait::Wait},
    target::{Cause, TargetError},
};

/// How long is waited for an object to be gone; one that takes longer is left to go by itself.
const GONE: Duration = Duration::from_secs(60);

impl KubeTarget {
    pub(super) async fn remove(&self, delete: &Delete) -> Result<(), TargetError> {
        let resource = self.known_resource(None, &delete.kind).await?;
        let namespace = belongings::namespace_of(
            &self.place,
            &resource,
            home(delete.namespace.as_deref(), delete.owned_by.as_ref()),
        );
        let chosen = self.chosen(delete, &resource, namespace).await?;
        let what = |object: &Value| format!("delete {} {}", delete.kind, object::name(object));
        let api = &*self.api().await?;
        for object in &chosen {
            let done = api.delete(&resource, namespace, object::name(object), object::uid(object), None).await;
            done.map_err(|trouble| self.cannot(what(object), trouble))?;
        }
        let mut wait = Wait::up_to(GONE);
        for object in chosen.iter().filter(|object| !object::has_finalizers(object) || delete.kind == "Namespace") {
            loop {
                let now = api.get(&resource, namespace, object::name(object)).await;
                let now = now.map_err(|trouble| self.cannot(what(object), trouble))?;
                if now.is_none_or(|now| object::uid(&now) != object::uid(object))
                    || !wait.next(self.host.as_ref()).await?
                {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What a delete means just now, first by name.
    async fn chosen(
        &self,
        delete: &Delete,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Vec<Value>, TargetError> {
        let api = &*self.api().await?;
        let none = |what: String| TargetError::new(Cause::Denied, format!("{what}: there is none"));
        let mut chosen = match (&delete.name, &delete.owned_by, delete.labels.is_empty()) {
            (Some(name), None, true) => {
                let what = format!("delete {} {name}", delete.kind);
                let found = api.get(resource, namespace, name).await.map_err(|trouble| self.cannot(&what, trouble))?;
                vec![found.ok_or_else(|| none(what))?]
            }
            (None, Some(owner), true) => self.belonging(resource, namespace, owner).await?,
            (None, None, false) => {
                let query = format!("labelSelector={}", resource::selector(&delete.labels));
                let what = format!("find the {} to delete", resource.plural);
                let (_, found) =
                    api.list(resource, namespace, &query).await.map_err(|trouble| self.cannot(&what, trouble))?;
                if found.is_empty() {
                    return Err(none(what));
                }
                found
            }
            _ => {
                return Err(TargetError::new(
                    Cause::Local,
                    "delete: exactly one of `name`, `labels` and `owned_by` is needed",
                ));
            }
        };
        chosen.sort_by(|a, b| object::name(a).cmp(object::name(b)));
        // A pod on its way out is none that a trigger could still delete, as long as there are others.
        if chosen.iter().any(|object| !object::is_going(object)) {
            chosen.retain(|object| !object::is_going(object));
        }
        chosen.truncate(delete.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
        Ok(chosen)
    }
}
