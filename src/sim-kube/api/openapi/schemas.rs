//! Schemas of the API's types: k8s-openapi's, completed with what the table knows.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        admissionregistration::v1::{
            MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
            ValidatingWebhookConfiguration,
        },
        apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet},
        authentication::v1::{SelfSubjectReview, TokenRequest, TokenReview},
        authorization::v1::{
            LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview,
        },
        autoscaling::{
            v1::{HorizontalPodAutoscaler as OldHorizontalPodAutoscaler, Scale},
            v2::HorizontalPodAutoscaler,
        },
        batch::v1::{CronJob, Job},
        certificates::v1::CertificateSigningRequest,
        coordination::v1::Lease,
        core::v1::{
            Binding, ConfigMap, Endpoints, Event, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim,
            Pod, PodTemplate, ReplicationController, ResourceQuota, Secret, Service, ServiceAccount,
        },
        discovery::v1::EndpointSlice,
        events::v1::Event as EventsEvent,
        networking::v1::{Ingress, IngressClass, NetworkPolicy},
        node::v1::RuntimeClass,
        policy::v1::{Eviction, PodDisruptionBudget},
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
        scheduling::v1::PriorityClass,
        storage::v1::StorageClass,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::{DeleteOptions, ListMeta, Status},
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    api::schema::{self, Field, ListType, Shape, Type},
    kind::{KINDS, QUESTIONS, READINGS},
};

/// What stands before a schema's name in a reference.
pub(super) const PREFIX: &str = "#/components/schemas/";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// Every schema, by name.
pub(super) fn all() -> BTreeMap<String, Value> {
    let settings = SchemaSettings::draft07().with(|settings| {
        "/components/schemas".clone_into(settings.definitions_path.to_mut());
        settings.meta_schema = None;
    });
    let mut all: BTreeMap<String, Value> = definitions(settings.into_generator()).into_iter().collect();
    for (name, schema) in &mut all {
        complete(name, schema);
    }
    for kind in READINGS {
        made(&mut all, kind.schema);
    }
    for kind in KINDS.iter().chain(READINGS) {
        let gvk = json!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
        mark(&mut all, kind.schema, gvk);
        let list = json!([{"group": kind.group, "version": kind.version, "kind": format!("{}List", kind.kind)}]);
        all.insert(format!("{}List", kind.schema), list_schema(kind.kind, kind.schema, &list));
    }
    for question in QUESTIONS {
        let gvk = json!([{"group": question.group, "version": question.version, "kind": question.kind}]);
        mark(&mut all, question.schema, gvk);
    }
    for (group, kind, name) in [
        ("autoscaling", "Scale", "io.k8s.api.autoscaling.v1.Scale"),
        ("policy", "Eviction", "io.k8s.api.policy.v1.Eviction"),
        ("authentication.k8s.io", "TokenRequest", "io.k8s.api.authentication.v1.TokenRequest"),
        ("", "Binding", "io.k8s.api.core.v1.Binding"),
    ] {
        mark(&mut all, name, json!([{"group": group, "version": "v1", "kind": kind}]));
    }
    all.insert(
        format!("{META}.Patch"),
        json!({
            "description": "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.",
            "type": "object",
        }),
    );
    all
}

fn definitions(mut generator: SchemaGenerator) -> Map<String, Value> {
    generator.subschema_for::<Pod>();
    generator.subschema_for::<Service>();
    generator.subschema_for::<ConfigMap>();
    generator.subschema_for::<Secret>();
    generator.subschema_for::<ServiceAccount>();
    generator.subschema_for::<Namespace>();
    generator.subschema_for::<Node>();
    generator.subschema_for::<Event>();
    generator.subschema_for::<Endpoints>();
    generator.subschema_for::<Binding>();
    generator.subschema_for::<Deployment>();
    generator.subschema_for::<ReplicaSet>();
    generator.subschema_for::<EndpointSlice>();
    for more in MORE {
        more(&mut generator);
    }
    generator.subschema_for::<EventsEvent>();
    generator.subschema_for::<Eviction>();
    generator.subschema_for::<Scale>();
    generator.subschema_for::<SelfSubjectReview>();
    generator.subschema_for::<TokenRequest>();
    generator.subschema_for::<LocalSubjectAccessReview>();
    generator.subschema_for::<SelfSubjectAccessReview>();
    generator.subschema_for::<SelfSubjectRulesReview>();
    generator.subschema_for::<SubjectAccessReview>();
    generator.subschema_for::<DeleteOptions>();
    generator.subschema_for::<ListMeta>();
    generator.subschema_for::<Status>();
    generator.take_definitions(false)
}

