//! Kubernetes targets: one client, three ways to a cluster (`sim`, `kind`, `context:NAME`).
//!
//! [`target`] holds what is the same everywhere; `host/` the little that differs: how a client is come by, how time passes and how
//! images get to the nodes. Nothing here judges: what is asked and what an answer means is `breakfix-grade`'s.

mod account;
mod api;
mod asking;
mod baseline;
mod before;
mod belongings;
mod capabilities;
mod change;
mod changes;
mod clear;
mod contexts;
mod create;
mod declared;
mod delete;
mod discovery;
mod host;
mod images;
mod inventory;
mod kubeconfig;
mod machines;
mod network_policy;
mod object;
mod observe;
mod probe;
mod resource;
mod target;
#[cfg(test)]
mod tests;
mod trouble;
mod wait;

use std::path::{Path, PathBuf};

use crate::target::{Cause, Place, Target, TargetError, TargetName};
use target::KubeTarget;

/// How a target was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// breakfix's own folder.
    pub home: PathBuf,
    /// This program, for the simulator's process.
    pub program: PathBuf,
    /// kind: the node image, where the usual one cannot be had.
    pub kind_image: Option<String>,
    /// kind: a configuration that is merged over ours.
    pub kind_config: Option<PathBuf>,
    /// context: where the nodes get images from, instead of `registry.example`.
    pub registry: Option<String>,
    /// context: labs that make more than what lies in their own namespaces may do so.
    pub allow_cluster_scoped: bool,
    /// sim: decides names, addresses and jitter.
    pub seed: u64,
    /// sim: how many times as fast as the wall's its clock goes.
    pub speed: u32,
}

/// A lab's place on a target. A simulator that is not running is started; a kind cluster that is not there is created when
/// something is to be made on it.
///
/// # Errors
/// The target cannot be reached or brought up, or the name is not that of a Kubernetes target.
pub async fn open(name: &TargetName, place: Place, options: &Options) -> Result<Box<dyn Target>, TargetError> {
    let host: Box<dyn host::Host> = match name {
        TargetName::Sim => Box::new(host::SimHost::new(place.clone(), options)),
        TargetName::Kind => Box::new(host::KindHost::new(
            place.clone(),
            options.home.clone(),
            options.kind_image.clone(),
            options.kind_config.clone(),
        )),
        TargetName::Context(context) => Box::new(host::ContextHost::new(
            place.clone(),
            context.clone(),
            options.registry.as_deref(),
            options.allow_cluster_scoped,
            options.home.clone(),
        )),
        TargetName::Docker | TargetName::Aws | TargetName::Endpoint(_) => {
            return Err(TargetError::new(Cause::Refused, format!("open a Kubernetes lab on `{name}`")));
        }
    };
    let target = KubeTarget::new(host, place);
    if *name == TargetName::Sim {
        target.api().await?;
    }
    Ok(Box::new(target))
}

/// The same on a simulator in this process, on virtual time: nothing is listened on, nothing waited for.
///
/// # Errors
/// The simulator cannot be set up.
pub async fn open_local(place: Place, seed: u64) -> Result<Box<dyn Target>, TargetError> {
    let host = host::LocalSimHost::new(&place, seed)?;
    Ok(Box::new(KubeTarget::new(Box::new(host), place)))
}

/// What a lab would do to the learner's cluster, to be shown and confirmed before [`open`].
///
/// # Errors
/// There is no such context, or the images' archive cannot be written.
pub fn consent(context: &str, place: &Place, options: &Options) -> Result<String, TargetError> {
    host::consent(context, place, options.registry.as_deref(), options.allow_cluster_scoped, &options.home)
}

/// Deletes breakfix's kind cluster. One that is not there is fine; one that is not ours is refused.
///
/// # Errors
/// The `kind` program is missing or fails.
pub async fn delete_cluster(home: &Path) -> Result<(), TargetError> {
    host::delete_cluster(home).await
}

/// Deletes a kind cluster that was never finished. One that is whole stays for the next lab.
///
/// # Errors
/// The `kind` program fails.
pub async fn delete_unfinished_cluster(home: &Path) -> Result<(), TargetError> {
    host::delete_unfinished(home).await
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
