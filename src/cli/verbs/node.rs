//! `node`: commands on a node of the lab's cluster, wherever that cluster is.

use std::io::{BufRead, IsTerminal, Write};

use breakfix_stage::{Target, target::NodeOutput};

use crate::{
    app::App,
    args::NodeArgs,
    exit::{self, Exit},
    failure::Failure,
};

pub async fn run(app: &App, args: &NodeArgs) -> Result<Exit, Failure> {
    if !args.command.is_empty() {
        let output = app.open_session().await?.target.on_node(&args.node, &args.command).await?;
        if app.out.json {
            app.out.json(&output)?;
        } else {
            print(app, &output)?;
        }
        return Ok(if output.exit == 0 { exit::DONE } else { exit::NOT_YET });
    }
    let stdin = std::io::stdin();
    let is_person = stdin.is_terminal();
    let prompt = || {
        if is_person {
            eprint!("root@{}:/# ", args.node);
            // A prompt that cannot be shown is no reason to end.
            let _ = std::io::stderr().flush();
        }
    };
    prompt();
    for line in stdin.lock().lines() {
        let line = line.map_err(|error| Failure::usage(format!("could not read the commands: {error}")))?;
        match line.trim() {
            "" => {}
            "exit" => break,
            line => {
                // The session is taken up anew for each: `check` in another terminal must not wait.
                let open = app.open_session().await?;
                match on_line(&*open.target, &args.node, line).await {
                    Ok(output) => print(app, &output)?,
                    Err(error) => app.out.say(&error.chain()),
                }
            }
        }
        prompt();
    }
    Ok(exit::DONE)
}

async fn on_line(target: &dyn Target, node: &str, line: &str) -> Result<NodeOutput, breakfix_stage::TargetError> {
    let command = ["sh", "-c", line].map(str::to_owned);
    target.on_node(node, &command).await
}

fn print(app: &App, output: &NodeOutput) -> Result<(), Failure> {
    let whole = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    if !output.stdout.is_empty() {
        app.out.line(&whole(&output.stdout))?;
    }
    if !output.stderr.is_empty() {
        app.out.say(&whole(&output.stderr));
    }
    Ok(())
}
