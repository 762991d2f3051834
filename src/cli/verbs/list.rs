//! `list`: the labs, where each can run, and which are solved.

use breakfix_lab::{LabSource, Platform, lab::Difficulty};
use serde::Serialize;

use crate::{
    app::App,
    args::ListArgs,
    exit::{self, Exit},
    failure::Failure,
    keep::Progress,
    out::Tone,
};

/// One lab, as `list --json` prints it. Fields may be added; these stay.
#[derive(Serialize)]
struct Row {
    id: String,
    title: String,
    platform: Platform,
    difficulty: Difficulty,
    minutes: u32,
    topics: Vec<String>,
    /// Where labs of the platform run; whether a target can show this one is probed at `start`.
    targets: Vec<&'static str>,
    requires: Vec<&'static str>,
    solved: bool,
}

pub fn run(app: &App, args: &ListArgs) -> Result<Exit, Failure> {
    let progress = Progress::load(&app.home)?;
    let mut rows = Vec::new();
    for source in app.catalogue.list() {
        match row(source, &progress) {
            Ok(row) => rows.push(row),
            Err(problems) => app.out.say(&format!("warning: {} cannot be read: {problems}", source.root())),
        }
    }
    rows.retain(|row| args.platform.is_none_or(|it| it == row.platform));
    rows.retain(|row| args.difficulty.is_none_or(|it| it == row.difficulty));
    rows.retain(|row| args.topic.as_ref().is_none_or(|topic| row.topics.contains(topic)));
    rows.sort_by(|a, b| {
        (a.platform, a.difficulty, a.minutes, &a.id).cmp(&(b.platform, b.difficulty, b.minutes, &b.id))
    });
    if app.out.json {
        app.out.json(&rows)?;
        return Ok(exit::DONE);
    }
    if rows.is_empty() {
        app.out.say("No lab is like that.");
        return Ok(exit::DONE);
    }
    print(app, &rows)?;
    Ok(exit::DONE)
}

fn row(source: &LabSource, progress: &Progress) -> Result<Row, breakfix_lab::Problems> {
    let lab = source.load()?.lab;
    Ok(Row {
        solved: progress.is_solved(&lab.metadata.name),
        id: lab.metadata.name,
        title: lab.metadata.title,
        platform: lab.platform,
        difficulty: lab.metadata.difficulty,
        minutes: lab.metadata.minutes,
        topics: lab.metadata.topics,
        targets: match lab.platform {
            Platform::Kubernetes => vec!["sim", "kind", "context"],
            Platform::Docker => vec!["docker"],
            Platform::Ecs => vec!["sim", "aws", "endpoint"],
        },
        requires: lab.requires.iter().map(|it| it.as_str()).collect(),
    })
}

fn print(app: &App, rows: &[Row]) -> Result<(), Failure> {
    let out = &app.out;
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let mut platform = None;
    for row in rows {
        if platform != Some(row.platform) {
            if platform.is_some() {
                out.line("")?;
            }
            platform = Some(row.platform);
            let heading = match row.platform {
                Platform::Kubernetes => "Kubernetes",
                Platform::Docker => "Docker",
                Platform::Ecs => "Amazon ECS",
            };
            out.line(&out.paint(Tone::Strong, heading))?;
        }
        let mark = if row.solved { out.paint(Tone::Good, "solved") } else { "      ".to_owned() };
        let level = match row.difficulty {
            Difficulty::Easy => "easy",
            Difficulty::Medium => "medium",
            Difficulty::Hard => "hard",
        };
        let about = format!("{level:<6} {:>3} min", row.minutes);
        out.line(&format!("  {mark} {:<width$}  {}  {}", row.id, out.paint(Tone::Faint, &about), row.title))?;
    }
    out.say("");
    out.say("`breakfix start LAB` opens one; `breakfix start` offers the next.");
    Ok(())
}
