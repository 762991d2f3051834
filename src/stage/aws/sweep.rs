//! What breakfix made in an account and nobody came back for: found by its tags, shown, removed.
//!
//! A thing is swept if it bears breakfix's owner tag and an expiry that has passed, or stands inside a VPC or cluster that does: a network
//! cannot go while something is in it. What is not tagged is not seen. Nothing is remembered between two sweeps, so one that was cut short
//! is gone on with by the next: a network and a cluster go last, and keep their tags until then.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_lab::Platform;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    Options,
    api::{EXPIRES_TAG, Expired, LAB_TAG, SESSION_TAG, tag},
    host::{Host, RemoteHost},
    kind, origin,
    resolve::Known,
    target::AwsTarget,
};
use crate::target::{Place, TargetError, TargetName};

/// One thing that nobody came back for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Forgotten {
    pub kind: String,
    pub name: String,
    /// Whose it was, as far as its own tags say so; what stands inside a network or cluster of ours need not.
    pub session: Option<String>,
    pub lab: Option<String>,
    pub expired: Option<String>,
}

/// An account that is being swept.
pub struct Sweep {
    target: AwsTarget,
    pub account: String,
    pub region: String,
}

impl Sweep {
    /// A look at the account of this target. `but`: sessions that are open on this machine, which are stopped and not swept.
    ///
    /// # Errors
    /// The account cannot be reached, or is not one that labs may use.
    pub async fn of(
        name: &TargetName,
        options: &Options,
        now: Timestamp,
        but: BTreeSet<String>,
    ) -> Result<Self, TargetError> {
        let place = Place::of_nobody(Platform::Ecs, options.home.clone());
        let host = RemoteHost::new(origin(name, options)?, place).sweeping(Expired { now, but });
        Self::on(Box::new(host)).await
    }

    /// The same on a way to an account that sees nothing else.
    pub(super) async fn on(host: Box<dyn Host>) -> Result<Self, TargetError> {
        let target = AwsTarget::new(host, Place::of_nobody(Platform::Ecs, std::path::PathBuf::new()));
        let api = target.api().await?;
        let (account, region) = (api.account.clone(), api.region.clone());
        Ok(Self { target, account, region })
    }

    /// All that has expired, in the order in which it is removed.
    ///
    /// # Errors
    /// Something of the account cannot be listed.
    pub async fn found(&self) -> Result<Vec<Forgotten>, TargetError> {
        let api = &*self.target.api().await?;
        let mut found = Vec::new();
        let mut known = Known::default();
        for name in removed_in_order() {
            let objects = match known.list(api, name).await {
                Err(trouble) if trouble.is_unknown_operation() => continue,
                objects => objects.map_err(|trouble| self.target.cannot(format!("list each {name}"), trouble))?,
            };
            let left = objects.iter().filter(|it| !is_over(it));
            found.extend(left.map(|object| {
                let of = |key: &str| tag(object, key).map(str::to_owned);
                Forgotten {
                    kind: name.to_owned(),
                    name: called(object, name),
                    session: of(SESSION_TAG),
                    lab: of(LAB_TAG),
                    expired: of(EXPIRES_TAG),
                }
            }));
        }
        Ok(found)
    }

    /// Removes all that has expired.
    ///
    /// # Errors
    /// Something does not go; what went before it is gone, and another sweep goes on.
    pub async fn remove(&self) -> Result<(), TargetError> {
        self.target.clear_all().await
    }
}

fn removed_in_order() -> Vec<&'static str> {
    // Images go with their repository.
    kind::in_order().into_iter().rev().filter(|name| *name != "Image").collect()
}

/// A task that has stopped, a gateway that is gone: still listed for a while, and nothing to be removed.
fn is_over(object: &Value) -> bool {
    let is = |key: &str, words: &[&str]| object.get(key).and_then(Value::as_str).is_some_and(|it| words.contains(&it));
    is("lastStatus", &["STOPPED"]) || is("State", &["deleted", "deleting"]) || is("status", &["INACTIVE"])
}

/// A thing by its name, or by an id where it bears none.
fn called(object: &Value, kind: &str) -> String {
    let name = object.get("Name").and_then(Value::as_str).unwrap_or("");
    if !name.is_empty() {
        return name.to_owned();
    }
    let attribute = |attribute| kind::find(kind).and_then(|it| it.attribute(object, attribute));
    attribute("id").or_else(|| attribute("arn")).unwrap_or_else(|| "without a name".to_owned())
}

/// How many of each kind, the most first: `3 Subnet, 1 Vpc`.
pub fn counted(found: &[Forgotten]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for thing in found {
        *counts.entry(&thing.kind).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    counts.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}
