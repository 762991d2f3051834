//! Requests for objects: which verb they are, and its answer.

use serde_json::{Value, json};

use super::{
    body, collection,
    media::{self, Accepted, View},
    questions, readings, reply,
    route::{Served, Target},
    subresource,
};
use crate::{
    Cluster, Kind, Status,
    api::{
        conversion,
        handle::{ApiRequest, ApiResponse, Reply},
        table,
        verbs::{Actor, DeleteOptions},
        write::{Options, Touch, Unknown, Written},
    },
    node::registration,
    object::{number, set, text},
};

/// Kinds whose deletion is answered with the object, where others get a Status.
const DELETED_OBJECT: [&str; 3] = ["pods", "services", "serviceaccounts"];

/// Answers a request for objects.
///
/// # Errors
/// A refusal in the API's words.
pub fn answer(cluster: &mut Cluster, request: &ApiRequest, target: &Target) -> Result<ApiResponse, Status> {
    let accepted = media::accepted(request)?;
    let kind = match target.kind {
        Served::Question(question) => {
            let taken = target.name.is_none() && (!question.namespaced || target.namespace.is_some());
            if request.method != "POST" || !taken {
                return Err(Status::method_not_allowed());
            }
            let answered = questions::answer(cluster, request, question, target.namespace.as_deref().unwrap_or(""))?;
            return Ok(ApiResponse::Reply(reply::value(request, accepted.form, 201, answered)));
        }
        Served::Reading(kind) => return readings::answer(cluster, request, target, kind, accepted),
        Served::Stored(kind) => kind,
    };
    let call = Call { request, kind, namespace: target.namespace.as_deref(), accepted };
    if let (Some(name), Some(subresource)) = (&target.name, &target.subresource) {
        return subresource::answer(cluster, &call, name, subresource);
    }
    match (request.method.as_str(), &target.name) {
        ("GET", None) => {
            collection::answer(cluster, request, kind, call.namespace, accepted).map(|answer| call.warned(answer))
        }
        ("GET", Some(name)) => {
            let object = cluster.get(kind, call.namespace.unwrap_or(""), name)?;
            call.object(cluster, 200, &object, &[])
        }
        ("POST", None) if !kind.namespaced || call.namespace.is_some() => call.create(cluster),
        ("PUT", Some(name)) => call.replace(cluster, name, Touch::Main),
        ("PATCH", Some(name)) => call.patch(cluster, name, Touch::Main),
        ("DELETE", Some(name)) => call.delete(cluster, name),
        ("DELETE", None) if kind.collection != "namespaces" && (!kind.namespaced || call.namespace.is_some()) => {
            call.delete_collection(cluster)
        }
        _ => Err(Status::method_not_allowed()),
    }
}

/// One request for objects of a kind.
pub(super) struct Call<'a> {
    pub request: &'a ApiRequest,
    pub kind: &'static Kind,
    pub namespace: Option<&'a str>,
    pub accepted: Accepted,
}

