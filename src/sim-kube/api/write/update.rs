//! Changing an object: read, edit, check, write.

use breakfix_sim::Key;
use serde_json::Value;

use super::{Options, Touch, Written, decode, stamp_kind};
use crate::{
    Cluster, Kind, Status, access,
    admission::{self, Attempt, quota},
    api::{
        check::{Problems, metadata},
        conversion,
        kinds::{self, Rules},
        managed::track,
        schema::value::seconds_text,
    },
    custom,
    dynamic_admission::{self, Review},
    object::{entries, is_deleting, number, set, text, unset},
};

impl Cluster {
    /// Reads an object, edits a copy and writes it, unless nothing has changed.
    pub(in crate::api) fn update_with(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        touch: Touch,
        options: &Options<'_>,
        edit: impl FnOnce(&mut Value) -> Result<(), Status>,
    ) -> Result<Written, Status> {
        let key = kind.key(namespace, name);
        let old = self.store.get(&key).cloned().ok_or_else(|| Status::not_found(kind, name))?;
        let mut new = conversion::shown(kind, &old);
        edit(&mut new)?;
        let mut warnings = Vec::new();
        let mut new = decode(kind, &new, options.unknown, &mut warnings)?;
        let kind = if conversion::is_converted(kind) {
            new = conversion::stored(kind, &new);
            conversion::storage(kind)
        } else {
            kind
        };
        stamp_kind(kind, &mut new);
        let version = text(&new, "/metadata/resourceVersion");
        if !version.is_empty() && version != text(&old, "/metadata/resourceVersion") {
            return Err(Status::conflict(
                kind,
                name,
                "the object has been modified; please apply your changes to the latest version and try again",
            ));
        }
        same_object(kind, &key, &new, &old)?;
        let rules = kinds::rules(kind);
        let mut new = limit_to(kind, touch, new, &old, rules);
        // What is refused or only tried leaves no trace, not even in what chance draws next.
        let chance = self.chance.clone();
        (rules.defaults)(&mut new);
        if !options.applied && !matches!(touch, Touch::Binding | Touch::Finalize) {
            let now = seconds_text(self.clock.today());
            let manager = options.by.manager.as_str();
            track::changed(track::Write { kind, manager, subresource: touch.subresource(), now: &now }, &old, &mut new);
        }
        let admitted = match touch {
            Touch::Main | Touch::Scale => (rules.admit)(self, &mut new, Some(&old)),
            _ => Ok(()),
        };
        let part = touch.subresource();
        let admitted =
            admitted.and_then(|()| dynamic_admission::mutate(self, &Review::of(kind, part, &new, Some(&old), options)));
        let mut problems = Problems::default();
        metadata::validate(&new, rules.name, kind.namespaced, &mut problems);
        metadata::validate_update(&new, &old, &mut problems);
        match touch {
            Touch::Main | Touch::Scale => {
                (rules.validate)(&new, &mut problems);
                (rules.validate_update)(&new, &old, &mut problems);
                if let Some(custom) = kind.custom {
                    custom::check::validate(custom, &new, Some(&old), &mut problems);
                }
            }
            Touch::EphemeralContainers | Touch::Resize => {
                (rules.validate)(&new, &mut problems);
                kinds::pod_parts::validate(touch, &new, &old, &mut problems);
            }
            Touch::Status if kind.custom.is_some() => {
                if let Some(custom) = kind.custom {
                    custom::check::validate(custom, &new, Some(&old), &mut problems);
                }
            }
            Touch::Status | Touch::Finalize | Touch::Binding | Touch::Approval => {}
        }
        let attempt = Attempt { kind, old: Some(&old), touch };
        let granted = match options.user {
            Some(user) => access::may_grant(self, user, kind, &new, Some(&old)),
            None => Ok(()),
        };
        let checked = admitted.and(granted).and_then(|()| problems.into_result(kind, name)).and_then(|found| {
            warnings.extend(found);
            admission::validate(self, attempt, &new, &mut warnings)?;
            let review = Review::of(kind, part, &new, Some(&old), options);
            dynamic_admission::validate(self, &review, &mut warnings)?;
            quota::check(self, attempt, &new)
        });
        if checked.is_err() || options.dry_run {
            self.chance = chance;
        }
        let charge = checked?;
        if kind.generation && (rules.counts)(&new, &old) && !matches!(touch, Touch::Binding | Touch::Status) {
            set(&mut new, "/metadata/generation", Value::from(number(&old, "/metadata/generation").unwrap_or(0) + 1));
        }
        set(
            &mut new,
            "/metadata/resourceVersion",
            old.pointer("/metadata/resourceVersion").cloned().unwrap_or_default(),
        );
        let new = decode(kind, &new, super::Unknown::Ignore, &mut Vec::new())?;
        if !options.dry_run {
            quota::charge(self, charge);
        }
        self.store_changed(kind, new, &old, options, warnings)
    }

