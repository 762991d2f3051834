//! What admission is asked: a request, its objects, and who makes it.

use serde_json::{Value, json};

use crate::{Cluster, Kind, api::write::Options, kind::NAMESPACE, object::text};

/// A request that webhooks and policies are asked about.
#[derive(Clone, Copy, Debug)]
pub struct Review<'a> {
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operation: &'static str,
    pub kind: &'static Kind,
    /// Empty for the object as such.
    pub subresource: &'a str,
    /// Empty for objects of no namespace.
    pub namespace: &'a str,
    /// Empty where the name is drawn later.
    pub name: &'a str,
    /// The object as it is to be; null for a deletion.
    pub object: &'a Value,
    /// The object as it is; null for a creation.
    pub old: &'a Value,
    pub user: &'a str,
    pub groups: &'a [String],
    pub dry_run: bool,
}

impl<'a> Review<'a> {
    /// A review of a write: of a new object without `old`, of a deletion with a null `object`.
    pub fn of(
        kind: &'static Kind,
        subresource: &'a str,
        object: &'a Value,
        old: Option<&'a Value>,
        options: &'a Options<'_>,
    ) -> Self {
        let known = if object.is_null() { old.unwrap_or(&Value::Null) } else { object };
        Self {
            operation: match (object.is_null(), old) {
                (true, _) => "DELETE",
                (false, None) => "CREATE",
                (false, Some(_)) => "UPDATE",
            },
            kind,
            subresource,
            namespace: text(known, "/metadata/namespace"),
            name: text(known, "/metadata/name"),
            object,
            old: old.unwrap_or(&Value::Null),
            user: &options.by.user,
            groups: &[],
            dry_run: options.dry_run,
        }
    }

    /// What expressions know as `request`.
    pub fn request(&self) -> Value {
        let kind = json!({"group": self.kind.group, "version": self.kind.version, "kind": self.kind.kind});
        let resource = json!({"group": self.kind.group, "version": self.kind.version, "resource": self.kind.plural});
        json!({
            "kind": kind,
            "resource": resource,
            "subResource": self.subresource,
            "requestKind": kind,
            "requestResource": resource,
            "requestSubResource": self.subresource,
            "name": self.name,
            "namespace": self.namespace,
            "operation": self.operation,
            "userInfo": {"username": self.user, "groups": self.groups, "uid": "", "extra": {}},
            "dryRun": self.dry_run,
            "options": null,
        })
    }

    /// What expressions know as `namespaceObject`: the namespace, or null.
    pub fn namespace_object(&self, cluster: &Cluster) -> Value {
        if !self.kind.namespaced {
            return Value::Null;
        }
        cluster.get(&NAMESPACE, "", self.namespace).map_or(Value::Null, |namespace| Value::clone(&namespace))
    }
}
