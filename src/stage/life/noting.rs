//! What a trigger has under way, on disk and in mind, and how it is put right.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{LifeError, rest};
use crate::{Journal, Target, journal::Undo};

/// The journal, with the notes that nobody has settled yet.
pub(super) struct Noting<'a> {
    journal: &'a Journal,
    notes: Mutex<Vec<Value>>,
}

impl<'a> Noting<'a> {
    /// `notes`: those that an earlier command has left, the oldest first.
    pub(super) fn new(journal: &'a Journal, notes: Vec<Value>) -> Self {
        Self { journal, notes: Mutex::new(notes) }
    }

    /// Puts right what the notes provide for, the latest first.
    ///
    /// # Errors
    /// The target's and the disk's; what is left stands in the journal.
    pub(super) async fn put_right(&self, target: &dyn Target) -> Result<(), LifeError> {
        let mut carried_out = false;
        while let Some(note) = self.last() {
            match rest::of(&note) {
                // Only the latest of these says what is still to be done. What that notes itself is looked at before it is settled.
                Some(rest) if !carried_out => {
                    carried_out = true;
                    rest::carry_out(target, self, &rest).await?;
                }
                Some(_) => self.settled()?,
                None => {
                    target.repair(&note).await?;
                    self.settled()?;
                }
            }
        }
        Ok(())
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Value>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> Option<Value> {
        self.notes().last().cloned()
    }
}

impl Undo for Noting<'_> {
    fn note(&self, note: Value) -> io::Result<()> {
        self.journal.note(note.clone())?;
        self.notes().push(note);
        Ok(())
    }

    fn settled(&self) -> io::Result<()> {
        self.journal.settled()?;
        self.notes().pop();
        Ok(())
    }
}
