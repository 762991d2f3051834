//! One command in a container, or one line given to a shell there: an input like any other.
//!
//! Tools and the shell are steps: they take what input there is and say what they print. So a shell's state travels with each line, and
//! a session that is cut off leaves nothing to remember.

use std::time::Duration;

use breakfix_workload::tool::Shell;
use serde::{Deserialize, Serialize};

use super::{blob::Blob, input::Act, inside};
use crate::{Cluster, Status};

/// Where a command runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

/// What runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Job {
    Command(Vec<String>),
    Line { shell: Shell, text: String },
}

/// A command or line, with the input that it can read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecRun {
    #[serde(flatten)]
    pub place: Place,
    pub job: Job,
    pub stdin: Blob,
    /// Nothing follows what `stdin` holds.
    pub stdin_ends: bool,
    pub tty: bool,
}

/// Which of its two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Out,
    Err,
}

/// Something that it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Since it began to run.
    pub at: Duration,
    pub output: Output,
    pub bytes: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What it printed, in order.
    pub printed: Vec<Printed>,
    pub code: i32,
    /// The shell as it waits for the next line; none when it, or a command that is no shell, has ended.
    pub shell: Option<Shell>,
    /// How much of the input it read.
    pub consumed: usize,
    /// It read to the end of what there is. Where that is not the end of all input it would be waiting now, so that what else it did
    /// does not count.
    pub starved: bool,
    /// How long it took.
    pub took: Duration,
}

impl Act<Cluster> for ExecRun {
    type Outcome = Result<Ran, Status>;

    fn act(&self, cluster: &mut Cluster) -> Result<Ran, Status> {
        inside::exec(cluster, self)
    }
}
