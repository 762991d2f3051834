//! Lists and watches: what the query asks for, and the answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use breakfix_sim::{Key, store::TooOld};
use serde_json::{Value, json};

use super::{
    go_json,
    media::{Accepted, View},
    reply,
};
use crate::{
    Cluster, Kind, Status,
    api::{
        conversion,
        handle::{ApiRequest, ApiResponse},
        select::Selectors,
        table::{self, Include},
        watch::{Change, WatchSpec, bookmark},
    },
    node::registration,
    object::text,
};

/// Answers a GET of a collection.
///
/// # Errors
/// 400, 410, 422 or 504 in the API's words.
pub fn answer(
    cluster: &Cluster,
    request: &ApiRequest,
    kind: &'static Kind,
    namespace: Option<&str>,
    accepted: Accepted,
) -> Result<ApiResponse, Status> {
    let selectors = Selectors::parse(
        kind,
        request.param("labelSelector").unwrap_or(""),
        request.param("fieldSelector").unwrap_or(""),
    )?;
    let version = version(request)?;
    if version > cluster.store.revision() {
        return Err(too_large(version, cluster.store.revision()));
    }
    if request.flag("watch") {
        return watch(cluster, request, kind, namespace, accepted, selectors, version).map(ApiResponse::Watch);
    }
    if request.param("sendInitialEvents").is_some() {
        return Err(options("sendInitialEvents", "Forbidden", "sendInitialEvents is forbidden for list"));
    }
    let page = page(cluster, request, kind, namespace, &selectors)?;
    let body = body(cluster, request, kind, accepted, &page)?;
    Ok(ApiResponse::Reply(reply::value(request, accepted.form, 200, body)))
}

fn version(request: &ApiRequest) -> Result<u64, Status> {
    let given = request.param("resourceVersion").unwrap_or("");
    let matching = request.param("resourceVersionMatch").unwrap_or("");
    if given.is_empty() {
        let initial = request.flag("watch") && request.param("sendInitialEvents").is_some();
        if !matching.is_empty() && !initial {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(options("resourceVersionMatch", "Forbidden", why));
        }
        return Ok(0);
    }
    if !["", "Exact", "NotOlderThan"].contains(&matching) {
        let why = format!("Unsupported value: {matching:?}: supported values: \"Exact\", \"NotOlderThan\"");
        return Err(options("resourceVersionMatch", "", &why));
    }
    given.parse().map_err(|_| {
        Status::bad_request(format!("Invalid value: {given:?}: strconv.ParseUint: parsing {given:?}: invalid syntax"))
    })
}

/// 422 for a query's option.
fn options(field: &str, reason: &str, why: &str) -> Status {
    let message = if reason.is_empty() { why.to_owned() } else { format!("{reason}: {why}") };
    let reason = if reason.is_empty() { "FieldValueNotSupported" } else { "FieldValueForbidden" };
    Status {
        details: json!({
            "group": "meta.k8s.io",
            "kind": "ListOptions",
            "causes": [{"reason": reason, "message": message, "field": field}],
        }),
        ..Status::new(422, "Invalid", format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: {message}"))
    }
}

fn too_large(asked: u64, current: u64) -> Status {
    Status {
        details: json!({
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        }),
        ..Status::new(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {current}"))
    }
}

/// The part of a list that one answer carries.
struct Page<'a> {
    objects: Vec<&'a Value>,
    revision: u64,
    next: Option<String>,
    remaining: Option<usize>,
}

fn page<'a>(
    cluster: &'a Cluster,
    request: &ApiRequest,
    kind: &'static Kind,
    namespace: Option<&'a str>,
    selectors: &Selectors,
) -> Result<Page<'a>, Status> {
    let limit = match request.param("limit").unwrap_or("") {
        "" => 0,
        text => text
            .parse::<usize>()
            .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?,
    };
    let token = request.param("continue").filter(|token| !token.is_empty()).map(Token::read).transpose()?;
    let then = match &token {
        Some(token) => token.revision,
        None if request.param("resourceVersionMatch") == Some("Exact") => Some(version(request)?),
        None => None,
    };
    let revision = then.unwrap_or(cluster.store.revision());
    let mut page = Page { objects: Vec::new(), revision, next: None, remaining: None };
    let from = token.as_ref().map(|token| token.start.as_str());
    let listed = state(cluster, kind, namespace, then).map_err(|_| expired(token.as_ref()))?;
    let by_name = namespace.is_some() || !kind.namespaced;
    let matching = |object: &&Value| selectors.matches(object);
    let mut all = listed
        .into_iter()
        .filter(|(key, _)| {
            from.is_none_or(|from| (&*key.namespace, &*key.name) >= begin(from, &key.namespace, by_name))
        })
        .map(|(_, object)| &**object)
        .filter(matching)
        .peekable();
    while let Some(object) = all.next() {
        page.objects.push(object);
        if limit > 0 && page.objects.len() >= limit && all.peek().is_some() {
            let last =
                format!("{}\0", place(namespace, text(object, "/metadata/namespace"), text(object, "/metadata/name")));
            page.next = Some(Token { revision: Some(page.revision), start: last }.write());
            page.remaining = selectors.is_empty().then(|| all.count());
            break;
        }
    }
    Ok(page)
}

