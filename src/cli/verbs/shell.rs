//! `shell`: a shell, or one command, with the variables of the lab set.

use std::process::Stdio;

use crate::{
    app::App,
    args::ShellArgs,
    exit::{self, Exit},
    failure::Failure,
};

pub async fn run(app: &App, args: &ShellArgs) -> Result<Exit, Failure> {
    let mut open = app.open_session().await?;
    open.session.reach = open.target.reach().await?;
    open.session.save(&app.home)?;
    let reach = open.session.reach.clone();
    let session = open.session.id.clone();
    // The session is not ours while the learner works in the shell: `check` in another terminal must not wait for it.
    drop(open);
    let (program, arguments) = match args.command.split_first() {
        Some((program, arguments)) => (program.clone(), arguments.to_vec()),
        None => (
            std::env::var("SHELL").ok().filter(|it| !it.is_empty()).unwrap_or_else(|| "/bin/sh".to_owned()),
            Vec::new(),
        ),
    };
    if args.command.is_empty() {
        for note in &reach.notes {
            app.out.say(note);
        }
        app.out.say("This is a shell for the lab; `exit` leaves it. The lab stays open.");
    }
    let mut command = tokio::process::Command::new(&program);
    command.args(arguments).envs(&reach.env).env("BREAKFIX_SESSION", &session);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let status = command.status().await.map_err(|error| {
        Failure::usage(format!("could not run `{program}`: {error}")).hint("set SHELL, or name a command after `--`")
    })?;
    // A command's own code is the answer to whoever called it this way; a shell's last code is nobody's business.
    if args.command.is_empty() || status.success() { Ok(exit::DONE) } else { Ok(exit::NOT_YET) }
}
