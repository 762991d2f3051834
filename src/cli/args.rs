//! The command line: every verb, its arguments and its help.

use std::path::PathBuf;

use breakfix_lab::{Platform, lab::Difficulty};
use breakfix_stage::target::TargetName;
use clap::{Args, Parser, Subcommand};

/// Learn to run systems by repairing broken ones.
///
/// breakfix opens a real (or simulated) system that is broken in one deliberate way. You repair it with kubectl or
/// docker, and breakfix grades what the system then does.
#[derive(Debug, Parser)]
#[command(name = "breakfix", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Print results as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Add the labs of a folder (a folder of labs, or of one lab); may be repeated
    #[arg(long, global = true, value_name = "DIR", env = "BREAKFIX_LABS", value_delimiter = ':')]
    pub labs: Vec<PathBuf>,
    /// The session meant, where several labs are open
    #[arg(long, global = true, value_name = "ID", env = "BREAKFIX_SESSION")]
    pub session: Option<String>,
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done or solved, 1 not yet solved or a lab failed its proof, 2 usage, 3 could not check or provision.
Files are kept in BREAKFIX_HOME, else in $XDG_STATE_HOME/breakfix, else in ~/.local/state/breakfix.";

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show the labs
    List(ListArgs),
    /// Open a lab: build its system, break it, tell its story
    Start(StartArgs),
    /// Grade the system as it is now
    Check(CheckArgs),
    /// Show the open labs and how to reach them
    Status,
    /// Show the present step of a guided lab, or go on to the next
    Step(StepArgs),
    /// Show the next hint; it costs points
    Hint(HintArgs),
    /// Show a lab's questions, or answer one
    Answer(AnswerArgs),
    /// Tell what had happened, once the lab is solved
    Debrief(DebriefArgs),
    /// Break the lab again, as it was at the start
    Reset,
    /// Close a lab and remove everything that belongs to it
    Stop(StopArgs),
    /// Remove from an account what breakfix made there and nobody came back for
    Sweep(SweepArgs),
    /// Open a shell in which kubectl or docker reach the lab
    Shell(ShellArgs),
    /// Print the variables that kubectl or docker need, for eval "$(breakfix env)"
    Env,
    /// Run a command on a node of the lab's cluster, as somebody who is logged in there
    Node(NodeArgs),
    /// Look at this machine and say what works and what to do about the rest
    Doctor,
    /// Show which labs you have solved
    Progress,
    /// Write, check and prove labs
    #[command(subcommand)]
    Lab(LabVerb),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Serve a simulator; started by breakfix itself
    #[command(hide = true)]
    SimServe { folder: PathBuf },
    /// Serve a simulated AWS; started by breakfix itself
    #[command(hide = true)]
    SimServeAws { folder: PathBuf },
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only labs of this platform
    #[arg(long, value_parser = platform)]
    pub platform: Option<Platform>,
    /// Only labs on this topic
    #[arg(long)]
    pub topic: Option<String>,
    /// Only labs of this difficulty
    #[arg(long, value_parser = difficulty)]
    pub difficulty: Option<Difficulty>,
}

#[derive(Debug, Default, Args)]
pub struct StartArgs {
    /// The lab; without it the next one you have not solved is offered
    pub lab: Option<String>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Other names, ports and values for the same lab
    #[arg(long)]
    pub seed: Option<u64>,
    /// Go ahead without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// Where a lab runs, and how that is set up.
#[derive(Clone, Debug, Default, Args)]
pub struct TargetArgs {
    /// sim, kind, context:NAME, docker, aws or endpoint:URL. Without it: docker for Docker labs, sim for all others
    #[arg(long, env = "BREAKFIX_TARGET")]
    pub target: Option<TargetName>,
    /// kind: the node image, for machines without internet
    #[arg(long, value_name = "IMAGE")]
    pub kind_image: Option<String>,
    /// kind: a cluster configuration that is merged into breakfix's own
    #[arg(long, value_name = "FILE")]
    pub kind_config: Option<PathBuf>,
    /// context: the registry that the cluster's nodes get images from
    #[arg(long, value_name = "PREFIX")]
    pub registry: Option<String>,
    /// context: labs that change more than their own namespaces may run
    #[arg(long)]
    pub allow_cluster_scoped: bool,
    /// sim: how many times faster than the clock on the wall
    #[arg(long, value_name = "FACTOR", default_value_t = 1)]
    pub speed: u32,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Stay, grade again whenever the system changes, and take keys: h hint, s story, n next, q quit
    #[arg(long, short)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct StepArgs {
    /// Go on to the next step
    #[arg(long, short)]
    pub next: bool,
    /// Show the steps that are done too
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct NodeArgs {
    /// The node, as `kubectl get nodes` names it
    pub node: String,
    /// The command and its arguments; without one, lines are read and each is run by a shell
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct HintArgs {
    /// The objective to be helped with; without it the first that is not met
    pub objective: Option<String>,
}

#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// The question's number, from 1
    pub question: Option<usize>,
    /// Your answer: the text, or the choice's letter
    pub answer: Option<String>,
}

#[derive(Debug, Args)]
pub struct DebriefArgs {
    /// Show it though the lab is not solved; it does not count as solved afterwards
    #[arg(long)]
    pub give_up: bool,
}

#[derive(Debug, Args)]
pub struct StopArgs {
    /// Close every open lab
    #[arg(long)]
    pub all: bool,
    /// With --all: delete breakfix's kind cluster too
    #[arg(long, requires = "all")]
    pub delete_cluster: bool,
}

#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The account: aws, or endpoint:URL
    #[arg(long, env = "BREAKFIX_TARGET", default_value = "aws")]
    pub target: TargetName,
    /// Go ahead without asking
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct ShellArgs {
    /// Run this instead of a shell
    #[arg(last = true)]
    pub command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum LabVerb {
    /// Write the folder of a new lab
    New {
        name: String,
        #[arg(long, value_parser = platform, default_value = "kubernetes")]
        platform: Platform,
        /// Where to write it
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
    /// Say what is wrong with labs
    Lint {
        /// Folders of labs; without them the labs inside breakfix
        folders: Vec<PathBuf>,
    },
    /// Prove labs: the fault shows, right fixes solve it, wrong ones do not, nothing is left behind
    Test(TestArgs),
    /// Print the JSON Schema of lab.yaml
    Schema,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// The labs, by name; without them all that run on the target
    #[arg(value_name = "LAB")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub target: TargetArgs,
    /// Only labs of this platform
    #[arg(long, value_parser = platform)]
    pub platform: Option<Platform>,
    /// Only these controls; may be repeated
    #[arg(long = "control", value_name = "NAME")]
    pub controls: Vec<String>,
    /// Values for the labs' parameters
    #[arg(long)]
    pub seed: Option<u64>,
    /// Go ahead without asking
    #[arg(long, short)]
    pub yes: bool,
}

fn platform(text: &str) -> Result<Platform, String> {
    match text {
        "kubernetes" => Ok(Platform::Kubernetes),
        "docker" => Ok(Platform::Docker),
        "ecs" => Ok(Platform::Ecs),
        _ => Err("there are `kubernetes`, `docker` and `ecs`".to_owned()),
    }
}

fn difficulty(text: &str) -> Result<Difficulty, String> {
    match text {
        "easy" => Ok(Difficulty::Easy),
        "medium" => Ok(Difficulty::Medium),
        "hard" => Ok(Difficulty::Hard),
        _ => Err("there are `easy`, `medium` and `hard`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
