//! `sim-serve`, `sim-serve-aws`: a simulator's own process. Started by `start` and by whatever finds it dead; not for people.

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

pub async fn run_aws(folder: &Path) -> Result<Exit, Failure> {
    venue::serve_aws_simulator(folder).await?;
    Ok(exit::DONE)
}
