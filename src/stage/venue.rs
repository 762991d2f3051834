//! From a session to its target: the one place that knows every kind of target.

use std::{collections::BTreeMap, path::Path};

use breakfix_lab::{LoadedLab, Platform};
use jiff::Timestamp;

use crate::{
    Home, Session, Target, TargetError, aws, docker,
    home::HomeError,
    image, kubernetes,
    target::{Cause, Place, TargetName},
};

pub use crate::aws::{Forgotten, Sweep, counted};

/// What a target knows of a session.
pub fn place(home: &Home, session: &Session, lab: &LoadedLab) -> Place {
    Place {
        session: session.id.clone(),
        platform: lab.platform(),
        lab: session.lab.clone(),
        folder: session.folder(home),
        namespace: lab.namespace().unwrap_or_default().to_owned(),
        documents: lab.documents.clone(),
        files: lab.files.clone(),
        texts: lab.texts.clone(),
        images: lab.lab.images.clone(),
        zones: lab.lab.zones.clone(),
        contexts: lab.lab.contexts.clone(),
        requires: lab.lab.requires.clone(),
        opened: session.opened,
    }
}

/// Connects to a session's target, bringing it up where it is breakfix's own (a simulator, a kind cluster).
///
/// # Errors
/// The target cannot be reached or brought up.
pub async fn connect(home: &Home, session: &Session, lab: &LoadedLab) -> Result<Box<dyn Target>, TargetError> {
    connect_at(place(home, session, lab), home, session).await
}

async fn connect_at(place: Place, home: &Home, session: &Session) -> Result<Box<dyn Target>, TargetError> {
    match &session.target {
        TargetName::Docker => docker::open(place, home).await,
        name if place.platform == Platform::Ecs => aws::open(name, place, &aws_options(home, session)).await,
        name => kubernetes::open(name, place, &kubernetes_options(home, session)).await,
    }
}

/// The same for `lab test`: simulators run in this process, on virtual time, and what the generic wrong fixes apply is known.
///
/// # Errors
/// The target cannot be reached or brought up.
pub async fn connect_for_proof(
    home: &Home,
    session: &Session,
    lab: &LoadedLab,
) -> Result<Box<dyn Target>, TargetError> {
    let mut place = place(home, session, lab);
    place.files.extend(crate::life::generic::files(lab));
    match &session.target {
        TargetName::Sim if lab.platform() == Platform::Ecs => Ok(aws::open_local(place, session.seed.unwrap_or(1))),
        TargetName::Sim => kubernetes::open_local(place, session.seed.unwrap_or(1)).await,
        _ => connect_at(place, home, session).await,
    }
}

/// Ends what belongs to the session alone and is no part of the system: its simulator, or a kind cluster whose making was cut
/// short with the session's start.
///
/// # Errors
/// It does not end.
pub async fn close(home: &Home, session: &Session) -> Result<(), TargetError> {
    let result = match &session.target {
        TargetName::Sim => close_simulators(&session.folder(home)).await,
        TargetName::Kind => kubernetes::delete_unfinished_cluster(home.root()).await,
        TargetName::Context(_) | TargetName::Docker | TargetName::Aws | TargetName::Endpoint(_) => Ok(()),
    };
    // A simulator writes into the session's folder until it ends; what it wrote last is nobody's.
    if let Err(error) = crate::life::forget(home, &session.id) {
        return Err(local(&error));
    }
    result
}

/// Whether the learner has to agree first: the target is neither breakfix's own nor the learner's default.
pub fn asks_first(session: &Session) -> bool {
    match &session.target {
        TargetName::Context(_) | TargetName::Aws | TargetName::Endpoint(_) => true,
        TargetName::Sim | TargetName::Kind | TargetName::Docker => false,
    }
}

