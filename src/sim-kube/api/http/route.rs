//! Where a path leads.

use crate::{Kind, kind};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// Discovery, schemas, health: no objects.
    Page(Page),
    /// Objects of a kind.
    Resource(Target),
    /// Under a served group, but no resource: a Status says so.
    NoResource,
    /// `404 page not found`.
    Nowhere,
}

/// A page that is no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    Root,
    Version,
    /// `healthz`, `livez`, `readyz`.
    Health(String),
    Api,
    Apis,
    Group(String),
    /// Group (empty: core) and version.
    GroupVersion(String, String),
    OpenApiIndex,
    /// A group's document, named as in the index: `api/v1`, `apis/apps/v1`.
    OpenApi(String),
    OpenApiV2,
    /// The list of custom resource definitions, or the one of this name. There are none, and there can be none.
    Definitions(Option<String>),
}

/// Objects of a kind, or one of them, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub kind: Served,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub subresource: Option<String>,
}

/// What is served at a resource's path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Served {
    /// Objects in the store.
    Stored(&'static Kind),
    /// A question that is answered and forgotten: access reviews and their like.
    Question(&'static kind::Question),
}

impl Route {
    /// The route of a path as the request line has it.
    pub fn of(path: &str) -> Self {
        let segments: Option<Vec<String>> =
            path.split('/').filter(|segment| !segment.is_empty()).map(unescape).collect();
        let Some(segments) = segments else { return Self::Nowhere };
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => Self::Page(Page::Root),
            ["version"] => Self::Page(Page::Version),
            ["healthz" | "livez" | "readyz", ..] => Self::Page(Page::Health(words.join("/"))),
            ["api"] => Self::Page(Page::Api),
            ["apis"] => Self::Page(Page::Apis),
            ["openapi", "v3"] => Self::Page(Page::OpenApiIndex),
            ["openapi", "v3", rest @ ..] => Self::Page(Page::OpenApi(rest.join("/"))),
            ["openapi", "v2"] => Self::Page(Page::OpenApiV2),
            ["apis", "apiextensions.k8s.io", "v1", "customresourcedefinitions", rest @ ..] => {
                Self::Page(Page::Definitions(rest.first().map(|name| (*name).to_owned())))
            }
            ["api", version, rest @ ..] => resource("", version, rest),
            ["apis", group] if kind::has_group(group) => Self::Page(Page::Group((*group).to_owned())),
            ["apis", group, version, rest @ ..] if kind::has_group(group) => resource(group, version, rest),
            _ => Self::Nowhere,
        }
    }
}

fn resource(group: &str, version: &str, rest: &[&str]) -> Route {
    if !kind::has_version(group, version) {
        return if group.is_empty() { Route::Nowhere } else { Route::NoResource };
    }
    let find = |plural: &str| {
        kind::by_plural(group, version, plural)
            .map(Served::Stored)
            .or_else(|| kind::question(group, version, plural).map(Served::Question))
    };
    let (namespace, rest) = match rest {
        [] => return Route::Page(Page::GroupVersion(group.to_owned(), version.to_owned())),
        ["namespaces", _, "status" | "finalize"] if group.is_empty() => (None, rest),
        ["namespaces", namespace, plural, rest @ ..] if find(plural).is_some_and(Served::is_namespaced) => {
            return target(find(plural), Some(namespace), rest);
        }
        [_, ..] => (None, rest),
    };
    let [plural, rest @ ..] = rest else { return Route::NoResource };
    let found = find(plural);
    // Objects of a namespaced kind are named only under their namespace.
    if found.is_some_and(Served::is_namespaced) && !rest.is_empty() {
        return Route::NoResource;
    }
    target(found, namespace, rest)
}

fn target(kind: Option<Served>, namespace: Option<&str>, rest: &[&str]) -> Route {
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some(*name), None),
        [name, subresource] => (Some(*name), Some(*subresource)),
        _ => return Route::NoResource,
    };
    let Some(kind) = kind else { return Route::NoResource };
    if let (Served::Stored(kind), Some(subresource)) = (kind, subresource)
        && !kind.subresources.contains(&subresource)
    {
        return Route::NoResource;
    }
    Route::Resource(Target {
        kind,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    })
}

impl Served {
    fn is_namespaced(self) -> bool {
        match self {
            Self::Stored(kind) => kind.namespaced,
            Self::Question(question) => question.namespaced,
        }
    }
}

/// A path segment without its percent signs; `None` if they make no text.
fn unescape(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> String {
        match Route::of(path) {
            Route::Resource(target) => {
                let kind = match target.kind {
                    Served::Stored(kind) => kind.kind,
                    Served::Question(question) => question.kind,
                };
                [Some(kind.to_owned()), target.namespace, target.name, target.subresource]
                    .into_iter()
                    .map(|part| part.unwrap_or_else(|| "-".to_owned()))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn paths_lead_where_they_lead_on_a_server() {
        for (path, wanted) in [
            ("/api/v1/pods", "Pod - - -"),
            ("/api/v1/namespaces/shop/pods", "Pod shop - -"),
            ("/api/v1/namespaces/shop/pods/a/log", "Pod shop a log"),
            ("/api/v1/namespaces", "Namespace - - -"),
            ("/api/v1/namespaces/shop", "Namespace - shop -"),
            ("/api/v1/namespaces/shop/finalize", "Namespace - shop finalize"),
            ("/apis/apps/v1/namespaces/shop/deployments/web/scale", "Deployment shop web scale"),
            ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "SelfSubjectAccessReview - - -"),
            ("/api/v1/nodes/a%2Db", "Node - a-b -"),
            ("/api/v1/namespaces/shop/nosuchkind", "NoResource"),
            ("/api/v1/namespaces/shop/pods/a/ephemeralcontainers", "NoResource"),
            ("/api/v1/pods/a", "NoResource"),
            ("/apis/apps/v9/deployments", "NoResource"),
            ("/apis/nope/v1/things", "Nowhere"),
            ("/apis/nope", "Nowhere"),
            ("/nope", "Nowhere"),
            ("/api/v1/nodes/%zz", "Nowhere"),
        ] {
            assert_eq!(shown(path), wanted, "{path}");
        }
    }
}