impl Call<'_> {
    pub(super) fn namespace(&self) -> &str {
        self.namespace.unwrap_or("")
    }

    /// How the query wants a write done.
    pub(super) fn options<'b>(&'b self, by: &'b Actor, default: Unknown) -> Result<Options<'b>, Status> {
        let unknown = match self.request.param("fieldValidation").unwrap_or("") {
            "" => default,
            "Strict" => Unknown::Refuse,
            "Warn" => Unknown::Warn,
            "Ignore" => Unknown::Ignore,
            other => return Err(self.bad_option("fieldValidation", other, "\"Ignore\", \"Strict\", \"Warn\"")),
        };
        Ok(Options { by, user: Some(&self.request.user), dry_run: self.dry_run()?, unknown, applied: false })
    }

    pub(super) fn dry_run(&self) -> Result<bool, Status> {
        let asked: Vec<_> = self.request.query.iter().filter(|(key, _)| key == "dryRun").collect();
        match asked.iter().find(|(_, value)| value != "All" && !value.is_empty()) {
            Some((_, other)) => Err(self.bad_option("dryRun", other, "\"All\"")),
            None => Ok(asked.iter().any(|(_, value)| value == "All")),
        }
    }

    fn bad_option(&self, field: &str, value: &str, supported: &str) -> Status {
        let kind = match self.request.method.as_str() {
            "POST" => "CreateOptions",
            "PATCH" => "PatchOptions",
            "DELETE" => "DeleteOptions",
            _ => "UpdateOptions",
        };
        let message = format!("Unsupported value: {value:?}: supported values: {supported}");
        Status {
            details: json!({
                "group": "meta.k8s.io",
                "kind": kind,
                "causes": [{"reason": "FieldValueNotSupported", "message": message, "field": field}],
            }),
            ..Status::new(422, "Invalid", format!("{kind}.meta.k8s.io \"\" is invalid: {field}: {message}"))
        }
    }

    /// An answer that is one object, in the view that the client wants.
    pub(super) fn object(
        &self,
        cluster: &Cluster,
        status: u16,
        object: &Value,
        warnings: &[String],
    ) -> Result<ApiResponse, Status> {
        let object = registration::renewed(cluster, self.kind, conversion::shown(self.kind, object));
        let body = match self.accepted.view {
            View::Whole => object,
            View::Metadata(version) => table::metadata_only(&object, version),
            View::Table(version) => {
                let metadata = json!({"resourceVersion": text(&object, "/metadata/resourceVersion")});
                let include = collection::include(self.request)?;
                collection::as_table(cluster, self.kind, version, include, metadata, std::slice::from_ref(&object))
            }
        };
        let mut answer = reply::value(self.request, self.accepted.form, status, body);
        reply::warn(&mut answer, warnings);
        Ok(self.warned(ApiResponse::Reply(answer)))
    }

    /// Adds the warning that the kind as such calls for.
    fn warned(&self, mut answer: ApiResponse) -> ApiResponse {
        if let (ApiResponse::Reply(reply), "endpoints") = (&mut answer, self.kind.collection) {
            let text = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
            reply::warn(reply, &[text.to_owned()]);
        }
        answer
    }

    pub(super) fn written(&self, cluster: &Cluster, written: &Written) -> Result<ApiResponse, Status> {
        self.object(cluster, if written.created { 201 } else { 200 }, &written.object, &written.warnings)
    }

    fn create(&self, cluster: &mut Cluster) -> Result<ApiResponse, Status> {
        let by = self.request.actor();
        let options = self.options(&by, Unknown::Warn)?;
        let body = self.body()?;
        let written = cluster.create_with(self.kind, self.namespace(), body, &options)?;
        self.written(cluster, &written)
    }

    /// The body, as an object of the call's kind.
    pub(super) fn body(&self) -> Result<Value, Status> {
        let body = body::read(self.request, self.kind.kind, self.kind.schema)?;
        of_kind(self.kind.group, self.kind.version, self.kind.kind, &body)?;
        Ok(body)
    }

    pub(super) fn replace(&self, cluster: &mut Cluster, name: &str, touch: Touch) -> Result<ApiResponse, Status> {
        let by = self.request.actor();
        let options = self.options(&by, Unknown::Warn)?;
        let mut body = self.body()?;
        self.addressed(&mut body, name)?;
        let written = cluster.update_with(self.kind, self.namespace(), name, touch, &options, |object| {
            *object = body;
            Ok(())
        })?;
        self.written(cluster, &written)
    }

    /// The body's name and namespace are the path's.
    pub(super) fn addressed(&self, body: &mut Value, name: &str) -> Result<(), Status> {
        let own = text(body, "/metadata/name");
        if own.is_empty() {
            return Err(Status::bad_request(format!(
                "the name of the object ({name} based on URL) was undeterminable: name must be provided"
            )));
        }
        if own != name {
            return Err(Status::bad_request(format!(
                "the name of the object ({own}) does not match the name on the URL ({name})"
            )));
        }
        let namespace = text(body, "/metadata/namespace");
        if self.kind.namespaced && !namespace.is_empty() && namespace != self.namespace() {
            return Err(Status::bad_request(format!(
                "the namespace of the object ({namespace}) does not match the namespace on the URL ({})",
                self.namespace()
            )));
        }
        if self.kind.namespaced {
            set(body, "/metadata/namespace", Value::from(self.namespace()));
        }
        Ok(())
    }

    /// How the body and the query want a deletion done.
    pub(super) fn delete_options(&self) -> Result<DeleteOptions, Status> {
        let given = if self.request.body.is_empty() {
            json!({})
        } else {
            body::read(self.request, "DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")?
        };
        let query = |key: &str| self.request.param(key).filter(|value| !value.is_empty());
        let own = |pointer: &str| Some(text(&given, pointer).to_owned()).filter(|value| !value.is_empty());
        let propagation = own("/propagationPolicy").or_else(|| query("propagationPolicy").map(str::to_owned));
        let orphan = given.get("orphanDependents").and_then(Value::as_bool);
        let propagation =
            propagation.or_else(|| orphan.map(|orphan| if orphan { "Orphan" } else { "Background" }.to_owned()));
        if let Some(other) = propagation.as_deref()
            && !["Background", "Foreground", "Orphan"].contains(&other)
        {
            let supported = "\"Background\", \"Foreground\", \"Orphan\"";
            return Err(self.bad_option("propagationPolicy", other, supported));
        }
        let grace = number(&given, "/gracePeriodSeconds")
            .or_else(|| query("gracePeriodSeconds").and_then(|value| value.parse().ok()));
        let dry = crate::object::entries(&given, "/dryRun");
        if let Some(other) = dry.iter().filter_map(Value::as_str).find(|value| *value != "All") {
            return Err(self.bad_option("dryRun", other, "\"All\""));
        }
        Ok(DeleteOptions {
            grace_seconds: grace,
            propagation,
            uid: own("/preconditions/uid"),
            resource_version: own("/preconditions/resourceVersion"),
            dry_run: self.dry_run()? || !dry.is_empty(),
        })
    }

    fn delete(&self, cluster: &mut Cluster, name: &str) -> Result<ApiResponse, Status> {
        let how = self.delete_options()?;
        let by = self.request.actor();
        let options = self.options(&by, Unknown::Ignore)?;
        let gone = cluster.delete_with(self.kind, self.namespace(), name, &how, &options)?;
        if !gone.removed || DELETED_OBJECT.contains(&self.kind.collection) {
            return self.object(cluster, 200, &gone.object, &[]);
        }
        let mut details = json!({
            "name": name,
            "kind": self.kind.plural,
            "uid": text(&gone.object, "/metadata/uid"),
        });
        if !self.kind.group.is_empty() {
            details["group"] = json!(self.kind.group);
        }
        let body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        });
        Ok(ApiResponse::Reply(reply::value(self.request, self.accepted.form, 200, body)))
    }

    /// Deletes everything that the selectors mean; answers with the list of it.
    fn delete_collection(&self, cluster: &mut Cluster) -> Result<ApiResponse, Status> {
        let how = self.delete_options()?;
        let by = self.request.actor();
        let options = self.options(&by, Unknown::Ignore)?;
        let param = |key| self.request.param(key).unwrap_or("");
        let selectors =
            crate::api::select::Selectors::parse(self.kind, param("labelSelector"), param("fieldSelector"))?;
        let meant: Vec<(String, String)> = cluster
            .list(self.kind, self.namespace)
            .filter(|object| selectors.matches(object))
            .map(|object| (text(object, "/metadata/namespace").to_owned(), text(object, "/metadata/name").to_owned()))
            .collect();
        let mut items = Vec::new();
        for (namespace, name) in meant {
            match cluster.delete_with(self.kind, &namespace, &name, &how, &options) {
                Ok(gone) => items.push(gone.object),
                Err(status) if status.code == 404 => {}
                Err(status) => return Err(status),
            }
        }
        let body = json!({
            "kind": self.kind.list_kind(),
            "apiVersion": self.kind.api_version(),
            "metadata": {"resourceVersion": cluster.store.revision().to_string()},
            "items": items,
        });
        let answer: Reply = reply::value(self.request, self.accepted.form, 200, body);
        Ok(ApiResponse::Reply(answer))
    }
}

