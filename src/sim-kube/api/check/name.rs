//! Names of objects: RFC 1123 subdomains and labels, RFC 1035 labels, ports, environment variables (apimachinery's `util/validation`).

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
                     alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end \
                         with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and \
                          end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
                          '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// What rule a kind's names follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    Subdomain,
    Label,
    Label1035,
    /// Anything that can stand in a path.
    PathSegment,
}

/// What is wrong with a name, in the API's words. A `prefix` is a `generateName`: its end may be a dash.
pub fn problems(rule: NameRule, name: &str, prefix: bool) -> Vec<String> {
    let masked;
    let name = if prefix && name.ends_with('-') {
        masked = format!("{}a", name.trim_end_matches('-').to_owned() + &"-".repeat(trailing(name) - 1));
        masked.as_str()
    } else {
        name
    };
    match rule {
        NameRule::Subdomain => subdomain(name),
        NameRule::Label => label(name),
        NameRule::Label1035 => label_1035(name),
        NameRule::PathSegment => path_segment(name),
    }
}

fn trailing(name: &str) -> usize {
    name.len() - name.trim_end_matches('-').len()
}

fn too_long(name: &str, most: usize, problems: &mut Vec<String>) {
    if name.len() > most {
        problems.push(format!("must be no more than {most} bytes"));
    }
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    bytes.iter().all(|byte| plain(byte) || *byte == b'-')
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
}

/// RFC 1123 subdomain, at most 253 bytes.
pub fn subdomain(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    too_long(name, 253, &mut problems);
    if !name.split('.').all(is_label) {
        problems.push(SUBDOMAIN.to_owned());
    }
    problems
}

/// RFC 1123 label, at most 63 bytes.
pub fn label(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    too_long(name, 63, &mut problems);
    if !is_label(name) {
        problems.push(LABEL.to_owned());
    }
    problems
}

/// RFC 1035 label, at most 63 bytes.
pub fn label_1035(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    too_long(name, 63, &mut problems);
    if !is_label(name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        problems.push(LABEL_1035.to_owned());
    }
    problems
}

fn path_segment(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].iter().filter(|bad| name.contains(**bad)).map(|bad| format!("may not contain '{bad}'")).collect()
}

/// A named port: letters, digits, dashes, at least one letter, 15 at most.
pub fn port_name(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 15 {
        problems.push("must be no more than 15 characters".to_owned());
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        problems.push("must contain at least one letter (a-z)".to_owned());
    }
    if name.contains("--") {
        problems.push("must not contain consecutive hyphens".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') {
        problems.push("must not begin or end with a hyphen".to_owned());
    }
    problems
}

/// An environment variable's name: since 1.34 anything printable without `=`.
pub fn env_var(name: &str) -> Vec<String> {
    if name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        Vec::new()
    } else {
        vec![
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
                .to_owned(),
        ]
    }
}

/// A key of a ConfigMap or Secret.
pub fn config_map_key(key: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if key.len() > 253 {
        problems.push("must be no more than 253 bytes".to_owned());
    }
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        problems.push(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or \
             'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                .to_owned(),
        );
    }
    match key {
        "." => problems.push("must not be '.'".to_owned()),
        ".." => problems.push("must not be '..'".to_owned()),
        _ if key.starts_with("..") => problems.push("must not start with '..'".to_owned()),
        _ => {}
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_pass() {
        for name in ["a", "web-1", "a.b-c.d"] {
            assert!(subdomain(name).is_empty(), "{name}");
        }
        assert!(problems(NameRule::Subdomain, "web-", true).is_empty());
        assert!(problems(NameRule::Label, "web--", true).is_empty());
    }

    #[test]
    fn bad_names_are_refused_in_the_apis_words() {
        assert_eq!(
            subdomain("Web_1"),
            [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end \
                 with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                 '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ]
        );
        for name in ["", "-a", "a-", "a..b", "a b"] {
            assert_eq!(subdomain(name).len(), 1, "{name}");
        }
        assert_eq!(label("a.b").len(), 1);
        assert_eq!(label_1035("1a").len(), 1);
        assert_eq!(label(&"a".repeat(64)), ["must be no more than 63 bytes"]);
    }
}
