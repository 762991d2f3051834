//! One rule of a role, and what it allows (`pkg/apis/rbac/v1/evaluation_helpers.go`).

use serde_json::{Value, json};

use super::Attributes;
use crate::object::entries;

const ALL: &str = "*";

/// One rule, read from its object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    pub verbs: Vec<String>,
    pub groups: Vec<String>,
    /// `pods`, `pods/log`, `*/scale`, `*`.
    pub resources: Vec<String>,
    /// Empty: every name, and none.
    pub names: Vec<String>,
    /// `/healthz`, `/api/*`, `*`.
    pub paths: Vec<String>,
}

impl Rule {
    /// A rule as it stands in an object.
    pub fn read(rule: &Value) -> Self {
        let list =
            |key: &str| entries(rule, key).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
        Self {
            verbs: list("/verbs"),
            groups: list("/apiGroups"),
            resources: list("/resources"),
            names: list("/resourceNames"),
            paths: list("/nonResourceURLs"),
        }
    }

    /// The rules of a role.
    pub fn read_all(role: &Value) -> Vec<Self> {
        entries(role, "/rules").iter().map(Self::read).collect()
    }

    /// Everything on every resource.
    pub fn all_resources() -> Self {
        let all = || vec![ALL.to_owned()];
        Self { verbs: all(), groups: all(), resources: all(), ..Self::default() }
    }

    /// Everything on every path.
    pub fn all_paths() -> Self {
        let all = || vec![ALL.to_owned()];
        Self { verbs: all(), paths: all(), ..Self::default() }
    }

    /// The rule as an object holds it, without what it leaves out.
    pub fn object(&self) -> Value {
        let mut object = json!({"verbs": self.verbs});
        let lists = [
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.paths),
        ];
        for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            object[key] = json!(list);
        }
        object
    }

    /// Whether the rule allows this.
    pub fn allows(&self, asked: &Attributes) -> bool {
        if !has(&self.verbs, &asked.verb) {
            return false;
        }
        if !asked.is_resource() {
            return self.paths.iter().any(|own| path_covers(own, &asked.path));
        }
        has(&self.groups, &asked.group)
            && self.resources.iter().any(|own| is_resource(own, asked))
            && (self.names.is_empty() || self.names.contains(&asked.name))
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|own| own == ALL || own == wanted)
}

fn is_resource(own: &str, asked: &Attributes) -> bool {
    let (resource, part) = own.split_once('/').unwrap_or((own, ""));
    own == ALL
        || (resource == asked.resource && part == asked.subresource)
        || (resource == ALL && !part.is_empty() && part == asked.subresource)
}

/// Whether a path of a rule stands for this one.
pub(super) fn path_covers(own: &str, path: &str) -> bool {
    own == ALL || own == path || (own.ends_with(ALL) && path.starts_with(own.trim_end_matches('*')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(value: &Value) -> Rule {
        Rule::read(value)
    }

    fn asked(verb: &str, group: &str, resource: &str, name: &str) -> Attributes {
        let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
        Attributes { subresource: part.to_owned(), ..Attributes::resource(verb, group, resource, "shop", name) }
    }

    #[test]
    fn a_rule_allows_what_it_names_and_no_part_of_it() {
        let rule = rule(&json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}));
        assert!(rule.allows(&asked("get", "", "pods", "a")));
        for other in [
            asked("list", "", "pods", ""),
            asked("get", "apps", "pods", "a"),
            asked("get", "", "pods/log", "a"),
            asked("get", "", "podtemplates", "a"),
            Attributes::path("get", "/pods"),
        ] {
            assert!(!rule.allows(&other), "{other:?}");
        }
    }

    #[test]
    fn stars_stand_for_all() {
        let all = rule(&json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        assert!(all.allows(&asked("patch", "apps", "deployments/scale", "a")));
        assert!(!all.allows(&Attributes::path("get", "/metrics")), "paths are no resources");
        let scales = rule(&json!({"verbs": ["get"], "apiGroups": ["*"], "resources": ["*/scale"]}));
        assert!(scales.allows(&asked("get", "apps", "deployments/scale", "a")));
        assert!(!scales.allows(&asked("get", "apps", "deployments", "a")));
        assert!(!scales.allows(&asked("get", "apps", "deployments/status", "a")));
    }

    #[test]
    fn a_named_object_is_not_a_list() {
        let rule = rule(&json!({"verbs": ["*"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["one"]}));
        assert!(rule.allows(&asked("get", "", "pods", "one")));
        assert!(!rule.allows(&asked("get", "", "pods", "two")));
        assert!(!rule.allows(&asked("list", "", "pods", "")));
        assert!(!rule.allows(&asked("create", "", "pods", "")));
    }

    #[test]
    fn paths_may_end_in_a_star() {
        let rule = rule(&json!({"verbs": ["get"], "nonResourceURLs": ["/api/*", "/version"]}));
        assert!(rule.allows(&Attributes::path("get", "/api/v1")));
        assert!(rule.allows(&Attributes::path("get", "/version")));
        assert!(!rule.allows(&Attributes::path("get", "/version/")));
        assert!(!rule.allows(&Attributes::path("post", "/version")));
    }

    #[test]
    fn a_rule_comes_back_as_it_was_written() {
        let object = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["one"]});
        assert_eq!(rule(&object).object(), object);
    }
}