/// The kinds that came later, each as a function that asks for its schema.
const MORE: [fn(&mut SchemaGenerator); 32] = [
    wanted::<ControllerRevision>,
    wanted::<DaemonSet>,
    wanted::<StatefulSet>,
    wanted::<HorizontalPodAutoscaler>,
    wanted::<OldHorizontalPodAutoscaler>,
    wanted::<CronJob>,
    wanted::<Job>,
    wanted::<CertificateSigningRequest>,
    wanted::<Lease>,
    wanted::<LimitRange>,
    wanted::<PersistentVolume>,
    wanted::<PersistentVolumeClaim>,
    wanted::<PodTemplate>,
    wanted::<ReplicationController>,
    wanted::<ResourceQuota>,
    wanted::<Ingress>,
    wanted::<IngressClass>,
    wanted::<NetworkPolicy>,
    wanted::<RuntimeClass>,
    wanted::<PodDisruptionBudget>,
    wanted::<ClusterRole>,
    wanted::<ClusterRoleBinding>,
    wanted::<Role>,
    wanted::<RoleBinding>,
    wanted::<PriorityClass>,
    wanted::<StorageClass>,
    wanted::<MutatingWebhookConfiguration>,
    wanted::<ValidatingWebhookConfiguration>,
    wanted::<ValidatingAdmissionPolicy>,
    wanted::<ValidatingAdmissionPolicyBinding>,
    wanted::<CustomResourceDefinition>,
    wanted::<TokenReview>,
];

fn wanted<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// Writes the schema of a type that k8s-openapi does not have, and of what it holds.
fn made(all: &mut BTreeMap<String, Value>, name: &str) {
    let Some(of) = schema::find(name).filter(|_| !all.contains_key(name)) else { return };
    let mut properties = Map::new();
    if of.root {
        for member in ["apiVersion", "kind"] {
            properties.insert(member.to_owned(), json!({"type": "string"}));
        }
    }
    for field in &of.fields {
        properties.insert(field.name.to_owned(), of_shape(&field.shape));
    }
    let mut schema = json!({"description": of.short(), "type": "object", "properties": properties});
    complete(name, &mut schema);
    all.insert(name.to_owned(), schema);
    for field in &of.fields {
        let mut shape = &field.shape;
        while let Some(inner) = shape.inner() {
            shape = inner;
        }
        if let Shape::Object(inner) = shape {
            made(all, inner);
        }
    }
}

fn of_shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text(_) | Shape::Duration => json!({"type": "string"}),
        Shape::Bytes => json!({"type": "string", "format": "byte"}),
        Shape::Time | Shape::MicroTime => json!({"type": "string", "format": "date-time"}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int32 => json!({"type": "integer", "format": "int32"}),
        Shape::Int64 => json!({"type": "integer", "format": "int64"}),
        Shape::Double => json!({"type": "number", "format": "double"}),
        Shape::Quantity => json!({"$ref": format!("{PREFIX}io.k8s.apimachinery.pkg.api.resource.Quantity")}),
        Shape::IntOrString => json!({"$ref": format!("{PREFIX}io.k8s.apimachinery.pkg.util.intstr.IntOrString")}),
        Shape::Raw | Shape::Fields => json!({"type": "object"}),
        Shape::Object(name) => json!({"$ref": format!("{PREFIX}{name}")}),
        Shape::List(inner) => json!({"type": "array", "items": of_shape(inner)}),
        Shape::Map(inner) => json!({"type": "object", "additionalProperties": of_shape(inner)}),
    }
}

fn mark(all: &mut BTreeMap<String, Value>, name: &str, gvk: Value) {
    if let Some(schema) = all.get_mut(name) {
        schema["x-kubernetes-group-version-kind"] = gvk;
    }
}

fn list_schema(kind: &str, name: &str, gvk: &Value) -> Value {
    let text = |description: &str| json!({"description": description, "type": "string"});
    json!({
        "description": format!("{kind}List is a list of {kind} objects."),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": text("The version of this representation of the list."),
            "kind": text("The kind of the list."),
            "items": {"description": "The objects.", "type": "array", "items": {"$ref": format!("{PREFIX}{name}")}},
            "metadata": reference(&format!("{META}.ListMeta"), "Standard list metadata.", Some(json!({}))),
        },
        "x-kubernetes-group-version-kind": gvk,
    })
}

/// A reference with a description, which OpenAPI 3.0 allows only around it.
fn reference(name: &str, description: &str, default: Option<Value>) -> Value {
    let mut schema = json!({"description": description, "allOf": [{"$ref": format!("{PREFIX}{name}")}]});
    if let Some(default) = default {
        schema["default"] = default;
    }
    schema
}

