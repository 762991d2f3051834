//! `lab new|lint|test|schema`: for those who write labs.

mod lint;
mod new;
mod side_by_side;
mod test;

use crate::{
    app::App,
    args::LabVerb,
    exit::{self, Exit},
    failure::Failure,
};

pub async fn run(app: &App, verb: LabVerb) -> Result<Exit, Failure> {
    match verb {
        LabVerb::New { name, platform, dir } => new::run(app, &name, platform, &dir),
        LabVerb::Lint { folders } => lint::run(app, &folders),
        LabVerb::Test(args) => test::run(app, args).await,
        LabVerb::Schema => {
            app.out.line(breakfix_lab::schema::schema_json().trim_end())?;
            Ok(exit::DONE)
        }
    }
}
