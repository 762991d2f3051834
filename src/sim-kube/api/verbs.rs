//! create, get, list, update, patch, delete: the verbs, in process. What they share with requests over the wire is `write/`.

use std::sync::Arc;

use serde_json::Value;

use super::write::{Options, Touch};
use crate::{Cluster, Kind, Status};

/// Who acts: for managedFields, admission and audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user: `kubernetes-admin`, `system:kube-controller-manager`, `system:node:worker-1`.
    pub user: String,
    /// The field manager.
    pub manager: String,
}

impl Actor {
    /// A part of the control plane or a node.
    pub fn system(name: &str) -> Self {
        Self { user: format!("system:{name}"), manager: name.to_owned() }
    }
}

/// What part of an object a write may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything but status.
    Main,
    /// Status only.
    Status,
}

/// How to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    pub grace_seconds: Option<i64>,
    /// `Background`, `Foreground`, `Orphan`.
    pub propagation: Option<String>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub dry_run: bool,
}

impl Cluster {
    /// Creates an object, with defaulting, validation and admission. Unknown fields are refused.
    ///
    /// # Errors
    /// A [`Status`] in the API's words.
    pub fn create(&mut self, kind: &'static Kind, namespace: &str, body: Value, by: &Actor) -> Result<Value, Status> {
        self.create_with(kind, namespace, body, &Options::strict(by)).map(|written| written.object)
    }

    /// Reads, edits, writes. An edit that changes nothing writes nothing.
    ///
    /// # Errors
    /// A [`Status`] in the API's words.
    pub fn update(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        part: Part,
        by: &Actor,
        edit: impl FnOnce(&mut Value),
    ) -> Result<Value, Status> {
        let touch = match part {
            Part::Main => Touch::Main,
            Part::Status => Touch::Status,
        };
        let edit = |object: &mut Value| {
            edit(object);
            Ok(())
        };
        self.update_with(kind, namespace, name, touch, &Options::strict(by), edit).map(|written| written.object)
    }

    /// Deletes: at once, or marks the object where finalizers or a pod's grace stand in the way. Gives the object as it is now, or as
    /// it was last.
    ///
    /// # Errors
    /// A [`Status`] in the API's words.
    pub fn delete(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
        by: &Actor,
    ) -> Result<Value, Status> {
        self.delete_with(kind, namespace, name, options, &Options::strict(by)).map(|gone| gone.object)
    }

    /// One object.
    ///
    /// # Errors
    /// 404 in the API's words.
    pub fn get(&self, kind: &'static Kind, namespace: &str, name: &str) -> Result<Arc<Value>, Status> {
        self.store.get(&kind.key(namespace, name)).cloned().ok_or_else(|| Status::not_found(kind, name))
    }

    /// The objects of a kind, in (namespace, name) order; of all namespaces without one.
    pub fn list<'a>(
        &'a self,
        kind: &'static Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Value>> + 'a {
        self.store.list(kind.collection, namespace).map(|(_, object)| object)
    }

    /// Binds a pod to a node, as the scheduler does (`pods/binding`): the only way to set `spec.nodeName` of a pod that exists.
    ///
    /// # Errors
    /// A [`Status`] in the API's words; 409 where the pod has a node already.
    pub fn bind(&mut self, namespace: &str, pod: &str, node: &str, by: &Actor) -> Result<Value, Status> {
        self.bind_with(namespace, pod, node, None, &Options::strict(by)).map(|written| written.object)
    }

    /// Takes the finalizer `kubernetes` off a terminating namespace (`namespaces/finalize`), which then is gone, unless others hold it.
    ///
    /// # Errors
    /// A [`Status`] in the API's words.
    pub fn finalize(&mut self, namespace: &str, by: &Actor) -> Result<Value, Status> {
        let edit = |object: &mut Value| {
            if let Some(list) = object.pointer_mut("/spec/finalizers").and_then(Value::as_array_mut) {
                list.retain(|finalizer| finalizer != "kubernetes");
            }
            Ok(())
        };
        let options = Options::strict(by);
        self.update_with(&crate::kind::NAMESPACE, "", namespace, Touch::Finalize, &options, edit)
            .map(|written| written.object)
    }
}
