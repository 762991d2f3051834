//! The policy of a namespace: three modes, each a level at a version, from its labels (`pod-security-admission/api`).

use std::fmt;

use serde_json::{Value, json};

use crate::api::check::problem::Problem;

const PREFIX: &str = "pod-security.kubernetes.io/";

/// How strict a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Privileged,
    Baseline,
    Restricted,
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        })
    }
}

/// A minor version of the policy (`v1.25`), or the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Minor(u32),
    Latest,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minor(minor) => write!(out, "v1.{minor}"),
            Self::Latest => out.write_str("latest"),
        }
    }
}

/// What one mode asks for: `restricted:latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    pub level: Level,
    pub version: Version,
}

impl fmt::Display for Demand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.level, self.version)
    }
}

/// The demands of a namespace. Audits are written nowhere here, so what they ask for is only checked for its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub enforce: Demand,
    pub warn: Demand,
}

const NOTHING: Demand = Demand { level: Level::Privileged, version: Version::Latest };

/// The policy that a namespace's labels make, and what is wrong with them. A wrong label of `enforce` counts as the strictest; wrong ones
/// of the other modes count for nothing.
pub fn of(namespace: &Value) -> (Policy, Vec<Problem>) {
    let label = |key: &str| {
        let labels = namespace.pointer("/metadata/labels")?;
        labels.get(format!("{PREFIX}{key}"))?.as_str()
    };
    let mut problems = Vec::new();
    let mut mode = |name: &str, when_wrong: Level| {
        let level = label(name).map(|text| {
            level(text).ok_or_else(|| {
                problems.push(problem(name, text, "must be one of privileged, baseline, restricted"));
                when_wrong
            })
        });
        let key = format!("{name}-version");
        let version = label(&key).map(|text| {
            version(text).unwrap_or_else(|| {
                problems.push(problem(&key, text, "must be \"latest\" or \"v1.x\""));
                Version::Latest
            })
        });
        (level, version)
    };
    let flat = |level: Option<Result<Level, Level>>| {
        level.map_or(Level::Privileged, |level| level.unwrap_or_else(|level| level))
    };
    let (enforce, enforce_version) = mode("enforce", Level::Restricted);
    mode("audit", Level::Privileged);
    let (warn, warn_version) = mode("warn", Level::Privileged);
    let enforced = Demand { level: flat(enforce), version: enforce_version.unwrap_or(Version::Latest) };
    let mut warned = Demand { level: flat(warn), version: warn_version.unwrap_or(Version::Latest) };
    // What is enforced on pods is worth a warning on what makes pods.
    if warn.is_none() && matches!(enforce, Some(Ok(level)) if level > warned.level) {
        warned.level = enforced.level;
        warned.version = warn_version.unwrap_or(enforced.version);
    }
    (Policy { enforce: enforced, warn: warned }, problems)
}

/// The policy of a namespace that is not there.
pub const NONE: Policy = Policy { enforce: NOTHING, warn: NOTHING };

fn level(text: &str) -> Option<Level> {
    [Level::Privileged, Level::Baseline, Level::Restricted].into_iter().find(|level| level.to_string() == text)
}

fn version(text: &str) -> Option<Version> {
    if text == "latest" {
        return Some(Version::Latest);
    }
    let minor = text.strip_prefix("v1.")?;
    let is_plain = minor == "0" || !minor.starts_with(['0', '+']);
    minor.parse().ok().filter(|_| is_plain).map(Version::Minor)
}

fn problem(key: &str, value: &str, detail: &str) -> Problem {
    Problem {
        reason: "FieldValueInvalid",
        field: format!("metadata.labels[{PREFIX}{key}]"),
        message: format!("Invalid value: {}: {detail}", json!(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(labels: &[(&str, &str)]) -> Value {
        let labels: serde_json::Map<_, _> =
            labels.iter().map(|(key, value)| (format!("{PREFIX}{key}"), json!(value))).collect();
        json!({"metadata": {"labels": labels}})
    }

    fn shown(labels: &[(&str, &str)]) -> String {
        let (policy, problems) = of(&labelled(labels));
        let problems: Vec<_> = problems.iter().map(|problem| format!(" {}", problem.message)).collect();
        format!("{} {}{}", policy.enforce, policy.warn, problems.concat())
    }

    #[test]
    fn labels_make_a_policy() {
        assert_eq!(shown(&[]), "privileged:latest privileged:latest");
        assert_eq!(shown(&[("enforce", "baseline")]), "baseline:latest baseline:latest", "warns as well");
        assert_eq!(shown(&[("enforce", "baseline"), ("enforce-version", "v1.25")]), "baseline:v1.25 baseline:v1.25");
        assert_eq!(shown(&[("enforce", "restricted"), ("warn", "baseline")]), "restricted:latest baseline:latest");
        assert_eq!(shown(&[("warn", "restricted")]), "privileged:latest restricted:latest");
        assert_eq!(
            shown(&[("enforce", "strict"), ("warn-version", "1.2")]),
            "restricted:latest privileged:latest Invalid value: \"strict\": must be one of privileged, baseline, restricted Invalid \
             value: \"1.2\": must be \"latest\" or \"v1.x\""
        );
        for odd in ["v1.01", "v1.+1", "v2.0", "v1.", ""] {
            assert_eq!(version(odd), None, "{odd}");
        }
    }
}
