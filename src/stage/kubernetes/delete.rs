//! Deleting objects with everything they own and every trace in the events, so that what is made next is the first of its kind.

use std::{collections::BTreeSet, time::Duration};

use breakfix_lab::Document;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    api::Api, belongings, create::named, object, resource::Resource, target::KubeTarget, trouble::Trouble, wait::Wait,
};
use crate::target::{Cause, TargetError};

/// The kinds that belong to others: what the controllers of Kubernetes itself make.
pub(super) const OWNED_KINDS: [&str; 5] = ["ReplicaSet", "Job", "ControllerRevision", "EndpointSlice", "Pod"];
/// How long everything may take to go.
const GONE: Duration = Duration::from_secs(120);
/// How far past its grace a pod may be before it is forced.
const PAST_GRACE: SignedDuration = SignedDuration::from_secs(5);

/// What this command has deleted: uids, and the namespaces they were in.
#[derive(Debug, Default)]
pub(super) struct Gone {
    uids: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

/// Objects on their way out, and what is known to hang on them.
#[derive(Debug, Default)]
struct Doomed {
    /// With their uids where they were still there.
    roots: Vec<Root>,
    /// The uids of all roots and of everything found below them.
    known: BTreeSet<String>,
}

#[derive(Debug)]
struct Root {
    resource: Resource,
    namespace: Option<String>,
    name: String,
    uid: Option<String>,
}

impl KubeTarget {
    pub(super) async fn delete_documents(&self, documents: &[Document]) -> Result<(), TargetError> {
        let api = &*self.api().await?;
        let (mut doomed, mut found_roots) = (Doomed::default(), Vec::new());
        for document in belongings::in_order(documents).into_iter().rev() {
            let Some(resource) = self.resource(document.api_version.as_deref(), &document.kind).await? else {
                continue;
            };
            let namespace = belongings::namespace_of(&self.place, &resource, document.namespace.as_deref());
            let what = format!("delete {}", named(document));
            let found = api.get(&resource, namespace, &document.name).await;
            let found = found.map_err(|trouble| self.cannot(&what, trouble))?;
            if let Some(found) = &found {
                let own = !belongings::needs_label(&self.place, &resource, namespace)
                    || object::is_of_session(found, &self.place.session);
                if !own {
                    return Err(TargetError::new(Cause::Refused, format!("{what}: it is not this session's")));
                }
            }
            let uid = found.as_ref().and_then(object::uid).map(str::to_owned);
            doomed.add(&resource, namespace, &document.name, uid.as_deref());
            if found.is_some() {
                found_roots.push((resource, namespace, document, uid));
            }
        }
        // What hangs on them is learned while the chain is whole: a ReplicaSet goes before its pods, and nobody then tells whose they were.
        let known = self.still_there(api, &mut doomed).await;
        known.map_err(|trouble| self.cannot("see what goes along", trouble))?;
        for (resource, namespace, document, uid) in &found_roots {
            let done = api.delete(resource, *namespace, &document.name, uid.as_deref(), None).await;
            done.map_err(|trouble| self.cannot(format!("delete {}", named(document)), trouble))?;
        }
        self.await_gone(api, &mut doomed).await?;
        self.forget_events(api, &doomed.all_namespaces(), |event| doomed.is_told_of(event)).await?;
        let mut gone = self.gone.lock().await;
        gone.namespaces.extend(doomed.all_namespaces());
        gone.uids.extend(doomed.known);
        Ok(())
    }

    /// Deletes events about what this command has deleted that came after it was gone.
    pub(super) async fn forget_late_events(&self, api: &Api) -> Result<(), TargetError> {
        let gone = self.gone.lock().await;
        let is_late =
            |event: &Value| object::text(event, "/involvedObject/uid").is_some_and(|uid| gone.uids.contains(uid));
        self.forget_events(api, &gone.namespaces, is_late).await
    }

    /// Waits until roots and descendants are gone; pods that hang are forced.
    async fn await_gone(&self, api: &Api, doomed: &mut Doomed) -> Result<(), TargetError> {
        let mut wait = Wait::up_to(GONE);
        loop {
            let left = self
                .still_there(api, doomed)
                .await
                .map_err(|trouble| self.cannot("see whether all is gone", trouble))?;
            let Some(first) = left.first() else { return Ok(()) };
            if !wait.next(self.host.as_ref()).await? {
                let what = format!("delete {first}: it does not go");
                return Err(TargetError::new(Cause::Slow, what)
                    .hint("Something holds it: a finalizer, or a node that does not answer. `kubectl get -o yaml` shows finalizers."));
            }
        }
    }

