//! Whether some rules contain others (`component-helpers/auth/rbac/validation/policy_comparator.go`).

use super::rules::{Rule, path_covers};

/// What `wanted` allows and `owned` does not, in pieces of one verb, one resource and one name each.
pub fn missing(owned: &[Rule], wanted: &[Rule]) -> Vec<Rule> {
    wanted.iter().flat_map(pieces).filter(|piece| !owned.iter().any(|rule| contains(rule, piece))).collect()
}

/// A rule taken apart.
fn pieces(rule: &Rule) -> Vec<Rule> {
    let one = |text: &String| vec![text.clone()];
    let mut pieces = Vec::new();
    for group in &rule.groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                let piece = Rule { verbs: one(verb), groups: one(group), resources: one(resource), ..Rule::default() };
                if rule.names.is_empty() {
                    pieces.push(piece);
                } else {
                    pieces.extend(rule.names.iter().map(|name| Rule { names: one(name), ..piece.clone() }));
                }
            }
        }
    }
    for path in &rule.paths {
        pieces.extend(rule.verbs.iter().map(|verb| Rule { verbs: one(verb), paths: one(path), ..Rule::default() }));
    }
    pieces
}

fn contains(owned: &Rule, piece: &Rule) -> bool {
    let within = |own: &[String], wanted: &[String]| wanted.iter().all(|one| own.contains(one));
    let any_or_within = |own: &[String], wanted: &[String]| own.iter().any(|one| one == "*") || within(own, wanted);
    any_or_within(&owned.verbs, &piece.verbs)
        && any_or_within(&owned.groups, &piece.groups)
        && piece.resources.iter().all(|resource| contains_resource(&owned.resources, resource))
        && (owned.names.is_empty() || !piece.names.is_empty() && within(&owned.names, &piece.names))
        && piece.paths.iter().all(|path| owned.paths.iter().any(|own| path_covers(own, path)))
}

fn contains_resource(owned: &[String], resource: &str) -> bool {
    owned.iter().any(|own| {
        own == "*"
            || own == resource
            || resource.split_once('/').is_some_and(|(_, part)| own.strip_prefix("*/") == Some(part))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]) -> Rule {
        Rule::read(&json!({"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names}))
    }

    #[test]
    fn what_is_missing_is_said_piece_by_piece() {
        let owned = [rule(&[""], &["pods"], &["get", "list"], &[]), rule(&[""], &["secrets"], &["*"], &["a"])];
        assert!(missing(&owned, &[rule(&[""], &["pods"], &["list"], &["x"])]).is_empty(), "all names hold one");
        assert!(missing(&owned, &[rule(&[""], &["secrets"], &["delete"], &["a"])]).is_empty());
        assert_eq!(missing(&owned, &[rule(&[""], &["secrets"], &["get"], &[])]).len(), 1, "one name is not all");
        let wanted = [rule(&[""], &["pods", "pods/log"], &["get", "watch"], &[])];
        assert_eq!(missing(&owned, &wanted).len(), 3);
        assert_eq!(
            missing(&owned, &[rule(&["*"], &["pods"], &["get"], &[])]).len(),
            1,
            "a star is more than what is there"
        );
    }

    #[test]
    fn paths_and_parts_are_covered_by_stars() {
        let owned = [
            Rule::read(&json!({"verbs": ["get"], "nonResourceURLs": ["/api/*"]})),
            rule(&["*"], &["*/scale"], &["*"], &[]),
        ];
        assert!(missing(&owned, &[Rule::read(&json!({"verbs": ["get"], "nonResourceURLs": ["/api/v1"]}))]).is_empty());
        assert!(missing(&owned, &[rule(&["apps"], &["deployments/scale"], &["update"], &[])]).is_empty());
        assert_eq!(missing(&owned, &[rule(&["apps"], &["deployments"], &["update"], &[])]).len(), 1);
    }
}
