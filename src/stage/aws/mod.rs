//! ECS targets: one client, three ways to an account (`sim`, `aws`, `endpoint:URL`).
//!
//! [`target`] holds what is the same everywhere; `host/` the little that differs: how an account is come by and how time passes; `wire/` how a
//! call is carried; `kind/` how each kind of a lab's documents is made, listed, changed and removed. Nothing here judges.

mod api;
mod asking;
mod change;
mod cost;
mod create;
mod host;
mod images;
mod kind;
mod maintenance;
mod observe;
mod probe;
mod resolve;
mod sim;
mod sweep;
mod target;
#[cfg(test)]
mod tests;
mod trouble;
mod wire;

use std::path::{Path, PathBuf};

use crate::target::{Cause, Place, Target, TargetError, TargetName};
use host::Origin;
pub use sweep::{Forgotten, Sweep, counted};
use target::AwsTarget;

/// The file of breakfix's folder with the accounts and regions that labs may use.
pub const ALLOWED: &str = "aws-accounts.yaml";

/// How a target was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// breakfix's own folder.
    pub home: PathBuf,
    /// This program, for the simulator's process.
    pub program: PathBuf,
    /// sim: decides names, addresses and jitter.
    pub seed: u64,
    /// sim: how many times as fast as the wall's its clock goes.
    pub speed: u32,
}

/// Ends the simulator of a session's folder, if there is one.
///
/// # Errors
/// It does not end.
pub async fn close_simulator(session: &Path) -> Result<(), TargetError> {
    host::close_simulator(session).await
}

/// Runs the simulator of this folder in this process until it is told to end, or nobody has asked it for long.
///
/// # Errors
/// It cannot listen, or its folder is damaged.
pub async fn serve_simulator(folder: &Path) -> Result<(), TargetError> {
    host::serve_simulator(folder).await
}

/// A lab's place in an account.
///
/// # Errors
/// The account cannot be reached, or the name is not that of an ECS target.
pub async fn open(name: &TargetName, place: Place, options: &Options) -> Result<Box<dyn Target>, TargetError> {
    if *name == TargetName::Sim {
        let host = host::SimHost::new(place.clone(), options.program.clone(), options.seed, options.speed);
        let target = AwsTarget::new(Box::new(host), place);
        target.api().await?;
        return Ok(Box::new(target));
    }
    let host = host::RemoteHost::new(origin(name, options)?, place.clone());
    Ok(Box::new(AwsTarget::new(Box::new(host), place)))
}

/// What a lab would do to the learner's account, to be shown and confirmed before [`open`].
///
/// # Errors
/// The account cannot be reached, or is not one that labs may use.
pub async fn consent(name: &TargetName, place: &Place, options: &Options) -> Result<String, TargetError> {
    let origin = origin(name, options)?;
    let api = host::Host::connect(&host::RemoteHost::new(origin, place.clone())).await?;
    let made = cost::counted(&place.documents);
    let (account, region) = (&api.account, &api.region);
    Ok(match name {
        TargetName::Aws => format!(
            "`{}` will create in account {account}, region {region}: {made}. That costs about ${:.2} an hour (list prices of us-east-1, without \
             traffic) until `breakfix stop`. Everything bears the tag breakfix.dev/session={}, and nothing else is changed or removed.",
            place.lab,
            cost::hourly(&place.documents),
            place.session,
        ),
        _ => format!("`{}` will create at {name} (account {account}, region {region}): {made}.", place.lab),
    })
}

/// The same in a simulated account of this process, on virtual time: nothing is listened on, nothing waited for.
pub fn open_local(place: Place, seed: u64) -> Box<dyn Target> {
    Box::new(AwsTarget::new(Box::new(host::LocalHost::new(seed)), place))
}

fn origin(name: &TargetName, options: &Options) -> Result<Origin, TargetError> {
    match name {
        TargetName::Aws => Ok(Origin::Aws { allowed: options.home.join(ALLOWED) }),
        TargetName::Endpoint(url) => Ok(Origin::Endpoint { url: url.clone() }),
        other => Err(TargetError::new(Cause::Refused, format!("open an ECS lab on `{other}`"))),
    }
}

/// Kinds whose name is a tag: another thing may bear the same.
fn has_free_name(kind: &str) -> bool {
    [
        "Vpc",
        "InternetGateway",
        "Subnet",
        "Address",
        "NatGateway",
        "RouteTable",
        "NetworkAcl",
        "VpcEndpoint",
        "Listener",
        "Rule",
    ]
    .contains(&kind)
}