/// What the learner has to agree to first, where [`asks_first`].
///
/// # Errors
/// The target named is not known, or cannot be asked whose it is.
pub async fn consent(home: &Home, session: &Session, lab: &LoadedLab) -> Result<Option<String>, TargetError> {
    match &session.target {
        TargetName::Context(context) => {
            let options = kubernetes_options(home, session);
            kubernetes::consent(context, &place(home, session, lab), &options).map(Some)
        }
        TargetName::Aws | TargetName::Endpoint(_) => {
            aws::consent(&session.target, &place(home, session, lab), &aws_options(home, session)).await.map(Some)
        }
        TargetName::Sim | TargetName::Kind | TargetName::Docker => Ok(None),
    }
}

/// Removes what a session made whose own file is damaged: everything that carries its id.
///
/// # Errors
/// A target is in trouble.
pub async fn sweep(home: &Home, id: &str) -> Result<(), TargetError> {
    close_simulators(&home.session(id)).await?;
    docker::sweep(home, id).await
}

/// Whether a target is an account that outlives its labs.
pub fn can_be_swept(name: &TargetName) -> bool {
    matches!(name, TargetName::Aws | TargetName::Endpoint(_))
}

/// Looks for what breakfix made in an account and nobody came back for. Sessions that are on this machine are left out: theirs is `stop`.
///
/// # Errors
/// The target is no account, cannot be reached, or is not one that labs may use.
pub async fn sweep_account(home: &Home, name: &TargetName, now: Timestamp) -> Result<Sweep, TargetError> {
    let but = home.sessions().map_err(|error| local(&error))?.into_iter().collect();
    let options = aws::Options { home: home.root().to_owned(), ..aws::Options::default() };
    Sweep::of(name, &options, now, but).await
}

/// Deletes breakfix's kind cluster.
///
/// # Errors
/// `kind` is in trouble, or the cluster is not breakfix's.
pub async fn delete_cluster(home: &Home) -> Result<(), TargetError> {
    kubernetes::delete_cluster(home.root()).await
}

/// Runs a simulator in this process until it is told to end.
///
/// # Errors
/// It cannot listen, or its folder is damaged.
pub async fn serve_simulator(folder: &Path) -> Result<(), TargetError> {
    kubernetes::serve_simulator(folder).await
}

/// The same for a simulated AWS.
///
/// # Errors
/// It cannot listen, or its folder is damaged.
pub async fn serve_aws_simulator(folder: &Path) -> Result<(), TargetError> {
    aws::serve_simulator(folder).await
}

/// The version of the Docker engine that `docker` labs would use, in words.
///
/// # Errors
/// No engine answers.
pub async fn engine_version() -> Result<String, TargetError> {
    docker::engine_version().await
}

/// The size in bytes of the program inside every lab's containers, or why there is none.
///
/// # Errors
/// This breakfix was built where no such program can be built.
pub fn program() -> Result<usize, String> {
    image::program().map(<[u8]>::len).map_err(|error| error.to_string())
}

/// Whichever simulator a session has.
async fn close_simulators(session: &Path) -> Result<(), TargetError> {
    kubernetes::close_simulator(session).await?;
    aws::close_simulator(session).await
}

fn aws_options(home: &Home, session: &Session) -> aws::Options {
    let kubernetes::Options { home, program, seed, speed, .. } = kubernetes_options(home, session);
    aws::Options { home, program, seed, speed }
}

fn kubernetes_options(home: &Home, session: &Session) -> kubernetes::Options {
    let get = |options: &BTreeMap<String, String>, key: &str| options.get(key).cloned();
    kubernetes::Options {
        home: home.root().to_owned(),
        program: get(&session.options, "program").map(Into::into).unwrap_or_default(),
        kind_image: get(&session.options, "kind-image"),
        kind_config: get(&session.options, "kind-config").map(Into::into),
        registry: get(&session.options, "registry"),
        allow_cluster_scoped: session.options.contains_key("allow-cluster-scoped"),
        seed: session.seed.unwrap_or_else(|| seed_of(&session.id)),
        speed: get(&session.options, "speed").and_then(|text| text.parse().ok()).unwrap_or(1),
    }
}

/// A simulator needs a seed even where the learner asked for none; the session's id gives one that later commands find again.
fn seed_of(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn local(error: &HomeError) -> TargetError {
    let failure = TargetError::new(Cause::Local, format!("keep breakfix's own files in order: {error}"));
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
