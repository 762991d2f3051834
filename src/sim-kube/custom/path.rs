//! The JSON paths of definitions: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.spec.list[0]`, `.metadata.labels.a\.b`.

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Index(usize),
    /// Every entry of a list, or every member of a map.
    All,
    /// Entries whose member has this value.
    Where(String, String),
}

/// A simple path as a JSON pointer.
pub(super) fn pointer(path: &str) -> String {
    let mut out = String::new();
    for step in parse(path) {
        if let Step::Member(name) = step {
            out.push('/');
            out.push_str(&name.replace('~', "~0").replace('/', "~1"));
        }
    }
    out
}

/// A path's steps. What cannot be read ends it.
pub(super) fn parse(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path.trim().trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let Some((inside, after)) = bracket(after) else { return steps };
            steps.extend(in_brackets(inside));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let (name, after) = word(rest);
            if name.is_empty() && after.len() == rest.len() {
                return steps;
            }
            match name.as_str() {
                "" => {}
                "*" => steps.push(Step::All),
                _ => steps.push(Step::Member(name)),
            }
            rest = after;
        }
    }
    steps
}

/// A member's name up to the next dot or bracket; a backslash keeps a dot.
fn word(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' => return (name, text.get(at..).unwrap_or("")),
            c => name.push(c),
        }
    }
    (name, "")
}

/// What stands in brackets, and what follows them.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, ']') => return Some((text.get(..at)?, text.get(at + 1..)?)),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

fn in_brackets(inside: &str) -> Option<Step> {
    let inside = inside.trim();
    if inside == "*" {
        return Some(Step::All);
    }
    if let Ok(index) = inside.parse() {
        return Some(Step::Index(index));
    }
    let unquoted = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    if let Some(condition) = inside.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        let (member, value) = condition.split_once("==")?;
        return Some(Step::Where(member.trim().trim_start_matches("@.").to_owned(), unquoted(value)));
    }
    Some(Step::Member(unquoted(inside)))
}

/// What a path finds.
pub(super) fn find<'a>(steps: &[Step], object: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![object];
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|value| match step {
                Step::Member(name) => value.get(name).into_iter().collect::<Vec<_>>(),
                Step::Index(index) => value.get(index).into_iter().collect(),
                Step::All => match value {
                    Value::Array(list) => list.iter().collect(),
                    Value::Object(members) => members.values().collect(),
                    _ => Vec::new(),
                },
                Step::Where(member, wanted) => value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|entry| entry.get(member).is_some_and(|value| value.as_str() == Some(wanted)))
                    .collect(),
            })
            .collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_find_what_they_name() {
        let object = json!({
            "spec": {"replicas": 3, "hosts": ["a", "b"]},
            "metadata": {"labels": {"a.b/c": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        for (path, wanted) in [
            (".spec.replicas", json!([3])),
            (".spec.hosts[1]", json!(["b"])),
            (".spec.hosts[*]", json!(["a", "b"])),
            (r".metadata.labels.a\.b/c", json!(["x"])),
            (".metadata.labels['a.b/c']", json!(["x"])),
            (".status.conditions[?(@.type==\"Ready\")].status", json!(["True"])),
            (".status.nope", json!([])),
        ] {
            assert_eq!(json!(find(&parse(path), &object)), wanted, "{path}");
        }
        assert_eq!(pointer(".spec.replicas"), "/spec/replicas");
    }
}
