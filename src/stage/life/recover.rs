//! What was cut short is finished or undone, before any command does something else.

use breakfix_lab::LoadedLab;

use super::{LifeError, Talk, noting::Noting, reset, stop};
use crate::{
    Home, Journal, Session, Target,
    journal::{Entry, Step},
    session::Phase,
};

/// What recovery did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was under way.
    Nothing,
    /// A change of the grader's was put right; the session goes on.
    Repaired,
    /// A reset was finished; the session goes on.
    Reset,
    /// A start was undone, or a stop finished; the session is gone.
    Gone,
}

/// Finishes or undoes what the last command left half done.
///
/// # Errors
/// The target's and the disk's; nothing is lost, and the next command tries again.
pub async fn recover(
    home: &Home,
    session: &mut Session,
    lab: Option<&LoadedLab>,
    target: &dyn Target,
    journal: &Journal,
    talk: &dyn Talk,
) -> Result<Recovered, LifeError> {
    let unfinished = journal.unfinished()?;
    match session.phase {
        Phase::Opening | Phase::Stopping => {
            stop(home, session, target, journal, talk).await?;
            Ok(Recovered::Gone)
        }
        Phase::Resetting => match lab {
            Some(lab) => {
                reset(home, session, lab, target, journal, talk).await?;
                Ok(Recovered::Reset)
            }
            None => {
                stop(home, session, target, journal, talk).await?;
                Ok(Recovered::Gone)
            }
        },
        Phase::Open => {
            if unfinished.notes.is_empty() {
                return Ok(Recovered::Nothing);
            }
            talk.now("putting right what was cut short");
            Noting::new(journal, unfinished.notes).put_right(target).await?;
            journal.write(&Entry::Done { step: unfinished.step.unwrap_or(Step::Trigger) })?;
            Ok(Recovered::Repaired)
        }
    }
}
