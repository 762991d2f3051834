//! The target `kind`: a cluster of breakfix's own, made by the `kind` program at first use and kept warm between labs.
//!
//! Whose it is stands in two places: in the cluster (a ConfigMap in `kube-system`) and on the learner's disk. A cluster of
//! our name without the mark is somebody else's and is not touched.

mod config;
mod engine;
mod loaded;
mod program;
mod unfinished;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::{loaded::Loaded, program::Kind};
use super::{Host, kubeconfig_env};
use crate::{
    home::{Home, HomeError, read_json, write_json},
    kubernetes::{api::Api, images, kubeconfig, object, resource::Resource},
    target::{Cause, NodeOutput, Place, Reach, TargetError},
};

/// The cluster's name.
pub(crate) const CLUSTER: &str = "breakfix";
/// Nodes that ordinary pods run on, where a lab does not need more.
const WORKERS: usize = 2;
/// The program, looked for on the PATH.
const PROGRAM: &str = "kind";
/// The ConfigMap that marks it.
const OWNER: &str = "breakfix-owner";
const OWNER_NAMESPACE: &str = "kube-system";
/// How long a request to a cluster of unknown health may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is on the disk about the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ownership {
    /// The mark that the cluster bears.
    id: String,
    /// False from before its creation until it bears the mark.
    made: bool,
}

/// A way to the kind cluster.
pub(crate) struct KindHost {
    place: Place,
    home: PathBuf,
    image: Option<String>,
    config: Option<PathBuf>,
    program: PathBuf,
}

impl KindHost {
    pub(crate) fn new(place: Place, home: PathBuf, image: Option<String>, config: Option<PathBuf>) -> Self {
        Self { place, home, image, config, program: PathBuf::from(PROGRAM) }
    }

    fn folder(&self) -> PathBuf {
        folder(&self.home)
    }

    /// The cluster's kubeconfig, after creating the cluster where there is none.
    async fn kubeconfig(&self) -> Result<String, TargetError> {
        let kind = Kind::find(&self.program).await?;
        let _guard = lock(&self.home)?;
        let known = ownership(&self.home)?;
        if is_unfinished(&self.home)? {
            unfinished::remove(&kind, &self.home).await?;
        }
        let exists = kind.clusters().await?.iter().any(|name| name == CLUSTER);
        match known {
            Some(known) if exists => {
                let text = kind.kubeconfig(CLUSTER).await?;
                check_mark(&text, &known.id).await?;
                Ok(text)
            }
            None if exists => Err(foreign()),
            _ => self.make(&kind).await,
        }
    }

    async fn make(&self, kind: &Kind) -> Result<String, TargetError> {
        let mut known = Ownership { id: super::random_word(), made: false };
        write_ownership(&self.home, &known)?;
        let wanted = config::merged(self.config.as_deref(), self.place.zones.len().max(WORKERS))?;
        let path = self.folder().join("config.yaml");
        write_json(&path, &wanted).map_err(|error| local(&path, error))?;
        let maker = unfinished::maker(&self.home)?;
        kind.create(CLUSTER, &path, &own_kubeconfig(&self.home), self.image.as_deref(), &maker).await?;
        drop(maker);
        let text = kind.kubeconfig(CLUSTER).await?;
        mark(&text, &known.id).await?;
        known.made = true;
        write_ownership(&self.home, &known)?;
        Ok(text)
    }
}

#[async_trait]
impl Host for KindHost {
    async fn connect(&self) -> Result<kube::Client, TargetError> {
        // Its credentials are this very cluster's: another one of the name would not take them.
        let path = kubeconfig::path(&self.place.folder);
        if let Ok(text) = std::fs::read_to_string(&path) {
            return kubeconfig::client(kubeconfig::parse(&text, "this session")?, "the kind cluster").await;
        }
        let text = self.kubeconfig().await?;
        let all = kubeconfig::parse(&text, "the kind cluster")?;
        let own = kubeconfig::only(&all, &format!("kind-{CLUSTER}"), &self.place.namespace)?;
        kubeconfig::write(&path, &own)?;
        kubeconfig::client(own, "the kind cluster").await
    }

