//! `${name}` → the parameter's value, in every text of a lab's files.
//!
//! `$${` stands for `${`; `${nonce}` and `${run}` are left for the checks, `${live.NAME}` for the changes of a `with`, `${Kind/name.arn}` and
//! `${aws.region}` for the target. A text that is nothing but one `${name}` with a number
//! becomes that number where a number may stand: nearly everywhere except in the places that are always text
//! (labels, environment, arguments …; [`is_text`]) and under a `!!str` tag.

use std::collections::BTreeSet;

use crate::{
    ecs, live,
    problem::{Place, Problem},
    suggest,
    values::{LATER, Values},
    yaml::{Data, Node},
};

/// Fills in one lab's values and remembers which were used.
pub(crate) struct Fill<'a> {
    pub values: &'a Values,
    /// Parameters that stand somewhere in the files.
    pub used: BTreeSet<String>,
    pub problems: Vec<Problem>,
}

/// Mappings and lists whose entries are text in the platforms' APIs.
const TEXT_INSIDE: [&str; 20] = [
    "labels",
    "annotations",
    "matchLabels",
    "selector",
    "nodeSelector",
    "data",
    "stringData",
    "args",
    "command",
    "Cmd",
    "Entrypoint",
    "Env",
    "Labels",
    "Options",
    "DriverOpts",
    "Sysctls",
    "Aliases",
    "Dns",
    "options",
    "entryPoint",
];

/// Keys whose value is text in the platforms' APIs.
const TEXT_KEYS: [&str; 5] = ["HostPort", "HostIp", "Image", "image", "name"];

impl<'a> Fill<'a> {
    pub fn new(values: &'a Values) -> Self {
        Self { values, used: BTreeSet::new(), problems: Vec::new() }
    }

    /// Fills a tree in.
    pub fn node(&mut self, file: &str, node: &mut Node) {
        self.node_at(file, node, &mut Vec::new());
    }

    /// Fills a text without structure in; its lines are the file's.
    pub fn text(&mut self, file: &str, text: &str) -> String {
        let lines: Vec<String> = text
            .split('\n')
            .enumerate()
            .map(|(index, line)| {
                let line_number = u32::try_from(index + 1).unwrap_or(u32::MAX);
                self.line(file, Place { line: line_number, column: 1 }, line)
            })
            .collect();
        lines.join("\n")
    }