/// A collection as it was after a write; without one, as it is.
fn state<'a>(
    cluster: &'a Cluster,
    kind: &'static Kind,
    namespace: Option<&'a str>,
    then: Option<u64>,
) -> Result<Vec<(&'a Key, &'a Arc<Value>)>, TooOld> {
    let now = cluster.store.list(kind.collection, namespace);
    let Some(then) = then else { return Ok(now.collect()) };
    let mut changed: BTreeMap<&Key, Option<&Arc<Value>>> = BTreeMap::new();
    for event in cluster.store.since(then)? {
        let listed = &*event.key.collection == kind.collection
            && namespace.is_none_or(|namespace| namespace == &*event.key.namespace);
        if listed {
            changed.entry(&event.key).or_insert(event.before.as_ref());
        }
    }
    let mut all: Vec<(&Key, &Arc<Value>)> = now.filter(|(key, _)| !changed.contains_key(key)).collect();
    all.extend(changed.into_iter().filter_map(|(key, before)| Some((key, before?))));
    all.sort_by_key(|(key, _)| *key);
    Ok(all)
}

/// 410 for a list of a past that is forgotten (`storage/etcd3/errors.go`); where it was begun, with a token to go on from there all the same.
fn expired(token: Option<&Token>) -> Status {
    let Some(token) = token else {
        return Status::new(410, "Expired", "The resourceVersion for the provided list is too old.");
    };
    let words = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the \
                 continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing \
                 with the provided token results in an inconsistent list - objects that were created, modified, or deleted between \
                 the time the first chunk was returned and now may show up in the list.";
    let on = Token { revision: None, start: token.start.clone() }.write();
    Status { metadata: json!({"continue": on}), ..Status::new(410, "Expired", words) }
}

/// Where an object lies below a list's own prefix, as continue tokens have it.
fn place(listed: Option<&str>, namespace: &str, name: &str) -> String {
    if listed.is_some() || namespace.is_empty() { format!("/{name}") } else { format!("/{namespace}/{name}") }
}

/// Where a token's page begins, as a key: (namespace, name).
fn begin<'a>(start: &'a str, own: &'a str, by_name: bool) -> (&'a str, &'a str) {
    let start = start.strip_prefix('/').unwrap_or(start);
    if by_name { (own, start) } else { start.split_once('/').unwrap_or((start, "")) }
}

/// A continue token: where the next page begins, and of which moment's state; of the present one without a word on it.
struct Token {
    revision: Option<u64>,
    start: String,
}

impl Token {
    fn write(&self) -> String {
        let revision = self.revision.map_or(json!(-1), |revision| json!(revision));
        let text = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": self.start}).to_string();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    fn read(token: &str) -> Result<Self, Status> {
        let bad = |why: &str| Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        // Go does not mind bits beyond the last byte.
        let lenient = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let bytes = GeneralPurpose::new(&base64::alphabet::URL_SAFE, lenient)
            .decode(token)
            .map_err(|error| bad(&error.to_string()))?;
        let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| bad(&go_json::complaint(latin.as_bytes()).unwrap_or_else(|| error.to_string())))?;
        if text(&value, "/v") != "meta.k8s.io/v1" {
            return Err(bad(&format!("server does not recognize this encoded version {:?}", text(&value, "/v"))));
        }
        let revision = value.get("rv").and_then(Value::as_u64);
        Ok(Self { revision, start: text(&value, "/start").to_owned() })
    }
}

