//! A learner in a test: the built program, a home of its own, an environment of nothing but PATH, and the real kubectl and docker.

#![allow(dead_code, reason = "each file of tests uses a part of it, and none the same")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

/// One learner. Whatever is open at its end is stopped.
pub struct Learner {
    folder: tempfile::TempDir,
    extra: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Ends the test with everything that was said unless the code is this.
    #[track_caller]
    pub fn code(self, wanted: i32) -> Self {
        assert_eq!(self.code, wanted, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// The JSON on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| {
            panic!("stdout is no JSON: {error}\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err)
        })
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Learner {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), extra: Vec::new() }
    }

    /// With one more variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// What HOME names, the folder they work in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folders of sessions on disk.
    pub fn sessions(&self) -> Vec<PathBuf> {
        let folder = self.home().join("sessions");
        let entries = fs::read_dir(folder).map(|it| it.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
        entries.unwrap_or_default().into_iter().filter(|path| path.is_dir()).collect()
    }

    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear();
        for name in ["PATH", "DOCKER_HOST"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", self.folder.path())
            .env("BREAKFIX_HOME", self.home())
            .env("COLUMNS", "100")
            .envs(self.extra.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .current_dir(self.folder.path());
        command
    }

    /// Runs breakfix.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.command(env!("CARGO_BIN_EXE_breakfix")).args(arguments).output().unwrap().into()
    }

    /// Runs a tool of the learner's in the shell of the lab.
    pub fn tool(&self, arguments: &[&str]) -> Said {
        self.run(&[&["shell", "--"], arguments].concat())
    }

    /// Runs a tool until it says this, or ends the test after the time allowed.
    #[track_caller]
    pub fn until(&self, arguments: &[&str], wanted: &str, within: Duration) {
        let clock = std::time::Instant::now();
        loop {
            let said = self.tool(arguments);
            if said.out.contains(wanted) {
                return;
            }
            assert!(
                clock.elapsed() < within,
                "`{}` never said `{wanted}`\n--- stdout\n{}\n--- stderr\n{}",
                arguments.join(" "),
                said.out,
                said.err
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        if !self.sessions().is_empty() {
            let said = self.run(&["stop", "--all"]);
            if said.code != 0 && !std::thread::panicking() {
                panic!("`stop --all` failed\n{}\n{}", said.out, said.err);
            }
        }
    }
}

/// Whether a tool is there. Where it is not the test says so and is skipped, unless BREAKFIX_REQUIRE names it.
pub fn have(what: &str) -> bool {
    let arguments: &[&str] = match what {
        "docker" => &["info"],
        "script" => &["--version"],
        _ => &["version", "--client"],
    };
    let answered = Command::new(what).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if answered.is_ok_and(|status| status.success()) {
        return true;
    }
    let required = std::env::var("BREAKFIX_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|it| it == what), "{what} is required here and missing");
    let name = if what == "docker" { "Docker engine" } else { what };
    println!("skipped: no {name}");
    false
}
