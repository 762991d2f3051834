//! `progress`: which labs are solved, and how well.

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
    keep::Progress,
    out::Tone,
};

pub fn run(app: &App) -> Result<Exit, Failure> {
    let progress = Progress::load(&app.home)?;
    if app.out.json {
        app.out.json(&progress)?;
        return Ok(exit::DONE);
    }
    let all: Vec<String> = app.catalogue.list().map(|source| source.name().to_owned()).collect();
    let solved = all.iter().filter(|name| progress.is_solved(name)).count();
    let width = progress.labs.keys().map(String::len).max().unwrap_or(0);
    for (name, lab) in &progress.labs {
        let mark = if lab.solved.is_some() { app.out.paint(Tone::Good, "solved") } else { "      ".to_owned() };
        app.out.line(&format!("  {mark} {name:<width$}  best {:>3}  {}", lab.best, lab.title))?;
    }
    app.out.line(&format!("{solved} of {} labs solved", all.len()))?;
    Ok(exit::DONE)
}
