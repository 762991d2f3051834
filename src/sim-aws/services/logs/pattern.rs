//! Filter patterns: terms, and `{ $.member = value }` over events that are JSON. The space-delimited form `[a, b]` is not simulated.
//!
//! Source: CloudWatch Logs user guide, "Filter pattern syntax".

use serde_json::Value;

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Terms(Terms),
    /// Alternatives of what must hold together: `&&` binds tighter than `||`.
    Json(Vec<Vec<Comparison>>),
}

/// `a b`: all; `?a ?b`: any; `-a`: none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

/// `$.a.b >= 3`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    path: Vec<String>,
    operator: Operator,
    wanted: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    AtLeast,
    AtMost,
    More,
    Less,
}

const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=", Operator::Equal),
    (">", Operator::More),
    ("<", Operator::Less),
];

impl Pattern {
    /// None for what is not a pattern.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('{') {
            let inner = inner.strip_suffix('}')?;
            let all = |part: &str| part.split("&&").map(Comparison::read).collect::<Option<Vec<_>>>();
            return inner.split("||").map(all).collect::<Option<Vec<_>>>().map(Self::Json);
        }
        if text.starts_with('[') {
            return None;
        }
        Terms::read(text).map(Self::Terms)
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.matches(message),
            Self::Json(alternatives) => {
                let Ok(event) = serde_json::from_str::<Value>(message) else { return false };
                alternatives.iter().any(|all| all.iter().all(|comparison| comparison.holds(&event)))
            }
        }
    }
}

impl Terms {
    fn read(text: &str) -> Option<Self> {
        let mut terms = Self::default();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let list = match first {
                '-' => &mut terms.none,
                '?' => &mut terms.any,
                _ => &mut terms.all,
            };
            let body = rest.trim_start_matches(['-', '?']);
            let (term, after) = match body.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => body.split_once(char::is_whitespace).unwrap_or((body, "")),
            };
            if !term.is_empty() {
                list.push(term.to_owned());
            }
            rest = after.trim_start();
        }
        Some(terms)
    }

    fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has) && (self.any.is_empty() || self.any.iter().any(has)) && !self.none.iter().any(has)
    }
}

impl Comparison {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')').trim();
        let (at, (sign, operator)) = OPERATORS
            .iter()
            .filter_map(|pair| Some((text.find(pair.0)?, *pair)))
            .min_by_key(|(at, (sign, _))| (*at, usize::MAX - sign.len()))?;
        let path = text.get(..at)?.trim().strip_prefix("$.")?;
        let wanted = text.get(at + sign.len()..)?.trim();
        let path = path.split('.').map(|part| part.trim_matches(['[', ']', '"', '\'']).to_owned()).collect();
        Some(Self { path, operator, wanted: wanted.trim_matches('"').to_owned() })
    }

    fn holds(&self, event: &Value) -> bool {
        let found = self.path.iter().try_fold(event, |value, name| value.get(name.as_str()));
        let Some(found) = found else { return false };
        let actual = match found {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let numbers = actual.parse::<f64>().ok().zip(self.wanted.parse::<f64>().ok());
        let equal = match numbers {
            Some((actual, wanted)) => actual.total_cmp(&wanted).is_eq(),
            None => is_like(&actual, &self.wanted),
        };
        match (self.operator, numbers) {
            (Operator::Equal, _) => equal,
            (Operator::NotEqual, _) => !equal,
            (Operator::AtLeast, Some((actual, wanted))) => actual >= wanted,
            (Operator::AtMost, Some((actual, wanted))) => actual <= wanted,
            (Operator::More, Some((actual, wanted))) => actual > wanted,
            (Operator::Less, Some((actual, wanted))) => actual < wanted,
            (_, None) => false,
        }
    }
}

/// A star at the beginning or the end stands for anything.
fn is_like(actual: &str, wanted: &str) -> bool {
    match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(_), Some(_)) => actual.contains(wanted.trim_matches('*')),
        (Some(end), None) => actual.ends_with(end),
        (None, Some(start)) => actual.starts_with(start),
        (None, None) => actual == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, message: &str) -> bool {
        Pattern::read(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_are_all_any_or_none() {
        assert!(fits("", "anything"));
        assert!(fits("ERROR disk", "a disk ERROR") && !fits("ERROR disk", "ERROR"));
        assert!(!fits("error", "ERROR"), "case matters");
        assert!(fits("?ERROR ?WARN", "WARN") && !fits("?ERROR ?WARN", "INFO"));
        assert!(fits("ERROR -retry", "ERROR") && !fits("ERROR -retry", "ERROR, retry"));
        assert!(fits("\"not found\"", "was not found") && !fits("\"not found\"", "found not"));
        assert_eq!(Pattern::read("\"open"), None);
        assert_eq!(Pattern::read("[a, b]"), None);
    }

    #[test]
    fn members_of_json_are_compared() {
        let event = r#"{"level":"error","status":503,"http":{"path":"/order"},"ok":false}"#;
        for (pattern, holds) in [
            ("{ $.level = \"error\" }", true),
            ("{ $.level = error }", true),
            ("{ $.level != \"error\" }", false),
            ("{ $.status >= 500 && $.status < 600 }", true),
            ("{ $.status = 404 || $.http.path = \"/ord*\" }", true),
            ("{ $.http.path = \"*der\" }", true),
            ("{ $.nothing != \"x\" }", false),
            ("{ $.ok = false }", true),
            ("{ $.level > 3 }", false),
        ] {
            assert_eq!(fits(pattern, event), holds, "{pattern}");
        }
        assert!(!fits("{ $.level = \"error\" }", "level=error"));
        assert_eq!(Pattern::read("{ level = 1 }"), None);
        assert_eq!(Pattern::read("{ $.a"), None);
    }
}
