//! `patch`, `scale`, `restart`: edits of what is there.

use breakfix_lab::change::{ObjectRef, Patch, Scale};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::{
    kubernetes::{
        api::{Api, PatchKind},
        belongings,
        change::home,
        object,
        resource::Resource,
        target::KubeTarget,
    },
    target::{Cause, TargetError},
};

/// The annotation that `kubectl rollout restart` writes into a template.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// The kinds that `kubectl rollout restart` knows.
const RESTARTED_KINDS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

impl KubeTarget {
    pub(super) async fn patch(&self, patch: &Patch) -> Result<(), TargetError> {
        let resource = self.known_resource(None, &patch.kind).await?;
        let namespace =
            belongings::namespace_of(&self.place, &resource, home(patch.namespace.as_deref(), patch.owned_by.as_ref()));
        let (kind, mut body) = content(patch)?;
        self.host.adapt(&mut body);
        let names = match (&patch.name, &patch.owned_by) {
            (Some(name), None) => vec![name.clone()],
            (None, Some(owner)) => {
                let chosen = self.belonging(&resource, namespace, owner).await?;
                chosen.iter().map(|object| object::name(object).to_owned()).collect()
            }
            _ => return Err(TargetError::new(Cause::Local, "patch: exactly one of `name` and `owned_by` is needed")),
        };
        let api = match &patch.account {
            Some(account) => self.api_as(account).await?.ok_or_else(|| {
                TargetError::new(Cause::Denied, format!("there is no ServiceAccount {}", account.name))
            })?,
            None => self.api().await?,
        };
        for name in names {
            let done = api.patch(&resource, namespace, &name, patch.subresource.as_deref(), kind, &body).await;
            done.map_err(|trouble| match &patch.account {
                Some(account) if trouble.is_forbidden() => {
                    let what = format!("patch {} {name} as ServiceAccount {}", patch.kind, account.name);
                    TargetError::new(Cause::Denied, what).because(trouble)
                }
                _ => self.cannot(format!("patch {} {name}", patch.kind), trouble),
            })?;
        }
        Ok(())
    }

    pub(super) async fn scale(&self, scale: &Scale) -> Result<(), TargetError> {
        let resource = self.known_resource(None, &scale.kind).await?;
        let namespace = belongings::namespace_of(&self.place, &resource, scale.namespace.as_deref());
        let body = json!({"spec": {"replicas": scale.replicas}});
        let api = &*self.api().await?;
        let done = api.patch(&resource, namespace, &scale.name, Some("scale"), PatchKind::Merge, &body).await;
        done.map(drop).map_err(|trouble| self.cannot(format!("scale {} {}", scale.kind, scale.name), trouble))
    }

    pub(super) async fn restart(&self, target: &ObjectRef) -> Result<(), TargetError> {
        let what = format!("restart {} {}", target.kind, target.name);
        if !RESTARTED_KINDS.contains(&target.kind.as_str()) {
            return Err(TargetError::new(Cause::Refused, format!("{what}: restarting is not supported"))
                .hint("A Deployment, StatefulSet or DaemonSet can be restarted; a pod is deleted."));
        }
        let resource = self.known_resource(None, &target.kind).await?;
        let namespace = belongings::namespace_of(&self.place, &resource, target.namespace.as_deref());
        let api = &*self.api().await?;
        let (now, found) =
            with_time(api, &resource, namespace, &target.name).await.map_err(|trouble| self.cannot(&what, trouble))?;
        if found.pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
            // kubectl refuses this on its own side; the API would take the patch and nothing would happen.
            let why = "can't restart paused deployment (run rollout resume first)";
            return Err(TargetError::new(Cause::Refused, format!("{} \"{}\" {why}", resource.word(), target.name)));
        }
        let body =
            json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: restarted_at(&found, now)}}}}});
        let done = api.patch(&resource, namespace, &target.name, None, PatchKind::Strategic, &body).await;
        done.map(drop).map_err(|trouble| self.cannot(what, trouble))
    }
}

/// The object with the server's own time.
async fn with_time(
    api: &Api,
    resource: &Resource,
    namespace: Option<&str>,
    name: &str,
) -> Result<(Timestamp, Value), crate::kubernetes::trouble::Trouble> {
    let answer = api.send(http::Method::GET, &resource.path(namespace, Some(name), None), None).await?;
    Ok((answer.at.unwrap_or_else(Timestamp::now), answer.body))
}

/// A value that differs from the one there: a restart in the second of the last one must not be lost.
fn restarted_at(found: &Value, now: Timestamp) -> String {
    let annotations = found.pointer("/spec/template/metadata/annotations");
    let last = annotations.and_then(|all| all.get(RESTARTED_AT)).and_then(Value::as_str);
    let last = last.and_then(|text| text.parse::<Timestamp>().ok());
    let after = last.and_then(|last| last.checked_add(1.second()).ok());
    let time = after.filter(|after| *after > now).unwrap_or(now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How a patch is sent, and what.
fn content(patch: &Patch) -> Result<(PatchKind, Value), TargetError> {
    match (&patch.merge, &patch.strategic, &patch.json) {
        (Some(body), None, None) => Ok((PatchKind::Merge, body.clone())),
        (None, Some(body), None) => Ok((PatchKind::Strategic, body.clone())),
        (None, None, Some(steps)) => Ok((PatchKind::Json, Value::Array(steps.clone()))),
        _ => Err(TargetError::new(Cause::Local, "patch: exactly one of `merge`, `strategic` and `json` is needed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_in_the_same_second_still_is_one() {
        let now: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let found = |at: &str| json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}});
        assert_eq!(restarted_at(&json!({}), now), "2026-01-05T09:00:00Z");
        assert_eq!(restarted_at(&found("2026-01-05T08:00:00Z"), now), "2026-01-05T09:00:00Z");
        assert_eq!(restarted_at(&found("2026-01-05T09:00:00Z"), now), "2026-01-05T09:00:01Z");
        assert_eq!(
            restarted_at(&found("2026-01-05T11:00:00+02:00"), now),
            "2026-01-05T09:00:01Z",
            "kubectl writes local time"
        );
    }

    #[test]
    fn a_patch_is_one_of_three() {
        let patch = |value: Value| serde_json::from_value::<Patch>(value).unwrap();
        assert_eq!(
            content(&patch(json!({"kind": "Pod", "merge": {"a": null}}))).unwrap(),
            (PatchKind::Merge, json!({"a": null}))
        );
        let (kind, _) = content(&patch(json!({"kind": "Pod", "json": [{"op": "remove", "path": "/a"}]}))).unwrap();
        assert_eq!(kind, PatchKind::Json);
        assert!(content(&patch(json!({"kind": "Pod"}))).is_err());
        assert!(content(&patch(json!({"kind": "Pod", "merge": {}, "strategic": {}}))).is_err());
    }
}