/// Adds what the table knows to a schema.
fn complete(name: &str, schema: &mut Value) {
    match name.rsplit('.').next() {
        Some("Quantity") if name.ends_with("resource.Quantity") => {
            forms(schema, &json!([{"type": "string"}, {"type": "number"}]), "");
            return;
        }
        Some("IntOrString") => {
            forms(schema, &json!([{"type": "integer"}, {"type": "string"}]), "int-or-string");
            return;
        }
        _ => {}
    }
    let Some(of) = schema::find(name) else { return };
    if of.atomic {
        schema["x-kubernetes-map-type"] = json!("atomic");
    }
    let required: Vec<_> = of.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    if let Some(members) = schema.as_object_mut() {
        members.remove("required");
        if !required.is_empty() {
            members.insert("required".to_owned(), json!(required));
        }
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        property_of(of, name, property);
    }
}

fn forms(schema: &mut Value, forms: &Value, format: &str) {
    if let Some(members) = schema.as_object_mut() {
        members.remove("x-kubernetes-int-or-string");
        members.insert("oneOf".to_owned(), forms.clone());
        if !format.is_empty() {
            members.insert("format".to_owned(), json!(format));
        }
    }
}

fn property_of(of: &Type, name: &str, property: &mut Value) {
    let field = of.field(name);
    if let Some(target) = property.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix(PREFIX)) {
        let description = property.get("description").and_then(Value::as_str).unwrap_or("").to_owned();
        *property = reference(target, &description, None);
    }
    let Some(field) = field else { return };
    if let Some(default) = default_of(field) {
        property["default"] = default;
    }
    if let Some(values) = schema::enumeration(&field.shape) {
        property["enum"] = json!(values);
    } else if let Some(values) = field.shape.inner().and_then(schema::enumeration) {
        let inner = if matches!(field.shape, Shape::Map(_)) { "additionalProperties" } else { "items" };
        property[inner]["enum"] = json!(values);
    }
    match (&field.shape, &field.list) {
        (Shape::List(_), ListType::Atomic) if field.atomic => property["x-kubernetes-list-type"] = json!("atomic"),
        (Shape::List(_), ListType::Set) => property["x-kubernetes-list-type"] = json!("set"),
        (Shape::List(_), ListType::Map(keys)) => {
            property["x-kubernetes-list-type"] = json!("map");
            property["x-kubernetes-list-map-keys"] = json!(keys);
        }
        (Shape::Map(_) | Shape::Object(_), _) if field.atomic => property["x-kubernetes-map-type"] = json!("atomic"),
        _ => {}
    }
    let strategies: Vec<_> = [(field.merge, "merge"), (field.retain_keys, "retainKeys")]
        .into_iter()
        .filter_map(|(given, name)| given.then_some(name))
        .collect();
    if !strategies.is_empty() {
        property["x-kubernetes-patch-strategy"] = json!(strategies.join(","));
    }
    if let Some(key) = field.merge_key {
        property["x-kubernetes-patch-merge-key"] = json!(key);
    }
    for (_, _, key, value) in SAID_OUTRIGHT.iter().filter(|(owner, field, ..)| *owner == of.name && *field == name) {
        property[*key] = json!(value);
    }
}

/// Tags of single fields in Kubernetes' own types that say outright what is so anyway, or (the budget's selector) what only clients of
/// strategic merges heed: published as they stand there (`k8s.io/api`, `+mapType` and `patchStrategy`).
const SAID_OUTRIGHT: [(&str, &str, &str, &str); 3] = [
    (
        "io.k8s.api.core.v1.PersistentVolumeClaimStatus",
        "allocatedResourceStatuses",
        "x-kubernetes-map-type",
        "granular",
    ),
    ("io.k8s.api.core.v1.PersistentVolumeSpec", "claimRef", "x-kubernetes-map-type", "granular"),
    ("io.k8s.api.policy.v1.PodDisruptionBudgetSpec", "selector", "x-kubernetes-patch-strategy", "replace"),
];

/// A marked default, or the zero of what is always there.
fn default_of(field: &Field) -> Option<Value> {
    if let Some(default) = field.default {
        return serde_json::from_str(default).ok();
    }
    match &field.shape {
        _ if field.pointer => None,
        Shape::Object(_) => Some(json!({})),
        Shape::Text(_) if field.always => Some(json!("")),
        Shape::Int32 | Shape::Int64 if field.always => Some(json!(0)),
        Shape::Bool if field.always => Some(json!(false)),
        _ => None,
    }
}
