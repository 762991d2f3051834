//! A panic inside the simulation ends neither the server nor the session.
//!
//! A panic is a bug of ours. When one request meets it, the others should go on, and a restart must not run into it again and again:
//! so it is caught at the same place in life and in replay, which leaves both with the same world. The message is on standard
//! error, which is the folder's log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::world::World;
use crate::SimTime;

/// A bound on bugs in a row: an event that comes again at the same moment and panics each time would hold time still.
const PANICS_MAX: usize = 1_000;

/// The simulation failed; standard error says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulator failed here; its log says where, please report it")]
pub struct Failed;

/// Does it, and survives its panic.
///
/// # Errors
/// It panicked; what it had done until then stays done.
pub fn run<W, T>(world: &mut W, work: impl FnOnce(&mut W) -> T) -> Result<T, Failed> {
    catch_unwind(AssertUnwindSafe(|| work(world))).map_err(|_| Failed)
}

/// Moves a world on; an event that panics is left out.
pub fn advance<W: World>(world: &mut W, time: SimTime) {
    for _ in 0..PANICS_MAX {
        if run(world, |world| world.advance(time)).is_ok() {
            return;
        }
    }
}
