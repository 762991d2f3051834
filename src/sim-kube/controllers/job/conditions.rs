//! The conditions of a Job.

use serde_json::{Value, json};

use crate::object::{entries, set, text};

/// A condition to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) name: &'static str,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Condition {
    pub(super) fn new(name: &'static str, reason: &str, message: &str) -> Self {
        Self { name, reason: reason.to_owned(), message: message.to_owned() }
    }

    /// The same under another name.
    pub(super) fn as_named(&self, name: &'static str) -> Self {
        Self { name, ..self.clone() }
    }
}

/// A condition of a status (not of the whole object) that is True.
pub(super) fn holding<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    entries(status, "/conditions")
        .iter()
        .find(|condition| text(condition, "/type") == name && text(condition, "/status") == "True")
}

/// `ensureJobConditionStatus`: whether the list changed. A condition that is not there is not made False.
pub(super) fn ensure(status: &mut Value, condition: &Condition, holds: bool, today: &str) -> bool {
    let word = if holds { "True" } else { "False" };
    let fresh = json!({
        "type": condition.name,
        "status": word,
        "reason": condition.reason,
        "message": condition.message,
        "lastProbeTime": today,
        "lastTransitionTime": today,
    });
    let mut list = entries(status, "/conditions").to_vec();
    match list.iter_mut().find(|known| text(known, "/type") == condition.name) {
        Some(known) => {
            let same = text(known, "/status") == word
                && text(known, "/reason") == condition.reason
                && text(known, "/message") == condition.message;
            if same {
                return false;
            }
            *known = fresh;
        }
        None if holds => list.push(fresh),
        None => return false,
    }
    set(status, "/conditions", Value::Array(list));
    true
}

/// The condition by which a Job is over: `Complete` or `Failed`.
pub fn finished(job: &Value) -> Option<&Value> {
    ["Complete", "Failed"].into_iter().find_map(|name| holding(job.get("status")?, name))
}

/// Whether a Job is over.
pub fn is_finished(job: &Value) -> bool {
    finished(job).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_never_was_is_not_made_false() {
        let mut status = json!({});
        let resumed = Condition::new("Suspended", "JobResumed", "Job resumed");
        assert!(!ensure(&mut status, &resumed, false, "now"));
        assert!(ensure(&mut status, &Condition::new("Suspended", "JobSuspended", "Job suspended"), true, "now"));
        assert!(ensure(&mut status, &resumed, false, "later"));
        assert_eq!(status["conditions"][0]["reason"], "JobResumed");
    }
}
