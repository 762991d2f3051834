//! Many proofs: labs that run inside this process are proved side by side, one thread a core; labs that share an engine or a cluster one
//! after the other.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use breakfix_lab::LoadedLab;
use breakfix_stage::{
    Home, Session,
    life::{self, Proof},
    session::Phase,
    target::TargetName,
    venue,
};
use tokio::sync::mpsc;

use crate::{failure::Failure, out::Working};

/// Proves all of them and hands each proof on, in the order of the labs, as soon as it and those before it are there.
///
/// # Errors
/// The first trouble, in that order; nothing more is begun then.
pub async fn prove(
    home: &Home,
    due: Vec<(Session, LoadedLab)>,
    controls: &[String],
    working: &Arc<Working>,
    mut each: impl FnMut(Proof) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(due.len());
    if threads < 2 || due.iter().any(|(session, _)| session.target != TargetName::Sim) {
        for (session, lab) in due {
            each(one(home, session, &lab, controls, working).await?)?;
        }
        return Ok(());
    }
    let (send, mut receive) = mpsc::unbounded_channel();
    let queue = Arc::new(Mutex::new(due.into_iter().enumerate()));
    let is_over = Arc::new(AtomicBool::new(false));
    for _ in 0..threads {
        let (home, controls, working) = (home.clone(), controls.to_vec(), Arc::clone(working));
        let (queue, is_over, send) = (Arc::clone(&queue), Arc::clone(&is_over), send.clone());
        thread::spawn(move || {
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((at, (session, lab))) = next().filter(|_| !is_over.load(Ordering::Relaxed)) {
                let proof = alone(one(&home, session, &lab, &controls, &working));
                if send.send((at, proof)).is_err() {
                    return;
                }
            }
        });
    }
    drop(send);
    let mut early = BTreeMap::new();
    let mut turn = 0;
    while let Some((at, proof)) = receive.recv().await {
        early.insert(at, proof);
        while let Some(proof) = early.remove(&turn) {
            turn += 1;
            let handed = proof.and_then(&mut each);
            if handed.is_err() {
                is_over.store(true, Ordering::Relaxed);
                // Those under way are let finish, so that they leave nothing behind.
                while receive.recv().await.is_some() {}
                return handed;
            }
        }
    }
    Ok(())
}

/// Runs something on this thread.
fn alone<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::trouble(format!("could not start a thread's work: {error}")))?.block_on(work)
}

/// One lab's proof, from its session's beginning to its end.
async fn one(
    home: &Home,
    mut session: Session,
    lab: &LoadedLab,
    controls: &[String],
    working: &Working,
) -> Result<Proof, Failure> {
    let _guard = home.lock(&session.id, &format!("the session {}", session.id))?;
    session.phase = Phase::Opening;
    session.save(home)?;
    let closing = session.clone();
    let target = venue::connect_for_proof(home, &session, lab).await?;
    let proof = life::prove(home, &mut session, lab, &*target, controls, working).await;
    venue::close(home, &closing).await?;
    Ok(proof?)
}
