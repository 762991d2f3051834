//! Rules put together again for people to read (`pkg/registry/rbac/validation/policy_compact.go`,
//! `pkg/apis/rbac/v1/helpers.go` `CompactString`).

use super::rules::Rule;

/// Pieces that differ in nothing but the verb become one rule.
pub fn compact(pieces: Vec<Rule>) -> Vec<Rule> {
    let mut whole: Vec<Rule> = Vec::new();
    for piece in pieces {
        let is_simple =
            piece.groups.len() == 1 && piece.resources.len() == 1 && piece.paths.is_empty() && piece.names.len() <= 1;
        let alike = |rule: &&mut Rule| {
            rule.groups == piece.groups
                && rule.resources == piece.resources
                && rule.names == piece.names
                && rule.paths.is_empty()
        };
        match whole.iter_mut().find(alike).filter(|_| is_simple) {
            Some(rule) => {
                for verb in piece.verbs {
                    if !rule.verbs.contains(&verb) {
                        rule.verbs.push(verb);
                    }
                }
            }
            None => whole.push(piece),
        }
    }
    whole
}

/// `{APIGroups:[""], Resources:["secrets"], Verbs:["*"]}`.
pub fn shown(rule: &Rule) -> String {
    let lists = [
        ("APIGroups", &rule.groups),
        ("Resources", &rule.resources),
        ("NonResourceURLs", &rule.paths),
        ("ResourceNames", &rule.names),
        ("Verbs", &rule.verbs),
    ];
    let lists =
        lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| format!("{name}:{}", go_list(list)));
    format!("{{{}}}", lists.collect::<Vec<_>>().join(", "))
}

/// A list as Go's `%q` prints one: `["a" "b"]`.
pub fn go_list(list: &[String]) -> String {
    let quoted: Vec<_> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn verbs_of_one_resource_stand_together() {
        let piece = |verb: &str, resource: &str| {
            Rule::read(&json!({"verbs": [verb], "apiGroups": [""], "resources": [resource]}))
        };
        let whole = compact(vec![piece("get", "pods"), piece("get", "secrets"), piece("list", "pods")]);
        let shown: Vec<_> = whole.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}"#
            ]
        );
    }
}
