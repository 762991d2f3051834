//! `sweep`: removes from an account what breakfix made there and nobody came back for.

use std::io::{self, IsTerminal};

use breakfix_stage::{
    target::TargetName,
    venue::{self, Forgotten, counted},
};
use jiff::Timestamp;
use serde_json::json;

use super::start::ask;
use crate::{
    app::App,
    args::SweepArgs,
    exit::{self, Exit},
    failure::Failure,
    interrupt,
    out::Working,
};

pub async fn run(app: &App, args: &SweepArgs) -> Result<Exit, Failure> {
    if !venue::can_be_swept(&args.target) {
        return Err(Failure::usage(format!("`{}` is no account that could be swept", args.target))
            .hint("`sweep` is for `aws` and `endpoint:URL`; `breakfix stop --all` removes the labs of all others"));
    }
    let sweep = venue::sweep_account(&app.home, &args.target, Timestamp::now()).await?;
    let found = sweep.found().await?;
    let removed = if found.is_empty() {
        app.out
            .say(&format!("Nothing of breakfix's has expired in account {}, region {}.", sweep.account, sweep.region));
        false
    } else {
        show(app, &args.target, &sweep, &found)?;
        agreed(args.yes)?;
        let working = Working::start(&app.out);
        let removed = interrupt::unless_interrupted(sweep.remove()).await;
        drop(working);
        removed.ok_or_else(|| {
            Failure::trouble("interrupted; some of it may still be there")
                .hint("`breakfix sweep` goes on with what is left")
        })??;
        app.out.say("It is gone.");
        true
    };
    if app.out.json {
        app.out.json(&json!({
            "target": args.target.to_string(),
            "account": sweep.account,
            "region": sweep.region,
            "found": found,
            "removed": removed,
        }))?;
    }
    Ok(exit::DONE)
}

/// What would go, before anybody agrees to it.
fn show(app: &App, target: &TargetName, sweep: &venue::Sweep, found: &[Forgotten]) -> Result<(), Failure> {
    let place = format!("account {}, region {} ({target})", sweep.account, sweep.region);
    app.out.say(&format!("In {place} breakfix made these for labs that have expired: {}.", counted(found)));
    if !app.out.json {
        for thing in found {
            let whose = match (&thing.session, &thing.expired) {
                (Some(session), Some(expired)) => format!("{session}, expired {expired}"),
                _ => "inside a network or cluster of such a lab".to_owned(),
            };
            app.out.line(&format!("{} {}  ({whose})", thing.kind, thing.name))?;
        }
    }
    Ok(())
}

fn agreed(yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(
            Failure::usage("this needs your consent").hint("add `--yes` once you have read what will be removed")
        );
    }
    if ask("Remove all of it? [y/N] ")? { Ok(()) } else { Err(Failure::usage("nothing was removed")) }
}
