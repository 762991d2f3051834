//! `sim-serve`: the simulator's own process. Started by `start` and by whatever finds it dead; not for people.

use std::path::Path;

use breakfix_stage::venue;

use crate::{
    exit::{self, Exit},
    failure::Failure,
};

pub async fn run(folder: &Path) -> Result<Exit, Failure> {
    venue::serve_simulator(folder).await?;
    Ok(exit::DONE)
}
