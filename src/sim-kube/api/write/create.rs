//! Creating an object.

use serde_json::Value;

use super::{Options, Touch, Written, decode, stamp_kind};
use crate::{
    Cluster, Kind, Status, access,
    admission::{self, Attempt, quota},
    api::{
        check::{Problems, metadata},
        conversion, kinds,
        managed::track,
        schema::value::seconds_text,
    },
    custom,
    dynamic_admission::{self, Review},
    object::{is_deleting, set, text, unset},
};

/// The letters of generated names: no vowels, nothing that reads like another (apimachinery's `rand.String`).
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: usize = 5;
/// A generated name has at most this many characters before its suffix.
const PREFIX_MAX: usize = 58;
/// How often a generated name that is taken is drawn anew.
const DRAWS: usize = 8;

impl Cluster {
    pub(crate) fn create_with(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        body: Value,
        options: &Options<'_>,
    ) -> Result<Written, Status> {
        let mut warnings = Vec::new();
        let mut object = decode(kind, &body, options.unknown, &mut warnings)?;
        if conversion::is_converted(kind) {
            let stored = conversion::stored(kind, &object);
            let mut written = self.create_with(conversion::storage(kind), namespace, stored, options)?;
            written.warnings.extend(warnings);
            return Ok(written);
        }
        stamp_kind(kind, &mut object);
        settle_namespace(kind, namespace, &mut object)?;
        let rules = kinds::rules(kind);
        (rules.defaults)(&mut object);
        if options.applied {
            // Who owns what came with the object: nobody owns a default.
        } else {
            crate::object::unset(&mut object, "/metadata/managedFields");
            let now = seconds_text(self.clock.today());
            let manager = options.by.manager.as_str();
            track::created(track::Write { kind, manager, subresource: "", now: &now }, &mut object);
        }
        self.namespace_takes(kind, namespace, &object)?;
        if !text(&object, "/metadata/resourceVersion").is_empty() {
            return Err(Status::new(500, "", "resourceVersion should not be set on objects to be created"));
        }
        // What is refused or only tried leaves no trace, not even in what chance draws next.
        let chance = self.chance.clone();
        let made = self.finish(kind, &mut object, rules, options, &mut warnings);
        let key = kind.key(namespace, text(&object, "/metadata/name"));
        let made = made.and_then(|charge| match self.store.get(&key) {
            Some(_) => Err(Status::already_exists(kind, &key.name)),
            None => Ok(charge),
        });
        if made.is_err() || options.dry_run {
            self.chance = chance;
        }
        let charge = made?;
        if !options.dry_run {
            quota::charge(self, charge);
            object = Value::clone(&self.store.put(key, object));
        }
        Ok(Written { object, warnings, created: true })
    }

    /// From the decoded body to what is stored.
    fn finish(
        &mut self,
        kind: &'static Kind,
        object: &mut Value,
        rules: &kinds::Rules,
        options: &Options<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<quota::Charge, Status> {
        let attempt = Attempt { kind, old: None, touch: Touch::Main };
        self.name_it(kind, object);
        set(object, "/metadata/uid", Value::from(self.chance.uuid()));
        set(object, "/metadata/creationTimestamp", Value::from(seconds_text(self.clock.today())));
        for member in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
            unset(object, &format!("/metadata/{member}"));
        }
        admission::mutate(self, attempt, object);
        (rules.create)(object);
        if kind.generation {
            set(object, "/metadata/generation", Value::from(1));
        }
        (rules.admit)(self, object, None)?;
        if let Some(user) = options.user {
            access::may_grant(self, user, kind, object, None)?;
        }
        dynamic_admission::mutate(self, &Review::of(kind, "", object, None, options))?;
        let mut problems = Problems::default();
        metadata::validate(object, rules.name, kind.namespaced, &mut problems);
        (rules.validate)(object, &mut problems);
        if let Some(custom) = kind.custom {
            custom::check::validate(custom, object, None, &mut problems);
        }
        warnings.extend(problems.into_result(kind, text(object, "/metadata/name"))?);
        let mut settled = decode(kind, object, super::Unknown::Refuse, warnings)?;
        std::mem::swap(object, &mut settled);
        admission::validate(self, attempt, object, warnings)?;
        dynamic_admission::validate(self, &Review::of(kind, "", object, None, options), warnings)?;
        quota::check(self, attempt, object)
    }

    fn name_it(&mut self, kind: &Kind, object: &mut Value) {
        let prefix = text(object, "/metadata/generateName");
        if !text(object, "/metadata/name").is_empty() || prefix.is_empty() {
            return;
        }
        let prefix: String = prefix.chars().take(PREFIX_MAX).collect();
        let namespace = text(object, "/metadata/namespace").to_owned();
        let mut name = String::new();
        for _ in 0..DRAWS {
            name = format!("{prefix}{}", self.chance.text(SUFFIX, SUFFIX_LENGTH));
            if self.store.get(&kind.key(&namespace, &name)).is_none() {
                break;
            }
        }
        set(object, "/metadata/name", Value::from(name));
    }

    /// Admission `NamespaceLifecycle`: the namespace is there and stays.
    fn namespace_takes(&self, kind: &Kind, namespace: &str, object: &Value) -> Result<(), Status> {
        if !kind.namespaced {
            return Ok(());
        }
        let Some(found) = self.store.get(&crate::kind::NAMESPACE.key("", namespace)) else {
            return Err(Status::not_found(&crate::kind::NAMESPACE, namespace));
        };
        if is_deleting(found) {
            return Err(Status::namespace_terminating(kind, text(object, "/metadata/name"), namespace));
        }
        Ok(())
    }
}

/// The object's namespace is the request's, or none at all.
fn settle_namespace(kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), Status> {
    let own = text(object, "/metadata/namespace");
    if kind.namespaced {
        if !own.is_empty() && own != namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        set(object, "/metadata/namespace", Value::from(namespace));
    } else if !own.is_empty() {
        return Err(Status::bad_request("namespace is not allowed on cluster-scoped objects"));
    }
    Ok(())
}
