//! What can go wrong on a target, by whom it concerns.

/// Trouble on a target. Never the learner's mistake: a session maps it to "could not check or provision" (exit code 3), but for
/// [`Cause::Refused`] and [`Cause::Missing`] in `start`, which are answers.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct TargetError {
    /// What breakfix was doing, as a fragment that reads after "could not": `list pods in shop`.
    pub what: String,
    pub cause: Cause,
    /// What to try; whole sentences.
    pub hints: Vec<String>,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody answers: engine down, cluster gone, simulator dead.
    Unreachable,
    /// It answered, but too late.
    Slow,
    /// It answered with an error.
    Answered,
    /// Something in the way that is not ours: a name that is taken, a cluster not confirmed.
    Refused,
    /// The system said no by its own rules, and that is an answer: an account that may not, a budget that refuses, something
    /// awaited that did not come.
    Denied,
    /// A program or ability that this target needs is not there.
    Missing,
    /// Trouble on the learner's own machine: disk full, folder not writable.
    Local,
}

impl TargetError {
    pub fn new(cause: Cause, what: impl Into<String>) -> Self {
        Self { what: what.into(), cause, hints: Vec::new(), source: None }
    }

    /// With what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With the error behind it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The whole chain in one line.
    pub fn chain(&self) -> String {
        causes(self)
    }
}

/// An error and everything behind it, in one line; what a later cause repeats is said once.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = error.source();
    }
    line
}
