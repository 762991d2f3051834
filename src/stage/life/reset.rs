//! Resetting: everything of the session is removed and the lab opened again, as broken as before.

use breakfix_lab::LoadedLab;

use super::{LifeError, Opened, Talk, open};
use crate::{
    Home, Journal, Session, Target,
    journal::{Entry, Step},
    session::Phase,
};

/// Resets a session. Hints taken and answers given stay on record; what stuck to the old system does not, and a guided lab begins at its first step.
///
/// # Errors
/// As [`open`]; the session then stays `Resetting` and the next command goes on from there.
pub async fn reset(
    home: &Home,
    session: &mut Session,
    lab: &LoadedLab,
    target: &dyn Target,
    journal: &Journal,
    talk: &dyn Talk,
) -> Result<Opened, LifeError> {
    session.phase = Phase::Resetting;
    session.sticky.clear();
    session.step = 0;
    session.save(home)?;
    journal.write(&Entry::Begin { step: Step::Reset })?;
    talk.now("removing what is there");
    target.clear().await?;
    journal.write(&Entry::Done { step: Step::Reset })?;
    open(home, session, lab, target, journal, talk).await
}
