//! What is wrong with a check before it is ever asked: for the linter, which knows no expressions and no paths.

use breakfix_lab::Check;

use crate::{Path, field};

/// All that is wrong with the expressions and paths of a check, those it is composed of included.
pub fn faults_of(check: &Check) -> Vec<String> {
    match check {
        Check::All(parts) | Check::Any(parts) | Check::None(parts) => parts.iter().flat_map(faults_of).collect(),
        Check::Field(it) => field::compile(&it.cel).err().into_iter().collect(),
        Check::Unchanged(it) => {
            let excepted = it.except.iter().flat_map(|exception| &exception.fields);
            it.fields.iter().chain(excepted).filter_map(|path| path_fault(path)).collect()
        }
        Check::Identity(it) => it.except.iter().flat_map(|it| &it.fields).filter_map(|path| path_fault(path)).collect(),
        Check::Http(_)
        | Check::RoundTrip(_)
        | Check::Endpoints(_)
        | Check::RolledOut(_)
        | Check::ScaleKept(_)
        | Check::NoNewPower(_)
        | Check::Events(_)
        | Check::Published(_) => Vec::new(),
    }
}

fn path_fault(path: &str) -> Option<String> {
    path.parse::<Path>().err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use breakfix_lab::check::{Field, Unchanged};

    use super::*;

    #[test]
    fn expressions_and_paths_are_looked_at_wherever_they_stand() {
        let field = |cel: &str| {
            Check::Field(Field {
                kind: "Deployment".to_owned(),
                name: Some("web".to_owned()),
                namespace: None,
                labels: Default::default(),
                cel: cel.to_owned(),
                wanted: "w".to_owned(),
            })
        };
        let unchanged = Check::Unchanged(Unchanged {
            kinds: vec!["Deployment".to_owned()],
            name: None,
            namespace: None,
            fields: vec!["spec.containers[".to_owned()],
            additions: false,
            except: Vec::new(),
        });
        assert_eq!(faults_of(&field("object.spec.replicas == 1")), Vec::<String>::new());
        assert_eq!(faults_of(&Check::All(vec![field("1 +"), Check::Any(vec![unchanged])])).len(), 2);
    }
}
