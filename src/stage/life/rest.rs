//! What a trigger has taken away and would have put back itself, had it come to its end: a Deployment that was scaled to nothing and is
//! scaled up three changes later. A trigger ends early when what it awaits does not come, or when somebody interrupts it; the learner's
//! system must not be left as it is then.

use breakfix_lab::{
    Change,
    change::{Delete, ObjectRef, Patch},
};
use serde_json::{Value, json};

use crate::{Target, TargetError, journal::Undo, target::Cause};

/// The member of a journal's note that holds such changes. Targets' own notes have others.
const MEMBER: &str = "rest";

/// What a change edits, where it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Edited<'a> {
    Object {
        kind: &'a str,
        name: &'a str,
        namespace: Option<&'a str>,
    },
    File(&'a str),
    /// Whatever a file of the lab declares.
    Documents,
}

fn edited(change: &Change) -> Option<Edited<'_>> {
    let object = |kind, name, namespace| Some(Edited::Object { kind, name, namespace });
    match change {
        Change::Patch(Patch { kind, name: Some(name), namespace, .. })
        | Change::Delete(Delete { kind, name: Some(name), namespace, .. })
        | Change::Start(ObjectRef { kind, name, namespace })
        | Change::Stop(ObjectRef { kind, name, namespace }) => object(kind, name, namespace.as_deref()),
        Change::Scale(scale) => object(&scale.kind, &scale.name, scale.namespace.as_deref()),
        Change::Recreate(recreate) => object("Container", &recreate.name, None),
        Change::Tag(tag) => object("Image", &tag.name, None),
        Change::Write(write) => Some(Edited::File(&write.path)),
        Change::Apply(_) => Some(Edited::Documents),
        _ => None,
    }
}

/// Whether a change edits again what one of these has edited. A file may bring back what was deleted.
fn puts_back(change: &Change, made: &[Change]) -> bool {
    match edited(change) {
        None => false,
        Some(Edited::Documents) => made.iter().any(|it| matches!(it, Change::Delete(Delete { name: Some(_), .. }))),
        again => made.iter().any(|it| edited(it) == again),
    }
}

/// What is still to be put back, should the change at this place be the last that is begun. It may be half made itself.
pub(super) fn rest(changes: &[Change], at: usize) -> Vec<Change> {
    let (made, left) = changes.split_at((at + 1).min(changes.len()));
    let own = changes.get(at).filter(|change| puts_back(change, changes.get(..at).unwrap_or_default()));
    own.into_iter().chain(left.iter().filter(|change| puts_back(change, made))).cloned().collect()
}

/// The journal's note of it.
pub(super) fn note(rest: &[Change]) -> Value {
    json!({MEMBER: rest})
}

/// The changes of a note, if it is one of these.
pub(super) fn of(note: &Value) -> Option<Vec<Change>> {
    serde_json::from_value(note.get(MEMBER)?.clone()).ok()
}

/// Makes the changes, as far as there is anything left to make them on.
///
/// # Errors
/// The target does not answer; what it refuses is refused.
pub(super) async fn carry_out(target: &dyn Target, undo: &dyn Undo, rest: &[Change]) -> Result<(), TargetError> {
    for change in rest {
        match target.change(change, undo).await {
            // The learner has removed what was to be put back.
            Err(error) if error.cause == Cause::Denied => {}
            made => made?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(yaml: Value) -> Vec<Change> {
        serde_json::from_value(yaml).unwrap()
    }

    fn scale(name: &str, replicas: u32) -> Value {
        json!({"scale": {"kind": "Deployment", "name": name, "replicas": replicas}})
    }

    #[test]
    fn what_is_edited_again_is_still_to_be_put_back() {
        let blip = changes(json!([scale("web", 0), {"wait": "5s"}, scale("web", 3), scale("db", 0), scale("db", 1)]));
        for (at, wanted) in [(0, vec![2]), (1, vec![2]), (2, vec![2]), (3, vec![4]), (4, vec![4])] {
            let wanted: Vec<Change> = wanted.into_iter().filter_map(|it: usize| blip.get(it).cloned()).collect();
            assert_eq!(rest(&blip, at), wanted, "{at}");
        }
        let restart = changes(json!([{"restart": {"kind": "Deployment", "name": "web"}}, {"wait": "5s"}]));
        assert_eq!(rest(&restart, 0), []);
    }

    #[test]
    fn a_file_brings_back_what_was_deleted_and_nothing_else() {
        let again = changes(json!([
            {"delete": {"kind": "Service", "name": "db", "namespace": "other"}},
            {"apply": "controls/db.yaml"},
            {"delete": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "db"}}},
        ]));
        assert_eq!(rest(&again, 0), again[1..2]);
        assert_eq!(rest(&again, 2), []);
        let other = changes(json!([{"delete": {"kind": "Pod", "labels": {"a": "b"}}}, {"apply": "controls/db.yaml"}]));
        assert_eq!(rest(&other, 0), []);
    }

    #[test]
    fn a_note_says_the_changes_and_a_target_s_own_is_none() {
        let blip = changes(json!([scale("web", 3)]));
        assert_eq!(of(&note(&blip)), Some(blip));
        assert_eq!(of(&note(&[])), Some(Vec::new()));
        assert_eq!(of(&json!({"cordoned": "node"})), None);
        assert_eq!(of(&json!("rest")), None);
    }
}