    /// Names of what is left, roots first.
    async fn still_there(&self, api: &Api, doomed: &mut Doomed) -> Result<Vec<String>, Trouble> {
        let mut left = Vec::new();
        for root in &doomed.roots {
            let Some(uid) = &root.uid else { continue };
            let found = api.get(&root.resource, root.namespace.as_deref(), &root.name).await?;
            if found.as_ref().and_then(object::uid) == Some(uid) {
                left.push(format!("{} {}", root.resource.kind, root.name));
            }
        }
        for namespace in doomed.namespaces() {
            let (now, objects) = owned_objects(api, &namespace).await?;
            doomed.learn(&objects);
            for object in objects.iter().filter(|object| doomed.has(object)) {
                let (kind, name) = (object::text(object, "/kind").unwrap_or_default(), object::name(object));
                left.push(format!("{kind} {name}"));
                if kind == "Pod" && hangs(object, now) {
                    let Some(pods) = Resource::built_in(None, "Pod") else { continue };
                    api.delete(&pods, Some(&namespace), name, object::uid(object), Some(0)).await?;
                }
            }
        }
        Ok(left)
    }

    /// Deletes the events about what is gone: they would tell the learner of a time before the fault.
    async fn forget_events(
        &self,
        api: &Api,
        namespaces: &BTreeSet<String>,
        is_about_it: impl Fn(&Value) -> bool,
    ) -> Result<(), TargetError> {
        let Some(events) = Resource::built_in(None, "Event") else { return Ok(()) };
        let failed = |trouble| self.cannot("delete the events of what is gone", trouble);
        for namespace in namespaces {
            let (_, found) = api.list(&events, Some(namespace), "").await.map_err(failed)?;
            for event in found.iter().filter(|event| is_about_it(event)) {
                api.delete(&events, Some(namespace), object::name(event), None, None).await.map_err(failed)?;
            }
        }
        Ok(())
    }
}

impl Doomed {
    fn add(&mut self, resource: &Resource, namespace: Option<&str>, name: &str, uid: Option<&str>) {
        self.known.extend(uid.map(str::to_owned));
        self.roots.push(Root {
            resource: resource.clone(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            uid: uid.map(str::to_owned),
        });
    }

    /// The namespaces in which something may hang on a root.
    fn namespaces(&self) -> BTreeSet<String> {
        let owners = self.roots.iter().filter(|root| owns_others(&root.resource.kind));
        owners.filter_map(|root| root.namespace.clone()).collect()
    }

    fn all_namespaces(&self) -> BTreeSet<String> {
        self.roots.iter().filter_map(|root| root.namespace.clone()).collect()
    }

    /// Takes note of what hangs on a root, also on one of the name that was gone before: a cut short deletion goes on here.
    fn learn(&mut self, objects: &[Value]) {
        let by_name = |object: &Value| {
            object::list(object, "/metadata/ownerReferences").iter().any(|owner| {
                self.roots.iter().any(|root| {
                    root.uid.is_none()
                        && root.namespace.as_deref() == object::namespace(object)
                        && object::text(owner, "/kind") == Some(root.resource.kind.as_str())
                        && object::text(owner, "/name") == Some(root.name.as_str())
                })
            })
        };
        let orphans: Vec<String> =
            objects.iter().filter(|object| by_name(object)).filter_map(object::uid).map(str::to_owned).collect();
        self.known.extend(orphans);
        let roots: Vec<String> = self.known.iter().cloned().collect();
        for root in roots {
            self.known
                .extend(object::descendants(&root, objects).into_iter().filter_map(object::uid).map(str::to_owned));
        }
    }

    fn has(&self, object: &Value) -> bool {
        object::uid(object).is_some_and(|uid| self.known.contains(uid))
    }

    /// Whether an event is about a root, or about something below one.
    fn is_told_of(&self, event: &Value) -> bool {
        let of = |field: &str| object::text(event, &format!("/involvedObject/{field}"));
        of("uid").is_some_and(|uid| self.known.contains(uid))
            || self.roots.iter().any(|root| of("kind") == Some(&root.resource.kind) && of("name") == Some(&root.name))
    }
}

/// Kinds under which the controllers of Kubernetes make other objects.
fn owns_others(kind: &str) -> bool {
    matches!(
        kind,
        "Deployment"
            | "ReplicaSet"
            | "StatefulSet"
            | "DaemonSet"
            | "Job"
            | "CronJob"
            | "Service"
            | "ReplicationController"
    )
}

/// Every object of the kinds that belong to others, with the server's time.
async fn owned_objects(api: &Api, namespace: &str) -> Result<(Option<Timestamp>, Vec<Value>), Trouble> {
    let resources: Vec<Resource> = OWNED_KINDS.iter().filter_map(|kind| Resource::built_in(None, kind)).collect();
    let lists = resources.iter().map(|resource| api.list(resource, Some(namespace), ""));
    let (mut now, mut objects) = (None, Vec::new());
    for answer in futures::future::join_all(lists).await {
        match answer {
            Ok((at, items)) => {
                now = now.or(at);
                objects.extend(items);
            }
            Err(Trouble::NotServed { .. }) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok((now, objects))
}

/// A pod's `deletionTimestamp` is when its grace ends.
pub(super) fn hangs(pod: &Value, now: Option<Timestamp>) -> bool {
    let grace_over = object::text(pod, "/metadata/deletionTimestamp").and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(grace_over), Some(now)) = (grace_over, now) else { return false };
    now.duration_since(grace_over) > PAST_GRACE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn doomed(uid: Option<&str>) -> Doomed {
        let mut doomed = Doomed::default();
        doomed.add(&Resource::built_in(None, "Deployment").unwrap(), Some("shop"), "web", uid);
        doomed
    }

    fn owned(kind: &str, name: &str, owner: (&str, &str, &str)) -> Value {
        let (owner_kind, owner_name, uid) = owner;
        json!({"kind": kind, "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"),
            "ownerReferences": [{"kind": owner_kind, "name": owner_name, "uid": uid}]}})
    }

