//! What ends a command early: what happened, why, and what to try. Made where a library's error reaches a verb.

use breakfix_lab::{Problems, catalogue::CatalogueError};
use breakfix_stage::{TargetError, home::HomeError, life::LifeError, target::Cause};

use crate::exit::{self, Exit};

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

/// Whose trouble it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command, or what it names.
    Usage,
    /// The target, the machine, or breakfix.
    Trouble,
    /// Whoever reads our output has closed it. Nothing is printed.
    OutputClosed,
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hints: Vec::new() }
    }

    pub fn trouble(message: impl Into<String>) -> Self {
        Self { kind: Kind::Trouble, message: message.into(), hints: Vec::new() }
    }

    /// With what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What happened, without hints.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn exit(&self) -> Exit {
        match self.kind {
            Kind::Usage => exit::USAGE,
            Kind::Trouble => exit::TROUBLE,
            Kind::OutputClosed => exit::DONE,
        }
    }

    /// Prints the failure to stderr; with `--json` as one JSON object.
    pub fn print(&self, json: bool) {
        if self.kind == Kind::OutputClosed {
            return;
        }
        if json {
            let body = serde_json::json!({"error": self.message, "hints": self.hints});
            eprintln!("{body}");
            return;
        }
        eprintln!("error: {}", self.message);
        if !self.hints.is_empty() {
            eprintln!();
        }
        for hint in &self.hints {
            eprintln!("hint: {hint}");
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let failure = match &error {
            HomeError::Nowhere => Self::usage(error.to_string()),
            HomeError::Io { .. } | HomeError::Damaged { .. } | HomeError::Busy { .. } => {
                Self::trouble(error.to_string())
            }
        };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        let message = format!("could not {}", error.chain());
        let kind = match error.cause {
            Cause::Unreachable | Cause::Slow | Cause::Answered | Cause::Denied | Cause::Missing | Cause::Local => {
                Kind::Trouble
            }
            Cause::Refused => Kind::Usage,
        };
        Self { kind, message, hints: error.hints }
    }
}

impl From<LifeError> for Failure {
    fn from(error: LifeError) -> Self {
        let hints = error.hints();
        let kind = match &error {
            LifeError::Unsupported { .. }
            | LifeError::Unshown { .. }
            | LifeError::Clash { .. }
            | LifeError::Lab { .. } => Kind::Usage,
            LifeError::Journal(_) | LifeError::NeverHealthy { .. } | LifeError::NotBroken { .. } => Kind::Trouble,
            LifeError::Target(_) | LifeError::Home(_) => {
                return match error {
                    LifeError::Target(error) => error.into(),
                    LifeError::Home(error) => error.into(),
                    other => Self { kind: Kind::Trouble, message: other.to_string(), hints },
                };
            }
        };
        Self { kind, message: error.to_string(), hints }
    }
}

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        Self::usage(error.to_string()).hint("`breakfix list` shows every lab")
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::usage(problems.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::OutputClosed, message: String::new(), hints: Vec::new() };
        }
        Self::trouble(error.to_string())
    }
}
