//! `with`: changes that say what only the running system knows.

use std::collections::BTreeMap;

use async_trait::async_trait;
use breakfix_lab::{
    Change,
    change::{LiveValue, With},
};

use crate::{
    journal::Undo,
    target::{Cause, TargetError},
};

/// What a target adds: looking a value up, and making changes with values known.
#[async_trait]
pub(crate) trait Live: Sync {
    /// One value of the running system, for `${live.NAME}`.
    async fn value(&self, name: &str, value: &LiveValue) -> Result<String, TargetError>;

    /// Applies a file with the values filled into it.
    async fn apply_with(&self, file: &str, values: &BTreeMap<String, String>) -> Result<(), TargetError>;

    /// Makes any other change.
    async fn make(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError>;
}

/// Looks all values up, then makes the changes with them.
pub(crate) async fn carry_out(target: &impl Live, with: &With, undo: &dyn Undo) -> Result<(), TargetError> {
    let mut values = BTreeMap::new();
    for (name, value) in &with.live {
        values.insert(name.clone(), target.value(name, value).await?);
    }
    let filled = with.filled(&values).map_err(|error| {
        TargetError::new(Cause::Refused, "fill live values into the changes of a `with`").because(error)
    })?;
    for change in filled {
        match change {
            Change::Apply(file) => target.apply_with(&file, &values).await?,
            change => target.make(&change, undo).await?,
        }
    }
    Ok(())
}
