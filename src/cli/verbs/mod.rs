//! The verbs, one file each: what it does, what it prints, how it ends.

mod answer;
pub mod check;
mod completions;
mod debrief;
mod doctor;
mod env;
pub mod hint;
mod lab;
mod list;
mod node;
mod progress;
mod reset;
mod shell;
mod sim_serve;
pub mod start;
mod status;
mod step;
pub mod stop;
mod sweep;

use crate::{
    app::App,
    args::{Cli, Verb},
    exit::Exit,
    failure::Failure,
};

/// Runs the verb of a command line.
///
/// # Errors
/// What ended it early.
pub async fn run(cli: Cli) -> Result<Exit, Failure> {
    match &cli.verb {
        Verb::Completions { shell } => return completions::run(*shell),
        Verb::SimServe { folder } => return sim_serve::run(folder).await,
        Verb::SimServeAws { folder } => return sim_serve::run_aws(folder).await,
        _ => {}
    }
    let app = App::new(&cli)?;
    match cli.verb {
        Verb::List(args) => list::run(&app, &args),
        Verb::Start(args) => start::run(&app, &args).await,
        Verb::Check(args) => check::run(&app, &args).await,
        Verb::Status => status::run(&app),
        Verb::Step(args) => step::run(&app, &args).await,
        Verb::Hint(args) => hint::run(&app, &args),
        Verb::Answer(args) => answer::run(&app, &args),
        Verb::Debrief(args) => debrief::run(&app, &args),
        Verb::Reset => reset::run(&app).await,
        Verb::Stop(args) => stop::run(&app, &args).await,
        Verb::Sweep(args) => sweep::run(&app, &args).await,
        Verb::Shell(args) => shell::run(&app, &args).await,
        Verb::Env => env::run(&app).await,
        Verb::Node(args) => node::run(&app, &args).await,
        Verb::Doctor => doctor::run(&app).await,
        Verb::Progress => progress::run(&app),
        Verb::Lab(verb) => lab::run(&app, verb).await,
        Verb::Completions { shell } => completions::run(shell),
        Verb::SimServe { folder } => sim_serve::run(&folder).await,
        Verb::SimServeAws { folder } => sim_serve::run_aws(&folder).await,
    }
}