    async fn provide_images(&self, api: &Api, references: &[String]) -> Result<(), TargetError> {
        let nodes = Resource::built_in(None, "Node");
        let Some(nodes) = nodes else { return Ok(()) };
        let nodes = api.list(&nodes, None, "").await.map_err(|trouble| trouble.on("look at the nodes' images"))?.1;
        images::check_architecture(&nodes)?;
        let wanted = references.iter().cloned().collect();
        let archive = images::archive(&wanted)?;
        let cluster = ownership(&self.home)?.map(|known| known.id).unwrap_or_default();
        let mut loaded = Loaded::read(&self.folder(), &cluster, &archive.workload)?;
        let missing = loaded.missing(&wanted, &nodes);
        if missing.is_empty() {
            return Ok(());
        }
        let archive = images::archive(&missing)?;
        let path = images::keep(&archive, &self.folder())?;
        let done = Kind::find(&self.program).await?.load(CLUSTER, &path).await;
        // The file has served its purpose, whether or not it could be loaded; a leftover is overwritten by the next one.
        let _ = std::fs::remove_file(&path);
        done?;
        loaded.add(&missing);
        loaded.write(&self.folder())
    }

    async fn machines(&self, _api: &Api) -> Result<Option<Vec<String>>, TargetError> {
        Kind::find(&self.program).await?.nodes(CLUSTER).await.map(Some)
    }

    async fn on_machine(&self, _api: &Api, machine: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
        engine::exec(machine, command).await
    }

    async fn wake(&self, machine: &str) -> Result<(), TargetError> {
        engine::start(machine).await
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        tokio::time::sleep(time).await;
        Ok(())
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        let env = kubeconfig_env(&kubeconfig::path(&self.place.folder));
        let notes = vec![format!(
            "The lab is in namespace {} of the kind cluster `{CLUSTER}`; `kubectl get pods` shows it.",
            self.place.namespace
        )];
        Ok(Reach { env, notes })
    }

    fn owns_cluster(&self) -> bool {
        true
    }

    async fn is_gone(&self) -> bool {
        let Ok(kind) = Kind::find(&self.program).await else { return false };
        kind.clusters().await.is_ok_and(|clusters| !clusters.iter().any(|name| name == CLUSTER))
    }

    fn when_unreachable(&self) -> String {
        format!(
            "Does the container engine run? `docker ps` shows the cluster's nodes ({CLUSTER}-control-plane); \
             `breakfix stop --all --delete-cluster` removes a cluster that is beyond help."
        )
    }
}

/// Deletes breakfix's cluster; one that is not there is fine.
///
/// # Errors
/// The `kind` program is missing or fails, or the cluster of that name is not ours.
pub(crate) async fn delete_cluster(home: &Path) -> Result<(), TargetError> {
    delete_with(Path::new(PROGRAM), home).await
}

/// Deletes a cluster whose making was cut short: nobody has used it, and no session will ask for it. One that is whole stays
/// warm, and one that another breakfix is making just now is that one's.
///
/// # Errors
/// The `kind` program fails. Where it does not answer at all the record stays, and the next start removes what is left.
pub(crate) async fn delete_unfinished(home: &Path) -> Result<(), TargetError> {
    delete_unfinished_with(Path::new(PROGRAM), home).await
}

async fn delete_unfinished_with(program: &Path, home: &Path) -> Result<(), TargetError> {
    if !is_unfinished(home)? {
        return Ok(());
    }
    match remove_unfinished(program, home).await {
        Err(error) if matches!(error.cause, Cause::Refused | Cause::Missing | Cause::Unreachable) => Ok(()),
        done => done,
    }
}

async fn remove_unfinished(program: &Path, home: &Path) -> Result<(), TargetError> {
    let kind = Kind::find(program).await?;
    let _guard = lock(home)?;
    // Another breakfix may have finished it a moment ago.
    if !is_unfinished(home)? {
        return Ok(());
    }
    unfinished::remove(&kind, home).await?;
    forget(home)
}

fn is_unfinished(home: &Path) -> Result<bool, TargetError> {
    Ok(ownership(home)?.is_some_and(|known| !known.made))
}

