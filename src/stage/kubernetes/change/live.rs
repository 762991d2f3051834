//! What a running cluster knows, for the changes of a `with`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use breakfix_lab::{Change, change::LiveValue};

use crate::{
    journal::Undo,
    kubernetes::{belongings, change::home, target::KubeTarget},
    target::{Cause, TargetError},
    with::Live,
};

#[async_trait]
impl Live for KubeTarget {
    /// One value: of the named object, or of one of those that belong to the owner.
    async fn value(&self, named: &str, value: &LiveValue) -> Result<String, TargetError> {
        let what = format!("look up {} of a {} for `${{live.{named}}}`", value.path, value.kind);
        let resource = self.known_resource(None, &value.kind).await?;
        let namespace =
            belongings::namespace_of(&self.place, &resource, home(value.namespace.as_deref(), value.owned_by.as_ref()));
        let object = match (&value.owned_by, &value.name) {
            (Some(owner), _) => self
                .belonging(&resource, namespace, owner)
                .await?
                .into_iter()
                .nth(value.skip.map_or(0, |skip| skip as usize)),
            (None, Some(name)) => {
                let found = self.api().await?.get(&resource, namespace, name).await;
                found.map_err(|trouble| self.cannot(&what, trouble))?
            }
            (None, None) => None,
        };
        let object =
            object.ok_or_else(|| TargetError::new(Cause::Denied, format!("{what}: there is no such object")))?;
        value.of(&object).map_err(|error| TargetError::new(Cause::Denied, what).because(error))
    }

    async fn apply_with(&self, file: &str, values: &BTreeMap<String, String>) -> Result<(), TargetError> {
        self.apply(file, values).await
    }

    async fn make(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        self.make_change(change, undo).await
    }
}
