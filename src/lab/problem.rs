//! What is wrong with a lab's files: where, what, and what to do about it.

use std::fmt;

use serde::Serialize;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The lab cannot be used, or may not ship.
    Error,
    /// The lab works; an author should look at it.
    Warning,
}

/// One thing that is wrong with a lab's files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file, as the author would name it (`labs/docker/x/lab.yaml`); a folder where no file is at fault.
    pub file: String,
    /// From 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// From 1, in characters; 0 when the file as a whole is meant.
    pub column: u32,
    pub message: String,
    /// What to do, where the message does not say it already.
    pub help: Option<String>,
    pub severity: Severity,
    /// Which rule found it: `yaml`, `format`, or the name of a lint rule.
    pub rule: &'static str,
}

/// A place in a text file, both from 1. The default, zero, stands for the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Problem {
    /// An error of `rule` in `file` at `place`.
    pub fn error(rule: &'static str, file: &str, place: Place, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            message: message.into(),
            help: None,
            severity: Severity::Error,
            rule,
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// With a sentence on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the lab is refused for it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        f.write_str(if self.is_error() { ": " } else { ": warning: " })?;
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

/// Everything that is wrong with a lab's files, in the order of files and lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `Ok(value)` when none of the problems is an error, else all of them, sorted.
    ///
    /// # Errors
    /// All problems, when at least one is an error.
    pub fn refuse<T>(value: Option<T>, mut problems: Vec<Problem>) -> Result<T, Self> {
        match value {
            Some(value) if !problems.iter().any(Problem::is_error) => Ok(value),
            _ => {
                problems.sort();
                problems.dedup();
                Err(Self(problems))
            }
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_compilers_do() {
        let place = Place { line: 12, column: 5 };
        let problem = Problem::error("format", "labs/x/lab.yaml", place, "unknown key `serivce`");
        assert_eq!(
            problem.clone().help("did you mean `service`?").to_string(),
            "labs/x/lab.yaml:12:5: unknown key `serivce`; did you mean `service`?"
        );
        assert_eq!(problem.warning().to_string(), "labs/x/lab.yaml:12:5: warning: unknown key `serivce`");
        assert_eq!(
            Problem::error("debrief", "labs/x", Place::default(), "there is no debrief.md").to_string(),
            "labs/x: there is no debrief.md"
        );
    }
}
