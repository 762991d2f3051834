//! `stop`: the target holds afterwards what it held before.

use breakfix_stage::{
    Session,
    life::{self, Talk},
    venue,
};

use crate::{
    app::App,
    args::StopArgs,
    exit::{self, Exit},
    failure::Failure,
    interrupt,
    out::Working,
};

pub async fn run(app: &App, args: &StopArgs) -> Result<Exit, Failure> {
    if !args.all {
        let session = app.chosen()?;
        stop(app, session).await?;
        return Ok(exit::DONE);
    }
    let mut trouble = None;
    for session in app.sessions()? {
        let id = session.id.clone();
        if let Err(failure) = stop(app, session).await {
            app.out.say(&format!("{id} could not be stopped: {}", failure.message()));
            trouble = Some(failure);
        }
    }
    for id in app.home.sessions()? {
        // A folder without a readable session: a start that had made nothing, or a damaged file. What a damaged
        // session made carries its id and is found by it.
        match Session::load(&app.home, &id) {
            Ok(None) => life::forget(&app.home, &id)?,
            Err(_) => {
                venue::sweep(&app.home, &id).await?;
                life::forget(&app.home, &id)?;
                app.out.say(&format!("{id} was damaged; it is removed"));
            }
            Ok(Some(_)) => {}
        }
    }
    if args.delete_cluster {
        venue::delete_cluster(&app.home).await?;
    }
    match trouble {
        Some(failure) => Err(failure),
        None => Ok(exit::DONE),
    }
}

async fn stop(app: &App, session: Session) -> Result<(), Failure> {
    let id = session.id.clone();
    let working = Working::start(&app.out);
    let closed = interrupt::unless_interrupted(close(app, session, &working)).await;
    drop(working);
    closed.unwrap_or_else(|| {
        Err(Failure::trouble(format!("interrupted; {id} is not removed yet"))
            .hint("`breakfix stop` goes on with it; so does any other breakfix command"))
    })?;
    app.out.say(&format!("{id} is closed; nothing of it is left."));
    Ok(())
}

/// Removes a session and everything that it made.
///
/// # Errors
/// Another breakfix works on it, or its target is in trouble; the next command goes on with it.
pub async fn close(app: &App, session: Session, talk: &dyn Talk) -> Result<(), Failure> {
    let _guard = app.home.lock(&session.id, &format!("the session {}", session.id))?;
    let Some(mut session) = Session::load(&app.home, &session.id)? else { return Ok(()) };
    let journal = breakfix_stage::Journal::open(&session.folder(&app.home)).map_err(life::LifeError::from)?;
    let closing = session.clone();
    if journal.is_empty().map_err(life::LifeError::from)? {
        // A start that was cut short before it had made anything; its target need not even answer.
        return Ok(venue::close(&app.home, &closing).await?);
    }
    let lab = app.lab_of(&session)?;
    let target = venue::connect(&app.home, &session, &lab).await?;
    life::stop(&app.home, &mut session, &*target, &journal, talk).await?;
    Ok(venue::close(&app.home, &closing).await?)
}
