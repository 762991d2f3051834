//! What a running engine knows, for the changes of a `with`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use breakfix_lab::{Change, change::LiveValue};

use super::{DockerTarget, engine::escaped};
use crate::{
    journal::Undo,
    target::{Cause, TargetError},
    with::Live,
};

#[async_trait]
impl Live for DockerTarget {
    async fn value(&self, named: &str, value: &LiveValue) -> Result<String, TargetError> {
        let name = value.name.as_deref().unwrap_or_default();
        let what = format!("look up {} of {} {name} for `${{live.{named}}}`", value.path, value.kind.to_lowercase());
        let path = match value.kind.as_str() {
            "Container" => format!("/containers/{}/json", escaped(name)),
            "Network" => format!("/networks/{}", escaped(name)),
            "Volume" => format!("/volumes/{}", escaped(name)),
            "Image" => format!("/images/{name}/json"),
            other => {
                return Err(TargetError::new(Cause::Refused, what).hint(format!("Docker has no kind `{other}`.")));
            }
        };
        let object = self.engine.get(&path).await.map_err(|error| self.engine.trouble(what.clone(), error))?;
        value.of(&object).map_err(|error| TargetError::new(Cause::Answered, what).because(error))
    }

    async fn apply_with(&self, file: &str, values: &BTreeMap<String, String>) -> Result<(), TargetError> {
        self.apply(file, values).await
    }

    async fn make(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        self.carry_out(change, undo).await
    }
}
