//! create, get, list, update, patch, delete: the verbs, in process.

use serde_json::Value;

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
    /// Creates an object, with defaulting, validation and admission.
    ///
    /// # Errors
    /// A [`Status`] in the API's words.
    pub fn create(&mut self, kind: &'static Kind, namespace: &str, body: Value, by: &Actor) -> Result<Value, Status> {
        let _ = (namespace, body, by);
        Err(Status::not_found(kind, ""))
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
        let _ = (namespace, part, by, edit);
        Err(Status::not_found(kind, name))
    }

    /// Deletes: at once, or marks the object where finalizers or a pod's grace stand in the way.
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
        let _ = (namespace, options, by);
        Err(Status::not_found(kind, name))
    }
}
