//! `completions`: a script for bash, zsh, fish, elvish or PowerShell.

use std::io::Write;

use clap::CommandFactory;

use crate::{
    args::Cli,
    exit::{self, Exit},
    failure::Failure,
};

pub fn run(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "breakfix", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(exit::DONE)
}