    fn store_changed(
        &mut self,
        kind: &'static Kind,
        new: Value,
        old: &Value,
        options: &Options<'_>,
        warnings: Vec<String>,
    ) -> Result<Written, Status> {
        let name = text(&new, "/metadata/name").to_owned();
        let key = kind.key(text(&new, "/metadata/namespace"), &name);
        let done = |object| Ok(Written { object, warnings, created: false });
        if new == *old || options.dry_run {
            return done(new);
        }
        if is_deleting(&new) && nothing_holds(&new) {
            (kinds::rules(kind).removed)(self, &new);
            self.store.remove(&key);
            return done(new);
        }
        done(Value::clone(&self.store.put(key, new)))
    }
}

/// A body that names a uid means that object and no other.
fn same_object(kind: &Kind, key: &Key, new: &Value, old: &Value) -> Result<(), Status> {
    let (asked, own) = (text(new, "/metadata/uid"), text(old, "/metadata/uid"));
    if asked.is_empty() || asked == own {
        return Ok(());
    }
    let place = [kind.plural, &*key.namespace, &*key.name].into_iter().filter(|part| !part.is_empty());
    let place = place.collect::<Vec<_>>().join("/");
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{place}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in \
         precondition: {asked}, UID in object meta: {own}"
    );
    Err(Status::conflict(kind, &key.name, &why))
}

/// Whether a deleting object may go: no finalizers, no grace, and for a namespace nothing that still empties it.
pub(super) fn nothing_holds(object: &Value) -> bool {
    entries(object, "/metadata/finalizers").is_empty()
        && number(object, "/metadata/deletionGracePeriodSeconds").unwrap_or(0) == 0
        && (text(object, "/kind") != "Namespace" || entries(object, "/spec/finalizers").is_empty())
}

/// Keeps a write to its part of the object.
fn limit_to(kind: &Kind, touch: Touch, mut new: Value, old: &Value, rules: &Rules) -> Value {
    match touch {
        Touch::Status => {
            let mut kept = old.clone();
            match new.get_mut("status").map(Value::take) {
                Some(status) => set(&mut kept, "/status", status),
                None => drop(unset(&mut kept, "/status")),
            }
            // A Deployment's revision is written along with its status (`deployment/strategy.go` puts back spec and labels only).
            if kind.collection == "deployments.apps" {
                match new.pointer("/metadata/annotations").cloned() {
                    Some(annotations) => set(&mut kept, "/metadata/annotations", annotations),
                    None => drop(unset(&mut kept, "/metadata/annotations")),
                }
            }
            kept
        }
        Touch::Finalize => {
            let mut kept = old.clone();
            let finalizers = new.pointer("/spec/finalizers").cloned().unwrap_or(Value::Array(Vec::new()));
            set(&mut kept, "/spec/finalizers", finalizers);
            kept
        }
        Touch::EphemeralContainers | Touch::Resize => kinds::pod_parts::limit_to(touch, &new, old),
        Touch::Approval => {
            let mut kept = old.clone();
            match new.pointer_mut("/status/conditions").map(Value::take) {
                Some(conditions) => set(&mut kept, "/status/conditions", conditions),
                None => drop(unset(&mut kept, "/status/conditions")),
            }
            kept
        }
        Touch::Main | Touch::Scale | Touch::Binding => {
            metadata::keep(&mut new, old);
            if kind.subresources.contains(&"status") && touch != Touch::Binding {
                match old.get("status") {
                    Some(status) => set(&mut new, "/status", status.clone()),
                    None => drop(unset(&mut new, "/status")),
                }
            }
            if touch != Touch::Binding {
                (rules.update)(&mut new, old);
            }
            new
        }
    }
}
