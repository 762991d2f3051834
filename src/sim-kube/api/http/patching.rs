//! PATCH: which kind of patch, what it makes of the object, and how its faults are worded.

use serde_json::Value;

use super::{
    body, go_json,
    resource::{Call, of_kind},
};
use crate::{
    Cluster, Status,
    api::{
        handle::ApiResponse,
        managed::{apply::apply, track::Write},
        patch::{self, Patch, gomap, json},
        schema::{self, Decoded, value::seconds_text},
        write::{Options, Touch, Unknown},
    },
    object::entries,
};

/// The most operations a JSON patch may have.
const OPERATIONS_MAX: usize = 10_000;

impl Call<'_> {
    /// Reads the body as a patch for an object of this schema.
    pub(super) fn patch_of(&self, schema: &str) -> Result<Patch, Status> {
        let parse = || -> Result<Value, Status> {
            serde_json::from_slice(&self.request.body).map_err(|error| {
                let why = go_json::complaint(&self.request.body).unwrap_or_else(|| error.to_string());
                Status::bad_request(format!("error decoding patch: {why}"))
            })
        };
        let map = |value: Value| {
            if value.is_object() {
                return Ok(value);
            }
            let found = match value {
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            Err(Status::bad_request(format!(
                "json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
            )))
        };
        match body::content_type(self.request) {
            "application/json-patch+json" => {
                let operations = json::read(&parse()?)
                    .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
                if operations.len() > OPERATIONS_MAX {
                    let count = operations.len();
                    return Err(Status::new(
                        413,
                        "RequestEntityTooLarge",
                        format!("The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {count}"),
                    ));
                }
                Ok(Patch::Json(operations))
            }
            "application/merge-patch+json" => Ok(Patch::Merge(map(parse()?)?)),
            "application/strategic-merge-patch+json" if self.kind.custom.is_none() => {
                let of = schema::find(schema).ok_or_else(|| Status::internal(format!("no schema {schema}")))?;
                Ok(Patch::Strategic(map(parse()?)?, of))
            }
            _ if self.kind.custom.is_some() => Err(Status::new(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, \
                 application/merge-patch+json, application/apply-patch+yaml, application/apply-patch+cbor",
            )),
            _ => Err(Status {
                details: serde_json::json!({}),
                ..Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
            }),
        }
    }

    /// Answers a PATCH.
    pub(super) fn patch(&self, cluster: &mut Cluster, name: &str, touch: Touch) -> Result<ApiResponse, Status> {
        let by = self.request.actor();
        let options = self.options(&by, Unknown::Warn)?;
        if body::content_type(self.request) == "application/apply-patch+yaml" {
            return self.server_side_apply(cluster, name, touch, &options);
        }
        let patch = self.patch_of(self.kind.schema)?;
        let mut warnings = Vec::new();
        let unknown = options.unknown;
        let mut written = cluster.update_with(self.kind, self.namespace(), name, touch, &options, |object| {
            self.apply(&patch, object, unknown, &mut warnings)
        })?;
        warnings.append(&mut written.warnings);
        written.warnings = warnings;
        self.written(cluster, &written)
    }

    /// Answers an apply: the object is made if it is not there.
    fn server_side_apply(
        &self,
        cluster: &mut Cluster,
        name: &str,
        touch: Touch,
        options: &Options<'_>,
    ) -> Result<ApiResponse, Status> {
        if self.request.param("fieldManager").is_none_or(str::is_empty) {
            return Err(no_manager());
        }
        let mut wanted = body::yaml(&self.request.body, self.kind.kind)?;
        of_kind(self.kind.group, self.kind.version, self.kind.kind, &wanted)?;
        if !entries(&wanted, "/metadata/managedFields").is_empty() {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        self.addressed(&mut wanted, name)?;
        let force = self.request.flag("force");
        let now = seconds_text(cluster.clock.today());
        let write =
            Write { kind: self.kind, manager: &options.by.manager, subresource: touch.subresource(), now: &now };
        let options = Options { applied: true, ..options.clone() };
        let there = cluster.get(self.kind, self.namespace(), name).is_ok();
        let written = if there || touch != Touch::Main {
            cluster.update_with(self.kind, self.namespace(), name, touch, &options, |live| {
                *live = apply(write, live, &wanted, force)?;
                Ok(())
            })?
        } else {
            let of = schema::find(self.kind.schema).ok_or_else(|| Status::internal("no schema"))?;
            let object = apply(write, &schema::decode::empty(of), &wanted, force)?;
            cluster.create_with(self.kind, self.namespace(), object, &options)?
        };
        self.written(cluster, &written)
    }

    /// Applies a patch and reads what comes of it, so that faults are worded as this kind of patch words them.
    fn apply(
        &self,
        patch: &Patch,
        object: &mut Value,
        unknown: Unknown,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        let of = schema::find(self.kind.schema).ok_or_else(|| Status::internal("no schema"))?;
        let shown = match patch {
            Patch::Strategic(change, of) => {
                let left = patch::strategic::apply(object, change, of).map_err(Status::bad_request)?;
                Some(gomap::show(&left))
            }
            other => {
                other.apply(object)?;
                None
            }
        };
        let invalid = |why: &str, object: &Value| {
            let shown = shown.clone().unwrap_or_else(|| object.to_string());
            patch::invalid(&shown, why)
        };
        let Decoded { object: read, unknown: fields } = match schema::decode(of, object) {
            Ok(decoded) => decoded,
            Err(fault) if shown.is_some() => return Err(invalid(&fault.as_converter(), object)),
            Err(fault) => return Err(invalid(&fault.as_json(), object)),
        };
        let complaints: Vec<_> = fields.iter().map(|field| format!("unknown field {field:?}")).collect();
        match unknown {
            Unknown::Refuse if !complaints.is_empty() => {
                return Err(invalid(&format!("strict decoding error: {}", complaints.join(", ")), object));
            }
            Unknown::Warn => warnings.extend(complaints),
            Unknown::Refuse | Unknown::Ignore => {}
        }
        *object = read;
        Ok(())
    }
}

/// An apply without a manager would own nothing.
fn no_manager() -> Status {
    let message = "Required value: is required for apply patch";
    Status {
        details: serde_json::json!({
            "group": "meta.k8s.io",
            "kind": "PatchOptions",
            "causes": [{"reason": "FieldValueRequired", "message": message, "field": "fieldManager"}],
        }),
        ..Status::new(422, "Invalid", format!("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: {message}"))
    }
}
