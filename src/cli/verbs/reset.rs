//! `reset`: the lab as it was when it was opened.

use breakfix_stage::life;

use crate::{
    app::{App, Open},
    exit::{self, Exit},
    failure::Failure,
    interrupt,
    out::Working,
};

pub async fn run(app: &App) -> Result<Exit, Failure> {
    let mut open = app.take_up_whatever_is_left(app.chosen()?).await?;
    let reset = {
        let working = Working::start(&app.out);
        let Open { session, lab, target, journal, .. } = &mut open;
        interrupt::unless_interrupted(life::reset(&app.home, session, lab, &**target, journal, &working)).await
    };
    let Some(reset) = reset else {
        return Err(Failure::trouble(format!("interrupted; the reset of {} is not finished", open.session.id))
            .hint("the next breakfix command goes on with it"));
    };
    reset?;
    app.out.say(&format!("{} is broken again, as it was at the start.", open.session.lab));
    Ok(exit::DONE)
}
