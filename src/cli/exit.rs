//! The exit codes, the same for every verb. Scripts and graders rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(u8);

/// Done, or solved.
pub const DONE: Exit = Exit(0);
/// Not yet solved, or a lab failed its proof.
pub const NOT_YET: Exit = Exit(1);
/// The command was not understood, or cannot mean anything here: an unknown lab, no open session, a lab with errors.
pub const USAGE: Exit = Exit(2);
/// Could not check or provision: the target, the machine or breakfix itself is in trouble. Never the learner's mistake.
pub const TROUBLE: Exit = Exit(3);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
