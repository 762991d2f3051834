//! `lab lint`: all that is wrong with labs, each with its place and what to do.

use std::path::PathBuf;

use breakfix_lab::{Catalogue, lint::lint};

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
};

pub fn run(app: &App, folders: &[PathBuf]) -> Result<Exit, Failure> {
    let labs = if folders.is_empty() {
        app.catalogue.list().cloned().collect::<Vec<_>>()
    } else {
        let mut catalogue = Catalogue::default();
        for folder in folders {
            catalogue.add_folder(folder)?;
        }
        catalogue.list().cloned().collect()
    };
    let mut problems = Vec::new();
    for source in &labs {
        problems.extend(lint(source, &breakfix_grade::faults_of));
    }
    let errors = problems.iter().filter(|it| it.is_error()).count();
    if app.out.json {
        app.out.json(&problems)?;
    } else {
        for problem in &problems {
            app.out.line(&problem.to_string())?;
        }
        app.out.say(&format!("{} labs, {errors} errors, {} warnings", labs.len(), problems.len() - errors));
    }
    Ok(if errors == 0 { exit::DONE } else { exit::NOT_YET })
}
