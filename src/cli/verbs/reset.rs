//! `reset`: the lab as it was when it was opened.

use breakfix_stage::life;

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
    out::Working,
};

pub async fn run(app: &App) -> Result<Exit, Failure> {
    let mut open = app.open_session().await?;
    {
        let working = Working::start(&app.out);
        life::reset(&app.home, &mut open.session, &open.lab, &*open.target, &open.journal, &working).await?;
    }
    app.out.say(&format!("{} is broken again, as it was at the start.", open.session.lab));
    Ok(exit::DONE)
}
