//! Ctrl-C (and SIGTERM) in the middle of something: it is left off in order, or at once when asked twice.

use std::future::Future;

use crate::failure::Failure;

/// Does this unless somebody interrupts it; `None` then. What it had begun is dropped where it stands.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = interrupted() => None,
    }
}

/// Cleans up after an interruption. A second one leaves the rest to the next command.
///
/// # Errors
/// It was interrupted again.
pub async fn cleaning_up<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    unless_interrupted(work).await.ok_or_else(|| {
        Failure::trouble("interrupted again, before everything was put right")
            .hint("the next breakfix command goes on with it; `breakfix stop` removes the lab")
    })
}

/// Ends when the process is told to end.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut signals = [SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let [Ok(terminate), Ok(hangup)] = &mut signals else {
            // Without handlers the system's own way of ending a process goes on.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