    fn node_at(&mut self, file: &str, node: &mut Node, path: &mut Vec<String>) {
        let place = node.place;
        match &mut node.data {
            Data::Text { text, keep, number } if text.contains("${") => {
                if !*keep && !is_text(path) {
                    *number = only_name(text).and_then(|name| self.values.0.get(name)).and_then(|value| value.number());
                }
                *text = self.line(file, place, text);
            }
            Data::List(items) => {
                for item in items {
                    path.push("-".to_owned());
                    self.node_at(file, item, path);
                    path.pop();
                }
            }
            Data::Map(entries) => {
                let named = entries.iter().any(|entry| entry.key == "name");
                for entry in &mut *entries {
                    // `value` is text beside a `name` (an environment variable), anything in a JSON patch.
                    path.push(if entry.key == "value" && named { "name".to_owned() } else { entry.key.clone() });
                    self.node_at(file, &mut entry.value, path);
                    path.pop();
                    if entry.key.contains("${") {
                        entry.key = self.line(file, entry.place, &entry.key);
                    }
                }
                let mut seen = BTreeSet::new();
                for entry in &*entries {
                    if !seen.insert(entry.key.as_str()) {
                        let message =
                            format!("the key `{}` stands here twice once the parameters are filled in", entry.key);
                        self.problems.push(Problem::error("parameters", file, entry.place, message));
                    }
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, file: &str, place: Place, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, after) = rest.split_at(at);
            let inside = after.strip_prefix("${").unwrap_or_default();
            if let Some(before) = before.strip_suffix('$') {
                filled.push_str(before);
                filled.push_str("${");
                rest = inside;
                continue;
            }
            filled.push_str(before);
            let Some((name, tail)) = inside.split_once('}') else {
                let problem = Problem::error("parameters", file, place, "a `${` without its `}`");
                self.problems.push(problem.help("write `$${` for the two signs themselves"));
                filled.push_str(after);
                return filled;
            };
            rest = tail;
            if LATER.contains(&name) || name.starts_with(live::PREFIX) || ecs::is_for_later(name) {
                filled.push_str(&format!("${{{name}}}"));
            } else if let Some(value) = self.values.0.get(name) {
                self.used.insert(name.to_owned());
                filled.push_str(&value.text());
            } else {
                let names: Vec<_> = self.values.0.keys().map(String::as_str).chain(LATER).collect();
                let near = suggest::nearest(name, names).map(|near| format!("did you mean `${{{near}}}`?"));
                let help = near
                    .unwrap_or_else(|| format!("declare it under `parameters`, or write `$${{{name}}}` for the text"));
                let message = format!("there is no parameter `{name}`");
                self.problems.push(Problem::error("parameters", file, place, message).help(help));
                filled.push_str(&format!("${{{name}}}"));
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// The name, when the text is `${name}` and nothing else.
fn only_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    (!name.contains(['$', '{', '}'])).then_some(name)
}

/// Whether the platforms' APIs always want text here.
fn is_text(path: &[String]) -> bool {
    let mut above = path.iter().rev().map(String::as_str);
    let Some(last) = above.next() else { return false };
    // The mapping or list that the value stands in, lists of mappings not counted.
    let parent = above.next();
    TEXT_KEYS.contains(&last) || parent.is_some_and(|parent| TEXT_INSIDE.contains(&parent))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::{values::Chosen, yaml};

    fn values() -> Values {
        Values(BTreeMap::from([
            ("app".to_owned(), Chosen::Text("web".to_owned())),
            ("port".to_owned(), Chosen::Number(8080)),
        ]))
    }

    fn fill(text: &str) -> (Value, Vec<String>) {
        let (mut page, problems) = yaml::read("x.yaml", text.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
        let values = values();
        let mut fill = Fill::new(&values);
        let node = &mut page.documents[0];
        fill.node("x.yaml", node);
        (node.to_value(), fill.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn fills_texts_and_keys() {
        let (value, problems) = fill(
            "a: http://${app}:${port}/\n${app}.yaml: {${app}: x}\n".replace("{${app}: x}", "{'${app}': x}").as_str(),
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(value, json!({"a": "http://web:8080/", "web.yaml": {"web": "x"}}));
    }

    #[test]
    fn a_number_alone_is_a_number_where_one_may_stand() {
        let text = r#"
spec: {containerPort: "${port}", targetPort: "${port}", note: !!str "${port}", both: "${port}${port}"}
labels: {port: "${port}"}
env: [{name: PORT, value: "${port}"}]
args: [serve, "${port}"]
json: [{op: replace, path: /spec/port, value: "${port}"}]
PortBindings: {"8080/tcp": [{HostPort: "${port}"}]}
"#;
        let wanted = json!({
            "spec": {"containerPort": 8080, "targetPort": 8080, "note": "8080", "both": "80808080"},
            "labels": {"port": "8080"},
            "env": [{"name": "PORT", "value": "8080"}],
            "args": ["serve", "8080"],
            "json": [{"op": "replace", "path": "/spec/port", "value": 8080}],
            "PortBindings": {"8080/tcp": [{"HostPort": "8080"}]},
        });
        assert_eq!(fill(text), (wanted, Vec::new()));
    }

    #[test]
    fn leaves_the_nonce_and_what_is_escaped() {
        let (value, problems) = fill("a: x${nonce}y${run}\nb: $${HOME} and $$${app} $5\n");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(value, json!({"a": "x${nonce}y${run}", "b": "${HOME} and $${app} $5"}));
    }

    #[test]
    fn says_what_is_unknown() {
        let (_, problems) = fill("a: ${prot}\nb: ${HOME}\nc: ${app\n\"${app}\": 1\nweb: 2\n");
        assert_eq!(
            problems,
            [
                "x.yaml:1:4: there is no parameter `prot`; did you mean `${port}`?",
                "x.yaml:2:4: there is no parameter `HOME`; declare it under `parameters`, or write `$${HOME}` for the text",
                "x.yaml:3:4: a `${` without its `}`; write `$${` for the two signs themselves",
                "x.yaml:5:1: the key `web` stands here twice once the parameters are filled in",
            ]
        );
    }

    #[test]
    fn remembers_what_was_used() {
        let values = values();
        let mut fill = Fill::new(&values);
        assert_eq!(fill.text("debrief.md", "one\ntwo ${app}\n"), "one\ntwo web\n");
        assert_eq!(fill.used, BTreeSet::from(["app".to_owned()]));
        fill.text("debrief.md", "one\n${x}\n");
        assert_eq!(fill.problems[0].line, 2);
    }
}
