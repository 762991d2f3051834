//! Documents of the groups of custom resources.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Value, json};

use super::{
    Document, paths,
    schemas::{self, PREFIX},
    write,
};
use crate::{Cluster, Kind, custom};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// The schemas that every custom kind needs.
static COMMON: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let mut all = schemas::all();
    all.retain(|name, _| name.starts_with(META) || name.starts_with("io.k8s.api.autoscaling.v1.Scale"));
    all
});

/// The documents of all custom groups: name, document.
pub(super) fn documents(cluster: &Cluster) -> Vec<(String, Document)> {
    let kinds = custom::kinds(cluster);
    let mut groups: Vec<(&str, &str)> = kinds.iter().map(|kind| (kind.group, kind.version)).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
        .into_iter()
        .map(|(group, version)| {
            let own: Vec<&'static Kind> =
                kinds.iter().copied().filter(|kind| kind.group == group && kind.version == version).collect();
            let mut all = COMMON.clone();
            for kind in &own {
                add(kind, &mut all);
            }
            (super::name(group, version), write(&paths::of_kinds(group, version, &own), &all))
        })
        .collect()
}

fn add(kind: &Kind, all: &mut BTreeMap<String, Value>) {
    let name = kind.published();
    let mut schema = kind.custom.map(|custom| custom.schema.clone()).unwrap_or_default();
    let reference = |name: &str| json!({"allOf": [{"$ref": format!("{PREFIX}{name}")}]});
    let text = |description: &str| json!({"description": description, "type": "string"});
    if schema.get("properties").is_none_or(|properties| !properties.is_object()) {
        schema["properties"] = json!({});
    }
    schema["properties"]["apiVersion"] = text("The version of this representation of the object.");
    schema["properties"]["kind"] = text("The kind of the object.");
    schema["properties"]["metadata"] = reference(&format!("{META}.ObjectMeta"));
    let gvk = |kind_name: &str| json!([{"group": kind.group, "version": kind.version, "kind": kind_name}]);
    schema["x-kubernetes-group-version-kind"] = gvk(kind.kind);
    let list_kind = kind.list_kind();
    let list = json!({
        "description": format!("{list_kind} is a list of {}", kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": text("The version of this representation of the list."),
            "kind": text("The kind of the list."),
            "items": {"type": "array", "items": {"$ref": format!("{PREFIX}{name}")}},
            "metadata": reference(&format!("{META}.ListMeta")),
        },
        "x-kubernetes-group-version-kind": gvk(&list_kind),
    });
    all.insert(name.clone(), schema);
    all.insert(format!("{name}List"), list);
}
