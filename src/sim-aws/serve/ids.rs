//! Ids of requests: they stand in answers and in no state, so chance of their own decides them.

use std::sync::{Mutex, PoisonError};

use breakfix_sim::Chance;

/// Draws request ids.
pub struct Ids {
    chance: Mutex<Chance>,
}

impl Ids {
    pub fn from_seed(seed: u64) -> Self {
        Self { chance: Mutex::new(Chance::from_seed(seed)) }
    }

    pub fn next(&self) -> String {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).uuid()
    }
}
