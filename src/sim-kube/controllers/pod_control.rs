//! How controllers make and delete their pods, and what they say of it (`RealPodControl` of `controller_utils.go`).

use serde_json::{Value, json};

use super::{
    events::{self, Note},
    owner,
};
use crate::{
    Cluster, Kind, Status,
    api::{
        select::label::of as selector_of,
        verbs::{Actor, DeleteOptions},
    },
    kind,
    object::{entries, is_deleting, name, namespace, text, uid},
};

/// A controller that owns pods.
#[derive(Clone, Copy, Debug)]
pub struct Keeper {
    /// The kind of the owners.
    pub kind: &'static Kind,
    /// The component that its events name.
    pub component: &'static str,
    /// Its service account in `kube-system`.
    pub account: &'static str,
}

impl Keeper {
    /// As whom it acts.
    pub fn actor(&self) -> Actor {
        actor(self.account)
    }

    /// A pod of `owner` as its template has it, without a name.
    pub fn pod(&self, owner: &Value, template: &Value) -> Value {
        let mut metadata = json!({
            "generateName": format!("{}-", name(owner)),
            "namespace": namespace(owner),
            "ownerReferences": [owner::reference(self.kind, owner)],
        });
        for copied in ["labels", "annotations", "finalizers"] {
            if let Some(value) = template["metadata"].get(copied) {
                metadata[copied] = value.clone();
            }
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    }

    /// Makes a pod and records it on the owner.
    ///
    /// # Errors
    /// The API refused it.
    pub fn create(&self, cluster: &mut Cluster, owner: &Value, pod: Value) -> Result<Value, Status> {
        match cluster.create(&kind::POD, namespace(owner), pod, &self.actor()) {
            Ok(pod) => {
                let message = format!("Created pod: {}", name(&pod));
                events::record(cluster, self.component, owner, Note::normal("SuccessfulCreate", &message));
                Ok(pod)
            }
            Err(status) => {
                if !is_namespace_terminating(&status) {
                    let message = format!("Error creating: {status}");
                    events::record(cluster, self.component, owner, Note::warning("FailedCreate", &message));
                }
                Err(status)
            }
        }
    }

    /// Makes so many pods (`slowStartBatch`: one, then two, four, eight …; a batch with a failure is the last); how many there are, and
    /// the failure.
    pub fn create_all(&self, cluster: &mut Cluster, owner: &Value, pods: Vec<Value>) -> (usize, Result<(), Status>) {
        let mut made = 0;
        let mut left = pods.into_iter().peekable();
        let mut batch = 1;
        while left.peek().is_some() {
            let mut failed = None;
            for pod in left.by_ref().take(batch) {
                match self.create(cluster, owner, pod) {
                    Ok(_) => made += 1,
                    // The namespace is going: trying again is of no use, and no failure either.
                    Err(status) if is_namespace_terminating(&status) => return (made, Ok(())),
                    Err(status) => failed = Some(status),
                }
            }
            if let Some(status) = failed {
                return (made, Err(status));
            }
            batch *= 2;
        }
        (made, Ok(()))
    }

    /// Deletes a pod and records it on the owner; one that is gone or going already is none of its business.
    ///
    /// # Errors
    /// The API refused it.
    pub fn delete(&self, cluster: &mut Cluster, owner: &Value, pod: &Value) -> Result<(), Status> {
        let options = DeleteOptions { uid: Some(uid(pod).to_owned()), ..DeleteOptions::default() };
        match cluster.delete(&kind::POD, namespace(pod), name(pod), &options, &self.actor()) {
            Ok(_) => {
                let message = format!("Deleted pod: {}", name(pod));
                events::record(cluster, self.component, owner, Note::normal("SuccessfulDelete", &message));
                Ok(())
            }
            Err(status) if status.code == 404 => Ok(()),
            Err(status) => {
                let message = format!("Error deleting: {status}");
                events::record(cluster, self.component, owner, Note::warning("FailedDelete", &message));
                Err(status)
            }
        }
    }
}

/// A controller of the controller manager, under its own service account.
pub fn actor(account: &str) -> Actor {
    Actor { user: format!("system:serviceaccount:kube-system:{account}"), manager: "kube-controller-manager".into() }
}

/// Whether a creation was refused because its namespace is going.
pub fn is_namespace_terminating(status: &Status) -> bool {
    status.code == 403 && status.message.contains("because it is being terminated")
}

/// Whether an object carries this finalizer.
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    entries(object, "/metadata/finalizers").iter().any(|entry| entry == finalizer)
}

/// Takes a finalizer off a pod; a pod that is gone has none.
///
/// # Errors
/// The API refused it.
pub fn drop_finalizer(cluster: &mut Cluster, pod: &Value, finalizer: &str, by: &Actor) -> Result<(), Status> {
    use crate::api::verbs::Part;
    let done = cluster.update(&kind::POD, namespace(pod), name(pod), Part::Main, by, |pod| {
        let mut finalizers = entries(pod, "/metadata/finalizers").to_vec();
        finalizers.retain(|entry| entry != finalizer);
        if finalizers.is_empty() {
            crate::object::unset(pod, "/metadata/finalizers");
        } else {
            crate::object::set(pod, "/metadata/finalizers", Value::Array(finalizers));
        }
    });
    match done {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}

/// The pods a controller of this kind may be concerned by: named by the pod's controller, or, for a pod without one, by selector.
pub fn owners_concerned(
    cluster: &Cluster,
    event: &breakfix_sim::StoreEvent,
    kind: &'static Kind,
) -> Vec<breakfix_sim::Key> {
    let space = &event.key.namespace;
    let mut keys: Vec<_> =
        owner::controllers_concerned(event, kind).into_iter().map(|owner| kind.key(space, &owner)).collect();
    if crate::object::controller(&event.object).is_none() && !is_deleting(&event.object) {
        let fitting = cluster
            .store
            .list(kind.collection, Some(space))
            .filter(|(_, owner)| super::selector::selects(Some(&selector_of(kind, owner)), &event.object));
        keys.extend(fitting.map(|(key, _)| key.clone()));
    }
    keys
}

/// A label of an object, or nothing.
pub fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["labels"][key].as_str().unwrap_or("")
}

/// An annotation of an object, or nothing.
pub fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"][key].as_str().unwrap_or("")
}

/// Which of two pods of one place came first: by age, those that wait last.
pub fn older(left: &Value, right: &Value) -> std::cmp::Ordering {
    let waits = |pod: &Value| text(pod, "/spec/nodeName").is_empty();
    let born = |pod: &Value| text(pod, "/metadata/creationTimestamp").to_owned();
    waits(left).cmp(&waits(right)).then_with(|| born(left).cmp(&born(right))).then_with(|| name(left).cmp(name(right)))
}