    #[test]
    fn what_hangs_on_it_is_known_by_uid_or_when_it_was_gone_before_by_name() {
        let objects = [
            owned("Pod", "web-1-a", ("ReplicaSet", "web-1", "uid-web-1")),
            owned("ReplicaSet", "web-1", ("Deployment", "web", "uid-web")),
            owned("ReplicaSet", "api-1", ("Deployment", "api", "uid-api")),
        ];
        for uid in [Some("uid-web"), None] {
            let mut doomed = doomed(uid);
            doomed.learn(&objects);
            let left: Vec<&str> = objects.iter().filter(|object| doomed.has(object)).map(object::name).collect();
            assert_eq!(left, ["web-1-a", "web-1"], "{uid:?}");
        }
        let mut recreated = doomed(Some("uid-new"));
        recreated.learn(&objects);
        assert!(!objects.iter().any(|object| recreated.has(object)), "another Deployment of the name has its own");
    }

    #[test]
    fn events_about_it_and_its_pods_are_told_apart_from_others() {
        let mut doomed = doomed(Some("uid-web"));
        doomed.known.insert("uid-web-1-a".to_owned());
        let event =
            |kind: &str, name: &str, uid: &str| json!({"involvedObject": {"kind": kind, "name": name, "uid": uid}});
        assert!(doomed.is_told_of(&event("Pod", "web-1-a", "uid-web-1-a")));
        assert!(doomed.is_told_of(&event("Deployment", "web", "older")));
        assert!(!doomed.is_told_of(&event("Service", "web", "x")));
    }

    #[test]
    fn a_pod_hangs_when_its_grace_is_long_over() {
        let pod = json!({"metadata": {"deletionTimestamp": "2026-01-05T09:00:30Z"}});
        let at = |text: &str| Some(text.parse().unwrap());
        assert!(!hangs(&pod, at("2026-01-05T09:00:34Z")));
        assert!(hangs(&pod, at("2026-01-05T09:00:36Z")));
        assert!(!hangs(&pod, None) && !hangs(&json!({}), at("2026-01-05T09:00:36Z")));
    }
}
