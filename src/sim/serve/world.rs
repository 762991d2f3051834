//! What a host drives: a simulator's whole state in one value, and everything that can be done to it as values that can be done again.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::SimTime;

/// A simulator's state.
pub trait World: Clone + Serialize + DeserializeOwned {
    /// Everything that can be handed in and change it: what the log on disk is made of. Doing the same inputs at the same moments makes
    /// the same world.
    type Input: Serialize + DeserializeOwned;

    fn now(&self) -> SimTime;

    /// When something will happen next by itself.
    fn next_due(&self) -> Option<SimTime>;

    /// Moves on; everything that is due until then happens.
    fn advance(&mut self, time: SimTime);

    /// Something that already happened has not been told to those who wait for it.
    fn has_news(&self) -> bool {
        false
    }

    /// The present date.
    fn today(&self) -> Timestamp;

    /// Does an input again, after a restart. A panic is survived as it was the first time ([`super::safely`]).
    fn replay(&mut self, input: &Self::Input);

    /// Comes from disk: what sharing was lost on the way can be made again.
    fn loaded(&mut self) {}
}

/// Something that is done to a world, at its present moment.
pub trait Act<W: World>: Clone + Into<W::Input> {
    /// What whoever handed it in is told.
    type Outcome;

    fn act(&self, world: &mut W) -> Self::Outcome;
}

/// Moves the date, and every date already written down, by whole seconds: which input does that.
pub trait Dated: World {
    type Shift: Act<Self>;

    fn shift(seconds: i64) -> Self::Shift;
}