/// A body says of itself that it is of the kind its path serves, or says nothing.
pub(super) fn of_kind(group: &str, version: &str, kind: &str, body: &Value) -> Result<(), Status> {
    let full = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let (own_version, own_kind) = (text(body, "/apiVersion"), text(body, "/kind"));
    if (own_version.is_empty() || own_version == full) && (own_kind.is_empty() || own_kind == kind) {
        return Ok(());
    }
    let (own_version, own_kind) =
        (if own_version.is_empty() { &full } else { own_version }, if own_kind.is_empty() { kind } else { own_kind });
    let short = own_version.rsplit('/').next().unwrap_or(own_version);
    if crate::kind::by_kind(own_version, own_kind).is_some() {
        let of = |group: &str| {
            if group.is_empty() { "core".to_owned() } else { group.split('.').next().unwrap_or(group).to_owned() }
        };
        return Err(Status::bad_request(format!(
            "{own_kind} in version {short:?} cannot be handled as a {kind}: converting (v1.{own_kind}) to ({}.{kind}): unknown conversion",
            of(group)
        )));
    }
    Err(Status::bad_request(format!(
        "{own_kind} in version {short:?} cannot be handled as a {kind}: no kind {own_kind:?} is registered for version {own_version:?} in \
         scheme \"pkg/api/legacyscheme/scheme.go:30\""
    )))
}
