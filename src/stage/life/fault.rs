//! The fault, made part of the documents where it can be: the learner then meets objects that were never healthy.

use breakfix_lab::{Change, Document, LoadedLab, change::Patch, lab::History};

use super::{LifeError, edit};

/// A system with its fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The documents as the learner is to meet them.
    pub documents: Vec<Document>,
    /// What is left to do to the running system.
    pub live: Vec<Change>,
}

/// Breaks the documents of a lab. With `history: kept` nothing is done to them and all changes are made to the running system.
/// Otherwise every change that edits, adds or deletes a whole document is made here, up to the first that needs a running
/// system (a request, a restart …); that one and all after it are made live.
///
/// # Errors
/// A change names no document, or a document that the system does not have.
pub fn break_system(lab: &LoadedLab) -> Result<Broken, LifeError> {
    let mut broken = Broken { documents: lab.documents.clone(), live: Vec::new() };
    let mut changes = lab.lab.fault.iter();
    if lab.lab.history == History::Erased {
        for change in changes.by_ref() {
            if !edit_documents(lab, &mut broken.documents, change)? {
                broken.live.push(change.clone());
                break;
            }
        }
    }
    broken.live.extend(changes.cloned());
    Ok(broken)
}

/// Whether the change could be made to the documents.
fn edit_documents(lab: &LoadedLab, documents: &mut Vec<Document>, change: &Change) -> Result<bool, LifeError> {
    let unknown = |kind: &str, name: &str| LifeError::Lab {
        lab: lab.id().to_owned(),
        what: format!("the fault changes {kind}/{name}, which is not in system/"),
    };
    match change {
        Change::Patch(Patch {
            kind,
            name: Some(name),
            namespace,
            json: None,
            subresource: None,
            account: None,
            merge,
            strategic,
            ..
        }) => {
            let at = place_of(lab, documents, kind, name, namespace.as_deref());
            let document = at.and_then(|at| documents.get_mut(at)).ok_or_else(|| unknown(kind, name))?;
            if let Some(patch) = merge {
                edit::merge(&mut document.body, patch);
            }
            if let Some(patch) = strategic {
                edit::strategic(&mut document.body, patch);
            }
            Ok(true)
        }
        Change::Delete(delete) if delete.owned_by.is_none() && delete.labels.is_empty() => {
            let name = delete.name.as_deref().unwrap_or("");
            let at = place_of(lab, documents, &delete.kind, name, delete.namespace.as_deref());
            documents.remove(at.ok_or_else(|| unknown(&delete.kind, name))?);
            Ok(true)
        }
        Change::Apply(path) => {
            for new in lab.applied(path).unwrap_or_default() {
                let home = |document: &Document| home_of(lab, document.namespace.as_deref()).map(str::to_owned);
                let same = |old: &&mut Document| old.kind == new.kind && old.name == new.name && home(old) == home(new);
                match documents.iter_mut().find(same) {
                    Some(old) => *old = new.clone(),
                    None => documents.push(new.clone()),
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Where a change finds its document. One that names no namespace means the lab's own, then any that has such an object.
fn place_of(lab: &LoadedLab, documents: &[Document], kind: &str, name: &str, namespace: Option<&str>) -> Option<usize> {
    let named = |document: &Document| document.kind == kind && document.name == name;
    let at_home = documents
        .iter()
        .position(|document| named(document) && home_of(lab, document.namespace.as_deref()) == home_of(lab, namespace));
    at_home.or_else(|| namespace.is_none().then(|| documents.iter().position(named)).flatten())
}

/// The namespace that is meant where none is named: the lab's. Docker and AWS have none.
fn home_of<'a>(lab: &'a LoadedLab, named: Option<&'a str>) -> Option<&'a str> {
    named.or_else(|| lab.namespace())
}

#[cfg(test)]
mod tests {
    use breakfix_lab::Catalogue;

    use super::*;

    fn lab(name: &str) -> LoadedLab {
        Catalogue::embedded().find(name).unwrap().load().unwrap()
    }

    #[test]
    fn an_erased_history_breaks_the_documents() {
        let lab = lab("shop-answers-nobody");
        let broken = break_system(&lab).unwrap();
        assert!(broken.live.is_empty());
        let service = |documents: &[Document]| {
            let service = documents.iter().find(|document| document.kind == "Service" && document.name == "shop");
            service.unwrap().body["spec"]["selector"]["component"].clone()
        };
        assert_ne!(service(&broken.documents), service(&lab.documents));
    }

    #[test]
    fn objects_of_one_name_are_told_apart_by_their_namespace() {
        let mut lab = lab("shop-answers-nobody");
        let service = lab.documents.iter().find(|it| it.kind == "Service" && it.name == "shop").unwrap();
        let twin = Document { namespace: Some("next-door".to_owned()), ..service.clone() };
        lab.documents.insert(0, twin.clone());
        let broken = break_system(&lab).unwrap();
        assert!(broken.documents.contains(&twin), "the neighbour's stays as it is");
        lab.lab.fault = vec![serde_json::from_value(serde_json::json!(
            {"patch": {"kind": "Service", "name": "shop", "namespace": "next-door", "merge": {"spec": {"selector": null}}}}
        ))
        .unwrap()];
        let broken = break_system(&lab).unwrap();
        assert!(
            !broken.documents.contains(&twin)
                && broken.documents.contains(
                    &lab.documents[1..].iter().find(|it| it.kind == "Service" && it.name == "shop").unwrap().clone()
                )
        );
    }

    #[test]
    fn a_kept_history_breaks_the_running_system() {
        let lab = lab("release-stuck-halfway");
        let broken = break_system(&lab).unwrap();
        assert_eq!(broken.documents, lab.documents);
        assert_eq!(broken.live, lab.lab.fault);
    }

    #[test]
    fn what_needs_a_running_system_stays_for_later() {
        let lab = lab("killed-137");
        let broken = break_system(&lab).unwrap();
        assert!(matches!(broken.live.as_slice(), [Change::Request(_)]), "{:?}", broken.live);
    }
}
