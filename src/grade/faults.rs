//! What is wrong with a check before it is ever asked: for the linter, which knows no expressions and no paths.

use breakfix_lab::Check;

use crate::Judge;

/// All that is wrong with a check as it is written, those it is composed of included: what each word says of itself.
pub fn faults_of(check: &Check) -> Vec<String> {
    check.problems()
}

#[cfg(test)]
mod tests {
    use breakfix_lab::{Catalogue, visit};
    use serde_json::json;

    use super::*;
    use crate::fixture::check;

    #[test]
    fn expressions_and_paths_are_looked_at_wherever_they_stand() {
        let field = |cel: &str| json!({"field": {"kind": "Deployment", "name": "web", "cel": cel, "wanted": "w"}});
        let unchanged = json!({"unchanged": {"kinds": ["Deployment"], "fields": ["spec.containers["]}});
        assert_eq!(faults_of(&check(field("object.spec.replicas == 1"))), Vec::<String>::new());
        assert_eq!(faults_of(&check(json!({"all": [field("1 +"), {"any": [unchanged]}]}))).len(), 2);
    }

    #[test]
    fn the_labs_that_ship_have_none() {
        let mut looked_at = 0;
        for source in Catalogue::embedded().list() {
            let lab = source.load().unwrap_or_else(|error| panic!("{error}"));
            let own = visit::checks(&lab.lab).into_iter().map(|(_, check)| check);
            for check in own.chain(lab.safeguards().iter().map(|it| &it.check)) {
                assert_eq!(faults_of(check), Vec::<String>::new(), "{}", lab.id());
                looked_at += 1;
            }
        }
        assert!(looked_at > 30, "{looked_at}");
    }
}
