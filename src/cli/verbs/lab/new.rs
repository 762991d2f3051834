//! `lab new`: the folder of a lab that lints, to be filled.

use std::{fs, path::Path};

use breakfix_lab::{Platform, template::template};

use crate::{
    app::App,
    exit::{self, Exit},
    failure::Failure,
};

pub fn run(app: &App, name: &str, platform: Platform, dir: &Path) -> Result<Exit, Failure> {
    let files = template(name, platform).map_err(|error| Failure::usage(error.to_string()))?;
    let folder = dir.join(platform.as_str()).join(name);
    if folder.exists() {
        return Err(Failure::usage(format!("{} exists already", folder.display())).hint("choose another name"));
    }
    for (path, text) in &files {
        let path = folder.join(path);
        let write = || -> std::io::Result<()> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, text)
        };
        write().map_err(|error| Failure::trouble(format!("could not write {}: {error}", path.display())))?;
    }
    if app.out.json {
        app.out.json(
            &serde_json::json!({"folder": folder, "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>()}),
        )?;
    } else {
        app.out.line(&folder.display().to_string())?;
        app.out.say(&format!(
            "Next: write it, then `breakfix lab lint {dir}` and `breakfix --labs {dir} lab test {name}`.",
            dir = dir.display()
        ));
    }
    Ok(exit::DONE)
}
