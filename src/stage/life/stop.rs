//! Stopping: the target holds afterwards what it held before, and the session's folder is gone.

use super::{LifeError, Talk};
use crate::{
    Home, Journal, Session, Target,
    home::HomeError,
    journal::{Entry, Step},
    session::Phase,
};

/// Stops a session. Interrupted anywhere, the next `stop` (or any other command) finishes it.
///
/// # Errors
/// The target's and the disk's; the session then stays `Stopping`.
pub async fn stop(
    home: &Home,
    session: &mut Session,
    target: &dyn Target,
    journal: &Journal,
    talk: &dyn Talk,
) -> Result<(), LifeError> {
    session.phase = Phase::Stopping;
    session.save(home)?;
    journal.write(&Entry::Begin { step: Step::Clear })?;
    talk.now("removing everything of the lab");
    target.clear().await?;
    journal.write(&Entry::Done { step: Step::Clear })?;
    forget(home, &session.id)?;
    Ok(())
}

/// Removes a session's folder.
///
/// # Errors
/// The disk's.
pub fn forget(home: &Home, id: &str) -> Result<(), HomeError> {
    let path = home.session(id);
    match std::fs::remove_dir_all(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(HomeError::Io { what: "remove", path, source })
        }
        _ => Ok(()),
    }
}
