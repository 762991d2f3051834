//! A cluster whose making was cut short. Nobody has used it, so it is not repaired but removed.
//!
//! Where breakfix was killed, the `kind create` that it had started goes on for a while. It holds a lock of its own, handed
//! to it as its standard input, so that the next breakfix knows of it; and it ends by itself, at the latest when it wants to
//! say something and nobody listens any more. Until then whatever it makes is taken away.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{CLUSTER, lock_named, own_kubeconfig, program::Kind};
use crate::{
    home::Guard,
    target::{Cause, TargetError},
};

/// How long a `kind create` that nobody listens to may take to end. Its longest step without a word is kubeadm's work in a
/// node, and that ends with the node.
const ORPHAN: Duration = Duration::from_secs(60);
/// Between two looks at what is left.
const LOOK: Duration = Duration::from_secs(1);
/// So many looks one after the other must find nothing: a container that the engine was told to make a moment ago is listed
/// only when it is made.
const LOOKS: usize = 3;

/// The lock of whoever makes the cluster.
pub(super) fn maker(home: &Path) -> Result<Guard, TargetError> {
    lock_named(home, "kind-maker", "make the kind cluster")
}

/// Removes what there is of a cluster that was never finished, once and for all.
pub(super) async fn remove(kind: &Kind, home: &Path) -> Result<(), TargetError> {
    let since = Instant::now();
    let mut empty = 0;
    while empty < LOOKS {
        if empty > 0 {
            tokio::time::sleep(LOOK).await;
        }
        let is_making = match maker(home) {
            Ok(_) => false,
            Err(error) if error.cause == Cause::Refused && since.elapsed() < ORPHAN => true,
            Err(error) => return Err(error),
        };
        if kind.clusters().await?.iter().any(|name| name == CLUSTER) {
            kind.delete(CLUSTER, &own_kubeconfig(home)).await?;
            empty = 0;
        } else if is_making {
            tokio::time::sleep(LOOK).await;
            empty = 0;
        } else {
            empty += 1;
        }
    }
    Ok(())
}