fn body(
    cluster: &Cluster,
    request: &ApiRequest,
    kind: &'static Kind,
    accepted: Accepted,
    page: &Page<'_>,
) -> Result<Value, Status> {
    let mut metadata = json!({"resourceVersion": page.revision.to_string()});
    if let Some(next) = &page.next {
        metadata["continue"] = json!(next);
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    let shown = |object: &&Value| registration::renewed(cluster, kind, conversion::shown(kind, object));
    let objects = page.objects.iter().map(shown);
    Ok(match accepted.view {
        View::Whole => {
            let items: Vec<_> = objects.map(untyped).collect();
            json!({"kind": kind.list_kind(), "apiVersion": kind.api_version(), "metadata": metadata, "items": items})
        }
        View::Metadata(version) => {
            let items: Vec<_> = objects.map(|object| untyped(table::metadata_only(&object, version))).collect();
            json!({"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": metadata, "items": items})
        }
        View::Table(version) => {
            let objects: Vec<_> = objects.collect();
            as_table(cluster, kind, version, include(request)?, metadata, &objects)
        }
    })
}

/// Items of a list do not repeat their kind.
fn untyped(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.remove("kind");
        members.remove("apiVersion");
    }
    object
}

/// A table of objects.
pub fn as_table(
    cluster: &Cluster,
    kind: &Kind,
    version: &str,
    include: Include,
    metadata: Value,
    objects: &[Value],
) -> Value {
    let layout = table::layout(kind);
    let now = cluster.clock.today();
    let rows: Vec<_> = objects.iter().map(|object| table::row(layout, object, version, include, now)).collect();
    json!({
        "kind": "Table",
        "apiVersion": version,
        "metadata": metadata,
        "columnDefinitions": table::definitions(layout),
        "rows": rows,
    })
}

/// What of the objects a table's rows are to carry.
///
/// # Errors
/// 400 for another word than None, Metadata or Object.
pub fn include(request: &ApiRequest) -> Result<Include, Status> {
    match request.param("includeObject").unwrap_or("") {
        "" | "Metadata" => Ok(Include::Metadata),
        "None" => Ok(Include::Nothing),
        "Object" => Ok(Include::Object),
        other => Err(Status::bad_request(format!("unrecognized includeObject value: {other:?}"))),
    }
}

fn watch(
    cluster: &Cluster,
    request: &ApiRequest,
    kind: &'static Kind,
    namespace: Option<&str>,
    accepted: Accepted,
    selectors: Selectors,
    version: u64,
) -> Result<WatchSpec, Status> {
    let bookmarks = request.flag("allowWatchBookmarks");
    let asked = request.param("sendInitialEvents").map(|_| request.flag("sendInitialEvents"));
    match (asked, request.param("resourceVersionMatch").unwrap_or("")) {
        (None, "") | (Some(_), "NotOlderThan") => {}
        (None, _) => {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return Err(options("resourceVersionMatch", "Forbidden", why));
        }
        (Some(_), _) => {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(options("resourceVersionMatch", "Forbidden", why));
        }
    }
    let timeout = match request.param("timeoutSeconds").unwrap_or("") {
        "" => None,
        text => Some(Duration::from_secs(
            text.parse()
                .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?,
        )),
    };
    // Without a version, and without a word on it, a watch begins with everything there is.
    let initial = asked.unwrap_or(version == 0);
    let now = cluster.store.revision();
    let mut pending = Vec::new();
    if initial {
        let matching = cluster.list(kind, namespace).filter(|object| selectors.matches(object));
        pending.extend(matching.map(|object| (Change::Added, Value::clone(object))));
        if bookmarks {
            pending.push((Change::Bookmark, bookmark(kind, now, true)));
        }
    }
    Ok(WatchSpec {
        kind,
        namespace: namespace.map(str::to_owned),
        selectors,
        accepted,
        include: include(request)?,
        bookmarks,
        timeout,
        at: if initial || version == 0 { now } else { version },
        pending,
        columns_sent: false,
    })
}