async fn delete_with(program: &Path, home: &Path) -> Result<(), TargetError> {
    let Some(known) = ownership(home)? else { return Ok(()) };
    let kind = Kind::find(program).await?;
    let _guard = lock(home)?;
    if !known.made {
        unfinished::remove(&kind, home).await?;
    } else if kind.clusters().await?.iter().any(|name| name == CLUSTER) {
        // One that cannot be asked any more is told by the disk alone.
        if let Err(error) = check_mark(&kind.kubeconfig(CLUSTER).await?, &known.id).await
            && error.cause == Cause::Refused
        {
            return Err(error);
        }
        kind.delete(CLUSTER, &own_kubeconfig(home)).await?;
    }
    forget(home)
}

/// Removes what is on the disk about the cluster.
fn forget(home: &Path) -> Result<(), TargetError> {
    let folder = folder(home);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TargetError::new(Cause::Local, format!("remove {}", folder.display())).because(error))
        }
        _ => Ok(()),
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("kind")
}

/// The kubeconfig that the `kind` program keeps for the cluster.
fn own_kubeconfig(home: &Path) -> PathBuf {
    folder(home).join("kubeconfig.yaml")
}

fn ownership(home: &Path) -> Result<Option<Ownership>, TargetError> {
    let path = folder(home).join("cluster.json");
    read_json(&path).map_err(|error| local(&path, error))
}

fn write_ownership(home: &Path, known: &Ownership) -> Result<(), TargetError> {
    let path = folder(home).join("cluster.json");
    crate::home::make_private(&folder(home)).map_err(|error| local(&path, error))?;
    write_json(&path, known).map_err(|error| local(&path, error))
}

fn lock(home: &Path) -> Result<crate::home::Guard, TargetError> {
    lock_named(home, "kind", "use the kind cluster")
}

fn lock_named(home: &Path, name: &str, doing: &str) -> Result<crate::home::Guard, TargetError> {
    let busy = |error: HomeError| {
        let cause = if matches!(error, HomeError::Busy { .. }) { Cause::Refused } else { Cause::Local };
        TargetError::new(cause, doing).because(error)
    };
    Home::at(home.to_owned()).map_err(busy)?.lock(name, "the kind cluster").map_err(busy)
}

fn local(path: &Path, error: HomeError) -> TargetError {
    TargetError::new(Cause::Local, format!("use {}", path.display())).because(error)
}

fn foreign() -> TargetError {
    TargetError::new(Cause::Refused, format!("use the kind cluster `{CLUSTER}`: breakfix did not make it")).hint(format!(
        "Delete it (`kind delete cluster --name {CLUSTER}`), or use it as what it is: `--target context:kind-{CLUSTER}`."
    ))
}

async fn api(text: &str) -> Result<Api, TargetError> {
    let all = kubeconfig::parse(text, "the kind cluster")?;
    let own = kubeconfig::only(&all, &format!("kind-{CLUSTER}"), "")?;
    Ok(Api::new(kubeconfig::client(own, "the kind cluster").await?, PATIENCE, None))
}

/// Writes the mark into a new cluster.
async fn mark(text: &str, id: &str) -> Result<(), TargetError> {
    let Some(config_maps) = Resource::built_in(None, "ConfigMap") else { return Ok(()) };
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": OWNER, "namespace": OWNER_NAMESPACE}, "data": {"id": id}});
    let made = api(text).await?.create(&config_maps, Some(OWNER_NAMESPACE), &body).await;
    made.map(drop).map_err(|trouble| trouble.on("mark the new kind cluster as breakfix's"))
}

/// Whether the cluster bears our mark.
async fn check_mark(text: &str, id: &str) -> Result<(), TargetError> {
    let Some(config_maps) = Resource::built_in(None, "ConfigMap") else { return Ok(()) };
    let found = api(text).await?.get(&config_maps, Some(OWNER_NAMESPACE), OWNER).await;
    let found = found.map_err(|trouble| {
        trouble
            .on("ask the kind cluster whose it is")
            .hint("Does the container engine run? `docker ps` shows the cluster's nodes.")
    })?;
    if is_marked(found.as_ref(), id) { Ok(()) } else { Err(foreign()) }
}

fn is_marked(found: Option<&Value>, id: &str) -> bool {
    found.and_then(|found| object::text(found, "/data/id")) == Some(id)
}

#[cfg(test)]
mod tests;
