//! Puts the labs of the repository into the program: writes the list of their files as Rust.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let labs = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../labs");
    println!("cargo::rerun-if-changed={}", labs.display());
    let mut files = Vec::new();
    collect(&labs, "", &mut files).map_err(|error| format!("cannot read the labs in {}: {error}", labs.display()))?;
    files.sort();
    let mut list = fs::File::create(Path::new(&env::var("OUT_DIR")?).join("labs.rs"))?;
    writeln!(list, "&[")?;
    for file in files {
        let path = file.strip_prefix(&labs)?.to_str().ok_or("a lab's file name is not UTF-8")?.replace('\\', "/");
        let full = file.canonicalize()?;
        writeln!(list, "    ({path:?}, include_bytes!({full:?})),")?;
    }
    writeln!(list, "]")?;
    Ok(())
}

/// All files below a folder. Without hidden ones, except where the learner works, and without what editors leave (as `LabSource::from_folder` does).
fn collect(folder: &Path, below: &str, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = format!("{below}{name}");
        let left_behind = name.ends_with('~') || name.ends_with(".swp") || [".git", ".DS_Store"].contains(&&*name);
        // The third part, after the platform and the lab.
        let is_work = path.split('/').nth(2) == Some("work");
        if left_behind || (name.starts_with('.') && !is_work) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
