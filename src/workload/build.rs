//! Compiles the library once more, together with `main.rs`, into the static Linux program that containers run.
//!
//! `rustc` is called directly: cargo cannot build a dependency for another kind of target inside one build. Where that is
//! not possible the crate still builds, without the program and with the reason.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(embedded)");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    watch(&here);
    let text = match compile(&here, &out) {
        Ok(program) => format!(
            "/// The program, where this machine could compile it.\n\
             pub const PROGRAM: Option<&[u8]> = Some(include_bytes!({program:?}));\n\
             /// Why there is no program; empty where there is one.\n\
             pub const PROGRAM_MISSING: &str = \"\";\n"
        ),
        Err(reason) => {
            println!("cargo::warning=no program for containers: {}", reason.lines().next().unwrap_or_default());
            format!(
                "/// The program, where this machine could compile it.\n\
                 pub const PROGRAM: Option<&[u8]> = None;\n\
                 /// Why there is no program; empty where there is one.\n\
                 pub const PROGRAM_MISSING: &str = {reason:?};\n"
            )
        }
    };
    if let Err(error) = fs::write(out.join("binary.rs"), text) {
        println!("cargo::error=cannot write into {}: {error}", out.display());
    }
}

/// The path of the program, or why there is none.
fn compile(here: &Path, out: &Path) -> Result<PathBuf, String> {
    let target = env::var("TARGET").unwrap_or_default();
    if !target.contains("-linux-") {
        return Err(format!("it is a Linux program, and the target is {target}"));
    }
    let library = out.join("libbreakfix_workload.rlib");
    let program = out.join("workload");
    let features = "cfg(feature, values(\"serde\"))";
    let common = ["--edition=2024", "--cfg=embedded", "--check-cfg=cfg(embedded)", "--check-cfg", features];
    // Small is for those who use it; whoever works on it waits for every build, and a small one takes five times as long.
    let small = env::var("PROFILE").as_deref() == Ok("release");
    let code: &[&str] = if small { &["-Copt-level=s", "-Ccodegen-units=1", "-Clto=fat"] } else { &["-Copt-level=0"] };
    let always = ["-Cpanic=abort", "-Cdebuginfo=0"];
    let mut arguments: Vec<OsString> = common.iter().chain(&always).map(OsString::from).collect();
    if env::var("HOST").as_deref() != Ok(target.as_str()) {
        arguments.push(format!("--target={target}").into());
    }
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("-Clinker=");
        option.push(linker);
        arguments.push(option);
    }
    // Optimising across crates is for the program alone: a library cannot be made so.
    let mut first = rustc(&arguments);
    first.args(code.iter().filter(|option| !option.starts_with("-Clto")));
    first.args(["--crate-type=rlib", "--crate-name=breakfix_workload", "-o"]).arg(&library).arg(here.join("lib.rs"));
    run(first)?;
    let mut dependency = OsString::from("breakfix_workload=");
    dependency.push(&library);
    let mut second = rustc(&arguments);
    second.args(code);
    second.args(["--crate-type=bin", "--crate-name=workload", "-Ctarget-feature=+crt-static", "-Cstrip=symbols"]);
    second.arg("--extern").arg(dependency).arg("-o").arg(&program).arg(here.join("main.rs"));
    run(second)?;
    Ok(program)
}

fn rustc(arguments: &[OsString]) -> Command {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(arguments);
    command
}

fn run(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("rustc cannot be started: {error}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    let first = words.lines().find(|line| line.starts_with("error")).unwrap_or("rustc failed");
    Err(format!("{first}\n{words}"))
}

/// Tell cargo which files the program is made of: all sources but tests.
fn watch(folder: &Path) {
    for path in entries(folder).unwrap_or_default() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" && name != "target" {
            watch(&path);
        } else if name.ends_with(".rs") && !matches!(name, "tests.rs" | "build.rs") {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// What is in a folder, sorted: cargo builds again when the order of what it is told changes.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}
